//! Companies.

use datahub_runtime::prelude::*;

/// A company that we work with.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations")]
pub struct Organisation {
    #[cdms(key)]
    pub id: Id<Organisation>,
    #[cdms("Name")]
    pub name: String,
    #[cdms("WebSiteURL")]
    pub website: Option<String>,
    #[cdms("Fax")]
    pub fax: Option<String>,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Organisation]
}
