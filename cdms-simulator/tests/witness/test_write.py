"""Updates and deletes, with their side effects (docs/protocol.md, 4)."""

from scene import OTHER, Witness, at, guid, lookup, some_id


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

    def test_the_state_cannot_be_changed_here(self):
        path = self.account(Name="Acme")
        self.merge(path, StateCode={"Value": 1})
        self.assertEqual(self.get(path).d["StateCode"]["Value"], 0)

    def full(self):
        """An account with values of many kinds."""
        return self.seeded(Name="Acme", NumberOfEmployees=5, IndustryCode={"choice": 7}, Revenue={"money": "10"},
                           PrimaryContactId=lookup("contact", OTHER), StatusCode={"choice": 3})

    def test_what_it_names_changes_and_nothing_else(self):
        path = self.full()
        expected = self.get(path).d
        self.clock(advance_ms=5_000)
        self.done(self.merge(path, Name="Acme & Co"))
        expected.update(Name="Acme & Co", ModifiedOn="/Date(1475671955000)/")
        expected["ModifiedBy"] = self.create("AccountSet").d["ModifiedBy"]
        self.assertEqual(self.get(path).d, expected)

    def test_every_kind_of_value_can_be_written(self):
        path = self.seeded()
        self.done(self.merge(
            path, Name=" £ 钢 ", NumberOfEmployees=-3, DoNotPhone=True, ExchangeRate="1.50", Address1_Latitude=51.5,
            LastVerified="/Date(-1)/", IndustryCode={"Value": 7}, Revenue={"Value": "2.5"},
            PrimaryContactId={"Id": OTHER, "LogicalName": "Contact", "Name": "ignored"}))
        # Before 1970, too, times are truncated towards the past.
        self.shows(path, Name=" £ 钢 ", NumberOfEmployees=-3, DoNotPhone=True, ExchangeRate="1.50",
                   Address1_Latitude=51.5, LastVerified="/Date(-1000)/", IndustryCode=7, Revenue="2.5000",
                   PrimaryContactId=OTHER)
        contact = self.get(path).d["PrimaryContactId"]
        self.assertEqual((contact["LogicalName"], contact["Name"]), ("contact", None))
        self.done(self.merge(path, LastVerified="2016-06-15T01:00:00+01:00"))
        self.shows(path, LastVerified="/Date(1465948800000)/")

    def test_times_are_kept_in_whole_seconds(self):
        path = self.account(AccountId=OTHER, Name="Acme", LastVerified="/Date(1475671950999)/")
        self.shows(path, LastVerified="/Date(1475671950000)/")
        for sent, kept in [(1999, 1000), (-1, -1000), (-1000, -1000)]:
            self.done(self.merge(path, LastVerified=f"/Date({sent})/"))
            self.shows(path, LastVerified=f"/Date({kept})/")

    def test_empty_text_and_members_that_are_all_null_clear(self):
        path = self.full()
        self.done(self.merge(
            path, Name="", NumberOfEmployees=None, IndustryCode={"Value": None}, Revenue={"Value": None},
            PrimaryContactId={"Id": None, "LogicalName": None, "Name": None}))
        self.shows(path, Name=None, NumberOfEmployees=None, IndustryCode=None, Revenue=None, PrimaryContactId=None)

    def test_a_record_can_be_posted_back_as_it_was_read_and_what_clients_cannot_change_is_ignored(self):
        path = self.full()
        before, sent = self.get(path).d, self.get(path).d
        sent.update(Name="New", CreatedOn="/Date(0)/")
        sent["StateCode"]["Value"] = 1
        sent["OwnerId"]["Id"] = OTHER
        self.done(self.merge(path, **sent))
        after = self.get(path).d
        self.assertEqual(after["Name"], "New")
        for name in ["StateCode", "OwnerId", "CreatedOn", "CreatedBy", "PrimaryContactId", "Revenue", "IndustryCode"]:
            self.assertEqual(after[name], before[name], name)

    def test_what_the_server_keeps_about_a_record_is_kept(self):
        kept = {"Name": "New", "Merged": True, "OwningUser": {"Id": OTHER, "LogicalName": "systemuser"}}
        changed = self.full()
        self.done(self.merge(changed, **kept))
        for path in [self.account(**kept), changed]:
            shown = self.get(path).d
            self.assertEqual((shown["Name"], shown["Merged"], shown["OwningUser"]["Id"]), ("New", None, None))

    def test_a_replacement_by_verb_or_tunnelled_resets_what_it_leaves_out(self):
        path = self.account(Name="Acme", NumberOfEmployees=5)
        self.done(self.merge(path, StatusCode={"Value": 3}))
        before = self.get(path).d
        for reply in [self.ask("PUT", path, {"DoNotPhone": True}),
                      self.ask("POST", path, {"DoNotPhone": True}, X_HTTP_Method="PUT")]:
            self.done(reply)
            self.shows(path, DoNotPhone=True, Name=None, NumberOfEmployees=None, StatusCode=1)
            after = self.get(path).d
            for name in ["AccountId", "CreatedOn", "OwnerId", "StateCode", "Address1_AddressId"]:
                self.assertEqual(after[name], before[name], name)


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

    def test_by_verb_or_tunnelled_it_is_for_good(self):
        first = self.seeded(Name="A")
        self.seed("Account", AccountId=guid(OTHER), Name="B")
        second = at("AccountSet", OTHER)
        self.done(self.delete(first))
        self.done(self.ask("POST", second, "", X_HTTP_Method="DELETE"))
        for path in [first, second]:
            for reply in [self.get(path), self.delete(path), self.merge(path, Name="No upsert")]:
                self.refused(reply, 404, "-2147220969", "Does Not Exist")
        self.assertEqual(self.rows("AccountSet"), [])
