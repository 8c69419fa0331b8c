//! References to a model of another entity than the contract's lookup points to.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
}

#[derive(Clone, CdmsFields)]
struct Address {
    street: Option<String>,
    town: Option<String>,
    country: Option<Id<Organisation>>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Parent")]
    parent: Option<Id<Country>>,
    #[cdms(flatten = "address")]
    address: Address,
}

#[derive(Clone)]
struct Plain;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "firms", mode = "mirror")]
struct Firm {
    #[cdms(key)]
    id: Id<Firm>,
    #[cdms("Parent")]
    parent: Option<Id<Plain>>,
    #[cdms("Country")]
    country: Option<String>,
}

fn main() {}
