//! Examples of what is wrong with a field.

use super::{Example, contract, model};

const NAME_AND_ALIAS: &str = contract! {
    r#"Name = { kind = "string", max-length = 160, required = true }"#
    r#"Alias = { kind = "string", max-length = 8 }"#
};

pub(super) const UNKNOWN_KEY: Example = Example::of(
    NAME_AND_ALIAS,
    model! { key "#[cdms(\"Name\")]" "pub name: String," "#[cdms(\"Alias\", readonly)]" "pub alias: Option<String>," },
)
.says("unknown key `readonly`")
.corrected_by(&[("readonly", "read_only")]);

pub(super) const KEYS_EXCLUDE: Example = Example::of(
    NAME_AND_ALIAS,
    model! { key "#[cdms(\"Name\")]" "pub name: String," "#[cdms(\"Alias\", default)]" "pub alias: Option<String>," },
)
.says("`default` is not allowed on an `Option`, which has `None` for null")
.corrected_by(&[("Option<String>", "String")]);

pub(super) const UNKNOWN_ATTRIBUTE: Example =
    Example::of(NAME_AND_ALIAS, model! { key "#[cdms(\"Nmae\")]" "pub name: String," })
        .says("unknown attribute `Nmae` in the contract of `Account`")
        .corrected_by(&[("Nmae", "Name")]);

pub(super) const MAPPED_TWICE: Example = Example::of(
    NAME_AND_ALIAS,
    model! { key "#[cdms(\"Name\")]" "pub name: String," "#[cdms(\"Name\")]" "pub title: String," },
)
.says("`Name` is already mapped to `name`")
.corrected_by(&[("    #[cdms(\"Name\")]\n    pub title", "    #[cdms(\"Name\", read_only)]\n    pub title")]);

pub(super) const UNKNOWN_GROUP: Example = Example::of(
    contract! {
        r#"Name = { kind = "string", required = true }"#
        r#"Address1_City = { kind = "string" }"#
        ""
        "[groups.address]"
        r#"town = "Address1_City""#
    },
    model! {
        "#[derive(Clone, Debug, CdmsFields)]"
        "pub struct Address {"
        "    pub town: Option<String>,"
        "}"
        ""
        "#[derive(Clone, Debug, CdmsSynced)]"
        "#[cdms(mapping = \"account.toml\", table = \"organisations\")]"
        "pub struct Organisation {"
        "    #[cdms(key)]"
        "    pub id: Id<Organisation>,"
        "    #[cdms(\"Name\")]"
        "    pub name: String,"
        "    #[cdms(flatten = \"place\")]"
        "    pub address: Address,"
        "}"
    },
)
.says("unknown group `place` in the contract of `Account`")
.corrected_by(&[("\"place\"", "\"address\"")]);

pub(super) const NULLABILITY: Example = Example::of(
    NAME_AND_ALIAS,
    model! { key "#[cdms(\"Name\")]" "pub name: String," "#[cdms(\"Alias\")]" "pub alias: String," },
)
.says("`Alias` can be null in CDMS, but `alias` cannot")
.corrected_by(&[("pub alias: String", "pub alias: Option<String>")]);

pub(super) const READ_ONLY: Example = Example::of(
    contract! {
        r#"Name = { kind = "string", required = true }"#
        r#"StateCode = { kind = "state", required = true, choices = { active = 0, inactive = 1 } }"#
    },
    model! { key "#[cdms(\"Name\")]" "pub name: String," "#[cdms(\"StateCode\")]" "pub state: i32," },
)
.says("`StateCode` is read-only in CDMS, but `state` would be written")
.corrected_by(&[("\"StateCode\")", "\"StateCode\", read_only)")]);

pub(super) const DEFAULT_TOO_LONG: Example = Example::of(
    NAME_AND_ALIAS,
    model! {
        key "#[cdms(\"Name\")]" "pub name: String," "#[cdms(\"Alias\", default = \"not known\")]" "pub alias: String,"
    },
)
.says("the default for `Alias` is longer than its `max-length` of 8")
.corrected_by(&[("not known", "unknown")]);

pub(super) const DEFAULT_OF_REQUIRED: Example =
    Example::of(NAME_AND_ALIAS, model! { key "#[cdms(\"Name\", default)]" "pub name: String," })
        .says("`default` is not allowed for `Name`, which is required and never null")
        .corrected_by(&[(", default", "")]);

pub(super) const COLUMN_CLASH: Example = Example::of(
    NAME_AND_ALIAS,
    model! {
        key "#[cdms(\"Name\")]" "pub name: String," "#[cdms(\"Alias\", column = \"name\")]" "pub alias: Option<String>,"
    },
)
.says("`alias` and `name` have the same column, `name`")
.corrected_by(&[("column = \"name\"", "column = \"short_name\"")]);

pub(super) const UNKNOWN_FORMER_NAME: Example = Example {
    schema: Some(concat!(
        "engine = 1\n\n[tables.organisations]\nmodel = \"Organisation\"\nentity = \"Account\"\ncolumns = [\n",
        "    { name = \"id\", field = \"id\", kind = \"guid\", source = \"key\" },\n",
        "    { name = \"title\", field = \"title\", kind = \"string\", attributes = [\"Name\"] },\n]\n"
    )),
    ..Example::of(NAME_AND_ALIAS, model! { key "#[cdms(\"Name\", was = \"heading\")]" "pub name: String," })
        .says("no column of table `organisations` was ever called `heading` in a migration")
        .corrected_by(&[("heading", "title")])
};
