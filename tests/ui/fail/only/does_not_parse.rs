//! Conditions that cannot be read.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "a", mode = "mirror", only = "StateCode eq 0")]
struct NoMember {
    #[cdms(key)]
    id: Id<NoMember>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "b", mode = "mirror", only = "Nam eq 'Acme' and (Town ne null")]
struct Misspelt {
    #[cdms(key)]
    id: Id<Misspelt>,
}

fn main() {}
