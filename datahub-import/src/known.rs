//! What is the same in every organisation, because CRM 2011 itself defines it.

use cdms_odata::Kind;

/// The logical names of entities by their type codes, as far as they are the product's own and beyond doubt.
const TYPE_CODES: [(i64, &str); 34] = [
    (1, "account"),
    (2, "contact"),
    (3, "opportunity"),
    (4, "lead"),
    (5, "annotation"),
    (8, "systemuser"),
    (9, "team"),
    (10, "businessunit"),
    (112, "incident"),
    (123, "competitor"),
    (127, "kbarticle"),
    (129, "subject"),
    (1010, "contract"),
    (1011, "contractdetail"),
    (1022, "pricelevel"),
    (1024, "product"),
    (1055, "uom"),
    (1056, "uomschedule"),
    (1084, "quote"),
    (1088, "salesorder"),
    (1090, "invoice"),
    (2013, "territory"),
    (2020, "queue"),
    (4200, "activitypointer"),
    (4201, "appointment"),
    (4202, "email"),
    (4204, "fax"),
    (4207, "letter"),
    (4210, "phonecall"),
    (4212, "task"),
    (4214, "serviceappointment"),
    (4300, "list"),
    (4400, "campaign"),
    (9105, "transactioncurrency"),
];

/// The entity of a type code; `None` if the code belongs to an organisation or is not known.
pub(crate) fn entity_of_type_code(code: i64) -> Option<&'static str> {
    TYPE_CODES.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

/// What the lookups refer to that every entity may have.
pub(crate) fn targets(attribute: &str) -> Option<&'static [&'static str]> {
    match attribute.to_lowercase().as_str() {
        "createdby" | "modifiedby" | "createdonbehalfby" | "modifiedonbehalfby" | "owninguser" => Some(&["systemuser"]),
        "ownerid" => Some(&["systemuser", "team"]),
        "owningteam" => Some(&["team"]),
        "owningbusinessunit" => Some(&["businessunit"]),
        "transactioncurrencyid" => Some(&["transactioncurrency"]),
        _ => None,
    }
}

/// The lookup, by its logical name, for which a relationship of CRM 2011's own stands.
pub(crate) fn lookup_of(relationship: &str) -> Option<&'static str> {
    let name = relationship.to_lowercase();
    let of_name = match name.as_str() {
        "account_parent_account" => Some("parentaccountid"),
        "account_primary_contact" => Some("primarycontactid"),
        "business_unit_system_users" => Some("businessunitid"),
        "contact_customer_accounts" | "contact_customer_contacts" => Some("parentcustomerid"),
        "opportunity_customer_accounts" | "opportunity_customer_contacts" => Some("customerid"),
        _ => None,
    };
    let of_user = || {
        let (_, user) = name.strip_prefix("lk_")?.rsplit_once('_')?;
        USERS.into_iter().find(|lookup| *lookup == user)
    };
    let of_owner = || OWNERS.into_iter().find(|(beginning, _)| name.starts_with(beginning)).map(|(_, lookup)| lookup);
    of_name.or_else(of_user).or_else(of_owner)
}

/// The lookups that say who did something, by which their relationships `lk_…` end.
const USERS: [&str; 4] = ["createdby", "modifiedby", "createdonbehalfby", "modifiedonbehalfby"];

/// With what relationships begin that say to whom a record belongs, and their lookups.
const OWNERS: [(&str, &str); 4] = [
    ("business_unit_", "owningbusinessunit"),
    ("team_", "owningteam"),
    ("transactioncurrency_", "transactioncurrencyid"),
    ("user_", "owninguser"),
];

/// Whether the engine follows a lookup by itself, so that no contract states it.
pub(crate) fn is_engines_lookup(attribute: &str) -> bool {
    attribute.eq_ignore_ascii_case("modifiedby")
}

/// Whether an attribute that `$metadata` calls an instant is one, and not a day.
pub(crate) fn is_instant(attribute: &str) -> bool {
    matches!(attribute.to_lowercase().as_str(), "createdon" | "modifiedon" | "overriddencreatedon")
}

/// The kind that an attribute of several possible ones has by its name.
pub(crate) fn kind(attribute: &str) -> Option<Kind> {
    if attribute.eq_ignore_ascii_case("statecode") {
        Some(Kind::State)
    } else if attribute.eq_ignore_ascii_case("statuscode") {
        Some(Kind::Status)
    } else {
        None
    }
}

/// The entities whose records are people.
const PEOPLE: [&str; 3] = ["contact", "lead", "systemuser"];

/// What CRM 2011 itself has about a person: names, ways to reach them, and what else identifies them.
const PERSONAL: [&str; 41] = [
    "anniversary",
    "assistantname",
    "assistantphone",
    "birthdate",
    "childrensnames",
    "domainname",
    "emailaddress1",
    "emailaddress2",
    "emailaddress3",
    "employeeid",
    "familystatuscode",
    "fax",
    "firstname",
    "fullname",
    "gendercode",
    "governmentid",
    "homephone",
    "internalemailaddress",
    "lastname",
    "managername",
    "managerphone",
    "middlename",
    "mobilealertemail",
    "mobilephone",
    "nickname",
    "numberofchildren",
    "pager",
    "personalemailaddress",
    "photourl",
    "salutation",
    "skills",
    "spousesname",
    "suffix",
    "telephone1",
    "telephone2",
    "telephone3",
    "windowsliveid",
    "yomifirstname",
    "yomifullname",
    "yomilastname",
    "yomimiddlename",
];

/// The parts of an address that say where a person is, after `Address1_` or `Address2_`.
const PERSONAL_IN_ADDRESS: [&str; 14] = [
    "city",
    "country",
    "county",
    "fax",
    "latitude",
    "line1",
    "line2",
    "line3",
    "longitude",
    "name",
    "postalcode",
    "postofficebox",
    "primarycontactname",
    "stateorprovince",
];

/// Whether an attribute that CRM 2011 itself defines holds something about a person.
pub(crate) fn is_personal(entity: &str, attribute: &str) -> bool {
    let attribute = attribute.to_lowercase();
    let in_address = ["address1_", "address2_"].into_iter().find_map(|prefix| attribute.strip_prefix(prefix));
    PEOPLE.iter().any(|known| known.eq_ignore_ascii_case(entity))
        && in_address.map_or_else(
            || PERSONAL.contains(&attribute.as_str()),
            |part| PERSONAL_IN_ADDRESS.contains(&part) || part.starts_with("telephone"),
        )
}
