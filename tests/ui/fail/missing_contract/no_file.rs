//! Contracts that are not there, and such as are none of this project's.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "acount.toml", table = "a")]
struct Misspelt {
    #[cdms(key)]
    id: Id<Misspelt>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "invoice.toml", table = "b")]
struct NotThere {
    #[cdms(key)]
    id: Id<NotThere>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "../datahub.toml", table = "c")]
struct Outside {
    #[cdms(key)]
    id: Id<Outside>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "/etc/hostname", table = "d")]
struct FarOutside {
    #[cdms(key)]
    id: Id<FarOutside>,
}

#[derive(Clone, CdmsSynced)]
struct NotSaid {
    #[cdms(key)]
    id: Id<NotSaid>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", mode = "mirror")]
struct NoTable {
    #[cdms(key)]
    id: Id<NoTable>,
}

fn main() {}
