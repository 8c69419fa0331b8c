//! Two models of one table.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "places", mode = "mirror", diesel(table = false))]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "places", mode = "mirror", diesel(table = false))]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
}

fn main() {
    models![Country, Organisation];
}
