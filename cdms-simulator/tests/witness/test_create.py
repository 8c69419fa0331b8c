"""Creating records (docs/protocol.md, 4): 201, the address, all properties, and a key that the client may choose."""

from scene import ACCOUNT, NOON, ROOT, Witness, at, some_id
from schema import ENTITIES, NAMESPACE, NAVIGATION


class Create(Witness):
    def test_201_with_location_and_the_whole_record(self):
        made = self.create("AccountSet", Name="Acme", NumberOfEmployees=500)
        self.assertEqual(made.status, 201)
        record = made.d
        self.assertEqual(record["Name"], "Acme")
        self.assertEqual(record["NumberOfEmployees"], 500)
        self.assertIn("DoNotPhone", record)
        self.assertIsNone(record["DoNotPhone"])
        location = made.headers["Location"]
        address = f"http://{self.host}{self.root}/{at('AccountSet', record['AccountId'])}"
        self.assertEqual(location.lower(), address.lower())

    def test_json_content_type(self):
        self.assertEqual(self.create("AccountSet", Name="x").headers["Content-Type"], "application/json;charset=utf-8")

    def test_metadata_names_uri_and_type_and_has_no_etag(self):
        metadata = self.create("AccountSet", Name="x").d["__metadata"]
        self.assertEqual(metadata["type"], "Microsoft.Crm.Sdk.Data.Services.Account")
        self.assertIn("AccountSet(guid'", metadata["uri"])
        self.assertIn(ROOT.lower(), metadata["uri"].lower())
        self.assertNotIn("etag", metadata)

    def test_an_empty_body_makes_a_record(self):
        made = self.ask("POST", "AccountSet", {})
        self.assertEqual(made.status, 201)
        self.assertIsNone(made.d["Name"])

    def test_a_chosen_key_is_kept(self):
        key = some_id()
        self.assertEqual(self.create("AccountSet", AccountId=key).d["AccountId"], key)
        self.assertEqual(self.get(f"AccountSet(guid'{key}')").status, 200)

    def test_a_key_that_is_taken_is_refused(self):
        key = some_id()
        self.create("AccountSet", AccountId=key, Name="first")
        before = self.log()
        refused = self.create("AccountSet", AccountId=key, Name="second")
        self.refused(refused, 500, "-2147220937", "Cannot insert duplicate key.")
        self.assertEqual(self.log(), before)
        self.assertEqual(self.get(f"AccountSet(guid'{key}')").d["Name"], "first")

    def test_times_and_users_are_the_servers(self):
        made = self.create("AccountSet", Name="x", CreatedOn="/Date(0)/", ModifiedOn="/Date(0)/").d
        self.assertNotEqual(made["CreatedOn"], "/Date(0)/")
        self.assertEqual(made["CreatedOn"], made["ModifiedOn"])
        self.assertRegex(made["CreatedOn"], r"^/Date\(\d+000\)/$")
        self.assertEqual(made["CreatedBy"]["LogicalName"], "systemuser")
        self.assertEqual(made["OwnerId"]["Id"], made["CreatedBy"]["Id"])

    def test_the_state_begins_at_zero(self):
        self.assertEqual(self.create("AccountSet", Name="x").d["StateCode"]["Value"], 0)

    def test_two_addresses_come_with_an_account(self):
        made = self.create("AccountSet", Name="x", Address1_City="Leeds").d
        ids = {made["Address1_AddressId"], made["Address2_AddressId"]}
        rows = self.get("CustomerAddressSet").d["results"]
        self.assertEqual({row["CustomerAddressId"] for row in rows}, ids)
        first = self.get(f"CustomerAddressSet(guid'{made['Address1_AddressId']}')").d
        self.assertEqual(first["City"], "Leeds")

    def test_the_operation_header_is_logged(self):
        operation = some_id()
        self.ask("POST", "AccountSet", {"Name": "x"}, X_Datahub_Operation=operation)
        entry = [entry for entry in self.log() if entry["entity"] == "Account"][-1]
        self.assertEqual((entry["operation"], entry["kind"]), (operation, "create"))

    def test_the_answer_is_the_whole_record_at_an_address_of_the_servers_own_form(self):
        made = self.create("AccountSet", AccountId=ACCOUNT, Name="Acme")
        service = f"http://{self.host}/ORG{ROOT.replace('XRMServices', 'xrmservices')}"
        address = f"{service}/{at('AccountSet', ACCOUNT)}"
        self.assertEqual((made.status, made.headers["Location"]), (201, address))
        self.assertEqual(made.d["__metadata"], {"uri": address, "type": f"{NAMESPACE}.Account"})
        _, properties = ENTITIES["Account"]
        self.assertEqual(set(made.d), {"__metadata", *properties, *NAVIGATION["Account"]})
        self.assertEqual(self.get(at("AccountSet", ACCOUNT)).d, made.d)

    def test_what_only_the_server_sets_is_ignored(self):
        user = {"Id": ACCOUNT, "LogicalName": "systemuser"}
        made = self.create("AccountSet", CreatedOn="/Date(0)/", ModifiedOn="/Date(0)/", CreatedBy=user, ModifiedBy=user,
                           StateCode={"Value": 1}, VersionNumber="7").d
        self.assertEqual((made["CreatedOn"], made["ModifiedOn"], made["VersionNumber"]), (NOON, NOON, None))
        self.assertEqual((made["CreatedBy"]["Name"], made["ModifiedBy"]["Name"]), ("Data Hub", "Data Hub"))
        self.assertEqual(made["StateCode"]["Value"], 0)

    def test_an_owner_can_be_chosen(self):
        made = self.create("AccountSet", OwnerId={"Id": ACCOUNT, "LogicalName": "systemuser"})
        self.assertEqual(made.d["OwnerId"]["Id"], ACCOUNT)
