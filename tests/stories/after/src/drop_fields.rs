//! Who sells where.

use datahub_runtime::prelude::*;

/// A region and those who sell in it.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "territory.toml", table = "territories")]
pub struct Territory {
    #[cdms(key)]
    pub id: Id<Territory>,
    #[cdms("Name")]
    pub name: String,
    #[cdms(local, sql_type = "integer")]
    pub rank: i32,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Territory]
}
