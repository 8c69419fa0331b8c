//! Two models of one entity, of which one does not say which records are its own; and what is no model.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "suppliers", mode = "mirror", only = "Alias ne null")]
struct Supplier {
    #[cdms(key)]
    id: Id<Supplier>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
}

fn main() {
    models![Supplier, Organisation];
}
