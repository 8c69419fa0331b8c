//! Keys that exist, at a place that is not theirs.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror", column = "id", insertable)]
#[cdms(diesel(mode = "mirror"))]
struct Organisation {
    #[cdms(key, table = "organisations")]
    id: Id<Organisation>,
    #[cdms("Name", crate = ::datahub_runtime)]
    name: String,
    #[cdms(attributes("Street", "Town"), sql_type = "string")]
    street: String,
    #[cdms("Alias", other)]
    alias: Option<String>,
}

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "IndustryCode", other)]
enum Industry {
    #[cdms(attribute = "IndustryCode")]
    Accounting,
    #[cdms("agriculture", other)]
    Rest(i32),
}

#[derive(Clone, CdmsFields)]
#[cdms(prefix = "home_")]
struct Address {
    #[cdms("street", column = "road")]
    street: Option<String>,
}

fn main() {}
