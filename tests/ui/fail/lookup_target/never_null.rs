//! References that are never null, but cannot hold each that the contract's lookup may be.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "classed.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Owner")]
    owner: Id<Organisation>,
}

/// With a null it can: that is what a reference to another model is then.
#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "classed.toml", table = "firms", mode = "mirror")]
struct Firm {
    #[cdms(key)]
    id: Id<Firm>,
    #[cdms("Owner")]
    owner: Option<Id<Organisation>>,
}

#[derive(Clone, CdmsFields)]
struct Classes {
    #[cdms(default = "nobody at all")]
    alias: String,
    industry: Option<i32>,
    status: Option<i32>,
    owner: Option<Id<Organisation>>,
}

#[derive(Clone, CdmsFields)]
struct Owned {
    alias: Option<String>,
    industry: Option<i32>,
    status: Option<i32>,
    owner: Id<Organisation>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "classed.toml", table = "offices", mode = "mirror")]
struct Office {
    #[cdms(key)]
    id: Id<Office>,
    #[cdms(flatten = "classes", read_only)]
    classes: Classes,
    #[cdms(flatten = "classes", read_only)]
    owned: Owned,
}

fn main() {}
