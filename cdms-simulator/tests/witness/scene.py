"""A simulator in a process of its own, and a plain HTTP client: the standard library and nothing of the project."""

import http.client
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
import uuid

ROOT = "/XRMServices/2011/OrganizationData.svc"
NAMESPACE = "Microsoft.Crm.Sdk.Data.Services"

ENTITIES = {
    "Account": ("AccountId", {
        "AccountId": "Edm.Guid", "Name": "Edm.String", "NumberOfEmployees": "Edm.Int32", "DoNotPhone": "Edm.Boolean",
        "ExchangeRate": "Edm.Decimal", "Address1_AddressId": "Edm.Guid", "Address1_City": "Edm.String",
        "Address1_Latitude": "Edm.Double", "Address2_AddressId": "Edm.Guid", "LastVerified": "Edm.DateTime",
        "CreatedOn": "Edm.DateTime", "ModifiedOn": "Edm.DateTime", "IndustryCode": "OptionSetValue", "Revenue": "Money",
        "PrimaryContactId": "EntityReference", "CreatedBy": "EntityReference", "ModifiedBy": "EntityReference",
        "OwnerId": "EntityReference", "StateCode": "OptionSetValue", "StatusCode": "OptionSetValue",
    }),
    "Contact": ("ContactId", {
        "ContactId": "Edm.Guid", "FirstName": "Edm.String", "LastName": "Edm.String", "FullName": "Edm.String",
        "ParentCustomerId": "EntityReference", "ModifiedOn": "Edm.DateTime",
    }),
    "CustomerAddress": ("CustomerAddressId", {
        "CustomerAddressId": "Edm.Guid", "AddressNumber": "Edm.Int32", "City": "Edm.String",
        "ParentId": "EntityReference", "ModifiedOn": "Edm.DateTime",
    }),
    "optevia_sector": ("optevia_sectorId", {"optevia_sectorId": "Edm.Guid", "optevia_name": "Edm.String"}),
}


def document():
    types, sets = "", ""
    for name, (key, properties) in ENTITIES.items():
        types += f'<EntityType Name="{name}"><Key><PropertyRef Name="{key}"/></Key>'
        for attribute, kind in properties.items():
            kind = kind if kind.startswith("Edm.") else f"{NAMESPACE}.{kind}"
            types += f'<Property Name="{attribute}" Type="{kind}"/>'
        types += "</EntityType>"
        sets += f'<EntitySet Name="{name}Set" EntityType="{NAMESPACE}.{name}"/>'
    return (
        '<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"><edmx:DataServices>'
        f'<Schema Namespace="{NAMESPACE}" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">{types}'
        f'<EntityContainer Name="ORGContext">{sets}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>'
    )


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
    """Tests on a simulator that each of them has for itself."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        metadata = pathlib.Path(self.folder.name) / "metadata.xml"
        metadata.write_text(document())
        program = os.environ["CDMS_SIMULATOR"]
        self.process = subprocess.Popen(
            [program, "--metadata", str(metadata), "--control"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop)
        root = self.process.stdout.readline().strip()
        found = re.fullmatch(r"http://([^/]+)(/.*)", root)
        self.host, self.root = found.group(1), found.group(2)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, method, path, body=None, **headers):
        """One exchange; `path` below the service root unless it begins with a slash."""
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            sent = {"Accept": "application/json"}
            sent.update({name.replace("_", "-"): value for name, value in headers.items()})
            if body is not None:
                sent.setdefault("Content-Type", "application/json")
                body = body if isinstance(body, (str, bytes)) else json.dumps(body)
            path = path if path.startswith("/") else f"{self.root}/{path}"
            connection.request(method, path, body=body, headers=sent)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def get(self, path):
        return self.ask("GET", path)

    def create(self, set_name, **attributes):
        return self.ask("POST", set_name, attributes)

    def merge(self, path, **attributes):
        return self.ask("POST", path, attributes, X_HTTP_Method="MERGE")

    def control(self, method, what, body=None):
        reply = self.ask(method, f"/_control/{what}", body)
        self.assertEqual(reply.status, 200, reply.bytes)
        return reply.json

    def fault(self, fault, **rule):
        self.control("POST", "faults", {"times": 1, **rule, "fault": fault})

    def log(self):
        return self.control("GET", "log")

    def account(self, **attributes):
        """Creates an account and says where it is."""
        made = self.create("AccountSet", **attributes)
        self.assertEqual(made.status, 201, made.bytes)
        return f"AccountSet(guid'{made.d['AccountId']}')"

    def refused(self, reply, status, code, *words):
        self.assertEqual(reply.status, status, reply.bytes)
        error = reply.json["error"]
        self.assertIsInstance(error["code"], str)
        self.assertEqual(error["code"], code)
        self.assertIn("lang", error["message"])
        for word in words:
            self.assertIn(word, error["message"]["value"])


def some_id():
    return str(uuid.uuid4())
