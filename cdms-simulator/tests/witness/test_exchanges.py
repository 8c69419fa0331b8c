"""The exchanges in the client's fixtures, replayed against the program."""

import json
import pathlib
import re

from scene import Witness, at
from schema import described

FOLDER = pathlib.Path(__file__).parents[3] / "cdms-odata" / "fixtures"
# The address in the exchanges that stands for the simulator's.
HOST = "https://crm.example.gov.uk"


class Exchange:
    """A request, its answer, and the records that exist before it (see README.md in the folder)."""

    def __init__(self, path):
        self.name = f"{path.parent.name}/{path.stem}"
        asked, answer = path.read_text().split("\n=== answer\n")
        lines = asked.split("\n")
        self.comments = [line for line in lines if line.startswith("#")]
        given = [line.removeprefix("# given ") for line in self.comments if line.startswith("# given ")]
        self.given = [(set_name, json.loads(record)) for set_name, record in (line.split(" ", 1) for line in given)]
        self.request, self.headers, self.body = message("\n".join(lines[len(self.comments):]))
        self.status, self.answered, self.answer = message(answer)

    @property
    def is_for_client_alone(self):
        return "# for client" in self.comments


def message(text):
    """First line, headers and body."""
    head, _, body = text.partition("\n\n")
    first, *headers = head.strip("\n").split("\n")
    return first, dict(line.split(": ", 1) for line in headers), body.rstrip("\n")


DOCUMENT = Exchange(FOLDER / "metadata" / "document.http").answer
SCHEMA = described(DOCUMENT)
ENTITY_OF = {set_name: name for name, (set_name, *_) in SCHEMA.items()}
LOGICAL = {name.lower(): name for name in SCHEMA}


def seedable(kind, value):
    """Converts a value from the form in which it is read to the form in which the simulator is seeded."""
    kind = kind.rsplit(".", 1)[1]
    if isinstance(value, dict):
        inner = value.get("Id", value.get("Value"))
        if inner is None:
            return None
        tagged = {"EntityReference": {"lookup": [value.get("LogicalName"), inner]}, "OptionSetValue": {"choice": inner},
                  "Money": {"money": inner}}
        return tagged.get(kind, inner)
    if value is None or kind in ["String", "Int32", "Boolean"]:
        return value
    if kind == "DateTime":
        return {"instant": int(re.fullmatch(r"/Date\((-?\d+)\)/", value).group(1))}
    return {{"Guid": "guid", "Decimal": "decimal", "Double": "double", "Int64": "bigint"}[kind]: value}


def fits(foreseen, text):
    """Whether a text is as expected; `{any}` stands for one or more characters."""
    foreseen = foreseen.replace("XRMServices", "xrmservices")
    pattern = ".+".join(re.escape(part) for part in foreseen.split("{any}"))
    return re.fullmatch(pattern, text, re.DOTALL) is not None


def difference(foreseen, given, place=""):
    """The first difference between two JSON values; None if they are equal."""
    if isinstance(foreseen, str) and isinstance(given, str):
        return None if fits(foreseen, given) else f"{place}: expected {foreseen!r}, found {given!r}"
    if type(foreseen) is not type(given):
        return f"{place}: expected {foreseen!r}, found {given!r}"
    if isinstance(foreseen, dict):
        if foreseen.keys() != given.keys():
            return f"{place}: unexpected or missing: {sorted(foreseen.keys() ^ given.keys())}"
        pairs = [(f"{place}/{name}", foreseen[name], given[name]) for name in foreseen]
    elif isinstance(foreseen, list):
        if len(foreseen) != len(given):
            return f"{place}: expected {len(foreseen)} elements, found {len(given)}"
        pairs = [(f"{place}/{number}", *pair) for number, pair in enumerate(zip(foreseen, given))]
    else:
        return None if foreseen == given else f"{place}: expected {foreseen!r}, found {given!r}"
    return next((found for place, *pair in pairs if (found := difference(*pair, place))), None)


class Exchanges(Witness):
    schema = staticmethod(lambda: DOCUMENT)

    def give(self, set_name, record):
        """Seeds a record that exists before the request, and the records whose names its lookups show."""
        entity = ENTITY_OF[set_name]
        kinds = SCHEMA[entity][2]
        if entity == "Organization":
            # There is only one organisation: the given one replaces it.
            for other in self.rows(set_name):
                self.done(self.delete(at(set_name, other["OrganizationId"])))
        self.seed(entity, **{name: seedable(kinds[name], value) for name, value in record.items()})
        for value in record.values():
            if isinstance(value, dict) and value.get("Name") is not None:
                self.point_to(LOGICAL[value["LogicalName"]], value["Id"], value["Name"])

    def point_to(self, entity, key, name):
        set_name, key_name, kinds, _ = SCHEMA[entity]
        if self.get(at(set_name, key)).status == 404:
            shown = next(attribute for attribute in ["Name", "FullName", "optevia_name"] if attribute in kinds)
            self.seed(entity, **{key_name: {"guid": key}, shown: name})

    def play(self, exchange):
        self.start(*self.options)
        for set_name, record in exchange.given:
            self.give(set_name, record)
        method, target, _ = exchange.request.split(" ")
        headers = {name: value for name, value in exchange.headers.items() if name != "Host"}
        headers.setdefault("Accept", None)
        return self.ask(method, target, exchange.body or None, **headers)

    def compare(self, exchange, reply):
        here = f"http://{self.host}"
        self.assertEqual(reply.status, int(exchange.status.split(" ")[1]), reply.bytes)
        for name, value in exchange.answered.items():
            given = reply.headers.get(name, "").replace(here, HOST)
            self.assertTrue(fits(value, given), f"{name}: expected {value}, found {given}")
        text = reply.bytes.decode().replace(here, HOST)
        if exchange.answer:
            self.assertIsNone(difference(json.loads(exchange.answer), json.loads(text)))
        else:
            self.assertEqual(text, "")

    def test_every_exchange_that_holds_for_both_sides_is_answered_as_written(self):
        exchanges = [Exchange(path) for path in sorted(FOLDER.glob("*/*.http"))]
        played = [exchange for exchange in exchanges if not exchange.is_for_client_alone]
        self.assertGreater(len(played), 60)
        for exchange in played:
            with self.subTest(exchange.name):
                self.compare(exchange, self.play(exchange))
            self.doCleanups()
