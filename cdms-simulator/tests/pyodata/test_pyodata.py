"""Tests the simulator with pyodata, a client library that is independent of this project: it loads the schema, lists,
creates, changes and deletes."""

import datetime

import pyodata
import requests
from pyodata.exceptions import HttpError

from scene import ACCOUNT, OTHER, Witness, at, guid, lookup
from schema import ENTITIES


class Tunnel(requests.Session):
    """CRM 2011 accepts a MERGE only as a POST with a header, which pyodata cannot send by itself."""

    def request(self, method, url, headers=None, **options):
        if method == "MERGE":
            method, headers = "POST", {**headers, "X-HTTP-Method": "MERGE"}
        return super().request(method, url, headers=headers, **options)


class Pyodata(Witness):
    def setUp(self):
        super().setUp()
        session = Tunnel()
        self.addCleanup(session.close)
        self.client = pyodata.Client(f"http://{self.host}{self.root}", session)

    @property
    def accounts(self):
        return self.client.entity_sets.AccountSet

    def test_it_loads_the_whole_schema(self):
        schema = self.client.schema
        self.assertLessEqual({f"{name}Set" for name in ENTITIES}, {entry.name for entry in schema.entity_sets})
        for name, (key, properties) in ENTITIES.items():
            entity = schema.entity_type(name)
            self.assertEqual([entry.name for entry in entity.key_proprties], [key])
            self.assertEqual({entry.name for entry in entity.proprties()}, set(properties))
        money = schema.complex_type("Money")
        self.assertEqual([entry.name for entry in money.proprties()], ["Value"])
        related = {entry.name: entry.typ.name for entry in schema.entity_type("Account").nav_proprties}
        self.assertEqual(related, {"account_primary_contact": "Contact", "contact_customer_accounts": "Contact"})

    def test_it_creates_and_reads_back(self):
        day = datetime.datetime(2016, 8, 27, 23, tzinfo=datetime.timezone.utc)
        made = self.accounts.create_entity().set(
            AccountId=ACCOUNT, Name="Ada's Söhne + Co", NumberOfEmployees=5, DoNotPhone=True, LastVerified=day,
            Address1_Latitude=51.5).execute()
        self.assertEqual(made.AccountId, ACCOUNT)
        read = self.accounts.get_entity(AccountId=ACCOUNT).execute()
        for record in [made, read]:
            self.assertEqual((record.Name, record.NumberOfEmployees, record.DoNotPhone, record.Address1_Latitude),
                             ("Ada's Söhne + Co", 5, True, 51.5))
            self.assertEqual(record.LastVerified, day)
        self.assertEqual([commit["kind"] for commit in self.log()][:1], ["create"])

    def test_it_lists_filters_and_selects(self):
        for number in range(60):
            self.seed("Account", Name=f"Account + {number}", IndustryCode={"choice": 7})
        page = self.accounts.get_entities().select("Name,AccountId").execute()
        self.assertEqual(len(page), 50)
        rest = self.accounts.get_entities().next_url(page.next_url).execute()
        self.assertEqual(len({record.Name for record in [*page, *rest]}), 60)
        found = self.accounts.get_entities().filter("Name eq 'Account + 7'").execute()
        self.assertEqual([record.Name for record in found], ["Account + 7"])
        self.assertEqual(found[0].IndustryCode["Value"], 7)

    def test_it_changes_and_deletes(self):
        self.seed("Contact", ContactId=guid(OTHER), FullName="Ada")
        path = self.seeded(Name="Acme", PrimaryContactId=lookup("contact", OTHER))
        self.accounts.update_entity(AccountId=ACCOUNT, method="MERGE").set(Name="New", NumberOfEmployees=7).execute()
        self.shows(path, Name="New", NumberOfEmployees=7, PrimaryContactId=OTHER)
        self.accounts.delete_entity(AccountId=ACCOUNT).execute()
        self.refused(self.get(path), 404, "-2147220969", "Does Not Exist")
        with self.assertRaises(HttpError) as gone:
            self.accounts.get_entity(AccountId=ACCOUNT).execute()
        self.assertEqual(gone.exception.response.status_code, 404)

    def test_it_is_refused_in_words_that_it_can_show(self):
        with self.assertRaises(HttpError) as refused:
            self.accounts.create_entity().set(Name="bell \x07").execute()
        self.assertIn("Invalid Argument", refused.exception.response.text)
        self.assertEqual(self.get(at("AccountSet", ACCOUNT)).status, 404)
