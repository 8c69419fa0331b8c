//! Who else sells what we sell.

use datahub_runtime::prelude::*;

/// A company that sells what we sell.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "competitor.toml", table = "competitors")]
pub struct Competitor {
    #[cdms(key)]
    pub id: Id<Competitor>,
    #[cdms("Name")]
    pub name: String,
    #[cdms("Address1_Line1")]
    pub street: Option<String>,
    #[cdms("Address1_City")]
    pub town: Option<String>,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Competitor]
}
