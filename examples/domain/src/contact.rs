//! Contacts: people at organisations.

use datahub_runtime::prelude::*;

use super::{Address, Organisation, Phone, Title, phone};

/// A person at an organisation.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "contact.toml", table = "contacts")]
pub struct Contact {
    #[cdms(key)]
    pub id: Id<Contact>,
    #[cdms("optevia_Title")]
    pub title: Option<Id<Title>>,
    #[cdms(attributes("FirstName", "MiddleName"), with = "first_name", sql_type = "string")]
    pub first_name: Option<String>,
    #[cdms("LastName")]
    pub last_name: String,
    #[cdms("JobTitle")]
    pub job_title: Option<String>,
    #[cdms("ParentCustomerId")]
    pub organisation: Option<Id<Organisation>>,
    #[cdms("optevia_PrimaryContact", default = false, column = "is_primary")]
    pub primary: bool,
    #[cdms("EMailAddress1")]
    pub email: Option<String>,
    #[cdms(
        attributes("optevia_CountryCode", "optevia_AreaCode", "optevia_TelephoneNumber"),
        with = "phone",
        sql_type = "string"
    )]
    pub phone: Option<Phone>,
    #[cdms(flatten = "address")]
    pub address: Address,
    #[cdms(local, sql_type = "boolean")]
    pub address_same_as_organisation: bool,
}

/// First and middle name as one value: joined when read, and split again where CDMS splits them, or after the first
/// word.
mod first_name {
    use datahub_runtime::{Attributes, Fault, Value};

    pub(super) fn decode(attributes: &Attributes) -> Result<Option<String>, Fault> {
        let parts = ["FirstName", "MiddleName"].map(|name| match attributes.get(name) {
            Some(Value::Text(text)) => text.as_str(),
            _ => "",
        });
        let joined = parts.join(" ").trim().to_owned();
        Ok((!joined.is_empty()).then_some(joined))
    }

    /// If the name still begins with CDMS's first name, that part is kept, even if it has two words.
    pub(super) fn encode(name: &Option<String>, seen: &Attributes) -> Result<Attributes, Fault> {
        let name = name.as_deref().unwrap_or_default().trim();
        let kept = match seen.get("FirstName") {
            Some(Value::Text(first)) => name.strip_prefix(first.as_str()).map(|rest| (first.as_str(), rest)),
            _ => None,
        };
        let (first, middle) = match kept {
            Some((first, "")) => (first, ""),
            Some((first, rest)) if rest.starts_with(' ') => (first, &rest[1..]),
            _ => name.split_once(' ').unwrap_or((name, "")),
        };
        Ok(Attributes::from([("FirstName", Value::text(first)), ("MiddleName", Value::text(middle))]))
    }
}

impl Contact {
    /// A contact of whom only the last name is known.
    pub fn named(last_name: impl Into<String>) -> Self {
        Contact {
            id: Id::new(),
            title: None,
            first_name: None,
            last_name: last_name.into(),
            job_title: None,
            organisation: None,
            primary: false,
            email: None,
            phone: None,
            address: Address::default(),
            address_same_as_organisation: false,
        }
    }
}
