//! Places where we work.

use datahub_runtime::prelude::*;

/// A place where we work.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "site.toml", table = "sites")]
pub struct Site {
    #[cdms(key)]
    pub id: Id<Site>,
    #[cdms("Name")]
    pub name: String,
    #[cdms("Address1_City")]
    pub town: Option<String>,
    #[cdms(local, sql_type = "string", class = "public")]
    pub opens: Option<String>,
    #[cdms(local, sql_type = "string", class = "public")]
    pub closes: Option<String>,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Site]
}
