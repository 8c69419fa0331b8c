"""An account and its two addresses: created, mirrored and deleted together."""

from scene import ACCOUNT, OTHER, Witness, at, lookup


class Addresses(Witness):
    def setUp(self):
        super().setUp()
        made = self.create("AccountSet", AccountId=ACCOUNT, Address1_City="Leeds", Address2_City="York",
                           Address1_AddressId=OTHER)
        self.assertEqual(made.status, 201, made.bytes)
        self.made = made.d
        self.ids = [self.made["Address1_AddressId"], self.made["Address2_AddressId"]]
        self.account_path = at("AccountSet", ACCOUNT)
        self.first, self.second = (at("CustomerAddressSet", key) for key in self.ids)

    def test_two_come_with_an_account_under_ids_of_the_servers(self):
        self.assertNotIn(OTHER, self.ids)
        self.assertEqual(len(self.rows("CustomerAddressSet")), 2)
        for path, city, number in [(self.first, "Leeds", 1), (self.second, "York", 2)]:
            address = self.get(path).d
            self.assertEqual((address["City"], address["AddressNumber"]), (city, number))
            self.assertEqual((address["ParentId"]["Id"], address["ParentId"]["LogicalName"]), (ACCOUNT, "account"))

    def test_account_and_address_mirror_each_other_and_the_ids_stay(self):
        self.done(self.merge(self.account_path, Address1_City="Hull", Address1_AddressId=OTHER))
        self.shows(self.first, City="Hull")
        self.shows(self.second, City="York")
        self.done(self.merge(self.second, City="Bath", Latitude=51.4))
        self.shows(self.account_path, Address1_City="Hull", Address2_City="Bath",
                   Address1_AddressId=self.ids[0], Address2_AddressId=self.ids[1])

    def test_an_edit_of_an_address_is_a_change_of_its_account(self):
        self.clock(advance_ms=2_000)
        self.done(self.merge(self.first, City="Hull"))
        self.assertNotEqual(self.get(self.account_path).d["ModifiedOn"], self.made["ModifiedOn"])

    def test_a_deleted_account_takes_all_its_addresses_along_and_no_others(self):
        for parent, number in [(ACCOUNT, 3), (OTHER, 1)]:
            self.seed("CustomerAddress", ParentId=lookup("account", parent), AddressNumber=number)
        self.done(self.delete(self.account_path))
        self.assertEqual([row["ParentId"]["Id"] for row in self.rows("CustomerAddressSet")], [OTHER])

    def test_a_deleted_address_empties_its_place_on_the_account(self):
        self.done(self.delete(self.first))
        self.shows(self.account_path, Address1_AddressId=None, Address1_City=None, Address2_AddressId=self.ids[1],
                   Address2_City="York")

    def test_a_further_address_with_a_number_that_is_taken_leaves_the_account_alone(self):
        further = self.create("CustomerAddressSet", AddressNumber=1, City="Rome",
                              ParentId={"Id": ACCOUNT, "LogicalName": "account"})
        self.assertEqual(further.status, 201, further.bytes)
        self.shows(self.account_path, Address1_City="Leeds")
        self.done(self.delete(at("CustomerAddressSet", further.d["CustomerAddressId"])))
        self.shows(self.account_path, Address1_AddressId=self.ids[0])

    def test_an_address_needs_a_parent(self):
        before = self.log()
        orphan = self.create("CustomerAddressSet", City="Rome")
        self.assertEqual(orphan.status, 500)
        self.assertIn("parented", orphan.json["error"]["message"]["value"])
        self.refused(self.create("CustomerAddressSet", ParentId=ACCOUNT), 400, "", "top-level resource")
        self.assertEqual(self.log(), before)
