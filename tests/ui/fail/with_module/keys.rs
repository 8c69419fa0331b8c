//! `with` that names no module, and attributes that nothing joins.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "firms", mode = "mirror")]
struct Firm {
    #[cdms(key)]
    id: Id<Firm>,
    #[cdms("Name", with = "not a module", sql_type = "string")]
    name: String,
    #[cdms(attributes("Street", "Town"), sql_type = "string")]
    address: String,
    #[cdms(attributes(), with = "shouting", sql_type = "string")]
    empty: String,
}

fn main() {}
