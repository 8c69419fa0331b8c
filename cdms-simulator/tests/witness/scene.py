"""A simulator in a separate process, and a plain HTTP client that uses only the standard library."""

import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import uuid

from schema import document

ROOT = "/XRMServices/2011/OrganizationData.svc"

# 2016-10-05T12:52:30.123Z, and the same time as the service shows it: in whole seconds.
NOON_MS = 1_475_671_950_123
NOON = "/Date(1475671950000)/"

ACCOUNT = "7a4814f9-b0b8-ea11-a812-000d3a122b89"
OTHER = "6f9619ff-8b86-d011-b42d-00c04fc964ff"

# How long to wait at most; only a failing test waits this long.
PATIENCE_S = 60

class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.bytes = response.read()

    @property
    def json(self):
        return json.loads(self.bytes)

    @property
    def d(self):
        return self.json["d"]


class Witness(unittest.TestCase):
    """Tests that each have their own simulator."""

    # The options of the program besides its schema: a clock that stands, so that times are known.
    options = ("--clock", str(NOON_MS))
    schema = staticmethod(document)

    def setUp(self):
        self.start(*self.options)

    def start(self, *options, control=True):
        """Starts a simulator, to which all further requests go."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        metadata = pathlib.Path(folder.name) / "metadata.xml"
        metadata.write_text(self.schema())
        self.messages = pathlib.Path(folder.name) / "messages"
        control = ["--control"] if control else []
        with self.messages.open("w") as messages:
            process = subprocess.Popen(
                [os.environ["CDMS_SIMULATOR"], "--metadata", str(metadata), *control, *options],
                stdout=subprocess.PIPE, stderr=messages, text=True)
        self.addCleanup(self.stop, process)
        self.process = process
        address = process.stdout.readline().strip()
        found = re.fullmatch(r"http://([^/]+)(/.*)", address)
        self.assertIsNotNone(found, f"it did not start with {options}: {self.messages.read_text()}")
        self.host, self.root = found.group(1), found.group(2)

    def stop(self, process):
        process.kill()
        process.wait()
        process.stdout.close()

    def ask(self, method, path, body=None, **headers):
        """One exchange; `path` is relative to the service root unless it begins with a slash. Headers that are None are
        not sent."""
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE_S)
        try:
            sent = {"Accept": "application/json"}
            if body is not None:
                sent["Content-Type"] = "application/json"
                body = (body if isinstance(body, str) else json.dumps(body)).encode()
            sent.update({name.replace("_", "-"): value for name, value in headers.items()})
            sent = {name: value for name, value in sent.items() if value is not None}
            path = path if path.startswith("/") else f"{self.root}/{path}"
            connection.request(method, path, body=body, headers=sent)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def connect(self, request=""):
        """A new connection, over which this request has been sent."""
        host, port = self.host.rsplit(":", 1)
        connection = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
        connection.sendall(request.encode())
        return connection

    def raw(self, *requests):
        """Sends the bytes of requests over one connection and returns everything that arrives until it ends."""
        with self.connect("".join(requests)) as connection:
            answer = b""
            try:
                while part := connection.recv(65_536):
                    answer += part
            except ConnectionResetError:
                pass  # A reset ends the connection as well.
            return answer.decode()

    def text_of(self, method, path, body="", *headers):
        """A request as it is sent over the wire."""
        lines = [f"{method} {self.root}/{path} HTTP/1.1", "Host: x", "Accept: application/json", *headers]
        if body:
            lines.append(f"Content-Length: {len(body.encode())}")
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def until(self, holds):
        """Waits until the condition holds: for what happens in the server after a request has arrived."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            self.assertLess(time.monotonic(), end, "the condition never held; the request before it failed")

    def broken(self, call):
        """Requires a connection that ends before the answer is complete."""
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            call()

    def get(self, path):
        return self.ask("GET", path)

    def create(self, set_name, **attributes):
        return self.ask("POST", set_name, attributes)

    def merge(self, path, **attributes):
        return self.ask("POST", path, attributes, X_HTTP_Method="MERGE")

    def delete(self, path):
        return self.ask("DELETE", path)

    def control(self, method, what, body=None):
        reply = self.ask(method, f"/_control/{what}", body)
        self.assertEqual(reply.status, 200, reply.bytes)
        return reply.json

    def seed(self, entity, **attributes):
        """Adds a record without a commit; returns its id."""
        return self.control("POST", "seed", [{"entity": entity, "attributes": attributes}])["ids"][0]

    def seeded(self, **attributes):
        """Seeds an account with the id ACCOUNT and returns its address."""
        self.seed("Account", AccountId=guid(ACCOUNT), **attributes)
        return at("AccountSet", ACCOUNT)

    def fault(self, fault, **rule):
        self.control("POST", "faults", {"times": 1, **rule, "fault": fault})

    def hits(self):
        return self.control("GET", "faults")["hit"]

    def log(self):
        return self.control("GET", "log")

    def requests(self):
        return self.control("GET", "requests")

    def clock(self, **order):
        return self.control("POST", "clock", order)["now_ms"]

    def rows(self, path):
        reply = self.get(path)
        self.assertEqual(reply.status, 200, reply.bytes)
        return reply.d["results"]

    def done(self, reply):
        """Requires an answer without a body."""
        self.assertEqual((reply.status, reply.bytes), (204, b""))

    def shows(self, path, **attributes):
        """Requires a record to have these values; for lookups, options and money the Id or Value."""
        reply = self.get(path)
        self.assertEqual(reply.status, 200, reply.bytes)
        self.assertEqual({name: plain(reply.d[name]) for name in attributes}, attributes)

    def account(self, **attributes):
        """Creates an account and returns its address."""
        made = self.create("AccountSet", **attributes)
        self.assertEqual(made.status, 201, made.bytes)
        return f"AccountSet(guid'{made.d['AccountId']}')"

    def refused(self, reply, status, code, *words):
        self.assertEqual(reply.status, status, reply.bytes)
        error = reply.json["error"]
        self.assertIsInstance(error["code"], str)
        self.assertEqual(error["code"], code)
        self.assertEqual(error["message"]["lang"], "en-US")
        for word in words:
            self.assertIn(word, error["message"]["value"])


def some_id():
    return str(uuid.uuid4())


def at(set_name, key):
    """The address of a record."""
    return f"{set_name}(guid'{key}')"


def query(**options):
    """Query options without their dollar signs, encoded."""
    return "&".join(f"${name}={urllib.parse.quote(value, safe='')}" for name, value in options.items())


def guid(key):
    """A key in the form in which the simulator is seeded."""
    return {"guid": key}


def lookup(entity, key):
    """A reference in the form in which the simulator is seeded."""
    return {"lookup": [entity, key]}


def plain(value):
    """The Id of a lookup, the Value of an option or money, and any other value unchanged."""
    return value.get("Id", value.get("Value")) if isinstance(value, dict) else value
