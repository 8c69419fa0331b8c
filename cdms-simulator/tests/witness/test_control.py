"""`/_control/…`: a program in another language controls the simulator over HTTP."""

from scene import ACCOUNT, NOON_MS, OTHER, Witness, at, guid, lookup

MS_MIN = -(2**63)

# The JSON form of every fault.
FAULTS = [
    {"latency": 1}, "drop_before_commit", "drop_after_commit", "commit_late", "truncate", "unauthorized",
    "redirect_to_login", {"redirect_to": "http://x/"}, "login_form", {"html": 503},
    {"refuse": {"status": 500, "code": -1, "message": "x"}}, "deadlock", {"plug_in": "x"}, "no_privilege", "not_json",
    "freeze_modified_on", "other_id", {"adjust": {"Name": "x", "IndustryCode": {"choice": 1}}},
    {"corrupt": {"attribute": "Name", "json": "1"}}, {"hostile_next": "http://x/"}, "panic",
]


class Control(Witness):
    def test_the_clock_is_read_set_and_moved(self):
        self.assertEqual(self.control("GET", "clock"), {"now_ms": NOON_MS})
        self.assertEqual(self.clock(advance_ms=5), NOON_MS + 5)
        self.assertEqual(self.clock(set_ms=100, advance_ms=-1), 99)
        self.assertEqual(self.control("GET", "clock"), {"now_ms": 99})
        self.assertEqual(self.clock(set_ms=MS_MIN, advance_ms=MS_MIN), MS_MIN, "the clock saturates")

    def test_a_clock_that_was_not_stopped_runs_on_from_where_it_is_set(self):
        self.start()
        self.assertGreaterEqual(self.clock(set_ms=NOON_MS), NOON_MS)
        self.assertGreaterEqual(self.control("GET", "clock")["now_ms"], NOON_MS)

    def test_faults_are_ordered_counted_and_taken_back(self):
        path = self.seeded(Name="Acme")
        self.fault("deadlock", operation="update", entity="Account", skip=1)
        self.assertEqual([self.merge(path).status for _ in range(3)], [204, 500, 204])
        self.assertEqual(self.hits(), {"deadlock": 1})
        self.fault({"refuse": {"status": 503, "code": -1, "message": "Busy"}}, times=None)
        self.refused(self.get("AccountSet"), 503, "-1", "Busy")
        self.control("DELETE", "faults")
        self.assertEqual(self.get("AccountSet").status, 200)

    def test_every_fault_has_its_form(self):
        for fault in FAULTS:
            self.control("DELETE", "faults")
            self.fault(fault, operation="delete")
        self.assertEqual(self.get("AccountSet").status, 200, "a fault affects only its operation")

    def test_scenes_are_seeded_with_values_of_every_kind(self):
        [key] = self.control("POST", "seed", [{"entity": "Account", "attributes": {
            "AccountId": guid(OTHER), "Name": "Seeded", "NumberOfEmployees": 5, "DoNotPhone": True,
            "Revenue": {"money": "2.5"}, "IndustryCode": {"choice": 7}, "StateCode": {"choice": 1},
            "PrimaryContactId": lookup("contact", ACCOUNT), "ModifiedOn": {"instant": 5000},
        }}])["ids"]
        self.assertEqual(key, OTHER)
        self.shows(at("AccountSet", key), Name="Seeded", NumberOfEmployees=5, DoNotPhone=True, Revenue="2.5000",
                   IndustryCode=7, StateCode=1, PrimaryContactId=ACCOUNT, ModifiedOn="/Date(5000)/")
        made = self.seed("Contact")
        self.assertEqual(self.get(at("ContactSet", made)).status, 200)
        self.assertEqual(self.log(), [])

    def test_log_and_requests_are_returned(self):
        path = self.seeded(Name="Acme")
        merge = self.ask("POST", path, {"Name": "New"}, X_HTTP_Method="MERGE", X_Datahub_Operation="op-1")
        self.done(merge)
        [commit] = self.log()
        shown = {name: commit[name] for name in ["sequence", "at_ms", "kind", "entity", "id", "operation", "sent"]}
        self.assertEqual(shown, {"sequence": 1, "at_ms": NOON_MS, "kind": "update", "entity": "Account", "id": ACCOUNT,
                                 "operation": "op-1", "sent": ["Name"]})
        self.assertEqual((commit["before"]["Name"], commit["after"]["Name"]), ("Acme", "New"))
        [request] = self.requests()
        self.assertEqual((request["method"], request["status"]), ("MERGE", 204), "control requests are not logged")

    def test_invalid_orders_are_refused_with_the_reason(self):
        for what, body, reason in [
            ("faults", {"fault": "no_such"}, "no_such"),
            ("faults", {"fault": "deadlock", "entitiy": "Account"}, "entitiy"),
            ("faults", {"fault": "hold"}, "hold"),
            ("faults", None, "EOF"),
            ("clock", {"advance": 1}, "advance"),
            ("seed", [{"entity": "Acount", "attributes": {}}], "AcountSet"),
            ("seed", [{"entity": "Account", "attributes": {"Nmae": "x"}}], "Nmae"),
            ("seed", [{"entity": "Account", "attributes": {"Name": {"text": "x"}}}], "text"),
        ]:
            reply = self.ask("POST", f"/_control/{what}", body)
            self.assertEqual(reply.status, 400, (what, body, reply.bytes))
            self.assertIn(reason, reply.json["error"])
        for method, what in [("GET", "nothing"), ("PUT", "clock"), ("GET", "seed"), ("GET", "sessions"), ("GET", "")]:
            self.assertEqual(self.ask(method, f"/_control/{what}").status, 404, (method, what))
        self.assertEqual(self.get("AccountSet").status, 200, "no fault was ordered by mistake")

    def test_a_value_of_another_form_than_its_attribute_is_refused_with_the_right_one(self):
        for name, wrong, form in [
            ("Name", 5, "text"), ("NumberOfEmployees", "5", "an integer"), ("DoNotPhone", "true", "true or false"),
            ("ExchangeRate", {"double": 1.5}, '{"decimal": "1.5"}'), ("Address1_Latitude", 51, '{"double": 51.5}'),
            ("LastVerified", "2016-08-27", '{"instant": 1472338800000}'), ("AccountId", ACCOUNT, '{"guid": '),
            ("PrimaryContactId", {"guid": ACCOUNT}, '{"lookup": ['), ("StatusCode", 1, '{"choice": 1}'),
            ("Revenue", {"decimal": "5"}, '{"money": "5.00"}'),
        ]:
            reply = self.ask("POST", "/_control/seed", [{"entity": "Account", "attributes": {name: wrong}}])
            self.assertEqual(reply.status, 400, (name, reply.bytes))
            self.assertIn(f"record 1 (Account): Account.{name} ", reply.json["error"])
            self.assertIn(form, reply.json["error"])
        self.assertEqual(self.rows("AccountSet"), [])
