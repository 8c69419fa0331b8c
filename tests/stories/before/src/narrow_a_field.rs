//! What marketing does.

use datahub_runtime::prelude::*;

/// Something that marketing does.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "campaign.toml", table = "campaigns")]
pub struct Campaign {
    #[cdms(key)]
    pub id: Id<Campaign>,
    #[cdms("Name")]
    pub name: String,
    #[cdms(local, sql_type = "bigint")]
    pub reached: i64,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Campaign]
}
