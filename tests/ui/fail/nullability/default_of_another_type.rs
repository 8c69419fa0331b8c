//! A default that is no value of the field's type.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Street", default = 7)]
    street: String,
}

fn main() {}
