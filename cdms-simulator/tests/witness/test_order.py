"""$orderby, and pages that begin behind the last record of the page before (docs/protocol.md, 3 and 3.2)."""

import uuid

from scene import Witness, at, guid, query


class Orders(Witness):
    options = (*Witness.options, "--page-size", "2")

    def add(self, number, **values):
        self.seed("Account", AccountId=guid(str(uuid.UUID(int=number))), **values)

    def changed(self, number, second, **values):
        self.add(number, ModifiedOn={"instant": second * 1000}, **values)

    def below(self, link):
        return link.removeprefix(f"http://{self.host}")

    def page(self, path):
        page = self.get(path).d
        numbers = [uuid.UUID(row["AccountId"]).int for row in page["results"]]
        return numbers, self.below(page["__next"]) if "__next" in page else None

    def numbers(self, path):
        found = []
        while path:
            page, path = self.page(path)
            found += page
        return found

    def listed(self, **options):
        return self.numbers("AccountSet?" + query(**options))

    def test_several_values_null_first_and_then_the_key(self):
        for number, (name, employees) in enumerate([("b", 1), ("Ä", None), ("c", 2), ("B", 2), (None, 1)], 1):
            self.add(number, Name=name, NumberOfEmployees=employees)
        for order, numbers in {
            "Name": [5, 2, 1, 4, 3],
            "Name desc": [3, 1, 4, 2, 5],
            "NumberOfEmployees desc,Name": [4, 3, 5, 1, 2],
            "AccountId desc": [5, 4, 3, 2, 1],
        }.items():
            self.assertEqual(self.listed(orderby=order), numbers, order)

    def test_a_poll_reads_what_changed_since_a_time(self):
        for number in range(1, 8):
            self.changed(number, 30 - number // 2)
        since = "ModifiedOn ge datetime'1970-01-01T00:00:28Z'"
        self.assertEqual(self.listed(filter=since, orderby="ModifiedOn,AccountId"), [4, 5, 2, 3, 1])
        self.assertEqual(self.listed(orderby="ModifiedOn desc", top="3"), [1, 2, 3])

    def test_the_link_keeps_every_option_and_carries_the_last_values(self):
        for number in range(1, 4):
            self.changed(number, 1, Name="a, 'b' & c")
        _, link = self.page("AccountSet?" + query(select="AccountId", orderby="Name,ModifiedOn,Address1_City"))
        first, last = ("%7B" + str(uuid.UUID(int=number)).upper() + "%7D" for number in [1, 2])
        token = ("1,'name','a,%20''b''%20%26%20c','modifiedon','1970-01-01T00:00:01Z','address1_city',null,"
                 f"'accountid','{last}','{first}'")
        self.assertTrue(link.endswith(
            f"AccountSet?$select=AccountId&$orderby=Name,ModifiedOn,Address1_City&$skiptoken={token}"), link)
        self.assertEqual(self.numbers(link), [3])

    def test_records_that_do_not_move_are_shown_once_whatever_others_do(self):
        for number in range(1, 9):
            self.changed(number, number // 3)
        first, link = self.page("AccountSet?" + query(orderby="ModifiedOn"))
        self.assertEqual(first, [1, 2])
        # The clock stands later than every change: who is written now goes to the end.
        for number in [1, 4]:
            self.done(self.merge(at("AccountSet", uuid.UUID(int=number)), Name="new"))
        self.done(self.delete(at("AccountSet", uuid.UUID(int=5))))
        self.changed(9, 1)
        self.assertEqual(self.numbers(link), [3, 9, 6, 7, 8, 1, 4])

    def test_an_order_that_is_not_known_is_refused(self):
        for order, word in [
            ("nosuch", "No property 'nosuch' exists"),
            ("Name downwards", "Syntax error"),
            ("account_primary_contact/LastName", "Only properties of the root entity"),
            ("StateCode/Value", "It is not known"),
        ]:
            self.refused(self.get("AccountSet?" + query(orderby=order)), 400, "", word)

    def test_skip_beyond_the_end_is_an_empty_list_or_an_error(self):
        self.assertEqual(self.rows("AccountSet?$skip=50"), [])
        self.start(*self.options, "--refuse-skip-beyond-end")
        self.refused(self.get("AccountSet?$skip=50"), 500, "-2147220970", "paging")
