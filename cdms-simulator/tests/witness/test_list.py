"""Lists: pages of 50 in key order, next links, top and skip, and the supported filter (docs/protocol.md, 3)."""

import uuid

from scene import ACCOUNT, OTHER, ROOT, Witness, at, guid


class Lists(Witness):
    def crowd(self, count, name=lambda number: f"Account {number}"):
        """Seeds this number of accounts, the last key first; returns their keys in order."""
        keys = [str(uuid.UUID(int=number)) for number in range(1, count + 1)]
        scene = [{"entity": "Account", "attributes": {"AccountId": guid(key), "Name": name(number)}}
                 for number, key in enumerate(keys, 1)]
        self.control("POST", "seed", scene[::-1])
        return keys

    def below(self, link):
        """The path of a link, which must lead to the server itself."""
        host = f"http://{self.host}/"
        self.assertTrue(link.startswith(host), link)
        return link[len(host) - 1:]

    def pages(self, path):
        """The keys page by page, following the next links from a path."""
        pages = []
        while path:
            page = self.get(path).d
            pages.append([row["AccountId"] for row in page["results"]])
            path = self.below(page["__next"]) if "__next" in page else None
        return pages

    def test_an_empty_list(self):
        self.assertEqual(self.get("AccountSet").json, {"d": {"results": []}})

    def test_pages_have_fifty_records_in_key_order_and_each_row_once(self):
        keys = self.crowd(120)
        self.assertEqual(self.pages("AccountSet?$select=AccountId"), [keys[:50], keys[50:100], keys[100:]])

    def test_the_link_carries_page_key_last_and_first_id(self):
        keys = self.crowd(51)
        first, last = (f"%7B{key.upper()}%7D" for key in [keys[0], keys[49]])
        link = self.get("AccountSet?$select=AccountId,Name").d["__next"]
        service = f"http://{self.host}/ORG{ROOT.replace('XRMServices', 'xrmservices')}"
        token = f"1,'accountid','{last}','{first}'"
        self.assertEqual(link, f"{service}/AccountSet?$select=AccountId,Name&$skiptoken={token}")
        page = self.get(self.below(link)).d
        self.assertEqual([sorted(row) for row in page["results"]], [["AccountId", "Name", "__metadata"]])
        self.assertNotIn("__next", page)

    def test_exactly_a_page_has_no_link(self):
        self.crowd(50)
        self.assertNotIn("__next", self.get("AccountSet").d)

    def test_top_caps_the_total_over_all_pages(self):
        keys = self.crowd(130)
        for top, sizes in [(120, [50, 50, 20]), (50, [50]), (1, [1]), (0, [0]), (999, [50, 50, 30])]:
            pages = self.pages(f"AccountSet?$top={top}")
            self.assertEqual([len(page) for page in pages], sizes, top)
            self.assertEqual(sum(pages, []), keys[:top], top)

    def test_skip_leaves_rows_out_once(self):
        keys = self.crowd(120)
        self.assertEqual(self.pages("AccountSet?$skip=10&$top=60"), [keys[10:60], keys[60:70]])
        self.assertEqual(self.pages("AccountSet?$skip=500"), [[]])

    def test_a_filter_finds_by_text_without_case_and_by_guid(self):
        self.seeded(Name="O'Neil & Sons")
        self.seed("Account", AccountId=guid(OTHER), Name="Union")
        for condition, found in [
            ("Name%20eq%20'O''Neil%20%26%20Sons'", [ACCOUNT]),
            ("Name%20eq%20'o''NEIL%20%26%20sons%20%20'", [ACCOUNT]),
            (f"AccountId%20eq%20guid'{OTHER}'", [OTHER]),
            ("Name%20eq%20'Nobody'", []),
        ]:
            rows = self.rows(f"AccountSet?$select=AccountId&$filter={condition}")
            self.assertEqual([row["AccountId"] for row in rows], found, condition)

    def test_an_organisation_may_have_another_page_size(self):
        self.start(*self.options, "--page-size", "3")
        keys = self.crowd(7)
        self.assertEqual(self.pages("AccountSet"), [keys[:3], keys[3:6], keys[6:]])

    def test_rows_made_and_removed_while_paging_disturb_no_others(self):
        self.start(*self.options, "--page-size", "2")
        keys = self.crowd(6)
        link = self.get("AccountSet").d["__next"]
        for key in [keys[1], keys[4]]:
            self.done(self.delete(at("AccountSet", key)))
        self.assertEqual(self.pages(self.below(link)), [[keys[2], keys[3]], [keys[5]]])

    def test_a_filter_holds_on_every_page(self):
        self.start(*self.options, "--page-size", "2")
        keys = self.crowd(10, lambda number: "Odd" if number % 2 else "Even & more")
        pages = self.pages("AccountSet?$filter=Name%20eq%20'Even%20%26%20more'")
        self.assertEqual(pages, [keys[1:4:2], keys[5:8:2], keys[9:]])
