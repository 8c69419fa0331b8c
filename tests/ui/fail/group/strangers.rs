//! Members that are no keys, where keys are missing: one is named where it alone can be the one that is meant.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsFields)]
struct Place {
    tow: Option<String>,
}

#[derive(Clone, CdmsFields)]
struct Area {
    code: Option<String>,
}

#[derive(Clone, CdmsFields)]
struct Phone {
    number: Option<String>,
    #[cdms(flatten)]
    area: Area,
}

#[derive(Clone, CdmsFields)]
struct Reach {
    street: Option<String>,
    twn: Option<String>,
    #[cdms(flatten)]
    place: Place,
    #[cdms(flatten)]
    phone: Phone,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "nested.toml", table = "nested", mode = "mirror")]
struct Nested {
    #[cdms(key)]
    id: Id<Nested>,
    #[cdms(flatten = "reach")]
    reach: Reach,
}

#[derive(Clone, CdmsFields)]
struct Address {
    country: Option<Id<Country>>,
    twn: Option<String>,
    stret: Option<String>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms(flatten = "address")]
    address: Address,
}

fn main() {}
