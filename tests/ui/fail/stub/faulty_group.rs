//! A group that has a fault, and a healthy model that flattens it: only the fault is told.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsFields)]
struct Address {
    #[cdms(defualt)]
    street: String,
    town: Option<String>,
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
