//! All faults of a struct come in one compilation, and nothing else with them: the code that uses it is not at fault.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", tabel = "organisations", table = "Organisations", mode = "synk", only = "Nmae eq 'a'")]
struct Organisation {
    #[cdms("Nmae")]
    name: String,
    #[cdms("Alias")]
    alias: String,
    #[cdms("Town", sql_type = "string")]
    town: Option<String>,
    #[cdms(local)]
    notes: Option<String>,
    #[cdms("StateCode")]
    state: i32,
    #[cdms("WebSiteURL", column = "alias")]
    website: Option<String>,
    street: Option<String>,
}

async fn rename(hub: &Hub, id: Id<Organisation>) -> Result<(), Error> {
    let mut organisation = Organisation::get(hub, id).await?;
    organisation.name = "Acme".to_owned();
    organisation.save(hub).await?;
    Ok(())
}

fn main() {
    models![Organisation];
}
