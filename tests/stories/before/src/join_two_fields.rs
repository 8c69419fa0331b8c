//! People at companies.

use datahub_runtime::prelude::*;

/// A person at a company.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "contact.toml", table = "contacts")]
pub struct Contact {
    #[cdms(key)]
    pub id: Id<Contact>,
    #[cdms("FirstName")]
    pub first_name: Option<String>,
    #[cdms("LastName")]
    pub last_name: String,
    #[cdms("EMailAddress1")]
    pub email: Option<String>,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Contact]
}
