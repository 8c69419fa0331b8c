//! A group that has faults, one of them only for the compiler, and a healthy model that flattens it: only the faults are
//! told.

use datahub_runtime::prelude::*;

/// It cannot be a member.
#[derive(Clone)]
struct Postcode;

#[derive(Clone, CdmsFields)]
struct Address {
    #[cdms(defualt)]
    street: String,
    town: Option<String>,
    postcode: Postcode,
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
