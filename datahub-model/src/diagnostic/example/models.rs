//! Examples of what is wrong with a whole model.

use super::{Example, contract, model};

const NAME: &str = contract! { r#"Name = { kind = "string", required = true }"# };

pub(super) const FAULTY_RUST: Example = Example::of(NAME, model! { key "#[cdms(\"Name\")]" "pub name String," })
    .says("expected `:`")
    .corrected_by(&[("name String", "name: String")]);

pub(super) const MISSING_KEY: Example = Example::of(
    NAME,
    model! {
        "#[derive(Clone, Debug, CdmsSynced)]"
        "#[cdms(mapping = \"account.toml\")]"
        "pub struct Organisation {"
        "    #[cdms(key)]"
        "    pub id: Id<Organisation>,"
        "    #[cdms(\"Name\")]"
        "    pub name: String,"
        "}"
    },
)
.says("`Organisation` is missing `table`")
.corrected_by(&[("\"account.toml\"", "\"account.toml\", table = \"organisations\"")]);

pub(super) const WRONG_VALUE: Example = Example::of(
    NAME,
    model! {
        "#[derive(Clone, Debug, CdmsSynced)]"
        "#[cdms(mapping = \"account.toml\", table = \"organisations\", mode = \"read\")]"
        "pub struct Organisation {"
        "    #[cdms(key)]"
        "    pub id: Id<Organisation>,"
        "    #[cdms(\"Name\")]"
        "    pub name: String,"
        "}"
    },
)
.says("unknown mode `read`")
.corrected_by(&[("\"read\"", "\"mirror\"")]);

pub(super) const NO_KEY: Example = Example::of(
    NAME,
    model! {
        "#[derive(Clone, Debug, CdmsSynced)]"
        "#[cdms(mapping = \"account.toml\", table = \"organisations\")]"
        "pub struct Organisation {"
        "    #[cdms(\"Name\")]"
        "    pub name: String,"
        "}"
    },
)
.says("`Organisation` has no key")
.corrected_by(&[("Organisation {\n", "Organisation {\n    #[cdms(key)]\n    pub id: Id<Organisation>,\n")]);

pub(super) const TWO_KEYS: Example = Example::of(
    contract! { r#"Name = { kind = "string", required = true }"# r#"Parent = { kind = "lookup", target = "account" }"# },
    model! { key "#[cdms(\"Name\")]" "pub name: String," "#[cdms(key)]" "pub parent: Id<Organisation>," },
)
.says("`Organisation` has more than one key")
.corrected_by(&[("#[cdms(key)]\n    pub parent: Id<Organisation>", "#[cdms(\"Parent\")]\n    pub parent: Option<Id<Organisation>>")]);

pub(super) const REQUIRED_AT_CREATE: Example = Example::of(
    contract! { r#"Name = { kind = "string", required = true }"# r#"Alias = { kind = "string" }"# },
    model! { key "#[cdms(\"Alias\")]" "pub alias: Option<String>," },
)
.says("`Name` is required by the contract, but a create of `Organisation` would not send it")
.corrected_by(&[("    #[cdms(\"Alias\")]", "    #[cdms(\"Name\")]\n    pub name: String,\n    #[cdms(\"Alias\")]")]);

pub(super) const COLUMN_NAME: Example = Example::of(
    NAME,
    model! {
        "#[derive(Clone, Debug, CdmsSynced)]"
        "#[cdms(mapping = \"account.toml\", table = \"group\")]"
        "pub struct Organisation {"
        "    #[cdms(key)]"
        "    pub id: Id<Organisation>,"
        "    #[cdms(\"Name\")]"
        "    pub name: String,"
        "}"
    },
)
.says("invalid table name `group`: it is a reserved word of SQL or Rust")
.corrected_by(&[("\"group\"", "\"organisations\"")]);

pub(super) const ONLY_DOES_NOT_PARSE: Example = Example::of(
    contract! { r#"Name = { kind = "string", required = true }"# r#"Alias = { kind = "string" }"# },
    model! {
        "#[derive(Clone, Debug, CdmsSynced)]"
        "#[cdms(mapping = \"account.toml\", table = \"organisations\", only = \"Alias like null\")]"
        "pub struct Organisation {"
        "    #[cdms(key)]"
        "    pub id: Id<Organisation>,"
        "    #[cdms(\"Name\")]"
        "    pub name: String,"
        "}"
    },
)
.says("invalid condition: unknown operator `like`")
.corrected_by(&[("Alias like null", "Alias ne null")]);

macro_rules! numbered {
    ($($number:literal)*) => {
        (
            concat!("entity = \"Account\"\n\n[attributes]\n", $("new_a", $number, " = { kind = \"integer\" }\n"),*),
            concat!(
                "#[derive(Clone, Debug, CdmsSynced)]\n#[cdms(mapping = \"account.toml\", table = \"organisations\")]\n",
                "pub struct Organisation {\n    #[cdms(key)]\n    pub id: Id<Organisation>,\n",
                $("    #[cdms(\"new_a", $number, "\")] pub a", $number, ": Option<i32>,\n",)* "}\n"
            ),
        )
    };
}

const THIRTY_TWO: (&str, &str) = numbered! {
    "1" "2" "3" "4" "5" "6" "7" "8" "9" "10" "11" "12" "13" "14" "15" "16" "17" "18" "19" "20" "21" "22" "23" "24" "25" "26"
    "27" "28" "29" "30" "31" "32"
};

pub(super) const TOO_MANY_COLUMNS: Example = Example::of(THIRTY_TWO.0, THIRTY_TWO.1)
    .says("`Organisation` has 33 columns, more than Diesel's 32")
    .corrected_by(&[("table = \"organisations\"", "table = \"organisations\", diesel(table = false)")]);
