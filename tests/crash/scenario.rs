//! What a program is doing when it is stopped: one operation, on a stage set for it, with the points that it passes.

use std::time::Duration;

use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation};
use example_domain::{Contact, Organisation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The name that updates give the organisation.
pub(crate) const NEW_NAME: &str = "Acme Foods";

/// An operation and the circumstances that decide which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Scenario {
    ReadFirst,
    ReadRefresh,
    ReadGone,
    ReadUnfit,
    Update,
    UpdateRefused,
    UpdateUnanswered,
    Create,
    Delete,
    SettleUpdate,
    SettleNothing,
    SettleCreate,
    SettleDelete,
    Pull,
}

/// The records of a scene: one that is there, one that is to be made.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Records {
    pub(crate) account: Uuid,
    pub(crate) contact: Uuid,
}

/// What the operation does to CDMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Nothing,
    Update,
    Create,
    Delete,
}

impl Scenario {
    pub(crate) const ALL: [Scenario; 14] = [
        Scenario::ReadFirst,
        Scenario::ReadRefresh,
        Scenario::ReadGone,
        Scenario::ReadUnfit,
        Scenario::Update,
        Scenario::UpdateRefused,
        Scenario::UpdateUnanswered,
        Scenario::Create,
        Scenario::Delete,
        Scenario::SettleUpdate,
        Scenario::SettleNothing,
        Scenario::SettleCreate,
        Scenario::SettleDelete,
        Scenario::Pull,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Scenario::ReadFirst => "a first read",
            Scenario::ReadRefresh => "a read that refreshes",
            Scenario::ReadGone => "a read of what is gone",
            Scenario::ReadUnfit => "a read of what does not fit",
            Scenario::Update => "an update",
            Scenario::UpdateRefused => "an update that CDMS refuses",
            Scenario::UpdateUnanswered => "an update without an answer",
            Scenario::Create => "a create",
            Scenario::Delete => "a delete",
            Scenario::SettleUpdate => "settling an update",
            Scenario::SettleNothing => "settling what was never carried out",
            Scenario::SettleCreate => "settling a create",
            Scenario::SettleDelete => "settling a delete",
            Scenario::Pull => "a pull",
        }
    }

    /// The operation as points name it, and its steps.
    const fn steps(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Scenario::ReadFirst | Scenario::ReadRefresh => ("read", &["load", "fetch", "refresh"]),
            Scenario::ReadGone => ("read", &["load", "fetch", "bury"]),
            Scenario::ReadUnfit => ("read", &["load", "fetch", "quarantine"]),
            Scenario::Update => ("update", &["lock", "load", "fetch", "refresh", "open", "send", "read-back", "store"]),
            Scenario::UpdateRefused => ("update", &["lock", "load", "fetch", "open", "send", "reject"]),
            Scenario::UpdateUnanswered => ("update", &["lock", "load", "fetch", "open", "send", "release"]),
            Scenario::Create => ("create", &["lock", "load", "open", "send", "store"]),
            Scenario::Delete => ("delete", &["lock", "load", "fetch", "refresh", "open", "send", "store"]),
            Scenario::SettleUpdate | Scenario::SettleCreate | Scenario::SettleDelete => {
                ("settle", &["lock", "load", "fetch", "store"])
            }
            Scenario::SettleNothing => ("settle", &["lock", "load", "fetch", "close"]),
            Scenario::Pull => ("pull", &["fetch", "store"]),
        }
    }

    /// The points that the operation passes, in their order.
    pub(crate) fn points(self) -> Vec<String> {
        let (operation, steps) = self.steps();
        let places = |step: &str| match step {
            "lock" | "load" | "fetch" | "read-back" => ["before", "after"].as_slice(),
            "send" => &["before", "checked", "after"],
            _ => &["before", "in-transaction", "after"],
        };
        let points = steps.iter().flat_map(|step| places(step).iter().map(move |place| (step, place)));
        points.map(|(step, place)| format!("{operation}/{step}/{place}")).collect()
    }

    /// What the operation, or the write that it settles, does to CDMS.
    pub(crate) const fn effect(self) -> Effect {
        match self {
            Scenario::ReadFirst | Scenario::ReadRefresh | Scenario::ReadGone | Scenario::ReadUnfit | Scenario::Pull => {
                Effect::Nothing
            }
            Scenario::Update
            | Scenario::UpdateRefused
            | Scenario::UpdateUnanswered
            | Scenario::SettleUpdate
            | Scenario::SettleNothing => Effect::Update,
            Scenario::Create | Scenario::SettleCreate => Effect::Create,
            Scenario::Delete | Scenario::SettleDelete => Effect::Delete,
        }
    }

    pub(crate) const fn is_settling(self) -> bool {
        matches!(
            self,
            Scenario::SettleUpdate | Scenario::SettleNothing | Scenario::SettleCreate | Scenario::SettleDelete
        )
    }

    /// Sets the stage: records in CDMS, a hub that has met it, and what comes before the operation.
    pub(crate) async fn prepare(self, kit: &Kit) -> Result<Records, Error> {
        let account = kit.simulator.seed("Account", [("Name", Value::text("Acme"))]);
        let records = Records { account, contact: Uuid::now_v7() };
        let hub = kit.hub(example_domain::models()).program("stage").connect().await?;
        let fault = |operation, fault| kit.simulator.fault(FaultRule::new(fault).on(operation).times(1));
        let edit = |attribute: &'static str, value| {
            kit.advance(Duration::from_secs(60));
            kit.simulator.edit("Account", account, [(attribute, value)]);
        };
        if self == Scenario::ReadFirst || self == Scenario::Pull {
            // First contact is not what is tested.
            _ = Organisation::get(&hub, Id::new()).await;
        } else {
            Organisation::get(&hub, account.into()).await?;
        }
        kit.advance(Duration::from_secs(60));
        match self {
            Scenario::ReadFirst | Scenario::Create => {}
            Scenario::ReadRefresh | Scenario::Update | Scenario::Delete => {
                edit("WebSiteURL", Value::text("acme.example"));
            }
            Scenario::ReadGone => kit.simulator.remove("Account", account),
            Scenario::ReadUnfit => edit("Name", Value::Null),
            Scenario::UpdateRefused => fault(Operation::Update, Fault::PlugIn("not today".into())),
            Scenario::UpdateUnanswered => fault(Operation::Update, Fault::DropAfterCommit),
            Scenario::Pull => {
                for number in 0..60 {
                    kit.simulator.seed("Account", [("Name", Value::text(format!("Firm {number}")))]);
                }
            }
            Scenario::SettleUpdate => {
                fault(Operation::Update, Fault::DropAfterCommit);
                unsettled(Scenario::Update.carry_out(&hub, records).await)?;
            }
            Scenario::SettleNothing => {
                fault(Operation::Update, Fault::DropBeforeCommit);
                unsettled(Scenario::Update.carry_out(&hub, records).await)?;
                // Only after the quiet period it can be told.
                kit.advance(crate::PAST_QUIET);
            }
            Scenario::SettleCreate => {
                fault(Operation::Create, Fault::DropAfterCommit);
                unsettled(Scenario::Create.carry_out(&hub, records).await)?;
            }
            Scenario::SettleDelete => {
                fault(Operation::Delete, Fault::DropAfterCommit);
                unsettled(Scenario::Delete.carry_out(&hub, records).await)?;
            }
        }
        if self.is_settling() {
            kit.advance(crate::PAST_QUIET);
        }
        hub.shutdown(Duration::from_secs(60)).await;
        Ok(records)
    }

    /// The operation itself.
    pub(crate) async fn carry_out(self, hub: &Hub, records: Records) -> Result<(), Error> {
        let id: Id<Organisation> = records.account.into();
        match self {
            Scenario::ReadFirst | Scenario::ReadRefresh | Scenario::ReadGone | Scenario::ReadUnfit => {
                Organisation::get(hub, id).await.map(drop)
            }
            Scenario::Update | Scenario::UpdateRefused | Scenario::UpdateUnanswered => {
                let mut org = Organisation::get(hub, id).freshness(Freshness::LocalOnly).await?;
                org.name = NEW_NAME.into();
                org.save(hub).await
            }
            Scenario::Create => {
                let contact = Contact { id: records.contact.into(), ..Contact::named("Lovelace") };
                Contact::create(hub, contact).await.map(drop)
            }
            Scenario::Delete => {
                let org = Organisation::get(hub, id).freshness(Freshness::LocalOnly).await?;
                org.delete(hub).await.map_err(Error::from)
            }
            Scenario::SettleUpdate | Scenario::SettleNothing | Scenario::SettleCreate | Scenario::SettleDelete => {
                let report = hub.settle().await?;
                report.failed.into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
            }
            Scenario::Pull => hub.pull::<Organisation>().await.map(drop),
        }
    }
}

fn unsettled(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(error) if error.kind() == ErrorKind::Unsettled => Ok(()),
        Err(error) => Err(error),
        Ok(()) => panic!("its answer was to be lost"),
    }
}
