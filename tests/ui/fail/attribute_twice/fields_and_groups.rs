//! Attributes that two fields would write.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsFields)]
struct Address {
    street: Option<String>,
    town: Option<String>,
    country: Option<Id<Country>>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Name")]
    name: String,
    #[cdms("Name")]
    title: String,
    #[cdms("Town")]
    town: Option<String>,
    #[cdms(flatten = "address")]
    address: Address,
}

fn main() {}
