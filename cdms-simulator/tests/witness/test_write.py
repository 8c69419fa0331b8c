"""Updates and deletes (fact sheet, 4), with their side effects."""

from scene import Witness, some_id


class Merge(Witness):
    def test_204_without_a_body(self):
        path = self.account(Name="Acme")
        merged = self.merge(path, Name="Acme Foods")
        self.assertEqual((merged.status, merged.bytes), (204, b""))
        self.assertEqual(self.get(path).d["Name"], "Acme Foods")

    def test_only_what_is_sent_changes(self):
        path = self.account(Name="Acme", NumberOfEmployees=5)
        self.merge(path, NumberOfEmployees=6)
        record = self.get(path).d
        self.assertEqual((record["Name"], record["NumberOfEmployees"]), ("Acme", 6))

    def test_an_empty_body_is_taken(self):
        self.assertEqual(self.merge(self.account(Name="x")).status, 204)

    def test_a_missing_record_is_404_and_not_made(self):
        key = some_id()
        self.refused(self.merge(f"AccountSet(guid'{key}')", Name="x"), 404, "-2147220969")
        self.assertEqual(self.get(f"AccountSet(guid'{key}')").status, 404)

    def test_an_unknown_property_is_400_and_nothing_is_written(self):
        path = self.account(Name="Acme")
        self.refused(self.merge(path, Name="x", Nmae="y"), 400, "", "Nmae")
        self.assertEqual(self.get(path).d["Name"], "Acme")

    def test_put_resets_what_it_leaves_out(self):
        path = self.account(Name="Acme", NumberOfEmployees=5)
        self.assertEqual(self.ask("POST", path, {"Name": "Acme"}, X_HTTP_Method="PUT").status, 204)
        self.assertIsNone(self.get(path).d["NumberOfEmployees"])

    def test_the_time_of_change_moves_with_the_clock(self):
        path = self.account(Name="Acme")
        before = self.get(path).d["ModifiedOn"]
        self.control("POST", "clock", {"advance_ms": 60_000})
        self.merge(path, Name="x")
        self.assertNotEqual(self.get(path).d["ModifiedOn"], before)

    def test_two_changes_within_a_second_look_like_one(self):
        self.control("POST", "clock", {"set_ms": 1_475_671_950_000})
        path = self.account(Name="Acme")
        self.control("POST", "clock", {"set_ms": 1_475_671_950_400})
        before = self.get(path).d["ModifiedOn"]
        self.merge(path, Name="x")
        self.assertEqual(self.get(path).d["ModifiedOn"], before)

    def test_the_address_follows_the_account_and_back(self):
        path = self.account(Name="Acme", Address1_City="Leeds")
        address = f"CustomerAddressSet(guid'{self.get(path).d['Address1_AddressId']}')"
        self.merge(path, Address1_City="York")
        self.assertEqual(self.get(address).d["City"], "York")
        self.merge(address, City="Hull")
        self.assertEqual(self.get(path).d["Address1_City"], "Hull")

    def test_the_state_cannot_be_changed_here(self):
        path = self.account(Name="Acme")
        self.merge(path, StateCode={"Value": 1})
        self.assertEqual(self.get(path).d["StateCode"]["Value"], 0)

    def test_a_full_name_is_made_of_its_parts(self):
        made = self.create("ContactSet", FirstName="Ada", LastName="Lovelace").d
        path = f"ContactSet(guid'{made['ContactId']}')"
        self.merge(path, FirstName="Grace")
        self.assertEqual(self.get(path).d["FullName"], "Grace Lovelace")


class Delete(Witness):
    def test_204_and_gone(self):
        path = self.account(Name="Acme")
        deleted = self.ask("DELETE", path)
        self.assertEqual((deleted.status, deleted.bytes), (204, b""))
        self.refused(self.get(path), 404, "-2147220969")

    def test_it_can_be_tunnelled(self):
        path = self.account(Name="Acme")
        self.assertEqual(self.ask("POST", path, "", X_HTTP_Method="DELETE").status, 204)

    def test_a_missing_record_is_404(self):
        self.refused(self.ask("DELETE", f"AccountSet(guid'{some_id()}')"), 404, "-2147220969")

    def test_the_addresses_go_with_the_account(self):
        self.ask("DELETE", self.account(Name="Acme"))
        self.assertEqual(self.get("CustomerAddressSet").d["results"], [])

    def test_without_its_address_the_account_has_none(self):
        path = self.account(Name="Acme", Address1_City="Leeds")
        record = self.get(path).d
        self.ask("DELETE", f"CustomerAddressSet(guid'{record['Address1_AddressId']}')")
        record = self.get(path).d
        self.assertEqual((record["Address1_AddressId"], record["Address1_City"]), (None, None))

    def test_an_address_needs_a_parent(self):
        self.refused(self.create("CustomerAddressSet", City="Leeds"), 500, self.code(), "parented")

    def code(self):
        return self.create("CustomerAddressSet", City="Leeds").json["error"]["code"]
