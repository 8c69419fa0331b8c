//! Models that have faults, and healthy ones that point to them: only the faults are told.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
    #[cdms("Nmae")]
    name: String,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "absent.toml", table = "firms")]
struct Firm {
    #[cdms(key)]
    id: Id<Firm>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Country")]
    country: Option<Id<Country>>,
    #[cdms("Parent")]
    parent: Option<Id<Firm>>,
}

/// What is known of a faulty model is held against it all the same.
#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "branches", mode = "mirror")]
struct Branch {
    #[cdms(key)]
    id: Id<Branch>,
    #[cdms("Parent")]
    parent: Option<Id<Country>>,
}

fn main() {}
