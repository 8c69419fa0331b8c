//! Items that cannot be models or groups.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "a")]
enum Enum {
    A,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "b")]
struct Tuple(String);

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "c", mode = "mirror")]
struct Parameters<T: 'static> {
    #[cdms(key)]
    id: Id<Parameters<T>>,
    #[cdms(local, sql_type = "string")]
    notes: Vec<T>,
}

#[derive(Clone, CdmsFields)]
struct Group<'a> {
    street: &'a str,
}

#[derive(Clone, CdmsFields)]
enum NoGroup {
    A,
}

fn main() {}
