//! Logs in by NTLM to the server at an address, reads, and writes a record and removes it again: for tests by hand against
//! servers of others (docs/logins.md).

use std::io::Write as _;

use datahub_runtime::login::{Ntlm, Secret};
use datahub_runtime::prelude::*;
use example_domain::Organisation;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(user)) = (arguments.next(), arguments.next()) else {
        return Err(r"usage: foreign_ntlm ADDRESS DOMAIN\USER, with the password in DATAHUB_PASSWORD".into());
    };
    let folder = tempfile::tempdir()?;
    let hub = Hub::builder()
        .database(format!("sqlite://{}", folder.path().join("hub.db").display()))
        .cdms(address, Ntlm::new(user, Secret::env("DATAHUB_PASSWORD")))
        .models(example_domain::models())
        .create_tables()
        .connect()
        .await?
        .acting_as("ada@example.gov.uk");
    let new = Organisation { id: Id::new(), ..Organisation::named("Acme") };
    let mut organisation = Organisation::create(&hub, new).await?;
    organisation.name = "Acme Ltd".into();
    organisation.save(&hub).await?;
    let read = Organisation::get(&hub, organisation.id).await?;
    organisation.delete(&hub).await?;
    writeln!(std::io::stdout(), "read back `{}`, which took {:?}", read.name, hub.cost())?;
    Ok(())
}
