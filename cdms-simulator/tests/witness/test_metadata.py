"""`$metadata` and the service document: any organisation's schema, of any size."""

import xml.etree.ElementTree

from scene import Witness
from schema import ENTITIES, NAMESPACE, NAVIGATION, described, document


class Schema(Witness):
    def test_it_is_served_as_xml_whatever_is_accepted(self):
        for accept in ["application/json", "application/xml", None]:
            reply = self.ask("GET", "$metadata", Accept=accept)
            self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, "application/xml;charset=utf-8"))
            served = described(reply.bytes)
            for name, (key, properties) in ENTITIES.items():
                kinds = {attribute: kind if kind.startswith("Edm.") else f"{NAMESPACE}.{kind}"
                         for attribute, kind in properties.items()}
                self.assertEqual(served[name], (f"{name}Set", key, kinds, NAVIGATION.get(name, [])))

    def test_users_and_organisations_exist_even_if_the_schema_lacks_them(self):
        self.assertNotIn("SystemUser", described(self.schema()))
        served = described(self.get("$metadata").bytes)
        self.assertEqual(served["SystemUser"][:2], ("SystemUserSet", "SystemUserId"))
        self.assertEqual(served["Organization"][:2], ("OrganizationSet", "OrganizationId"))

    def test_the_root_lists_the_sets(self):
        sets = [f"{name}Set" for name in [*ENTITIES, "Organization", "SystemUser"]]
        for path in [self.root, f"{self.root}/"]:
            reply = self.get(path)
            self.assertEqual((reply.status, reply.d), (200, {"EntitySets": sets}))


class Valid(Witness):
    """The document itself: it defines every name that it uses, and keeps what the given schema contains."""

    @staticmethod
    def schema():
        return document().replace('Name="Name" Type="Edm.String"', 'Name="Name" Type="Edm.String" MaxLength="160"')

    def setUp(self):
        super().setUp()
        self.served = xml.etree.ElementTree.fromstring(self.get("$metadata").bytes)

    def named(self, element):
        """The elements of a kind, by the names under which others refer to them."""
        return {f"{NAMESPACE}.{entry.get('Name')}": entry for entry in self.served.findall(f".//{{*}}{element}")}

    def test_every_type_is_defined(self):
        types = {entry.get("Type") for entry in self.served.findall(".//{*}Property")}
        own = {name for name in types if not name.startswith("Edm.")}
        self.assertEqual(own, set(self.named("ComplexType")))
        members = {entry.get("Name") for entry in self.named("ComplexType")[f"{NAMESPACE}.EntityReference"]}
        self.assertEqual(members, {"Id", "LogicalName", "Name"})

    def test_every_relation_is_defined_with_both_its_ends_and_their_sets(self):
        types, associations = self.named("EntityType"), self.named("Association")
        sets = {entry.get("Name"): entry.get("EntityType") for entry in self.served.findall(".//{*}EntitySet")}
        ends = {name: {end.get("Role"): end.get("Type") for end in entry} for name, entry in associations.items()}
        for name, entity in types.items():
            for navigation in entity.findall("{*}NavigationProperty"):
                found = ends[navigation.get("Relationship")]
                self.assertEqual(found[navigation.get("FromRole")], name)
                self.assertIn(found[navigation.get("ToRole")], types)
        kept = {entry.get("Association"): {end.get("Role"): sets[end.get("EntitySet")] for end in entry}
                for entry in self.served.findall(".//{*}AssociationSet")}
        self.assertEqual(kept, ends)
        self.assertEqual(len(ends), 2)

    def test_what_was_put_in_comes_back(self):
        self.assertEqual([entry.get("Name") for entry in self.served.findall(".//{*}EntityContainer")], ["ORGContext"])
        name = self.served.find(".//{*}EntityType[@Name='Account']/{*}Property[@Name='Name']")
        self.assertEqual(name.get("MaxLength"), "160")
        [schema] = self.served.findall(".//{http://schemas.microsoft.com/ado/2008/09/edm}Schema")
        self.assertEqual(schema.get("Namespace"), NAMESPACE)


class Wide(Witness):
    @staticmethod
    def schema():
        columns = "".join(f'<Property Name="Column{column}" Type="Edm.String"/>' for column in range(420))
        types = "".join(
            f'<EntityType Name="E{number}"><Key><PropertyRef Name="E{number}Id"/></Key>'
            f'<Property Name="E{number}Id" Type="Edm.Guid"/>{columns}</EntityType>' for number in range(374))
        sets = "".join(f'<EntitySet Name="E{number}Set" EntityType="N.E{number}"/>' for number in range(374))
        return f'<Schema Namespace="N">{types}<EntityContainer Name="C">{sets}</EntityContainer></Schema>'

    def test_374_entities_with_wide_types_are_served_whole(self):
        served = described(self.get("$metadata").bytes)
        columns = {f"Column{column}": "Edm.String" for column in range(420)}
        for number in range(374):
            name = f"E{number}"
            self.assertEqual(served[name], (f"{name}Set", f"{name}Id", {f"{name}Id": "Edm.Guid", **columns}, []))
        made = self.create("E373Set", Column419="last").d
        self.assertEqual(made["__metadata"]["type"], "N.E373")
        self.assertEqual((made["Column419"], made["Column0"]), ("last", None))
