"""The domain of each kind, and the states of records: values that CDMS cannot store are refused."""

from scene import ACCOUNT, OTHER, Witness, at, guid

OUT_OF_RANGE = ("-2147204326", "outside the valid range")
INVALID = ("-2147220989", "Invalid Argument")
MISMATCH = ("-2147187704", "not a valid status code for state code")


class Domain(Witness):
    def test_a_value_outside_its_kinds_domain_is_refused_and_the_last_one_inside_is_kept(self):
        path = self.seeded(Name="Acme")
        for name, last, outside, (code, text) in [
            ("LastVerified", "1753-01-01T00:00:00Z", "1752-12-31T23:59:59Z", INVALID),
            ("LastVerified", "9999-12-31T23:59:59Z", "/Date(253402300800000)/", INVALID),
            ("Name", "tab\t, line\n, return\r and \ufffd", "bell \x07", INVALID),
            ("Name", "\ue000", "\ufffe", INVALID),
            ("ExchangeRate", "100000000000", "100000000000.1", OUT_OF_RANGE),
            ("Address1_Latitude", -100_000_000_000, -100_000_000_001, OUT_OF_RANGE),
            ("Revenue", {"Value": "922337203685477"}, {"Value": "922337203685478"}, OUT_OF_RANGE),
            ("Revenue", {"Value": "-922337203685477"}, {"Value": "-922337203685478"}, OUT_OF_RANGE),
        ]:
            self.done(self.merge(path, **{name: last}))
            held = self.get(path).d[name]
            self.refused(self.merge(path, **{name: outside}), 500, code, text)
            self.refused(self.create("AccountSet", **{name: outside}), 500, code, text)
            self.assertEqual(self.get(path).d[name], held)
            self.assertIsNotNone(held, name)

    def test_a_value_that_is_not_a_number_is_an_error_and_not_a_null(self):
        path = self.account(Address1_Latitude=51.5)
        for sent in ["INF", "-INF", "NaN"]:
            self.refused(self.merge(path, Address1_Latitude=sent), 500, *OUT_OF_RANGE)
        self.shows(path, Address1_Latitude=51.5)

    def test_a_status_of_another_state_is_refused(self):
        path = self.seeded(Name="Acme")
        self.refused(self.merge(path, StatusCode={"Value": 2}), 500, *MISMATCH)
        self.refused(self.create("AccountSet", StatusCode={"Value": 2}), 500, *MISMATCH)
        self.done(self.merge(path, StatusCode={"Value": 100_000_001}))
        inactive = self.seed("Account", StateCode={"choice": 1}, StatusCode={"choice": 2})
        self.refused(self.merge(at("AccountSet", inactive), StatusCode={"Value": 1}), 500, *MISMATCH)

    def test_an_organisation_may_have_statuses_of_its_own(self):
        self.start(*self.options, "--statuses", "Account.0=1,7", "--statuses", "Account.1=8")
        self.shows(self.account(StatusCode={"Value": 7}), StatusCode=7)
        for other in [2, 8]:
            self.refused(self.create("AccountSet", StatusCode={"Value": other}), 500, *MISMATCH)

    def test_a_closed_activity_is_not_changed(self):
        for state, closed in [(0, False), (1, True), (2, True), (3, False)]:
            self.seed("detica_interaction", ActivityId=guid(OTHER), Subject="Visit", StateCode={"choice": state})
            reply = self.merge(at("detica_interactionSet", OTHER), Subject="Late")
            if closed:
                self.refused(reply, 500, INVALID[0], "cannot be changed")
            else:
                self.done(reply)
        self.assertEqual(len(self.log()), 2)
