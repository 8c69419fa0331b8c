//! What can be lent.

use datahub_runtime::prelude::*;

/// Something that can be lent.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "equipment.toml", table = "equipment")]
pub struct Equipment {
    #[cdms(key)]
    pub id: Id<Equipment>,
    #[cdms("Name")]
    pub name: String,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Equipment]
}
