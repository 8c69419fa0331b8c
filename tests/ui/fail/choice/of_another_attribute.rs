//! An enum on an attribute with other options than its own, wholly or in part.

use datahub_runtime::prelude::*;

#[derive(Clone, Copy, Debug, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "IndustryCode")]
enum Industry {
    Accounting,
    Agriculture,
    FineArts,
}

#[derive(Clone, Copy, Debug, CdmsChoice)]
#[cdms(mapping = "every.toml", attribute = "IndustryCode")]
enum Fewer {
    Accounting,
    FineArts,
}

/// With a variant for the rest, fewer are enough.
#[derive(Clone, Copy, Debug, CdmsChoice)]
#[cdms(mapping = "every.toml", attribute = "IndustryCode")]
enum FewerAndOthers {
    Accounting,
    #[cdms(other)]
    Other(i32),
}

#[derive(Clone, Debug, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("IndustryCode")]
    industry: Option<Fewer>,
    #[cdms("StateCode")]
    state: Industry,
}

#[derive(Clone, Debug, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "firms", mode = "mirror")]
struct Firm {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("IndustryCode")]
    industry: Option<FewerAndOthers>,
}

#[derive(Clone, Debug, CdmsFields)]
struct Classes {
    alias: Option<String>,
    industry: Option<Industry>,
    status: Option<i32>,
    owner: uuid::Uuid,
}

/// Where the contract states no options an enum cannot be held against them; and a member of a group is held too.
#[derive(Clone, Debug, CdmsSynced)]
#[cdms(mapping = "classed.toml", table = "offices", mode = "mirror")]
struct Office {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("StatusCode", read_only)]
    status: Option<Fewer>,
    #[cdms(flatten = "classes")]
    classes: Classes,
}

fn main() {}
