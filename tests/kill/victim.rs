//! The program that will be killed: it makes one write and never gets to its end.

use std::process::{ExitCode, Stdio};

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Clock as _, Instant, ManualClock, Settling};
use example_domain::{Contact, Organisation};
use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};
use uuid::Uuid;

/// The name that the update gives the organisation.
pub(crate) const NEW_NAME: &str = "Acme Foods";

/// A kind of write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Write {
    Update,
    Create,
    Delete,
}

/// What the victim is to do, and where.
#[derive(Serialize, Deserialize)]
pub(crate) struct Order {
    database: String,
    cdms: String,
    now: Instant,
    pub(crate) write: Write,
    pub(crate) account: Uuid,
    pub(crate) contact: Uuid,
}

/// The variable that tells a process that it is the victim.
const ORDER: &str = "DATAHUB_TESTS_VICTIM";

impl Order {
    pub(crate) fn new(kit: &Kit, write: Write, account: Uuid) -> Self {
        let now = kit.clock.now();
        Order { database: kit.database(), cdms: kit.simulator.root(), now, write, account, contact: Uuid::now_v7() }
    }

    pub(crate) fn from_environment() -> Option<Self> {
        let order = std::env::var(ORDER).ok()?;
        Some(serde_json::from_str(&order).expect("an order that this program wrote"))
    }

    /// Starts the victim.
    pub(crate) fn give(&self) -> std::io::Result<Child> {
        let order = serde_json::to_string(self)?;
        Command::new(std::env::current_exe()?).env(ORDER, order).stdin(Stdio::null()).kill_on_drop(true).spawn()
    }
}

#[allow(clippy::print_stderr, reason = "a victim that survives has something to say to who ran the test")]
pub(crate) fn run(order: &Order) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let outcome = runtime.block_on(async {
        let hub = Hub::builder()
            .database(&order.database)
            .cdms(&order.cdms, Anonymous)
            .models(example_domain::models())
            .clock(ManualClock::at(order.now))
            .settling(Settling::OnRequest)
            .connect()
            .await?;
        order.write.carry_out(&hub, order).await
    });
    eprintln!("the victim survived: {outcome:?}");
    ExitCode::FAILURE
}

impl Write {
    pub(crate) async fn carry_out(self, hub: &Hub, order: &Order) -> Result<(), Error> {
        let id: Id<Organisation> = order.account.into();
        match self {
            Write::Update => {
                let mut org = Organisation::get(hub, id).freshness(Freshness::LocalOnly).await?;
                org.name = NEW_NAME.into();
                org.save(hub).await
            }
            Write::Create => {
                let contact = Contact { id: order.contact.into(), ..Contact::named("Lovelace") };
                Contact::create(hub, contact).await.map(drop)
            }
            Write::Delete => {
                let org = Organisation::get(hub, id).freshness(Freshness::LocalOnly).await?;
                org.delete(hub).await.map_err(Error::from)
            }
        }
    }
}
