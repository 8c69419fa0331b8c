"""$expand: related records in the answer, and conditions on them (docs/protocol.md, 3)."""

import uuid

from scene import Witness, guid, lookup, query


def key(number):
    return str(uuid.UUID(int=number))


class Expansions(Witness):
    def setUp(self):
        super().setUp()
        self.people()

    def people(self):
        """Accounts 1 and 2, of which the first has a primary contact; contacts 11 and 12, both of account 1."""
        self.seed("Account", AccountId=guid(key(1)), PrimaryContactId=lookup("contact", key(12)))
        self.seed("Account", AccountId=guid(key(2)))
        for number, name in [(11, "Ada"), (12, "Bob")]:
            self.seed("Contact", ContactId=guid(key(number)), FirstName=name,
                      ParentCustomerId=lookup("account", key(1)))

    def restart(self, *options):
        self.start(*self.options, *options)
        self.people()

    def found(self, navigation, condition):
        options = query(select="AccountId", expand=navigation, filter=f"{navigation}/{condition}")
        return [uuid.UUID(row["AccountId"]).int for row in self.rows(f"AccountSet?{options}")]

    def test_a_related_record_is_shown_in_the_place_of_its_link(self):
        one, other = self.rows("AccountSet?$expand=account_primary_contact")
        self.assertEqual(one["account_primary_contact"]["FirstName"], "Bob")
        self.assertIsNone(other["account_primary_contact"])
        self.assertIn("__deferred", one["contact_customer_accounts"])
        one, _ = self.rows("AccountSet?" + query(
            select="Name,account_primary_contact/FirstName", expand="account_primary_contact"))
        self.assertEqual(sorted(one), ["Name", "__metadata", "account_primary_contact"])
        self.assertEqual(sorted(one["account_primary_contact"]), ["FirstName", "__metadata"])

    def test_related_lists_are_cut_at_a_page(self):
        one, other = self.rows("AccountSet?$expand=contact_customer_accounts")
        self.assertEqual([row["FirstName"] for row in one["contact_customer_accounts"]["results"]], ["Ada", "Bob"])
        self.assertEqual(other["contact_customer_accounts"], {"results": []})
        self.restart("--page-size", "1")
        [one] = self.rows("AccountSet?$expand=contact_customer_accounts&$top=1")
        self.assertEqual([row["FirstName"] for row in one["contact_customer_accounts"]["results"]], ["Ada"])

    def test_a_condition_is_about_the_expanded_record(self):
        self.assertEqual(self.found("account_primary_contact", "FirstName eq 'bob'"), [1])
        self.assertEqual(self.found("account_primary_contact", "FirstName eq 'Ada'"), [])
        self.assertEqual(self.found("contact_customer_accounts", "FirstName eq 'Ada'"), [1])

    def test_a_record_without_a_related_one_is_not_found_or_counts_as_null(self):
        self.assertEqual(self.found("account_primary_contact", "FirstName eq null"), [])
        self.restart("--unrelated-is-null")
        self.assertEqual(self.found("account_primary_contact", "FirstName eq null"), [2])

    def test_what_cannot_be_expanded_is_refused(self):
        contact = "account_primary_contact"
        for options, word in [
            ({"expand": "nosuch"}, "No property 'nosuch' exists"),
            ({"expand": f"{contact}/nosuch"}, "Only one level of navigation"),
            ({"filter": f"{contact}/FirstName eq 'x'"}, "must be expanded"),
            ({"expand": contact, "filter": f"{contact}/FirstName eq 'x' and Name eq 'y'"}, "must all be about"),
        ]:
            self.refused(self.get("AccountSet?" + query(**options)), 400, "", word)

    def test_six_relations_can_be_expanded_and_no_more(self):
        lookups = ["CreatedBy", "ModifiedBy", "OwnerId", "OwningUser", "TransactionCurrencyId", "PrimaryContactId"]
        relations = [f"r{number}=Account.{name}:Contact" for number, name in enumerate([*lookups, "CreatedBy"])]
        self.restart(*(part for relation in relations for part in ["--relation", relation]))
        names = [f"r{number}" for number in range(7)]
        one, _ = self.rows("AccountSet?$expand=" + ",".join(names[:6]))
        self.assertEqual(one["r5"]["FirstName"], "Bob")
        self.refused(self.get("AccountSet?$expand=" + ",".join(names)), 400, "", "More than 6 relations")

    def test_a_relation_can_be_declared(self):
        self.restart("--relation", "employer=Contact.ParentCustomerId:Account")
        ada, _ = self.rows("ContactSet?$expand=employer")
        self.assertEqual(ada["employer"]["AccountId"], key(1))
        one, _ = self.rows("AccountSet?$expand=employer")
        self.assertEqual(len(one["employer"]["results"]), 2)

    def test_deep_pages_of_a_condition_on_related_lists_are_refused(self):
        options = {"expand": "contact_customer_accounts", "filter": "contact_customer_accounts/FirstName ne null",
                   "top": "50"}
        self.assertEqual(self.rows("AccountSet?" + query(**options, skip="4950")), [])
        self.refused(self.get("AccountSet?" + query(**options, skip="4951")), 500, "-2147220970", "distinct")
