"""What the service does not support, or the simulator does not support yet, is refused and never ignored."""

from scene import ACCOUNT, Witness, at


class Strictness(Witness):
    def test_options_that_the_service_does_not_support_are_refused(self):
        for path, option in [
            ("AccountSet?$inlinecount=allpages", "$inlinecount"),
            ("AccountSet?$count=true", "$count"),
            ("AccountSet/$count", "$count"),
            ("AccountSet?$format=json", "$format"),
            ("AccountSet?$Select=Name", "$Select"),
            ("AccountSet?select=Name", "select"),
            ("AccountSet?$top=1&x=1", "x"),
            ("?$select=Name", "$select"),
            ("$metadata?x=1", "x"),
        ]:
            self.refused(self.get(path), 400, "", f"'{option}' is not supported")

    def test_options_that_are_not_simulated_yet_say_so(self):
        path = self.seeded(Name="Acme")
        for asked in [
            "$batch",
            f"{path}/Name",
        ]:
            self.refused(self.get(asked), 400, "", "not simulated yet")
        deep = self.create("AccountSet", Name="x", contact_customer_accounts=[{"LastName": "y"}])
        self.refused(deep, 400, "", "not simulated yet")
        self.assertEqual(self.log(), [])

    def test_a_filter_that_compares_unlike_types_is_refused(self):
        for condition, left, right, position in [
            ("AccountId%20eq%20'x'", "Guid", "String", 10),
            (f"Name%20eq%20guid'{ACCOUNT}'", "String", "Guid", 5),
        ]:
            text = (f"Operator 'eq' incompatible with operand types 'Edm.{left}' and 'Edm.{right}' at position "
                    f"{position}.")
            self.refused(self.get(f"AccountSet?$filter={condition}"), 400, "", text)

    def test_options_out_of_place_twice_or_malformed_are_refused(self):
        path = self.seeded(Name="Acme")
        for asked, text in [
            ("AccountSet?$top=1&$top=2", "more than once"),
            ("AccountSet?$top=-1", "Incorrect format for $top"),
            ("AccountSet?$skip=x", "Incorrect format for $skip"),
            ("AccountSet?$skiptoken=1,'contactid','%7B0%7D','%7B0%7D'", "syntax"),
            ("AccountSet?$skiptoken=1", "syntax"),
            ("AccountSet?$select=Name%FF", "syntax"),
        ]:
            self.refused(self.get(asked), 400, "", text)
        for option in ["$top=1", "$skip=0", "$filter=Name%20eq%20'Acme'"]:
            self.refused(self.get(f"{path}?{option}"), 400, "", "cannot be applied to one record")

    def test_writes_take_no_options(self):
        path = f"{self.seeded(Name='Acme')}?$select=Name"
        for reply in [self.create("AccountSet?$select=Name"), self.merge(path, Name="x"), self.delete(path)]:
            self.refused(reply, 400, "", "'$select' is not supported")
        self.assertEqual(self.log(), [])

    def test_outside_the_service_there_is_nothing(self):
        self.start(control=False)
        for path in ["/", "/ORG", "/_control/log", "/ORG/XRMServices/2011/Organization.svc"]:
            self.assertEqual(self.ask("GET", path).status, 404, path)

    def test_a_merge_must_be_tunnelled(self):
        path = self.seeded(Name="Acme")
        self.refused(self.ask("MERGE", path, {"Name": "New"}), 405, "", "tunnelled")
        self.shows(path, Name="Acme")

    def test_nothing_is_tunnelled_through_a_get(self):
        path = self.seeded(Name="Acme")
        self.assertEqual(self.ask("GET", path, X_HTTP_Method="DELETE").status, 200)
        self.assertEqual(self.get(at("AccountSet", ACCOUNT)).status, 200)
