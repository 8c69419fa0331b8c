//! A group that the contract does not have.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsFields)]
struct Address {
    street: Option<String>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "firms", mode = "mirror")]
struct Firm {
    #[cdms(key)]
    id: Id<Firm>,
    #[cdms(flatten = "adress")]
    address: Address,
}

fn main() {}
