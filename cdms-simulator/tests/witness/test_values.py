"""Values on the wire, in both directions (docs/protocol.md, 2.1 and 2.2)."""

from scene import Witness, some_id


class Values(Witness):
    def kept(self, **attributes):
        path = self.account(**attributes)
        return self.get(path).d

    def test_text_of_any_script_survives(self):
        for text in ["Zoë & Søn <Ltd>", "£ 5", "中文", " blanks  ", 'a "quote" \\ backslash']:
            self.assertEqual(self.kept(Name=text)["Name"], text)

    def test_empty_text_is_null(self):
        self.assertIsNone(self.kept(Name="")["Name"])

    def test_null_text_is_null(self):
        self.assertIsNone(self.kept(Name=None)["Name"])

    def test_decimals_come_as_strings(self):
        self.assertIsInstance(self.kept(ExchangeRate="1.2500000000")["ExchangeRate"], str)

    def test_a_decimal_as_a_json_fraction_is_refused(self):
        self.refused(self.create("AccountSet", ExchangeRate=1.25), 400, "", "ExchangeRate")

    def test_money_has_four_decimals(self):
        self.assertEqual(self.kept(Revenue={"Value": "5000000"})["Revenue"]["Value"], "5000000.0000")

    def test_doubles_are_numbers(self):
        self.assertEqual(self.kept(Address1_Latitude=51.5)["Address1_Latitude"], 51.5)

    def test_booleans_and_integers(self):
        record = self.kept(DoNotPhone=False, NumberOfEmployees=-7)
        self.assertIs(record["DoNotPhone"], False)
        self.assertEqual(record["NumberOfEmployees"], -7)

    def test_dates_are_taken_in_both_forms_and_given_in_one(self):
        for sent in ["/Date(1472338800000)/", "2016-08-27T23:00:00Z"]:
            self.assertEqual(self.kept(LastVerified=sent)["LastVerified"], "/Date(1472338800000)/")

    def test_dates_escape_their_slashes_on_the_wire(self):
        path = self.account(LastVerified="/Date(1472338800000)/")
        self.assertIn(b'"\\/Date(1472338800000)\\/"', self.get(path).bytes)

    def test_dates_before_1970(self):
        self.assertEqual(self.kept(LastVerified="/Date(-86400000)/")["LastVerified"], "/Date(-86400000)/")

    def test_an_option_is_an_object_with_its_type(self):
        option = self.kept(IndustryCode={"Value": 7})["IndustryCode"]
        self.assertEqual(option["Value"], 7)
        self.assertEqual(option["__metadata"]["type"], "Microsoft.Crm.Sdk.Data.Services.OptionSetValue")

    def test_an_empty_option_is_an_object_with_a_null(self):
        self.assertIsNone(self.kept(Name="x")["IndustryCode"]["Value"])

    def test_an_empty_lookup_is_an_object_of_nulls(self):
        lookup = self.kept(Name="x")["PrimaryContactId"]
        self.assertEqual((lookup["Id"], lookup["LogicalName"], lookup["Name"]), (None, None, None))

    def test_a_lookup_carries_id_logical_name_and_name(self):
        contact = self.create("ContactSet", FirstName="Ada", LastName="Lovelace").d
        sent = {"Id": contact["ContactId"], "LogicalName": "contact"}
        lookup = self.kept(PrimaryContactId=sent)["PrimaryContactId"]
        self.assertEqual((lookup["Id"], lookup["LogicalName"], lookup["Name"]),
                         (contact["ContactId"], "contact", "Ada Lovelace"))

    def test_guids_are_lowercase_without_braces(self):
        key = some_id().upper()
        self.assertEqual(self.create("AccountSet", AccountId=key).d["AccountId"], key.lower())

    def test_complex_values_are_cleared_by_nulls_of_all_members(self):
        path = self.account(IndustryCode={"Value": 7})
        self.assertEqual(self.merge(path, IndustryCode={"Value": None}).status, 204)
        self.assertIsNone(self.get(path).d["IndustryCode"]["Value"])

    def test_times_are_taken_in_every_form_that_clients_send(self):
        path = self.account()
        for sent in ["/Date(1472338800000)/", "/Date(1472338800000+0000)/", "/Date(1472338800000+0100)/",
                     "2016-08-27T23:00:00Z", "2016-08-28T00:00:00+01:00", "2016-08-27T23:00:00", "2016-08-27T23:00"]:
            self.done(self.merge(path, LastVerified=None))
            self.done(self.merge(path, LastVerified=sent))
            self.shows(path, LastVerified="/Date(1472338800000)/")
        for sent in ["/Date()/", "/Date(1+)/", "/Date(1+x)/", "2016-08-27T", "noon"]:
            self.refused(self.merge(path, LastVerified=sent), 400, "", "to type 'Edm.DateTime'")
