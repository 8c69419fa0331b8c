"""Reading one record: the form of every kind of value, and the selection (docs/protocol.md, 1 and 2)."""

from scene import ACCOUNT, OTHER, ROOT, Witness, at, guid, lookup, some_id
from schema import NAMESPACE


class Read(Witness):
    def test_one_record_is_enveloped(self):
        path = self.account(Name="Acme")
        read = self.get(path)
        self.assertEqual((read.status, list(read.json)), (200, ["d"]))
        self.assertEqual(read.d["Name"], "Acme")

    def test_select_returns_what_was_requested(self):
        path = self.account(Name="Acme", NumberOfEmployees=5)
        record = self.get(f"{path}?$select=Name,ModifiedOn").d
        self.assertEqual(sorted(record), ["ModifiedOn", "Name", "__metadata"])

    def test_the_path_is_not_case_sensitive_but_the_set_is(self):
        path = self.account(Name="Acme")
        lower = self.root.replace(ROOT, ROOT.lower())
        self.assertEqual(self.get(f"{lower}/{path}").status, 200)
        self.refused(self.get(path.replace("AccountSet", "accountset")), 404, "")

    def test_a_missing_record_is_404_with_its_code(self):
        key = some_id()
        self.refused(self.get(f"AccountSet(guid'{key}')"), 404, "-2147220969", "account", key, "Does Not Exist")

    def test_an_unknown_set_is_404_without_that_code(self):
        self.refused(self.get("FooSet"), 404, "", "Resource not found for the segment 'FooSet'.")

    def test_a_malformed_guid_is_a_bad_request(self):
        self.refused(self.get("AccountSet(guid'nonsense')"), 400, "", "syntax")

    def test_an_unknown_attribute_in_select_is_a_bad_request(self):
        path = self.account(Name="x")
        self.refused(self.get(f"{path}?$select=Nmae"), 400, "", "Nmae", "Microsoft.Crm.Sdk.Data.Services.Account")

    def test_format_inlinecount_and_count_are_not_supported(self):
        for path in ["AccountSet?$format=json", "AccountSet?$inlinecount=allpages", "AccountSet/$count"]:
            self.assertGreaterEqual(self.get(path).status, 400, path)

    def test_atom_which_the_service_also_speaks_is_refused_and_not_answered_with_json(self):
        path = self.account(Name="x")
        self.assertGreaterEqual(self.ask("GET", path, Accept="application/atom+xml").status, 400)

    def test_every_kind_of_value_has_its_form(self):
        self.seed("Contact", ContactId=guid(OTHER), FullName="Ada Smith")
        path = self.seeded(
            Name='£ "Ünïon" 钢', NumberOfEmployees=-3, DoNotPhone=False, ExchangeRate={"decimal": "1.50"},
            Address1_Latitude={"double": 51.5}, LastVerified={"instant": -1}, IndustryCode={"choice": 7},
            Revenue={"money": "5000000"}, PrimaryContactId=lookup("contact", OTHER))
        reply = self.get(path)

        def typed(name, **members):
            return {"__metadata": {"type": f"{NAMESPACE}.{name}"}, **members}

        for name, shown in {
            "Name": '£ "Ünïon" 钢', "NumberOfEmployees": -3, "DoNotPhone": False, "ExchangeRate": "1.50",
            "Address1_Latitude": 51.5, "LastVerified": "/Date(-1000)/", "VersionNumber": None,
            "IndustryCode": typed("OptionSetValue", Value=7), "Revenue": typed("Money", Value="5000000.0000"),
            "PrimaryContactId": typed("EntityReference", Id=OTHER, LogicalName="contact", Name="Ada Smith"),
        }.items():
            self.assertEqual(reply.d[name], shown, name)
        self.assertIn(rb'"\/Date(-1000)\/"', reply.bytes)

    def test_an_empty_value_is_null_or_an_object_of_nulls(self):
        record = self.get(self.seeded()).d
        for name in ["Name", "NumberOfEmployees", "DoNotPhone", "Address1_Latitude", "LastVerified"]:
            self.assertIsNone(record[name], name)
        for name, members in [("IndustryCode", ["Value"]), ("Revenue", ["Value"]),
                              ("PrimaryContactId", ["Id", "LogicalName", "Name"])]:
            self.assertIn("type", record[name].pop("__metadata"))
            self.assertEqual(record[name], dict.fromkeys(members))

    def test_a_lookup_shows_the_current_name_of_its_target(self):
        sector = self.seed("optevia_sector", optevia_name="Steel")
        self.seed("Contact", ContactId=guid(OTHER), ParentCustomerId=lookup("account", ACCOUNT))
        account, contact = self.seeded(Name="Old"), at("ContactSet", OTHER)

        def name():
            return self.get(f"{contact}?$select=ParentCustomerId").d["ParentCustomerId"]["Name"]

        self.assertEqual(name(), "Old")
        self.done(self.merge(account, Name="New"))
        self.assertEqual(name(), "New")
        for entity, key, shown in [("optevia_sector", sector, "Steel"), ("account", some_id(), None)]:
            self.done(self.merge(contact, ParentCustomerId={"Id": key, "LogicalName": entity}))
            self.assertEqual(name(), shown, entity)

    def test_a_selection_may_have_blanks_and_names_of_related_records(self):
        record = self.get(f"{self.seeded(Name='Acme')}?$select=Name,%20AccountId,account_primary_contact").d
        self.assertEqual(sorted(record), ["AccountId", "Name", "__metadata", "account_primary_contact"])

    def test_related_records_are_deferred(self):
        self.seed("Contact", ContactId=guid(OTHER))
        record = self.get(self.seeded(Name="Acme")).d
        uri = f"{record['__metadata']['uri']}/contact_customer_accounts"
        self.assertEqual(record["contact_customer_accounts"], {"__deferred": {"uri": uri}})
        self.assertNotIn(b"__deferred", self.get(at("ContactSet", OTHER)).bytes)

    def test_the_path_of_the_service_has_no_case_and_keys_have_none_either(self):
        path = self.seeded(Name="Acme")
        for service in [ROOT.lower(), ROOT.upper()]:
            record = self.get(f"/ORG{service}/{at('AccountSet', ACCOUNT.upper())}?$select=AccountId").d
            uri = f"http://{self.host}/ORG{ROOT.replace('XRMServices', 'xrmservices')}/{path}"
            self.assertEqual((record["__metadata"]["uri"], record["AccountId"]), (uri, ACCOUNT))

    def test_metadata_comes_first_in_records_and_values(self):
        path = self.seeded(Name="Acme")
        record = self.get(path).d
        for described in [record, record["IndustryCode"], record["Revenue"], record["PrimaryContactId"]]:
            self.assertEqual(list(described)[0], "__metadata")
        self.assertEqual(list(self.rows("AccountSet")[0])[0], "__metadata")

    def test_a_star_selects_all_that_is_not_related(self):
        path = self.seeded(Name="Acme")
        whole = self.get(path).d
        related = {name for name, value in whole.items() if isinstance(value, dict) and "__deferred" in value}
        self.assertEqual(len(related), 2)
        self.assertEqual(self.get(f"{path}?$select=*").d,
                         {name: value for name, value in whole.items() if name not in related})

    def test_a_key_may_be_named(self):
        path = self.seeded(Name="Acme")
        self.assertEqual(self.get(f"AccountSet(AccountId=guid'{ACCOUNT}')").d, self.get(path).d)
        self.refused(self.get(f"AccountSet(accountid=guid'{ACCOUNT}')"), 400, "", "syntax")

    def test_a_plus_in_a_query_is_a_space(self):
        self.seeded(Name="Acme + Co")
        self.assertEqual(len(self.rows("AccountSet?$filter=Name+eq+'Acme+%2B+Co'&$select=Name")), 1)
        self.assertEqual(self.rows("AccountSet?$filter=Name+eq+'Acme+++Co'"), [])
