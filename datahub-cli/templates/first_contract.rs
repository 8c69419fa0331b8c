//! The first contract fits the first model, which moves to `src` when it is in use.

use datahub_runtime::prelude::*;

/// An organisation that we work with.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Name")]
    name: String,
}

datahub_runtime::mapping_tests!(Organisation);
