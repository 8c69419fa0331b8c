//! A struct and its contract with faults: all of both in one compilation, and those of the contract once.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "faulty.toml", table = "organisations", mode = "miror")]
struct Organisation {
    #[cdms("Name", column = "Name")]
    name: String,
    #[cdms("Parent")]
    parent: Option<Id<Organisation>>,
    #[cdms("Employees")]
    employees: Option<i32>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "faulty.toml", table = "firms")]
struct Firm {
    #[cdms(key)]
    id: Id<Firm>,
    #[cdms("Name")]
    name: String,
}

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = "faulty.toml", attribute = "Name")]
enum Name {
    Smith,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "absent.toml", table = "offices")]
struct Office {
    #[cdms("Name", with = "shouting")]
    name: String,
}

fn main() {}
