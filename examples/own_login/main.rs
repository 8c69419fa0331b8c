//! A login of a team's own: `DATAHUB_PASSWORD=… cargo run --example own_login -- https://crm.example.gov.uk/ORG USER [LOGIN_HOST…]`.
//!
//! `two_steps.rs` is all that such a login takes. Its tests are in `tests/promises/login_of_ones_own.rs`.

mod two_steps;

use std::error::Error;

use datahub_runtime::login::Secret;
use datahub_runtime::prelude::*;
use example_domain::Organisation;

use two_steps::TwoSteps;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(cdms), Some(user)) = (arguments.next(), arguments.next()) else {
        return Err("expected the address of CDMS and a user".into());
    };
    let login = TwoSteps { user, password: Secret::env("DATAHUB_PASSWORD"), login_hosts: arguments.collect() };
    let hub = Hub::builder().database("sqlite://own_login.db").cdms(cdms, login).models(models![Organisation]);
    let hub = hub.create_tables().connect().await?;
    hub.pull::<Organisation>().await?;
    Ok(())
}
