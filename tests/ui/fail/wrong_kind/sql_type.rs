//! Kinds that do not exist, or that are the contract's to say.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Name", sql_type = "string")]
    name: String,
    #[cdms(local, sql_type = "strnig")]
    notes: Option<String>,
    #[cdms(local)]
    archived: bool,
    #[cdms(local, sql_type = "datetime")]
    since: chrono::DateTime<chrono::Utc>,
}

fn main() {}
