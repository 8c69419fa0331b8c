//! Defaults where there is no null for them to stand for.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Name", default = "nobody")]
    name: String,
    #[cdms("Alias", default = "nobody".to_owned() + "at all")]
    alias: Option<String>,
}

#[derive(Clone, CdmsFields)]
struct Naming {
    #[cdms(default = "nobody")]
    name: String,
    alias: Option<String>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "grouped.toml", table = "firms", mode = "mirror")]
struct Firm {
    #[cdms(key)]
    id: Id<Firm>,
    #[cdms(flatten = "naming")]
    naming: Naming,
}

#[derive(Clone, CdmsFields)]
struct Optional {
    name: String,
    #[cdms(default)]
    alias: Option<String>,
}

fn main() {}
