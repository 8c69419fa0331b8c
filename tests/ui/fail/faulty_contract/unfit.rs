//! A contract with faults: each is told with its file, line and column, and its line is drawn. A field of a kind that
//! `$metadata` refutes is not held to it.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "unfit.toml", table = "organisations")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Name")]
    name: String,
    #[cdms("Employees")]
    employees: Option<i32>,
}

fn main() {}
