//! What a program is doing when it is stopped: one operation, on a stage set for it, with the points that it passes.

use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation};
use datahub_runtime::{Clock as _, EntryKind, Resolution, Value, Version, WatchEvent};
use example_domain::{Contact, Organisation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const MINUTE: Duration = Duration::from_secs(60);

/// A state that CDMS may have and the model has not.
pub(crate) const UNKNOWN_STATE: i32 = 7;

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
    UpdateDeadlocked,
    UpdateEnded,
    UpdateLoggedOut,
    UpdateOfNothing,
    UpdateNotReadBack,
    UpdateNotStorable,
    UpdateLocal,
    Revert,
    Resolve,
    Create,
    CreateRefused,
    CreateUnanswered,
    CreateAgainUnanswered,
    CreateOrphaned,
    Delete,
    DeleteRefused,
    DeleteUnanswered,
    SettleUpdate,
    SettleNothing,
    SettleCreate,
    SettleDelete,
    Pull,
    Changes,
    Watch,
    List,
    Sweep,
    Backfill,
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
    pub(crate) const ALL: [Scenario; 34] = [
        Scenario::ReadFirst,
        Scenario::ReadRefresh,
        Scenario::ReadGone,
        Scenario::ReadUnfit,
        Scenario::Update,
        Scenario::UpdateRefused,
        Scenario::UpdateUnanswered,
        Scenario::UpdateDeadlocked,
        Scenario::UpdateEnded,
        Scenario::UpdateLoggedOut,
        Scenario::UpdateOfNothing,
        Scenario::UpdateNotReadBack,
        Scenario::UpdateNotStorable,
        Scenario::UpdateLocal,
        Scenario::Revert,
        Scenario::Resolve,
        Scenario::Create,
        Scenario::CreateRefused,
        Scenario::CreateUnanswered,
        Scenario::CreateAgainUnanswered,
        Scenario::CreateOrphaned,
        Scenario::Delete,
        Scenario::DeleteRefused,
        Scenario::DeleteUnanswered,
        Scenario::SettleUpdate,
        Scenario::SettleNothing,
        Scenario::SettleCreate,
        Scenario::SettleDelete,
        Scenario::Pull,
        Scenario::Changes,
        Scenario::Watch,
        Scenario::List,
        Scenario::Sweep,
        Scenario::Backfill,
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
            Scenario::UpdateDeadlocked => "an update that meets a deadlock",
            Scenario::UpdateEnded => "an update that CDMS answers with an error after it has carried it out",
            Scenario::UpdateLoggedOut => "an update whose session is over",
            Scenario::UpdateOfNothing => "an update of what CDMS says is gone",
            Scenario::UpdateNotReadBack => "an update that cannot be read back",
            Scenario::UpdateNotStorable => "an update that cannot be stored",
            Scenario::UpdateLocal => "an update of the hub's own fields",
            Scenario::Revert => "a revert",
            Scenario::Resolve => "a resolution for CDMS",
            Scenario::Create => "a create",
            Scenario::CreateRefused => "a create that CDMS refuses",
            Scenario::CreateUnanswered => "a create without an answer",
            Scenario::CreateAgainUnanswered => "a create over a tombstone without an answer",
            Scenario::CreateOrphaned => "a create that gets another id",
            Scenario::Delete => "a delete",
            Scenario::DeleteRefused => "a delete that CDMS refuses",
            Scenario::DeleteUnanswered => "a delete without an answer",
            Scenario::SettleUpdate => "settling an update",
            Scenario::SettleNothing => "settling what was never carried out",
            Scenario::SettleCreate => "settling a create",
            Scenario::SettleDelete => "settling a delete",
            Scenario::Pull => "a first load",
            Scenario::Changes => "a pull of changes",
            Scenario::Watch => "a watch",
            Scenario::List => "a list",
            Scenario::Sweep => "a sweep",
            Scenario::Backfill => "a backfill",
        }
    }

    /// The operation as points name it, and its steps, each where it is first come to.
    pub(crate) const fn steps(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Scenario::ReadFirst | Scenario::ReadRefresh | Scenario::Resolve => ("read", &["load", "fetch", "refresh"]),
            Scenario::ReadGone => ("read", &["load", "fetch", "bury"]),
            Scenario::ReadUnfit => ("read", &["load", "fetch", "quarantine"]),
            Scenario::Update => ("update", &["lock", "load", "fetch", "refresh", "open", "send", "read-back", "store"]),
            Scenario::UpdateNotReadBack | Scenario::UpdateNotStorable | Scenario::Revert => {
                ("update", &["lock", "load", "fetch", "open", "send", "read-back", "store"])
            }
            Scenario::UpdateRefused => ("update", &["lock", "load", "fetch", "open", "send", "reject"]),
            Scenario::UpdateUnanswered => ("update", &["lock", "load", "fetch", "open", "send", "release"]),
            Scenario::UpdateDeadlocked => {
                ("update", &["lock", "load", "fetch", "open", "send", "pause", "read-back", "store"])
            }
            Scenario::UpdateEnded => {
                ("update", &["lock", "load", "fetch", "open", "send", "note-end", "read-back", "store"])
            }
            Scenario::UpdateLoggedOut => {
                ("update", &["lock", "load", "fetch", "open", "send", "login", "read-back", "store"])
            }
            Scenario::UpdateOfNothing => ("update", &["lock", "load", "fetch", "open", "send", "read-back", "reject"]),
            Scenario::UpdateLocal => ("update", &["lock", "load", "store-local"]),
            Scenario::Create => ("create", &["lock", "load", "open", "send", "store"]),
            Scenario::CreateRefused => ("create", &["lock", "load", "open", "send", "reject"]),
            Scenario::CreateUnanswered | Scenario::CreateAgainUnanswered => {
                ("create", &["lock", "load", "open", "send", "release"])
            }
            Scenario::CreateOrphaned => ("create", &["lock", "load", "open", "send", "close"]),
            Scenario::Delete => ("delete", &["lock", "load", "fetch", "refresh", "open", "send", "store"]),
            Scenario::DeleteRefused => ("delete", &["lock", "load", "fetch", "open", "send", "reject"]),
            Scenario::DeleteUnanswered => ("delete", &["lock", "load", "fetch", "open", "send", "release"]),
            Scenario::SettleUpdate | Scenario::SettleCreate | Scenario::SettleDelete => {
                ("settle", &["lock", "load", "fetch", "store"])
            }
            Scenario::SettleNothing => ("settle", &["lock", "load", "fetch", "close"]),
            Scenario::Pull | Scenario::Changes | Scenario::Watch => ("pull", &["fetch", "store"]),
            Scenario::List => ("list", &["fetch", "store"]),
            Scenario::Sweep => ("sweep", &["fetch", "store", "complete"]),
            Scenario::Backfill => ("backfill", &["complete", "fetch", "store"]),
        }
    }

    /// The points that the operation passes, in their order.
    pub(crate) fn points(self) -> Vec<String> {
        let (operation, steps) = self.steps();
        let places = |step: &str| match step {
            "lock" | "load" | "fetch" | "read-back" | "login" | "pause" => ["before", "after"].as_slice(),
            "send" => &["before", "checked", "after"],
            _ => &["before", "in-transaction", "after"],
        };
        let points = steps.iter().flat_map(|step| places(step).iter().map(move |place| (step, place)));
        points.map(|(step, place)| format!("{operation}/{step}/{place}")).collect()
    }

    /// Whether a write waits for its end while the program is at a point: from the transaction that opens the intent to
    /// the one that closes it, and where no answer came to the end of the program.
    pub(crate) fn is_open_at(self, point: &str) -> bool {
        let points = self.points();
        let place_of = |wanted: &str| points.iter().position(|point| *point == wanted);
        let (operation, steps) = self.steps();
        let opened = if self.is_settling() { Some(0) } else { place_of(&format!("{operation}/open/after")) };
        let closes = steps.iter().find(|step| ["store", "reject", "close"].contains(*step));
        let closed = closes.and_then(|step| place_of(&format!("{operation}/{step}/after"))).unwrap_or(points.len());
        let at = place_of(point);
        opened.is_some_and(|opened| at.is_some_and(|at| (opened..closed).contains(&at)))
    }

    /// What the operation, or the write that it settles, does to CDMS.
    pub(crate) const fn effect(self) -> Effect {
        match self {
            Scenario::ReadFirst
            | Scenario::ReadRefresh
            | Scenario::ReadGone
            | Scenario::ReadUnfit
            | Scenario::UpdateLocal
            | Scenario::Resolve
            | Scenario::Pull
            | Scenario::Changes
            | Scenario::Watch
            | Scenario::List
            | Scenario::Sweep
            | Scenario::Backfill => Effect::Nothing,
            Scenario::Update
            | Scenario::UpdateRefused
            | Scenario::UpdateUnanswered
            | Scenario::UpdateDeadlocked
            | Scenario::UpdateEnded
            | Scenario::UpdateLoggedOut
            | Scenario::UpdateOfNothing
            | Scenario::UpdateNotReadBack
            | Scenario::UpdateNotStorable
            | Scenario::Revert
            | Scenario::SettleUpdate
            | Scenario::SettleNothing => Effect::Update,
            Scenario::Create
            | Scenario::CreateRefused
            | Scenario::CreateUnanswered
            | Scenario::CreateAgainUnanswered
            | Scenario::CreateOrphaned
            | Scenario::SettleCreate => Effect::Create,
            Scenario::Delete | Scenario::DeleteRefused | Scenario::DeleteUnanswered | Scenario::SettleDelete => {
                Effect::Delete
            }
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
        if self == Scenario::ReadFirst || self == Scenario::Pull {
            // First contact is not what is tested.
            _ = Organisation::get(&hub, Id::new()).await;
        } else {
            Organisation::get(&hub, account.into()).await?;
        }
        kit.advance(MINUTE);
        self.set(kit, &hub, records).await?;
        if self.is_settling() {
            kit.advance(crate::PAST_QUIET);
        }
        hub.shutdown(MINUTE).await;
        Ok(records)
    }

    /// What comes before the operation, and what meets its requests.
    async fn set(self, kit: &Kit, hub: &Hub, records: Records) -> Result<(), Error> {
        let Records { account, contact } = records;
        let rule = |operation, fault| FaultRule::new(fault).on(operation).times(1);
        let fault = |operation, fault| kit.simulator.fault(rule(operation, fault));
        let edit = |attribute: &'static str, value| {
            kit.advance(MINUTE);
            kit.simulator.edit("Account", account, [(attribute, value)]);
        };
        match self {
            Scenario::ReadFirst | Scenario::Create | Scenario::UpdateLocal => {}
            Scenario::ReadRefresh | Scenario::Update | Scenario::Delete => {
                edit("WebSiteURL", Value::text("acme.example"));
            }
            Scenario::ReadGone => kit.simulator.remove("Account", account),
            Scenario::ReadUnfit => edit("Name", Value::Null),
            Scenario::UpdateRefused => fault(Operation::Update, Fault::PlugIn("not today".into())),
            Scenario::UpdateUnanswered => fault(Operation::Update, Fault::DropAfterCommit),
            Scenario::UpdateDeadlocked => fault(Operation::Update, Fault::Deadlock),
            Scenario::UpdateEnded => {
                let message = "An unexpected error occurred.".to_owned();
                fault(Operation::Update, Fault::FailAfterCommit { code: -2_147_220_970, message });
            }
            Scenario::UpdateLoggedOut => fault(Operation::Update, Fault::Unauthorized),
            Scenario::UpdateOfNothing => {
                let message = "account With Id = it Does Not Exist".to_owned();
                fault(Operation::Update, Fault::Refuse { status: 404, code: -2_147_220_969, message });
            }
            Scenario::UpdateNotReadBack => kit.simulator.fault(rule(Operation::Read, Fault::Html(502)).after(1)),
            // A state that the model does not know.
            Scenario::UpdateNotStorable => {
                fault(Operation::Update, Fault::Adjust([("StateCode", Value::Choice(UNKNOWN_STATE))].into()));
            }
            Scenario::Revert => {
                edit("Name", Value::text(NEW_NAME));
                Organisation::get(hub, account.into()).await?;
                edit("Name", Value::text("Acme"));
                Organisation::get(hub, account.into()).await?;
            }
            Scenario::Resolve => {
                let long_ago = Value::Instant((kit.clock.now().to_utc().unwrap_or_default() - 10 * MINUTE).into());
                let older = [("ModifiedOn", long_ago), ("Name", Value::text("Acme of old"))];
                kit.simulator.overwrite("Account", account, older);
            }
            Scenario::CreateRefused => fault(Operation::Create, Fault::PlugIn("not today".into())),
            Scenario::CreateUnanswered => fault(Operation::Create, Fault::DropAfterCommit),
            Scenario::CreateAgainUnanswered => {
                let named = [("ContactId", Value::Guid(contact)), ("LastName", Value::text("Lovelace"))];
                kit.simulator.seed("Contact", named);
                Contact::get(hub, contact.into()).await?;
                kit.simulator.remove("Contact", contact);
                let gone = Contact::get(hub, contact.into()).await.map(drop);
                assert_eq!(gone.map_err(|error| error.kind()), Err(ErrorKind::Gone));
                fault(Operation::Create, Fault::DropAfterCommit);
            }
            Scenario::CreateOrphaned => fault(Operation::Create, Fault::OtherId),
            Scenario::DeleteRefused => fault(Operation::Delete, Fault::PlugIn("not today".into())),
            Scenario::DeleteUnanswered => fault(Operation::Delete, Fault::DropAfterCommit),
            Scenario::Pull => {
                firms(kit);
            }
            Scenario::Changes | Scenario::Watch | Scenario::List => {
                let firms = firms(kit);
                hub.pull::<Organisation>().await?;
                kit.advance(crate::PAST_QUIET);
                edit("WebSiteURL", Value::text("firm.example"));
                for firm in firms {
                    kit.simulator.edit("Account", firm, [("WebSiteURL", Value::text("firm.example"))]);
                }
            }
            Scenario::Sweep => {
                let firms = firms(kit);
                hub.pull::<Organisation>().await?;
                firms[..5].iter().for_each(|firm| kit.simulator.remove("Account", *firm));
            }
            Scenario::Backfill => {
                let known = |name: String| [("Name", Value::text(name)), ("WebSiteURL", Value::text("firm.example"))];
                edit("WebSiteURL", Value::text("firm.example"));
                for number in 0..60 {
                    kit.simulator.seed("Account", known(format!("Firm {number}")));
                }
                hub.pull::<Organisation>().await?;
                // As if another version of the mapping had stored them, without the website, and had read only half of
                // the websites with the records as they are now.
                let as_left = "UPDATE organisations SET website = NULL; UPDATE datahub_records SET mapping_id = 1; \
                               UPDATE datahub_records SET outdated = '[\"WebSiteURL\"]' WHERE id IN \
                               (SELECT id FROM datahub_records ORDER BY id LIMIT 30)";
                kit.run_sql(as_left).unwrap_or_else(|reason| panic!("{reason}"));
            }
            Scenario::SettleUpdate => {
                fault(Operation::Update, Fault::DropAfterCommit);
                unsettled(Scenario::UpdateUnanswered.carry_out(hub, records).await)?;
            }
            Scenario::SettleNothing => {
                fault(Operation::Update, Fault::DropBeforeCommit);
                unsettled(Scenario::UpdateUnanswered.carry_out(hub, records).await)?;
                // Only after the quiet period it can be told.
                kit.advance(crate::PAST_QUIET);
            }
            Scenario::SettleCreate => {
                fault(Operation::Create, Fault::DropAfterCommit);
                unsettled(Scenario::CreateUnanswered.carry_out(hub, records).await)?;
            }
            Scenario::SettleDelete => {
                fault(Operation::Delete, Fault::DropAfterCommit);
                unsettled(Scenario::DeleteUnanswered.carry_out(hub, records).await)?;
            }
        }
        Ok(())
    }

    /// The operation itself.
    pub(crate) async fn carry_out(self, hub: &Hub, records: Records) -> Result<(), Error> {
        let id: Id<Organisation> = records.account.into();
        let local = || Organisation::get(hub, id).freshness(Freshness::LocalOnly);
        match self {
            Scenario::ReadFirst | Scenario::ReadRefresh | Scenario::ReadGone | Scenario::ReadUnfit => {
                Organisation::get(hub, id).await.map(drop)
            }
            Scenario::Resolve => Organisation::resolve(hub, id, Resolution::TakeCdms).await.map(drop),
            Scenario::Update
            | Scenario::UpdateRefused
            | Scenario::UpdateUnanswered
            | Scenario::UpdateDeadlocked
            | Scenario::UpdateEnded
            | Scenario::UpdateLoggedOut
            | Scenario::UpdateOfNothing
            | Scenario::UpdateNotReadBack
            | Scenario::UpdateNotStorable => {
                let mut org = local().await?;
                org.name = NEW_NAME.into();
                org.save(hub).await.map(drop)
            }
            Scenario::UpdateLocal => {
                let mut org = local().await?;
                org.archived = true;
                org.save(hub).await.map(drop)
            }
            Scenario::Revert => {
                let history = Organisation::history(hub, id).await?;
                let named = history.iter().find(|entry| entry.kind == EntryKind::Refreshed);
                let version = named.map(|entry| entry.version).unwrap_or(Version(0));
                Organisation::revert(hub, id, version).await.map(drop)
            }
            Scenario::Create
            | Scenario::CreateRefused
            | Scenario::CreateUnanswered
            | Scenario::CreateAgainUnanswered
            | Scenario::CreateOrphaned => {
                let contact = Contact { id: records.contact.into(), ..Contact::named("Lovelace") };
                Ok(Contact::create(hub, contact).await.map(drop)?)
            }
            Scenario::Delete | Scenario::DeleteRefused | Scenario::DeleteUnanswered => {
                local().await?.delete(hub).await.map(drop).map_err(Error::from)
            }
            Scenario::SettleUpdate | Scenario::SettleNothing | Scenario::SettleCreate | Scenario::SettleDelete => {
                let report = hub.settle().await?;
                report.failed.into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
            }
            Scenario::Pull => hub.pull::<Organisation>().await.map(drop),
            Scenario::Changes => hub.ensure_fresh(models![Organisation], Freshness::Always).await.map(drop),
            Scenario::Watch => watch(hub).await,
            Scenario::List => Organisation::find(hub).load().await.map(drop),
            Scenario::Sweep => hub.sweep::<Organisation>().await.map(drop),
            Scenario::Backfill => hub.backfill::<Organisation>().await.map(drop),
        }
    }
}

/// Watches until the model was pulled.
async fn watch(hub: &Hub) -> Result<(), Error> {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    // After the first pull, nobody listens.
    let watch = hub.watch(models![Organisation], MINUTE).on_event(move |event| _ = tell.send(event.clone())).await?;
    let mut outcome = Ok(());
    while let Some(event) = told.recv().await {
        match event {
            WatchEvent::Pulled(_) => break,
            WatchEvent::PullFailed { error, .. } | WatchEvent::CdmsAway { error } => {
                outcome = Err(error);
                break;
            }
            _ => {}
        }
    }
    watch.stop().await;
    outcome
}

/// Makes more organisations than go on one page.
fn firms(kit: &Kit) -> Vec<Uuid> {
    let firm = |number| kit.simulator.seed("Account", [("Name", Value::text(format!("Firm {number}")))]);
    (0..60).map(firm).collect()
}

fn unsettled(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(error) if error.kind() == ErrorKind::Unsettled => Ok(()),
        Err(error) => Err(error),
        Ok(()) => panic!("its answer was to be lost"),
    }
}
