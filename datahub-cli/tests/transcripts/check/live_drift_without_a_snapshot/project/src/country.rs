//! Countries.

use datahub_runtime::prelude::*;

#[derive(Clone, Debug, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
pub struct Country {
    #[cdms(key)]
    pub id: Id<Country>,
    #[cdms("new_name")]
    pub name: String,
}
