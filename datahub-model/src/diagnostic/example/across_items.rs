//! Examples of items that do not fit each other.

use super::{Example, contract, model};

pub(super) const UNKNOWN_CHOICE: Example = Example::of(
    contract! { r#"IndustryCode = { kind = "choice", choices = { accounting = 1, agriculture = 2 } }"# },
    model! {
        "#[derive(Clone, Copy, Debug, CdmsChoice)]"
        "#[cdms(mapping = \"account.toml\", attribute = \"IndustryCode\")]"
        "pub enum Industry {"
        "    Accounting,"
        "}"
    },
)
.says("missing variants for `agriculture` of `IndustryCode`")
.corrected_by(&[("    Accounting,\n", "    Accounting,\n    #[cdms(other)]\n    Other(i32),\n")]);

pub(super) const WRONG_TYPE: Example = Example::of(
    contract! { r#"NumberOfEmployees = { kind = "integer" }"# },
    model! { key "#[cdms(\"NumberOfEmployees\")]" "pub employees: Option<String>," },
)
.says("`NumberOfEmployees` is of kind integer, but the type of `employees` holds string")
.corrected_by(&[("Option<String>", "Option<i32>")]);

pub(super) const LOOKUP_TARGET: Example = Example::of(
    contract! { r#"Parent = { kind = "lookup", target = "account" }"# },
    model! {
        "#[derive(Clone, Debug, CdmsSynced)]"
        "#[cdms(mapping = \"account.toml\", table = \"organisations\")]"
        "pub struct Organisation {"
        "    #[cdms(key)]"
        "    pub id: Id<Organisation>,"
        "    #[cdms(\"Parent\")]"
        "    pub parent: Option<Id<Note>>,"
        "}"
        ""
        "/// A model that does not exist in CDMS."
        "#[derive(Clone, Debug, CdmsSynced)]"
        "#[cdms(table = \"notes\", mode = \"detached\")]"
        "pub struct Note {"
        "    #[cdms(key)]"
        "    pub id: Id<Note>,"
        "}"
    },
)
.says("`Parent` points to `account`, but `parent` is an id of `notes`")
.corrected_by(&[("Option<Id<Note>>", "Option<Id<Organisation>>")]);

pub(super) const GROUP_SHAPE: Example = Example::of(
    contract! {
        r#"Address1_Line1 = { kind = "string" }"#
        r#"Address1_City = { kind = "string" }"#
        ""
        "[groups.address]"
        r#"street = "Address1_Line1""#
        r#"town = "Address1_City""#
    },
    model! {
        "#[derive(Clone, Debug, CdmsFields)]"
        "pub struct Address {"
        "    pub street: Option<String>,"
        "    pub city: Option<String>,"
        "}"
        ""
        "#[derive(Clone, Debug, CdmsSynced)]"
        "#[cdms(mapping = \"account.toml\", table = \"organisations\")]"
        "pub struct Organisation {"
        "    #[cdms(key)]"
        "    pub id: Id<Organisation>,"
        "    #[cdms(flatten = \"address\")]"
        "    pub address: Address,"
        "}"
    },
)
.says("the struct of `address` is missing the member `town` of the contract's group, and its member `city` is not a key of it")
.corrected_by(&[("    pub city", "    #[cdms(\"town\")]\n    pub city")]);

pub(super) const MODELS_CLASH: Example = Example::of(
    contract! { r#"CustomerTypeCode = { kind = "choice", choices = { customer = 3, supplier = 10 } }"# },
    model! {
        "#[derive(Clone, Debug, CdmsSynced)]"
        "#[cdms(mapping = \"account.toml\", table = \"customers\")]"
        "pub struct Customer {"
        "    #[cdms(key)]"
        "    pub id: Id<Customer>,"
        "}"
        ""
        "#[derive(Clone, Debug, CdmsSynced)]"
        "#[cdms(mapping = \"account.toml\", table = \"suppliers\", only = \"CustomerTypeCode/Value eq 10\")]"
        "pub struct Supplier {"
        "    #[cdms(key)]"
        "    pub id: Id<Supplier>,"
        "}"
        ""
        "pub fn models() -> Models {"
        "    models![Customer, Supplier]"
        "}"
    },
)
.says("`Customer` and `Supplier` share the entity `Account`, but `Customer` is missing `only`")
.corrected_by(&[("table = \"customers\"", "table = \"customers\", only = \"CustomerTypeCode/Value eq 3\"")]);

pub(super) const UNLISTED_MODEL: Example = Example::of(
    contract! { r#"Name = { kind = "string", max-length = 160, required = true }"# },
    model! {
        "#[derive(Clone, Debug, CdmsSynced)]"
        "#[cdms(mapping = \"account.toml\", table = \"organisations\")]"
        "pub struct Organisation {"
        "    #[cdms(key)]"
        "    pub id: Id<Organisation>,"
        "    #[cdms(\"Name\")]"
        "    pub name: String,"
        "}"
        ""
        "#[derive(Clone, Debug, CdmsSynced)]"
        "#[cdms(table = \"remarks\", mode = \"detached\")]"
        "pub struct Remark {"
        "    #[cdms(key)]"
        "    pub id: Id<Remark>,"
        "}"
        ""
        "pub fn models() -> Models {"
        "    models![Organisation]"
        "}"
    },
)
.says("`Remark` is in no `models![…]`, so no hub of this project knows it")
.corrected_by(&[("models![Organisation]", "models![Organisation, Remark]")]);
