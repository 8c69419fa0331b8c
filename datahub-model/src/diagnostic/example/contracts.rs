//! Examples of what is wrong with a contract.

use super::{Example, contract, model};

const NAME: &str = model! { key "#[cdms(\"Name\")]" "pub name: String," };

pub(super) const FAULTY_TOML: Example = Example::of(contract! { r#"Name = { kind = "string", required = true"# }, NAME)
    .says("unclosed inline table, expected `}`")
    .corrected_by(&[("required = true", "required = true }")]);

pub(super) const OPEN_QUESTION: Example = Example::of(
    contract! { r#"Parent = { kind = "lookup", target = "?" }"# },
    model! { key "#[cdms(\"Parent\")]" "pub parent: Option<Id<Organisation>>," },
)
.says("`Parent` cannot be used yet: `target` of `Parent` is not known")
.corrected_by(&[("\"?\"", "\"account\"")]);

pub(super) const WRONG_KIND: Example = Example::of(contract! { r#"Name = { kind = "text", required = true }"# }, NAME)
    .says("unknown kind `text`")
    .corrected_by(&[("\"text\"", "\"string\"")]);

/// A snapshot with these attributes.
macro_rules! metadata {
    ($($line:literal)*) => {
        concat!(
            "<Edmx><Schema Namespace=\"Crm\">\n<EntityType Name=\"Account\"><Key><PropertyRef Name=\"AccountId\"/></Key>\n",
            "<Property Name=\"AccountId\" Type=\"Edm.Guid\"/>\n", $($line, "\n",)*
            "<Property Name=\"ModifiedOn\" Type=\"Edm.DateTime\"/><Property Name=\"CreatedOn\" Type=\"Edm.DateTime\"/>\n",
            "<Property Name=\"ModifiedBy\" Type=\"Crm.EntityReference\"/></EntityType>\n",
            "<EntityContainer><EntitySet Name=\"AccountSet\" EntityType=\"Crm.Account\"/></EntityContainer>\n",
            "</Schema></Edmx>\n"
        )
    };
}

const FAX: &str = metadata! {
    r#"<Property Name="Name" Type="Edm.String"/>"#
    r#"<Property Name="Fax" Type="Edm.String"/>"#
};

pub(super) const NOT_IN_METADATA: Example = Example {
    metadata: Some(FAX),
    ..Example::of(
        contract! { r#"Names = { kind = "string", required = true }"# },
        model! { key "#[cdms(\"Name\")]" "pub name: String," },
    )
    .says("`Names` is not an attribute of `Account` in $metadata")
    .corrected_by(&[("Names =", "Name =")])
};

pub(super) const CDMS_CHANGED: Example = Example {
    metadata: Some(FAX),
    live: Some(metadata! { r#"<Property Name="Name" Type="Edm.String"/>"# }),
    ..Example::of(
        contract! { r#"Name = { kind = "string", required = true }"# r#"Fax = { kind = "string" }"# },
        model! { key "#[cdms(\"Name\")]" "pub name: String," "#[cdms(\"Fax\")]" "pub fax: Option<String>," },
    )
    .says("CDMS has changed: the attribute `Fax` of `Account` is gone, which `Organisation` uses")
    .corrected_by(&[
        ("Fax = { kind = \"string\" }\n", ""),
        ("    #[cdms(\"Fax\")]\n    pub fax: Option<String>,\n", ""),
        ("<Property Name=\"Fax\" Type=\"Edm.String\"/>\n", ""),
    ])
};
