//! What can be lent, and what can be sent.

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

/// Something that can be sent.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "literature.toml", table = "leaflets")]
pub struct Leaflet {
    #[cdms(key)]
    pub id: Id<Leaflet>,
    #[cdms("Name")]
    pub name: String,
    #[cdms("Description")]
    pub description: Option<String>,
    #[cdms(local, sql_type = "integer")]
    pub printed: i32,
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Equipment, Leaflet]
}
