//! A field under `cfg`: the table would depend on the build.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
    #[cfg(all())]
    #[cdms("Name")]
    name: String,
}

fn main() {}
