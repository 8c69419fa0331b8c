//! A model with two keys.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
    #[cdms(key)]
    code: Id<Country>,
    #[cdms("Name")]
    name: String,
}

fn main() {}
