//! Flattened structs that are not what the contract's group is.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
}

#[derive(Clone, CdmsFields)]
struct Fewer {
    street: Option<String>,
}

#[derive(Clone, CdmsFields)]
struct Misnamed {
    stret: Option<String>,
    town: Option<String>,
    country: Option<Id<Country>>,
}

#[derive(Clone, CdmsFields)]
struct NotNull {
    street: String,
    town: Option<String>,
    country: Option<Id<Country>>,
}

#[derive(Clone, CdmsFields)]
struct OtherKind {
    street: Option<i32>,
    town: Option<String>,
    country: Option<Id<Country>>,
}

#[derive(Clone)]
struct NoGroup;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms(flatten = "address")]
    fewer: Fewer,
    #[cdms(flatten = "address", read_only)]
    misnamed: Misnamed,
    #[cdms(flatten = "address", read_only)]
    not_null: NotNull,
    #[cdms(flatten = "address", read_only)]
    other_kind: OtherKind,
    #[cdms(flatten = "address", read_only)]
    no_group: NoGroup,
}

fn main() {}
