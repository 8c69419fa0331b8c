"""A foreign NTLM server in front of the simulator: pyspnego checks the messages, with their MIC and channel binding.

    cargo run -p cdms-simulator -- --metadata mappings/metadata.xml
    pip install pyspnego cryptography
    python tests/foreign/ntlm_server.py 127.0.0.1:PORT [certificate.pem key.pem]
    DATAHUB_PASSWORD=secret cargo run -p datahub-tests --example foreign_ntlm -- ADDRESS 'CDMS\\datahub'

It prints its address as its first line, and then what it decides about each last message. With a certificate it ends TLS and
demands the channel binding.
"""

import base64
import hashlib
import http.client
import http.server
import os
import ssl
import sys
import tempfile

import spnego
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from spnego.channel_bindings import GssChannelBindings

UPSTREAM = sys.argv[1]
CERTIFICATE = sys.argv[2:4]

users = tempfile.NamedTemporaryFile("w", delete=False)
users.write("CDMS:datahub:secret\n")
users.close()
os.environ["NTLM_USER_FILE"] = users.name


def binding():
    if not CERTIFICATE:
        return None
    with open(CERTIFICATE[0], "rb") as file:
        leaf = x509.load_pem_x509_certificates(file.read())[0]
    digest = hashlib.new(leaf.signature_hash_algorithm.name, leaf.public_bytes(Encoding.DER))
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest.digest())


class Handler(http.server.BaseHTTPRequestHandler):
    """One of these lives as long as its connection."""

    protocol_version = "HTTP/1.1"
    context = None
    logged_in = False

    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        header = self.headers.get("Authorization")
        if header:
            self.logged_in = False
            token = base64.b64decode(header.split(" ", 1)[1])
            if token[8] == 1:
                assert not body, "a first message has no body"
                self.context = spnego.server(protocol="ntlm", channel_bindings=binding())
                challenge = self.context.step(token)
                return self.refuse("NTLM " + base64.b64encode(challenge).decode())
            if self.context is None:
                print("astray: the challenge was on another connection", flush=True)
                return self.refuse("NTLM")
            try:
                self.context.step(token)
                self.logged_in = self.context.complete
                print("accepted", self.context.client_principal, flush=True)
            except Exception as error:
                print("refused", type(error).__name__, error, flush=True)
        if not self.logged_in:
            return self.refuse("NTLM")
        upstream = http.client.HTTPConnection(UPSTREAM)
        kept = {name: value for name, value in self.headers.items() if name.lower() not in ("authorization", "connection")}
        upstream.request(self.command, self.path, body, kept)
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        self.finish_answer(content)

    def refuse(self, offer):
        self.send_response_only(401)
        self.send_header("WWW-Authenticate", offer)
        self.finish_answer(b"<html><body>Access is denied.</body></html>")

    def finish_answer(self, content):
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = do

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if CERTIFICATE:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*CERTIFICATE)
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(f"{'https' if CERTIFICATE else 'http'}://localhost:{server.server_port}/ORG", flush=True)
server.serve_forever()
