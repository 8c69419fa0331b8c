//! Reads an organisation in sync: `cargo run -- 3d1bcbe3-1f5e-e011-9a3d-00505695002d`.
//!
//! `CDMS_URL` is the address of the organisation in CDMS, and `DATABASE_URL` that of the hub's database.

use std::env;
use std::error::Error;

use datahub_runtime::prelude::*;

use {{crate}}::Organisation;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let id: Id<Organisation> = env::args()
        .nth(1)
        .ok_or("expected the id of an account")?
        .parse()?;
    let cdms = env::var("CDMS_URL")
        .map_err(|_| "CDMS_URL must be the address of the organisation in CDMS")?;
    let database = env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite://hub.db".to_owned());
    let builder = Hub::builder()
        .database(database)
        // Or `.cdms_from(datahub_runtime::CdmsConfig::read("datahub.toml")?)`, with the login of `[cdms]`.
        .cdms(cdms, Anonymous)
        .models({{crate}}::models())
        .migrations(datahub_runtime::migrations!()); // those of `datahub migrate new`
    builder.migrate().await?; // or run `datahub migrate run` as a user who may change tables
    let hub = builder.connect().await?;
    let organisation = Organisation::get(&hub, id).await?;
    println!("{organisation:#?}");
    Ok(())
}
