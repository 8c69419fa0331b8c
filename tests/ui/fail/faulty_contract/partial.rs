//! A group of a contract that could not be read whole: nothing is said of the struct's members, which may all be right.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsFields)]
struct Place {
    town: Option<String>,
}

#[derive(Clone, CdmsFields)]
struct Address {
    street: Option<String>,
    #[cdms(flatten)]
    place: Place,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "partial.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms(flatten = "address")]
    address: Address,
}

fn main() {}
