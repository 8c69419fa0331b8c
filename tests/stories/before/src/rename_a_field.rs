//! People who may buy.

use datahub_runtime::prelude::*;

/// A person who may buy.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "lead.toml", table = "leads")]
pub struct Lead {
    #[cdms(key)]
    pub id: Id<Lead>,
    #[cdms("Subject")]
    pub topic: String,
    #[cdms("CompanyName")]
    pub company: Option<String>,
    #[cdms(local, sql_type = "integer")]
    pub score: i32,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Lead]
}
