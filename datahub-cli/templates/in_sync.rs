//! What this program reads is what CDMS has: against a simulated CDMS, and a database of its own.

use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;

use {{crate}}::{Organisation, State, models};

#[tokio::test]
async fn an_organisation_is_read_as_cdms_has_it() -> Result<(), Error> {
    let kit = Kit::new(include_str!("../mappings/metadata.xml"));
    let hub = kit.hub(models()).connect().await?;
    let account = kit.simulator.seed(
        "Account",
        [
            ("Name", Value::text("Acme")),
            ("StateCode", Value::Choice(0)),
        ],
    );
    let organisation = Organisation::get(&hub, account.into()).await?;
    assert_eq!(
        (organisation.name.as_str(), organisation.state),
        ("Acme", State::Active)
    );
    Ok(())
}
