"""What the server does besides what is requested: times, users, full names; and what a scene may set."""

from scene import ACCOUNT, NOON, NOON_MS, OTHER, Witness, at, guid

MS_MIN = -(2**63)
SERVICE_USER = "SystemUserSet?$select=SystemUserId,FullName&$filter=DomainName%20eq%20'CDMS%5Cdatahub'"


class Effects(Witness):
    def test_every_write_moves_the_time_of_change_in_whole_seconds(self):
        path = self.seeded(Name="Acme")
        self.clock(advance_ms=876)
        self.done(self.merge(path, Name="Same second"))
        self.shows(path, ModifiedOn=NOON)
        self.clock(advance_ms=1)
        self.done(self.merge(path))
        self.shows(path, ModifiedOn="/Date(1475671951000)/", CreatedOn=NOON)

    def test_a_skewed_clock_stamps_what_it_shows(self):
        path = self.seeded(Name="Acme")
        self.clock(advance_ms=-3_600_000)
        self.done(self.merge(path, Name="Earlier"))
        self.shows(path, ModifiedOn=f"/Date({(NOON_MS - 3_600_000) // 1000 * 1000})/")
        self.clock(set_ms=MS_MIN)
        self.done(self.merge(path, Name="At the end of time"))

    def test_a_contact_has_its_full_name(self):
        made = self.create("ContactSet", ContactId=OTHER, FirstName="Ada", LastName="Lovelace", FullName="Nobody")
        self.assertEqual(made.d["FullName"], "Ada Lovelace")
        path = at("ContactSet", OTHER)
        self.done(self.merge(path, FirstName=None))
        self.shows(path, FullName="Lovelace")
        self.done(self.merge(path, LastName=""))
        self.shows(path, FullName=None)

    def test_the_server_fills_in_what_is_its_own(self):
        made = self.create("AccountSet").d
        user = self.rows(SERVICE_USER)[0]
        for name in ["CreatedOn", "ModifiedOn"]:
            self.assertEqual(made[name], NOON, name)
        for name in ["CreatedBy", "ModifiedBy", "OwnerId"]:
            shown = {member: made[name][member] for member in ["Id", "LogicalName", "Name"]}
            self.assertEqual(
                shown, {"Id": user["SystemUserId"], "LogicalName": "systemuser", "Name": "Data Hub"}, name)
        self.assertEqual((made["StateCode"]["Value"], made["StatusCode"]["Value"]), (0, 1))
        self.assertEqual((made["ExchangeRate"], made["VersionNumber"]), ("1.0000000000", None))
        self.assertEqual(self.get(at("AccountSet", made["AccountId"])).d, made)

    def test_a_scene_may_state_what_no_client_can(self):
        path = self.seeded(CreatedOn={"instant": 0}, ModifiedOn={"instant": 0}, StateCode={"choice": 1})
        self.shows(path, CreatedOn="/Date(0)/", ModifiedOn="/Date(0)/", StateCode=1)
        self.assertEqual(self.log(), [])


class Users(Witness):
    def test_the_user_behind_the_requests_is_found_by_the_domain_name(self):
        users = self.rows(SERVICE_USER)
        self.assertEqual([user["FullName"] for user in users], ["Data Hub"])
        made = self.create("AccountSet").d
        self.assertEqual(made["CreatedBy"]["Id"], users[0]["SystemUserId"])
        self.assertEqual(len(self.rows("SystemUserSet")), 2, "and one person")

    def test_there_is_one_organisation_and_it_can_become_another(self):
        [first] = [row["OrganizationId"] for row in self.rows("OrganizationSet?$select=OrganizationId")]
        self.done(self.delete(at("OrganizationSet", first)))
        self.seed("Organization", OrganizationId=guid(OTHER))
        self.assertEqual([row["OrganizationId"] for row in self.rows("OrganizationSet")], [OTHER])
        self.refused(self.get(at("OrganizationSet", first)), 404, "-2147220969", "organization With Id")


class Kinds(Witness):
    def test_custom_entities_have_their_state_in_lower_case_and_activities_their_own_key(self):
        sector = self.create("optevia_sectorSet", optevia_name="Aerospace").d
        self.assertEqual((sector["statecode"]["Value"], sector["statuscode"]["Value"]), (0, 1))
        interaction = self.create("detica_interactionSet", ActivityId=ACCOUNT, Subject="Visit").d
        self.assertEqual((interaction["ActivityId"], interaction["StateCode"]["Value"]), (ACCOUNT, 0))
