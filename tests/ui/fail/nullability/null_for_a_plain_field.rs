//! Attributes that can be null, for fields that cannot.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Alias")]
    alias: String,
    #[cdms("Employees", default = 0)]
    employees: Option<i32>,
    #[cdms("WebSiteURL", default = "https://nobody.example")]
    website: String,
    #[cdms("Town", default)]
    town: String,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "firms", mode = "mirror")]
struct Firm {
    #[cdms(key)]
    id: Id<Firm>,
    #[cdms("Alias", default = "eleven chars")]
    alias: String,
}

fn main() {}
