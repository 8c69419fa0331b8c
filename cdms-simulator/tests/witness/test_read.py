"""Reading one record and lists, with pages (fact sheet, 1 to 3)."""

from scene import ROOT, Witness, some_id


class Read(Witness):
    def test_one_record_is_enveloped(self):
        path = self.account(Name="Acme")
        read = self.get(path)
        self.assertEqual((read.status, list(read.json)), (200, ["d"]))
        self.assertEqual(read.d["Name"], "Acme")

    def test_select_gives_what_was_asked_for(self):
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


class Lists(Witness):
    def fill(self, count):
        return {self.create("AccountSet", Name=f"Firm {number}").d["AccountId"] for number in range(count)}

    def follow(self, path):
        pages = []
        while path:
            page = self.get(path).d
            pages.append(page["results"])
            path = page.get("__next", "").replace(f"http://{self.host}", "")
        return pages

    def test_an_empty_list(self):
        self.assertEqual(self.get("AccountSet").json, {"d": {"results": []}})

    def test_pages_have_fifty_records_and_a_link_until_the_last(self):
        ids = self.fill(120)
        pages = self.follow("AccountSet?$select=AccountId")
        self.assertEqual([len(page) for page in pages], [50, 50, 20])
        self.assertEqual({row["AccountId"] for page in pages for row in page}, ids)

    def test_the_link_carries_the_token_of_the_page(self):
        self.fill(51)
        link = self.get("AccountSet?$select=Name").d["__next"]
        self.assertIn("$select=Name", link)
        self.assertRegex(link, r"\$skiptoken=1,'accountid','%7B[0-9A-F-]{36}%7D','%7B[0-9A-F-]{36}%7D'")

    def test_fifty_records_have_no_link(self):
        self.fill(50)
        self.assertNotIn("__next", self.get("AccountSet").d)

    def test_top_caps_the_total_over_all_pages(self):
        self.fill(70)
        self.assertEqual([len(page) for page in self.follow("AccountSet?$top=60")], [50, 10])

    def test_skip(self):
        self.fill(7)
        rest = self.get("AccountSet?$skip=5&$select=AccountId").d["results"]
        self.assertEqual(len(rest), 2)

    def test_text_is_compared_without_case(self):
        self.account(Name="Acme")
        self.account(Name="Other")
        found = self.get("AccountSet?$filter=Name%20eq%20'ACME'&$select=Name").d["results"]
        self.assertEqual([row["Name"] for row in found], ["Acme"])

    def test_a_quote_in_a_text_is_doubled(self):
        self.account(Name="O'Neill")
        found = self.get("AccountSet?$filter=Name%20eq%20'O''Neill'").d["results"]
        self.assertEqual(len(found), 1)

    def test_a_guid_against_a_text_does_not_fit(self):
        self.refused(self.get("AccountSet?$filter=AccountId%20eq%20'x'"), 400, "", "Operator 'eq' incompatible")

    def test_the_user_behind_the_requests_can_be_found(self):
        made = self.create("AccountSet", Name="x").d
        user = self.get("SystemUserSet?$filter=DomainName%20eq%20'CDMS%5Cdatahub'&$select=SystemUserId").d["results"]
        self.assertEqual([row["SystemUserId"] for row in user], [made["CreatedBy"]["Id"]])

    def test_there_is_one_organisation(self):
        self.assertEqual(len(self.get("OrganizationSet?$select=OrganizationId").d["results"]), 1)
