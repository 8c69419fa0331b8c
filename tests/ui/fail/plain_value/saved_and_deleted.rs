//! A plain value of a model was not read by the hub, so there is nothing that it could be saved against.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
    #[cdms("Name")]
    name: String,
}

async fn rename(hub: &Hub, mut country: Country) -> Result<(), Error> {
    country.name = "Utopia".to_owned();
    country.save(hub).await
}

async fn remove(hub: &Hub, country: Country) -> Result<(), Error> {
    country.delete(hub).await
}

fn main() {}
