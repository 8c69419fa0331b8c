"""Errors: their status, code and text; and that nothing is written (docs/protocol.md, 5)."""

import json

from scene import ACCOUNT, OTHER, Witness, at, guid
from schema import NAMESPACE

BODY_MAX = 8 * 1024 * 1024


class Errors(Witness):
    def test_an_unknown_property_is_refused_wherever_it_stands(self):
        path = self.seeded(Name="Acme")
        in_body = ("Error processing request stream. The property name 'name' specified for type "
                   f"'{NAMESPACE}.Account' is not valid.")
        self.refused(self.create("AccountSet", Name="x", name="y"), 400, "", in_body)
        self.refused(self.merge(path, Name="x", name="y"), 400, "", in_body)
        in_query = f"No property 'name' exists in type '{NAMESPACE}.Account' at position 0."
        for asked in ["AccountSet?$select=name", "AccountSet?$filter=name%20eq%20'x'", f"{path}?$select=name"]:
            self.refused(self.get(asked), 400, "", in_query)
        self.assertEqual(self.log(), [])

    def test_an_unknown_set_is_404_without_the_code_of_a_missing_record(self):
        for path, segment in [("FooSet", "FooSet"), ("accountSet", "accountSet"), ("Account", "Account"),
                              ("FooSet(guid'x')", "FooSet")]:
            self.refused(self.get(path), 404, "", f"Resource not found for the segment '{segment}'.")
        self.refused(self.create("FooSet"), 404, "", "Resource not found")

    def test_a_malformed_key_is_a_syntax_error(self):
        keys = ["guid'not-a-guid'", f"guid'{{{ACCOUNT}}}'", "'x'", "", "guid''", "1", ACCOUNT]
        for path in [*(f"AccountSet({key})" for key in keys), f"AccountSet(guid'{ACCOUNT}'"]:
            self.refused(self.get(path), 400, "", "Bad Request - Error in query syntax.")

    def test_a_value_of_another_type_is_refused_and_names_what_failed(self):
        for body, place in [
            ({"Name": 1}, "'Name' to type 'Edm.String'"),
            ({"NumberOfEmployees": "5"}, "'NumberOfEmployees' to type 'Edm.Int32'"),
            ({"NumberOfEmployees": 1.5}, "'NumberOfEmployees' to type 'Edm.Int32'"),
            ({"NumberOfEmployees": 2**31}, "'NumberOfEmployees' to type 'Edm.Int32'"),
            ({"DoNotPhone": "true"}, "'DoNotPhone' to type 'Edm.Boolean'"),
            ({"ExchangeRate": 1.5}, "'ExchangeRate' to type 'Edm.Decimal'"),
            ({"LastVerified": "yesterday"}, "'LastVerified' to type 'Edm.DateTime'"),
            ({"IndustryCode": {"Value": "seven"}}, "'Value' to type 'Edm.Int32'"),
            ({"IndustryCode": 7}, "'Value' to type 'Edm.Int32'"),
            ({"Revenue": {"Value": 1.5}}, "'Value' to type 'Edm.Decimal'"),
            ({"PrimaryContactId": {"Id": "x", "LogicalName": "contact"}}, "'Id' to type 'Edm.Guid'"),
            ({"AccountId": "x"}, "'AccountId' to type 'Edm.Guid'"),
        ]:
            text = f"Error encountered in converting the value from request payload for property {place}"
            self.refused(self.ask("POST", "AccountSet", body), 400, "", text)
        for body in ["", "{", "[]", "7", '{"Name":"x"} x']:
            self.refused(self.ask("POST", "AccountSet", body), 400, "", "Error processing request stream.")
        self.assertEqual(self.log(), [])

    def test_only_json_is_supported(self):
        path = self.seeded(Name="Acme")
        for accept in [None, "application/atom+xml", "*/*", "text/html"]:
            self.refused(self.ask("GET", path, Accept=accept), 406, "", "Accept: application/json")
        self.refused(self.ask("POST", "AccountSet", {}, Accept=None), 406, "", "Accept: application/json")
        self.assertEqual(self.log(), [])
        self.assertEqual(self.ask("GET", path, Accept="text/html, application/json;q=1").status, 200)

    def test_a_write_without_an_answer_is_done_whatever_is_accepted(self):
        path = self.seeded(Name="Acme")
        for accept in [None, "*/*", "application/atom+xml"]:
            self.done(self.ask("POST", path, {"Name": "New"}, X_HTTP_Method="MERGE", Accept=accept))
            self.done(self.ask("PUT", path, {}, Accept=accept))
            self.done(self.ask("DELETE", self.account(), Accept=accept))

    def test_a_body_of_another_content_type_is_415(self):
        path = self.seeded(Name="Acme")
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/atom+xml"]:
            for reply in [self.ask("POST", "AccountSet", {"Name": "x"}, Content_Type=content_type),
                          self.ask("POST", path, {"Name": "x"}, X_HTTP_Method="MERGE", Content_Type=content_type)]:
                self.refused(reply, 415, "", "application/json")
        self.assertEqual(self.log(), [])
        self.done(self.ask("POST", path, {}, X_HTTP_Method="MERGE", Content_Type="Application/JSON; charset=utf-8"))

    def test_an_address_of_more_than_2048_characters_is_refused(self):
        def asked(length):
            start = f"{self.root}/AccountSet?$select=Name"
            return self.ask("GET", start + "+" * (length - len(f"http://{self.host}{start}")))
        self.assertEqual(asked(2048).status, 200)
        self.refused(asked(2049), 404, "", "2048")

    def test_a_method_that_the_resource_does_not_have_is_405(self):
        path = self.seeded(Name="Acme")
        for method, asked in [("PATCH", path), ("POST", path), ("DELETE", "AccountSet"), ("POST", ""),
                              ("POST", "$metadata")]:
            reply = self.ask(method, asked, {})
            self.assertEqual(reply.status, 405, (method, asked, reply.bytes))
            self.assertIsInstance(reply.json["error"]["message"]["value"], str)
        self.shows(path, Name="Acme")

    def test_a_body_of_more_than_8_mb_is_refused_and_remembered(self):
        def body(size):
            return json.dumps({"Name": "x" * (size - len(json.dumps({"Name": ""})))})

        self.assertEqual(self.ask("POST", "AccountSet", body(BODY_MAX)).status, 201)
        self.assertEqual(self.ask("POST", "AccountSet", body(BODY_MAX + 1)).status, 413)
        self.assertEqual([request["status"] for request in self.requests()], [201, 413])
        self.assertEqual(len(self.rows("AccountSet?$select=AccountId")), 1)

    def test_an_error_has_the_form_of_the_service(self):
        reply = self.get(at("AccountSet", ACCOUNT))
        self.assertEqual(reply.headers["Content-Type"], "application/json;charset=utf-8")
        message = {"lang": "en-US", "value": f"account With Id = {ACCOUNT} Does Not Exist"}
        self.assertEqual(reply.json, {"error": {"code": "-2147220969", "message": message}})

    def test_a_lookup_without_a_logical_name_is_taken_where_the_record_is_known(self):
        sent = {"Id": OTHER}
        self.refused(self.create("AccountSet", PrimaryContactId=sent), 404, "-2147220969", OTHER)
        self.seed("Contact", ContactId=guid(OTHER))
        made = self.create("AccountSet", PrimaryContactId=sent)
        self.assertEqual(made.d["PrimaryContactId"]["LogicalName"], "contact")

    def test_a_lookup_that_leads_nowhere_is_taken(self):
        made = self.create("AccountSet", PrimaryContactId={"Id": OTHER, "LogicalName": "contact"})
        self.assertEqual(made.d["PrimaryContactId"]["Id"], OTHER)


class Switches(Witness):
    """Behaviour that differs between servers and is selected when the simulator starts."""

    def test_lookups_of_missing_records_and_of_other_entities_are_refused_alike(self):
        self.start(*self.options, "--refuse-dangling-lookups")
        path = self.seeded(Name="Acme")
        for sent in [{"Id": OTHER, "LogicalName": "contact"}, {"Id": OTHER, "LogicalName": "lead"}, {"Id": OTHER},
                     {"Id": ACCOUNT, "LogicalName": "contact"}]:
            self.refused(self.merge(path, PrimaryContactId=sent), 404, "-2147220969", sent["Id"], "Does Not Exist")
        self.assertEqual(self.log(), [])

    def test_a_lookup_that_leads_nowhere_can_be_refused(self):
        self.start(*self.options, "--refuse-dangling-lookups")
        sent = {"Id": OTHER, "LogicalName": "contact"}
        refused = self.create("AccountSet", PrimaryContactId=sent)
        self.refused(refused, 404, "-2147220969", f"contact With Id = {OTHER} Does Not Exist")
        self.seed("Contact", ContactId=guid(OTHER))
        self.assertEqual(self.create("AccountSet", PrimaryContactId=sent).status, 201)

    def test_a_text_that_is_too_long_is_refused_not_cut(self):
        self.start(*self.options, "--max-length", "Account.Name=160")
        path = self.seeded(Name="Acme")
        self.done(self.merge(path, Name="ü" * 160))
        text = ("The length of the 'name' attribute of the 'account' entity exceeded the maximum allowed length of "
                "'160'.")
        self.refused(self.merge(path, Name="ü" * 161), 500, "-2147204303", text)
        self.refused(self.create("AccountSet", Name="ü" * 161), 500, "-2147204303", text)
        # A character of two UTF-16 units counts twice, as in CRM's columns.
        self.refused(self.merge(path, Name="😀" * 81), 500, "-2147204303", text)
        self.shows(path, Name="ü" * 160)
        self.assertEqual(len(self.log()), 1)

    def test_an_option_that_the_set_does_not_have_is_refused(self):
        self.start(*self.options, "--option-set", "Account.IndustryCode=1,2")
        for value in [2, None]:
            self.assertEqual(self.create("AccountSet", IndustryCode={"Value": value}).status, 201)
        refused = self.create("AccountSet", IndustryCode={"Value": 3})
        self.refused(refused, 500, "-2147204326", "is outside the valid range.")

    def test_what_only_the_server_sets_can_be_refused(self):
        self.start(*self.options, "--refuse-read-only")
        user = {"Id": ACCOUNT, "LogicalName": "systemuser"}
        for attributes in [{"CreatedOn": "/Date(0)/"}, {"ModifiedOn": "/Date(0)/"}, {"CreatedBy": user},
                           {"ModifiedBy": user}, {"StateCode": {"Value": 1}}]:
            self.refused(self.create("AccountSet", **attributes), 400, "", "cannot be set")
        self.assertEqual(self.log(), [])

    def test_a_change_of_state_or_owner_can_be_refused(self):
        self.start(*self.options, "--refuse-read-only")
        path = self.seeded(Name="Acme")
        self.refused(self.merge(path, StateCode={"Value": 1}), 400, "", "cannot be set")
        owner = {"Id": OTHER, "LogicalName": "systemuser"}
        self.refused(self.merge(path, OwnerId=owner), 400, "", "cannot be set")

    def test_a_bare_null_for_a_complex_property_clears_it_or_by_the_switch_does_nothing(self):
        for switch, kept in [([], None), (["--ignore-bare-nulls"], 7)]:
            self.start(*self.options, *switch)
            path = self.seeded(Name="Acme", IndustryCode={"choice": 7})
            self.done(self.merge(path, IndustryCode=None, Name=None))
            self.shows(path, IndustryCode=kept, Name=None)
