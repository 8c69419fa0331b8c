//! The hub's models.
use datahub_runtime::prelude::*;
#[derive(Clone, Debug, CdmsSynced)]
#[cdms(mapping = "place.toml", table = "places")]
pub struct Place {
    #[cdms(key)]
    pub id: Id<Place>,
    #[cdms("Name")]
    pub name: Option<String>,
}

pub fn models() -> Models {
    models![Place]
}
