//! A key whose type only the compiler knows.

use datahub_runtime::prelude::*;

type Key = Id<Country>;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
struct Country {
    #[cdms(key)]
    id: Key,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Key,
}

fn main() {}
