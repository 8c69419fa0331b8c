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

fn main() {}
