//! Two models that have faults in one list: they are not said to clash, but for the tables that they name.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", mode = "mirror", only = "Nmae eq 'a'")]
struct Supplier {
    #[cdms(key)]
    id: Id<Supplier>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "branches", mode = "mirror", only = "Name eq 'a'")]
struct Branch {
    #[cdms(key)]
    id: Id<Branch>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "branches", mode = "miror", diesel(table = false))]
struct Office {
    #[cdms(key)]
    id: Id<Office>,
}

fn main() {
    models![Organisation, Supplier, Branch];
    models![Branch, Office];
}
