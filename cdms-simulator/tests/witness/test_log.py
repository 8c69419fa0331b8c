"""The log of commits is the authority: it contains every change, in order, and nothing else."""

import decimal

from scene import ACCOUNT, NOON_MS, OTHER, Witness, at, plain
from schema import ENTITIES


class Log(Witness):
    def test_a_commit_says_what_happened_when_by_whom_and_on_whose_behalf(self):
        path = self.seeded(Name="Acme")
        user = self.get(path).d["OwnerId"]["Id"]
        self.clock(advance_ms=7_000)
        sent = {"Name": "New", "OwnerId": {"Id": None}}
        self.done(self.ask("POST", path, sent, X_HTTP_Method="MERGE", X_Datahub_Operation="op-7"))
        self.done(self.merge(path, DoNotPhone=True))
        first, second = self.log()
        shown = {name: first[name] for name in ["sequence", "at_ms", "kind", "entity", "id", "operation", "sent"]}
        self.assertEqual(shown, {"sequence": 1, "at_ms": NOON_MS + 7_000, "kind": "update", "entity": "Account",
                                 "id": ACCOUNT, "operation": "op-7", "sent": ["Name", "OwnerId"]})
        [service] = self.rows("SystemUserSet?$filter=DomainName%20eq%20'CDMS%5Cdatahub'")
        self.assertEqual(first["user"], service["SystemUserId"])
        self.assertNotEqual(first["user"], user, "a person created the scene")
        self.assertEqual((first["before"]["Name"], first["after"]["Name"]), ("Acme", "New"))
        self.assertFalse({"OwnerId", "StateCode"} & set(first["after"]), "only what changed")
        self.assertEqual((second["sequence"], second["operation"]), (2, None))

    def test_replaying_the_log_gives_the_records(self):
        first, second = at("AccountSet", ACCOUNT), at("AccountSet", OTHER)
        for key, name in [(ACCOUNT, "A"), (OTHER, "B")]:
            self.assertEqual(self.create("AccountSet", AccountId=key, Name=name, Address1_City="Leeds").status, 201)
        self.assertEqual(self.create("ContactSet", FirstName="Ada").status, 201)
        self.clock(advance_ms=3_000)
        self.done(self.merge(first, Name="A2", Address1_City="Hull"))
        self.done(self.ask("PUT", second, {"Name": "B2"}))
        address = at("CustomerAddressSet", self.get(first).d["Address1_AddressId"])
        self.done(self.merge(address, City="Bath"))
        self.done(self.delete(address))
        self.done(self.delete(second))

        replayed = {}
        for sequence, commit in enumerate(self.log(), 1):
            self.assertEqual(commit["sequence"], sequence)
            place = (commit["entity"], commit["id"])
            if commit["kind"] == "create":
                self.assertNotIn(place, replayed)
                replayed[place] = commit["after"]
            elif commit["kind"] == "update":
                record = replayed[place]
                for name, value in commit["before"].items():
                    self.assertEqual(record.get(name), value, (name, sequence))
                record.update(commit["after"])
                replayed[place] = {name: value for name, value in record.items() if value is not None}
            else:
                self.assertEqual(replayed.pop(place), commit["before"])
        entities = sorted(entity for entity, _ in replayed)
        self.assertEqual(entities, ["Account", "Contact", "CustomerAddress"])
        for (entity, key), record in replayed.items():
            shown = self.get(at(f"{entity}Set", key)).d
            kinds = ENTITIES[entity][1]
            held = {name: read(kind, shown[name]) for name, kind in kinds.items()}
            held = {name: value for name, value in held.items() if value is not None}
            self.assertEqual(held, {name: logged(value) for name, value in record.items()}, entity)

    def test_what_was_refused_is_not_in_the_log_but_among_the_requests(self):
        self.refused(self.ask("POST", "AccountSet", '{"Nmae":"x"}'), 400, "", "'Nmae'")
        path = at("AccountSet", ACCOUNT)
        delete = self.ask("POST", path, "", X_HTTP_Method="DELETE", X_Datahub_Operation="op-1")
        self.refused(delete, 404, "-2147220969", "Does Not Exist")
        self.assertEqual(self.log(), [])
        first, second = self.requests()
        self.assertEqual((first["method"], first["status"], first["body"]), ("POST", 400, '{"Nmae":"x"}'))
        self.assertGreater(first["answered_bytes"], 0)
        self.assertEqual((first["faults"], first["operation"]), ([], None))
        self.assertEqual((second["method"], second["operation"]), ("DELETE", "op-1"), "the effective method")
        self.assertEqual((second["target"], second["status"]), (f"{self.root}/{path}", 404))

    def test_logs_keep_the_newest_entries_and_count_the_dropped_ones(self):
        self.start(*self.options, "--log-limit", "3")
        for _ in range(5):
            self.account()
        self.assertEqual(len(self.requests()), 3)
        dropped = self.control("GET", "dropped")
        self.assertEqual(dropped["requests"], 2)
        sequences = [commit["sequence"] for commit in self.log()]
        self.assertEqual((len(sequences), sequences[0]), (3, dropped["log"] + 1))
        self.start(*self.options, "--log-limit", "all")
        self.account()
        self.assertEqual(self.control("GET", "dropped"), {"log": 0, "requests": 0})


def read(kind, shown):
    """A value that was read, in a form that can be compared."""
    shown = plain(shown)
    return decimal.Decimal(shown) if kind in ["Edm.Decimal", "Money"] and shown is not None else shown


def logged(value):
    """A value from the log, in the same form."""
    if not isinstance(value, dict):
        return value
    [(kind, inner)] = value.items()
    if kind == "lookup":
        return inner[1]
    if kind == "instant":
        return f"/Date({inner})/"
    return decimal.Decimal(inner) if kind in ["decimal", "money"] else inner
