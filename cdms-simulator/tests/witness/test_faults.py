"""Faults to order, and what they leave behind (design, 9), steered over HTTP as any program could."""

import http.client

from scene import Witness


class Faults(Witness):
    def broken(self, call):
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            call()

    def test_dropped_before_the_commit_leaves_nothing(self):
        path = self.account(Name="Acme")
        self.fault("drop_before_commit", operation="update")
        self.broken(lambda: self.merge(path, Name="x"))
        self.assertEqual(self.get(path).d["Name"], "Acme")

    def test_dropped_after_the_commit_leaves_the_write(self):
        path = self.account(Name="Acme")
        self.fault("drop_after_commit", operation="update")
        self.broken(lambda: self.merge(path, Name="x"))
        self.assertEqual(self.get(path).d["Name"], "x")

    def test_a_late_write_comes_when_it_is_told(self):
        path = self.account(Name="Acme")
        self.fault("commit_late", operation="update")
        self.broken(lambda: self.merge(path, Name="late"))
        self.assertEqual(self.get(path).d["Name"], "Acme")
        self.assertEqual(self.control("POST", "late"), {"committed": 1})
        self.assertEqual(self.get(path).d["Name"], "late")

    def test_a_truncated_answer_breaks_off(self):
        path = self.account(Name="Acme")
        self.fault("truncate", operation="read")
        with self.assertRaises(http.client.IncompleteRead):
            self.get(path)

    def test_401_has_no_body(self):
        path = self.account(Name="Acme")
        self.fault("unauthorized", operation="read")
        reply = self.get(path)
        self.assertEqual((reply.status, reply.bytes), (401, b""))

    def test_a_redirect_to_the_login(self):
        path = self.account(Name="Acme")
        self.fault("redirect_to_login", operation="read")
        reply = self.get(path)
        self.assertEqual(reply.status, 302)
        self.assertIn("Location", reply.headers)

    def test_a_login_form_in_place_of_data(self):
        path = self.account(Name="Acme")
        self.fault("login_form", operation="read")
        reply = self.get(path)
        self.assertEqual((reply.status, reply.headers.get_content_type()), (200, "text/html"))
        self.assertIn(b"password", reply.bytes)

    def test_html_with_any_status(self):
        path = self.account(Name="Acme")
        self.fault({"html": 503}, operation="read")
        reply = self.get(path)
        self.assertEqual((reply.status, reply.headers.get_content_type()), (503, "text/html"))

    def test_a_deadlock_writes_nothing(self):
        path = self.account(Name="Acme")
        self.fault("deadlock", operation="update")
        self.refused(self.merge(path, Name="x"), 500, "-2147204784", "Generic SQL error")
        self.assertEqual(self.get(path).d["Name"], "Acme")

    def test_a_plug_in_speaks_for_itself(self):
        path = self.account(Name="Acme")
        self.fault({"plug_in": "not on Sundays"}, operation="update")
        self.refused(self.merge(path, Name="x"), 500, "-2147220891", "not on Sundays")

    def test_no_privilege(self):
        path = self.account(Name="Acme")
        self.fault("no_privilege", operation="read")
        self.refused(self.get(path), 403, "-2147220960")

    def test_any_refusal_can_be_ordered(self):
        path = self.account(Name="Acme")
        self.fault({"refuse": {"status": 500, "code": -2147220970, "message": "An unexpected error occurred."}})
        self.refused(self.get(path), 500, "-2147220970", "An unexpected error occurred.")

    def test_a_frozen_time(self):
        path = self.account(Name="Acme")
        before = self.get(path).d["ModifiedOn"]
        self.control("POST", "clock", {"advance_ms": 60_000})
        self.fault("freeze_modified_on", operation="update")
        self.merge(path, Name="x")
        record = self.get(path).d
        self.assertEqual((record["Name"], record["ModifiedOn"]), ("x", before))

    def test_another_id_than_the_chosen_one(self):
        self.fault("other_id", operation="create")
        chosen = "7a4814f9-b0b8-ea11-a812-000d3a122b89"
        self.assertNotEqual(self.create("AccountSet", AccountId=chosen).d["AccountId"], chosen)

    def test_a_hostile_link(self):
        self.account(Name="Acme")
        self.fault({"hostile_next": "https://elsewhere.example/"}, operation="list")
        self.assertEqual(self.get("AccountSet").d["__next"], "https://elsewhere.example/")

    def test_what_is_not_json(self):
        path = self.account(Name="Acme")
        self.fault("not_json", operation="read")
        reply = self.get(path)
        self.assertEqual(reply.status, 200)
        with self.assertRaises(ValueError):
            reply.json

    def test_faults_are_counted_and_can_be_taken_back(self):
        path = self.account(Name="Acme")
        self.control("POST", "faults", {"operation": "read", "fault": "unauthorized"})
        self.assertEqual(self.get(path).status, 401)
        self.assertEqual(self.control("GET", "faults"), {"hit": {"unauthorized": 1}})
        self.control("DELETE", "faults")
        self.assertEqual(self.get(path).status, 200)

    def test_a_fault_may_wait_for_its_turn(self):
        path = self.account(Name="Acme")
        self.fault("unauthorized", operation="read", skip=1)
        self.assertEqual([self.get(path).status for _ in range(3)], [200, 401, 200])


class Control(Witness):
    def test_the_clock_is_set_and_moved(self):
        self.assertEqual(self.control("POST", "clock", {"set_ms": 1_475_671_950_000})["now_ms"] // 1000, 1_475_671_950)
        self.control("POST", "clock", {"advance_ms": 60_000})
        self.assertEqual(self.control("GET", "clock")["now_ms"] // 10_000, 147_567_201)

    def test_scenes_are_seeded(self):
        ids = self.control("POST", "seed", [{"entity": "Account", "attributes": {"Name": "Seeded"}}])["ids"]
        self.assertEqual(self.get(f"AccountSet(guid'{ids[0]}')").d["Name"], "Seeded")
        self.assertEqual(self.log(), [])

    def test_a_scene_that_does_not_fit_says_why(self):
        reply = self.ask("POST", "/_control/seed", [{"entity": "Account", "attributes": {"Nmae": "x"}}])
        self.assertEqual(reply.status, 400)
        self.assertIn("Nmae", reply.json["error"])

    def test_the_log_tells_what_was_sent_and_what_changed(self):
        path = self.account(Name="Acme")
        self.merge(path, Name="Acme Foods")
        entry = self.log()[-1]
        self.assertEqual((entry["kind"], entry["sent"]), ("update", ["Name"]))
        self.assertEqual((entry["before"]["Name"], entry["after"]["Name"]), ("Acme", "Acme Foods"))

    def test_requests_are_remembered(self):
        self.get("AccountSet")
        request = self.control("GET", "requests")[-1]
        self.assertEqual((request["method"], request["status"]), ("GET", 200))
        self.assertTrue(request["target"].endswith("/AccountSet"))

    def test_an_unknown_control_is_404(self):
        self.assertEqual(self.ask("GET", "/_control/nonsense").status, 404)

    def test_the_schema_is_served_as_xml(self):
        reply = self.get("$metadata")
        self.assertEqual(reply.status, 200)
        self.assertIn(b'EntityType Name="Account"', reply.bytes)
        self.assertIn("xml", reply.headers["Content-Type"])
