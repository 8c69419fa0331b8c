//! People at companies.

use datahub_runtime::prelude::*;

/// A person at a company.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "contact.toml", table = "contacts")]
pub struct Contact {
    #[cdms(key)]
    pub id: Id<Contact>,
    #[cdms(attributes("FirstName", "LastName"), with = "full_name", sql_type = "string")]
    pub name: String,
    #[cdms("EMailAddress1")]
    pub email: Option<String>,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// A person's name is one text here, and two in CDMS: the last word is the last name.
pub mod full_name {
    use datahub_runtime::{Attributes, Fault, Value};

    pub fn decode(attributes: &Attributes) -> Result<String, Fault> {
        let part = |name| match attributes.get(name) {
            Some(Value::Text(text)) => text.as_str(),
            _ => "",
        };
        Ok(format!("{} {}", part("FirstName"), part("LastName")).trim().to_owned())
    }

    pub fn encode(name: &String, seen: &Attributes) -> Result<Attributes, Fault> {
        if decode(seen)? == *name {
            return Ok(Attributes::new()); // a name that did not change stays divided as it is
        }
        let (first, last) = name.trim().rsplit_once(' ').unwrap_or(("", name.trim()));
        let first = if first.is_empty() { Value::Null } else { Value::text(first) };
        Ok(Attributes::from([("FirstName", first), ("LastName", Value::text(last))]))
    }
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Contact]
}
