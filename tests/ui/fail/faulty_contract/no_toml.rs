//! A contract with faults: each is told with its file, line and column, and its line is drawn.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "no_toml.toml", table = "organisations")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Name")]
    name: String,
}

fn main() {}
