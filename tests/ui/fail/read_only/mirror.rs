//! A mirror is never written.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
    #[cdms("Name")]
    name: String,
}

async fn rename(hub: &Hub, mut country: Synced<Country>) -> Result<(), Error> {
    country.name = "Utopia".to_owned();
    country.save(hub).await?;
    Ok(())
}

fn main() {}
