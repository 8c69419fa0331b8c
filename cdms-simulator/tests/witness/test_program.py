"""The program itself: a failed start gives its reason, a failed program ends, and two programs share nothing."""

import os
import pathlib
import subprocess
import tempfile

from scene import ACCOUNT, PATIENCE_S, Witness
from schema import document


class Program(Witness):
    def test_a_simulator_that_fails_is_gone_and_says_so(self):
        self.fault("panic")
        process = self.process
        self.assertEqual(self.raw(self.text_of("GET", "AccountSet")), "")
        self.assertNotEqual(process.wait(timeout=PATIENCE_S), 0)
        self.assertIn("a fault makes the simulator panic", self.messages.read_text())
        with self.assertRaises(ConnectionRefusedError):
            self.get("AccountSet")

    def test_a_healthy_program_ends_quietly(self):
        self.assertEqual(self.get("AccountSet").status, 200)
        self.assertIsNone(self.process.poll(), "it serves until it is stopped")
        self.process.terminate()
        self.process.wait(timeout=PATIENCE_S)
        self.assertEqual(self.messages.read_text(), "")

    def test_simulators_do_not_share_anything(self):
        path, first = self.seeded(Name="Acme"), self.host
        self.start(*self.options)
        self.assertNotEqual(self.host, first)
        self.refused(self.get(path), 404, "-2147220969", ACCOUNT)

    def test_what_cannot_start_says_why(self):
        with tempfile.TemporaryDirectory() as folder:
            metadata = pathlib.Path(folder) / "metadata.xml"
            metadata.write_text(document())
            schema = ["--metadata", str(metadata)]
            for options, said in [
                ([], "--metadata <FILE>"),
                ([*schema, "--listen", "0.0.0.0:0"], "loopback"),
                ([*schema, "--listen", self.host], f"cannot listen on {self.host}"),
                ([*schema, "--login", "hub"], "USER:PASSWORD"),
                ([*schema, "--login", ":secret"], "USER:PASSWORD"),
                ([*schema, "--expiry", "redirect"], "--login"),
                ([*schema, "--login", "hub:secret", "--expiry", "302"], "redirect"),
                ([*schema, "--page-size", "0"], "--page-size"),
                ([*schema, "--max-length", "Account.Nmae=5"], "Account.Nmae"),
                ([*schema, "--max-length", "Name=5"], "expected ENTITY.ATTRIBUTE=…"),
                ([*schema, "--option-set", "Account.IndustryCode=1,x"], "expected a number, found `x`"),
                ([*schema, "--statuses", "Account.Active=1"], "expected the number of a state, found `Active`"),
                ([*schema, "--statuses", "Acount.0=1"], "no such entity"),
                ([*schema, "--precision", "Account.Nmae=2"], "Account.Nmae"),
                ([*schema, "--parental", "Contact"], "expected ENTITY.LOOKUP"),
                ([*schema, "--parental", "Contact.Nmae"], "Contact.Nmae"),
                ([*schema, "--log-limit", "none"], "`all`"),
            ]:
                run = subprocess.run([os.environ["CDMS_SIMULATOR"], *options], capture_output=True, text=True,
                                     timeout=PATIENCE_S)
                self.assertEqual((run.returncode, run.stdout), (2, ""), options)
                self.assertIn(said, run.stderr, options)
