"""Faults of the connection, and its end: dropped, truncated, late, closed by the client, gone."""

import http.client
import json

from scene import ACCOUNT, OTHER, PATIENCE_S, Witness, at, guid

# A request with this latency is never answered while a test runs.
NEVER_MS = 3_600_000
MS_MAX = 2**64 - 1


class Wire(Witness):
    def setUp(self):
        super().setUp()
        self.path = self.seeded(Name="Acme")

    def rename(self, name):
        """A rename as text, so that every byte of the answer can be checked."""
        return self.text_of("POST", self.path, json.dumps({"Name": name}), "X-HTTP-Method: MERGE")

    def test_a_connection_dropped_before_the_commit_ends_without_a_byte_and_nothing_is_written(self):
        self.fault("drop_before_commit")
        self.assertEqual(self.raw(self.rename("New")), "")
        request = self.requests()[-1]
        self.assertEqual((request["status"], request["faults"]), (None, ["drop_before_commit"]))
        self.assertEqual(self.log(), [])
        self.shows(self.path, Name="Acme")

    def test_a_connection_dropped_after_the_commit_ends_without_a_byte_and_all_is_written(self):
        self.fault("drop_after_commit")
        self.assertEqual(self.raw(self.rename("New")), "")
        self.assertEqual((len(self.log()), self.requests()[-1]["status"]), (1, None))
        self.shows(self.path, Name="New")

    def test_a_client_meets_a_dropped_connection_as_an_error_and_can_go_on(self):
        for fault in ["drop_before_commit", "drop_after_commit", "commit_late"]:
            self.fault(fault)
            self.broken(lambda: self.merge(self.path, Name="New"))
            self.assertEqual(self.get(self.path).status, 200, fault)

    def test_a_late_commit_happens_on_request_and_once(self):
        self.fault("commit_late")
        self.broken(lambda: self.ask("POST", self.path, {"Name": "Late"}, X_HTTP_Method="MERGE",
                                     X_Datahub_Operation="op-3"))
        self.assertEqual(self.log(), [])
        self.done(self.merge(self.path, Name="Between"))
        self.clock(advance_ms=60_000)
        self.assertEqual(self.control("POST", "late"), {"committed": 1})
        self.shows(self.path, Name="Late")
        log = self.log()
        commits = [(commit["operation"], commit["at_ms"] - log[0]["at_ms"]) for commit in log]
        self.assertEqual(commits, [(None, 0), ("op-3", 60_000)])
        self.assertEqual(self.control("POST", "late"), {"committed": 0})

    def test_a_late_commit_that_is_refused_by_then_does_not_count(self):
        self.fault("commit_late")
        self.broken(lambda: self.merge(self.path, Name="Late"))
        self.done(self.delete(self.path))
        self.assertEqual(self.control("POST", "late"), {"committed": 0})

    def test_a_truncated_answer_states_its_length_and_breaks_off_in_the_middle(self):
        self.fault("truncate", times=2)
        head, body = self.raw(self.text_of("GET", self.path)).split("\r\n\r\n")
        self.assertTrue(head.startswith("HTTP/1.1 200"), head)
        [length] = [line.split(": ")[1] for line in head.split("\r\n") if line.startswith("content-length: ")]
        self.assertEqual(len(body.encode()), int(length) // 2)
        self.assertTrue(body.startswith('{"d":{'), body)
        self.assertEqual(self.raw(self.rename("New")), "", "an answer without a body is not sent at all")
        self.shows(self.path, Name="New")

    def test_a_client_notices_a_truncated_answer(self):
        self.fault("truncate")
        with self.assertRaises(http.client.IncompleteRead):
            self.get("AccountSet")
        self.assertEqual(len(self.rows("AccountSet")), 1)

    def test_a_late_answer_lets_others_pass_meanwhile(self):
        self.fault({"latency": NEVER_MS}, operation="update")
        with self.connect(self.rename("Slow")):
            self.until(self.hits)
            self.assertEqual(len(self.rows("AccountSet")), 1)
            self.assertEqual(self.log(), [], "not carried out yet")
            self.fault({"latency": 1})
            self.done(self.merge(self.path, Name="Soon"))
            self.assertEqual(self.hits(), {"latency": 2})

    def test_latencies_add_up_without_end(self):
        for _ in range(2):
            self.fault({"latency": MS_MAX})
        with self.connect(self.text_of("GET", "AccountSet")):
            self.until(lambda: self.hits() == {"latency": 2})
            self.assertEqual(self.requests(), [], "the request still waits")

    def test_a_client_that_hangs_up_takes_its_waiting_request_along(self):
        self.fault({"latency": NEVER_MS}, operation="update")
        connection = self.connect(self.rename("New"))
        self.until(self.hits)
        connection.close()
        self.until(self.requests)
        self.assertIsNone(self.requests()[0]["status"])
        self.assertEqual(self.log(), [])
        self.shows(self.path, Name="Acme")

    def test_one_connection_serves_many_requests(self):
        self.seed("Account", AccountId=guid(OTHER), Name="B")
        get = self.text_of("GET", "AccountSet?$select=AccountId")
        last = self.text_of("GET", at("AccountSet", ACCOUNT), "", "Connection: close")
        answers = self.raw(get, get, last)
        self.assertEqual(answers.count("HTTP/1.1 200 OK"), 3, answers)

    def test_a_simulator_that_is_stopped_is_gone_even_while_requests_wait(self):
        self.fault({"latency": NEVER_MS}, times=None)
        connection = self.connect(self.text_of("GET", "AccountSet"))
        self.addCleanup(connection.close)
        self.until(self.hits)
        self.process.terminate()
        self.process.wait(timeout=PATIENCE_S)
        try:
            self.assertEqual(connection.recv(1), b"")
        except ConnectionResetError:
            pass  # A reset ends the connection as well.
        with self.assertRaises(ConnectionRefusedError):
            self.get("AccountSet")
