"""`$metadata` and the service document: any organisation's schema, however large."""

from scene import Witness
from schema import ENTITIES, NAMESPACE, NAVIGATION, described


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

    def test_users_and_organisation_are_there_even_where_the_schema_lacks_them(self):
        self.assertNotIn("SystemUser", described(self.schema()))
        served = described(self.get("$metadata").bytes)
        self.assertEqual(served["SystemUser"][:2], ("SystemUserSet", "SystemUserId"))
        self.assertEqual(served["Organization"][:2], ("OrganizationSet", "OrganizationId"))

    def test_the_root_lists_the_sets(self):
        sets = [f"{name}Set" for name in [*ENTITIES, "Organization", "SystemUser"]]
        for path in [self.root, f"{self.root}/"]:
            reply = self.get(path)
            self.assertEqual((reply.status, reply.d), (200, {"EntitySets": sets}))


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
