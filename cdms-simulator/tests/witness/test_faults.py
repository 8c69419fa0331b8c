"""Faults on demand: instead of answers, inside answers, and which requests they affect."""

from scene import ACCOUNT, OTHER, Witness, at


class InPlaceOfAnswers(Witness):
    """Nothing is carried out, and the answer is the ordered one."""

    def met(self, fault, name):
        """Sends a rename that a fault affects, and another that works; returns the answer to the first."""
        self.start(*self.options)
        path = self.seeded(Name="Acme")
        self.fault(fault)
        reply = self.merge(path, Name="New")
        self.assertEqual((self.log(), self.hits()), ([], {name: 1}))
        request = self.requests()[-1]
        self.assertEqual((request["faults"], request["status"]), ([name], reply.status))
        self.done(self.merge(path, Name="New"))
        self.shows(path, Name="New")
        return reply

    def test_a_lost_login_shows_as_401_redirect_or_form(self):
        reply = self.met("unauthorized", "unauthorized")
        self.assertEqual((reply.status, reply.bytes), (401, b""))
        reply = self.met("redirect_to_login", "redirect_to_login")
        self.assertEqual(reply.status, 302)
        self.assertIn("wa=wsignin1.0", reply.headers["Location"])
        reply = self.met("login_form", "login_form")
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn(b"<form", reply.bytes)
        self.assertIn(b'name="password"', reply.bytes)

    def test_a_redirect_leads_to_the_given_address(self):
        reply = self.met({"redirect_to": "https://elsewhere.example/x"}, "redirect_to")
        self.assertEqual((reply.status, reply.headers["Location"]), (302, "https://elsewhere.example/x"))

    def test_pages_of_html_come_with_any_status(self):
        for status in [500, 503, 200]:
            reply = self.met({"html": status}, "html")
            self.assertEqual((reply.status, reply.headers["Content-Type"]), (status, "text/html; charset=utf-8"))
            self.assertTrue(reply.bytes.startswith(b"<html>"))

    def test_refusals_have_the_given_code_and_text(self):
        for status, code, shown, text in [(500, -2147220970, "-2147220970", "Unexpected."), (503, 0, "", "Busy")]:
            reply = self.met({"refuse": {"status": status, "code": code, "message": text}}, "refuse")
            self.refused(reply, status, shown, text)

    def test_a_deadlock_is_a_generic_sql_error(self):
        self.refused(self.met("deadlock", "deadlock"), 500, "-2147204784", "Generic SQL error")

    def test_a_plug_in_refuses_in_its_own_words(self):
        reply = self.met({"plug_in": "Closed on Sundays"}, "plug_in")
        self.refused(reply, 500, "-2147220891", "Closed on Sundays")

    def test_an_answer_that_is_not_json_has_status_200(self):
        reply = self.met("not_json", "not_json")
        self.assertEqual(reply.status, 200)
        with self.assertRaises(ValueError):
            reply.json

    def test_a_missing_privilege_names_itself_by_what_was_tried(self):
        path = self.seeded(Name="Acme")
        self.fault("no_privilege", times=None)
        for reply, right in [
            (self.get(path), "prvReadAccount"),
            (self.get("ContactSet"), "prvReadContact"),
            (self.create("ContactSet"), "prvCreateContact"),
            (self.merge(path), "prvWriteAccount"),
            (self.delete(at("ContactSet", OTHER)), "prvDeleteContact"),
        ]:
            self.refused(reply, 403, "-2147220960", f"is missing {right} privilege")
        self.assertEqual(self.log(), [])


class Rules(Witness):
    """Which requests a fault affects."""

    def test_a_rule_affects_only_its_operation_and_entity_and_obeys_skip_and_times(self):
        path = self.seeded(Name="Acme")
        self.fault("deadlock", operation="update", entity="Account", skip=1, times=2)
        statuses = []
        for number in range(5):
            self.assertEqual(self.get(path).status, 200, "another operation")
            self.assertEqual(self.create("ContactSet").status, 201, "another entity")
            statuses.append(self.merge(path, Name=str(number)).status)
        self.assertEqual(statuses, [204, 500, 500, 204, 204])
        self.assertEqual(self.hits(), {"deadlock": 2})

    def test_operations_are_distinguished(self):
        path = self.seeded(Name="Acme")
        works = {"read": 200, "list": 200, "create": 201, "update": 204, "other": 200}
        for met in [*works, "delete"]:
            self.control("DELETE", "faults")
            self.fault({"html": 503}, operation=met, times=None)
            statuses = {
                "read": self.get(path).status,
                "list": self.get("AccountSet").status,
                "create": self.create("AccountSet").status,
                "update": self.merge(path).status,
                "other": self.get("$metadata").status,
            }
            self.assertEqual(statuses, {name: 503 if name == met else status for name, status in works.items()})
        self.assertEqual(self.delete(path).status, 503)
        self.control("DELETE", "faults")
        self.done(self.delete(path))

    def test_cancelled_faults_affect_no_more_requests(self):
        path = self.seeded(Name="Acme")
        self.fault({"latency": 3_600_000}, times=None)
        self.control("DELETE", "faults")
        self.done(self.merge(path, Name="New"))
        self.assertEqual(self.hits(), {})


class InAnswers(Witness):
    """Wrong times, ids, attributes and links."""

    def test_a_frozen_time_of_change_stays_while_the_write_happens(self):
        path = self.seeded(Name="Acme")
        before = self.get(path).d["ModifiedOn"]
        self.fault("freeze_modified_on", operation="update")
        self.clock(advance_ms=5_000)
        self.done(self.merge(path, Name="Unseen"))
        self.shows(path, Name="Unseen", ModifiedOn=before)
        self.done(self.merge(path, Name="Seen"))
        self.shows(path, Name="Seen", ModifiedOn="/Date(1475671955000)/")

    def test_another_id_than_the_chosen_one_is_given(self):
        self.fault("other_id")
        made = self.create("AccountSet", AccountId=ACCOUNT, Name="Acme")
        key = made.d["AccountId"]
        self.assertNotEqual(key, ACCOUNT)
        self.assertIn(key, made.headers["Location"])
        self.assertEqual(self.get(at("AccountSet", ACCOUNT)).status, 404)
        self.shows(at("AccountSet", key), Name="Acme")

    def test_a_plug_in_adjusts_what_is_written(self):
        self.fault({"adjust": {"Name": "ACME", "NumberOfEmployees": 1}}, times=2)
        made = self.create("AccountSet", AccountId=ACCOUNT, Name="Acme").d
        self.assertEqual((made["Name"], made["NumberOfEmployees"]), ("ACME", 1))
        path = at("AccountSet", ACCOUNT)
        self.done(self.merge(path, Name="New", DoNotPhone=True))
        self.shows(path, Name="ACME", DoNotPhone=True)
        self.assertEqual(self.log()[-1]["sent"], ["DoNotPhone", "Name"])

    def test_a_plug_in_that_adjusts_what_is_not_there_is_noticed(self):
        self.fault({"adjust": {"Nmae": "x"}})
        self.refused(self.create("AccountSet"), 400, "", "'Nmae'")

    def test_an_attribute_is_shown_as_something_else_but_held_as_it_is(self):
        path = self.seeded(Name="Acme")
        for attribute, text, shown in [("AccountId", '"no-guid"', "no-guid"), ("Name", '{"a":[1]}', {"a": [1]}),
                                       ("Name", "no json", "no json")]:
            self.fault({"corrupt": {"attribute": attribute, "json": text}}, times=None)
            self.assertEqual(self.get(path).d[attribute], shown, "one record")
            self.assertEqual(self.rows("AccountSet")[0][attribute], shown, "a list")
            self.control("DELETE", "faults")
        self.shows(path, Name="Acme")

    def test_a_next_link_leads_to_another_host_even_from_the_last_page(self):
        hostile = "https://elsewhere.example/ORG/x.svc/AccountSet?$skiptoken=1"
        for rows in [1, 3]:
            self.start(*self.options, "--page-size", "2")
            for number in range(rows):
                self.seed("Account", Name=str(number))
            self.fault({"hostile_next": hostile}, operation="list")
            self.assertEqual(self.get("AccountSet").d["__next"], hostile)
            link = self.get("AccountSet").d.get("__next")
            self.assertEqual(link is not None, rows == 3)
            self.assertNotIn("elsewhere", link or "")
