"""$filter: what it finds, and what it refuses (docs/protocol.md, 3.1)."""

import uuid

from scene import ACCOUNT, Witness, guid, lookup, query

CONTACT = str(uuid.UUID(int=192))


class Filters(Witness):
    def setUp(self):
        super().setUp()
        self.accounts()

    def restart(self, *options):
        self.start(*self.options, *options)
        self.accounts()

    def accounts(self):
        """Four accounts: 1 to 3 with values, 4 with a name alone."""
        for number, values in enumerate([
            {"Name": "Zoë & Co", "NumberOfEmployees": 5, "DoNotPhone": True, "ExchangeRate": {"decimal": "1.5"},
             "Address1_Latitude": {"double": 51.5}, "LastVerified": {"instant": 1_472_338_800_000},
             "IndustryCode": {"choice": 7}, "Revenue": {"money": "5000000"},
             "PrimaryContactId": lookup("contact", CONTACT), "Address1_City": "100%_[a]"},
            {"Name": "it's", "NumberOfEmployees": 50, "DoNotPhone": False},
            {"Name": "ZOE  ", "NumberOfEmployees": 500},
            {"Name": "+"},
        ], 1):
            self.seed("Account", AccountId=guid(str(uuid.UUID(int=number))), **values)

    def found(self, condition):
        rows = self.rows("AccountSet?$select=AccountId&" + query(filter=condition))
        return [uuid.UUID(row["AccountId"]).int for row in rows]

    def finds(self, cases):
        for condition, numbers in cases.items():
            self.assertEqual(self.found(condition), numbers, condition)

    def test_every_kind_of_value_is_compared(self):
        self.finds({
            "NumberOfEmployees lt 50": [1],
            "NumberOfEmployees ge 50": [2, 3],
            "ExchangeRate gt 1.2M": [1],
            "Address1_Latitude gt 51.4": [1],
            "Revenue/Value eq 5000000M": [1],
            "IndustryCode/Value eq 7": [1],
            "DoNotPhone eq false": [2],
            "LastVerified eq datetime'2016-08-27T23:00:00Z'": [1],
            "LastVerified lt datetime'2016-08-27'": [],
            f"AccountId eq guid'{uuid.UUID(int=3)}'": [3],
            f"PrimaryContactId/Id eq guid'{CONTACT}'": [1],
        })

    def test_conditions_are_joined_and_negated(self):
        self.finds({
            "NumberOfEmployees eq 5 or NumberOfEmployees eq 50 and DoNotPhone eq true": [1],
            "(NumberOfEmployees eq 5 or NumberOfEmployees eq 50) and DoNotPhone eq false": [2],
            "not (NumberOfEmployees eq 5 or NumberOfEmployees eq 50)": [3, 4],
            "not substringof('z',Name)": [2, 4],
        })

    def test_null_is_found_by_its_name_and_differs_from_every_value(self):
        self.finds({
            "NumberOfEmployees eq null": [4],
            "PrimaryContactId/Id ne null": [1],
            "NumberOfEmployees ne 5": [2, 3, 4],
            "not (NumberOfEmployees lt 100)": [3],
        })
        self.restart("--null-is-unknown")
        self.finds({"NumberOfEmployees ne 5": [2, 3]})

    def test_text_is_compared_without_case_accents_and_trailing_blanks(self):
        self.finds({
            "Name eq 'zoë'": [3],
            "startswith(Name,'ZOE')": [1, 3],
            "endswith(Name,'CO')": [1],
            "substringof('& c',Name)": [1],
            "Name eq 'it''s'": [2],
            "Name eq '+'": [4],
        })
        self.restart("--accents-count")
        self.finds({"startswith(Name,'ZOË')": [1]})

    def test_signs_of_patterns_are_plain_text_or_wildcards(self):
        self.finds({"substringof('%_[',Address1_City)": [1], "substringof('1_0',Address1_City)": []})
        self.restart("--like-has-wildcards")
        self.finds({"substringof('1_0',Address1_City)": [1], "substringof('[b]',Address1_City)": []})

    def test_what_is_not_evaluated_is_refused(self):
        for condition, word in [
            ("NumberOfEmployees mul 2 eq 10", "Arithmetic"),
            ("toupper(Name) eq 'A'", "'toupper' is not supported"),
            ("day(CreatedOn) eq 1", "'day' is not supported"),
            ("nosuch eq 1", "No property 'nosuch' exists"),
            ("StateCode eq 0", "incompatible with operand types"),
            ("NumberOfEmployees eq 'x'", "'Edm.Int32' and 'Edm.String' at position 18"),
            (f"AccountId lt guid'{ACCOUNT}'", "incompatible"),
            ("OwnerId/Name eq 'x'", "It is not known"),
            ("ModifiedOn eq datetime'2011-11-14T16:43:8Z'", "Unrecognized 'Edm.DateTime' literal"),
            ("Name eq 'x", "Unterminated string literal"),
            ("Name eq 'x' xor Name eq 'y'", "Syntax error at position 12"),
            ("(" * 500, "Recursion limit"),
        ]:
            self.refused(self.get("AccountSet?" + query(filter=condition)), 400, "", word)
