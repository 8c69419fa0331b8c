//! A model must be Clone.

use datahub_runtime::prelude::*;

#[derive(CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
}

fn main() {}
