//! A default that is no value of the field's type, and one of a type that has none.

use datahub_runtime::prelude::*;

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "IndustryCode")]
enum Industry {
    Accounting,
    Agriculture,
    FineArts,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Street", default = 7)]
    street: String,
    #[cdms("IndustryCode", default)]
    industry: Industry,
}

fn main() {}
