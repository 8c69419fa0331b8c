//! Attributes that CDMS does not let be written.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Name")]
    name: String,
    #[cdms("Rating")]
    rating: Option<i32>,
    #[cdms("StateCode")]
    state: i32,
    #[cdms("ModifiedOn")]
    modified: Option<String>,
    #[cdms("Alias", read_only, create_only)]
    alias: Option<String>,
}

fn main() {}
