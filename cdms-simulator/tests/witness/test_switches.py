"""Behaviour that servers may or may not have, which is off by default."""

from scene import ACCOUNT, OTHER, Witness, at, lookup

INVALID = "-2147220989"


class Off(Witness):
    def test_money_needs_no_currency_and_is_kept_as_it_is_sent(self):
        path = self.account(Revenue={"Value": "1.005"}, Revenue_Base={"Value": "7"})
        self.shows(path, Revenue="1.0050", Revenue_Base="7.0000")

    def test_an_ordinary_lookup_does_not_delete_records(self):
        path = self.seeded()
        contact = self.seed("Contact", ParentCustomerId=lookup("account", ACCOUNT))
        self.done(self.delete(path))
        self.shows(at("ContactSet", contact), ParentCustomerId=ACCOUNT)


class On(Witness):
    def test_money_needs_a_currency(self):
        self.start(*self.options, "--money-needs-currency")
        money = {"Value": "5"}
        currency = {"Id": OTHER, "LogicalName": "transactioncurrency"}
        self.refused(self.create("AccountSet", Revenue=money), 500, INVALID, "currency")
        path = self.account(Revenue=money, TransactionCurrencyId=currency)
        self.done(self.merge(path, Revenue={"Value": "6"}))

    def test_amounts_in_the_organisations_currency_are_computed(self):
        self.start(*self.options, "--base-amounts")
        path = self.account(Revenue={"Value": "5"}, Revenue_Base={"Value": "7"})
        self.shows(path, Revenue_Base="5.0000")
        self.done(self.merge(path, Revenue={"Value": "10"}, ExchangeRate="3"))
        self.shows(path, Revenue_Base="3.3333")

    def test_numbers_are_rounded_to_a_precision(self):
        self.start(*self.options, "--precision", "Account.Revenue=2", "--precision", "Account.ExchangeRate=1")
        self.shows(self.account(Revenue={"Value": "-1.005"}, ExchangeRate="1.25"), Revenue="-1.0100",
                   ExchangeRate="1.3")

    def test_records_are_deleted_with_their_parent(self):
        self.start(*self.options, "--parental", "Contact.ParentCustomerId")
        path = self.seeded()
        first = self.seed("Contact", ParentCustomerId=lookup("account", ACCOUNT))
        second = self.seed("Contact", ParentCustomerId=lookup("contact", first))
        other = self.seed("Contact", ParentCustomerId=lookup("contact", ACCOUNT))
        self.done(self.delete(path))
        self.assertEqual([row["ContactId"] for row in self.rows("ContactSet")], [other])
        self.assertEqual([commit["id"] for commit in self.log()], [ACCOUNT, first, second])
