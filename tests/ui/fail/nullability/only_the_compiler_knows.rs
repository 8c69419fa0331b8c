//! An Option behind an alias: the derive reads what is written.

use datahub_runtime::prelude::*;

type Maybe = Option<String>;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
    #[cdms("Name")]
    name: Maybe,
}

fn main() {}
