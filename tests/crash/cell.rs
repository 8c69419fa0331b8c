//! One cell of the matrix: an operation, stopped at a point in one way, and what must hold afterwards.

use std::fmt::Write as _;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{EntryKind, Finding, HistoryEntry, OperationId, Value, Verdict};
use example_domain::{Contact, Organisation};
use libtest_mimic::Failed;

use crate::PAST_QUIET;
use crate::scenario::{Effect, NEW_NAME, Records, Scenario, UNKNOWN_STATE};
use crate::victim::Victim;

/// How a program is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    /// The process is killed with SIGKILL.
    Kill,
    /// The caller no longer waits for the operation: its future is dropped.
    Drop,
    /// Its process is stopped with SIGSTOP until its lease and the quiet period are over and another program has settled, and
    /// goes on.
    Pause,
    /// The database server cuts its connections, and it goes on.
    Cut,
}

impl Way {
    pub(crate) const ALL: [Way; 4] = [Way::Kill, Way::Drop, Way::Pause, Way::Cut];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Way::Kill => "killed",
            Way::Drop => "dropped",
            Way::Pause => "paused past its lease",
            Way::Cut => "cut off from the database",
        }
    }
}

/// What became of the victim's operation, as far as it could say.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// It was killed, or its caller did not wait.
    Unknown,
    Ok,
    Failed(String),
}

/// One cell of the matrix while it is played.
struct Cell<'k> {
    kit: &'k Kit,
    scenario: Scenario,
    records: Records,
    point: &'k str,
    way: Way,
    /// What all who settled said, the first of them first.
    settled: Vec<(OperationId, Verdict)>,
}

/// Stops the operation at the point and checks what is left.
pub(crate) async fn survive(scenario: Scenario, point: &str, way: Way) -> Result<(), Failed> {
    let kit = Kit::new(example_domain::METADATA);
    let records = scenario.prepare(&kit).await?;
    let mut cell = Cell { kit: &kit, scenario, records, point, way, settled: Vec::new() };
    let outcome = cell.stop().await?;
    cell.restarted(&outcome).await
}

fn outcome_of(outcome: &str) -> Outcome {
    if outcome == "Ok" { Outcome::Ok } else { Outcome::Failed(outcome.to_owned()) }
}

impl Cell<'_> {
    /// Runs the victim and stops it.
    async fn stop(&mut self) -> Result<Outcome, Failed> {
        let Cell { kit, scenario, records, point, way, .. } = *self;
        let mut victim = Victim::start(kit, scenario, records, Some(point))?;
        let arrived = victim.heard("at").await?;
        assert_eq!(arrived, point);
        match way {
            Way::Kill => {
                victim.kill().await?;
                Ok(Outcome::Unknown)
            }
            Way::Drop => {
                victim.tell("drop").await?;
                victim.heard("done").await?;
                Ok(Outcome::Unknown)
            }
            Way::Pause => {
                victim.signal("STOP").await?;
                kit.advance(PAST_QUIET);
                victim.tell(&format!("clock {}", PAST_QUIET.as_millis())).await?;
                // While a transaction is open everybody else waits for its end.
                if !point.ends_with("in-transaction") {
                    self.settle_meanwhile().await?;
                }
                // It learns the time, which it slept through, before it goes on.
                victim.signal("CONT").await?;
                victim.tell("go").await?;
                Ok(outcome_of(&victim.heard("done").await?))
            }
            Way::Cut => {
                let theirs = format!("FROM pg_stat_activity WHERE application_name = '{}'", victim.application);
                kit.run_sql(&format!("DO $$ BEGIN PERFORM pg_terminate_backend(pid) {theirs}; END $$"))?;
                while kit.run_sql(&format!("DO $$ BEGIN ASSERT NOT EXISTS (SELECT 1 {theirs}); END $$")).is_err() {
                    tokio::task::yield_now().await;
                }
                victim.tell("go").await?;
                Ok(outcome_of(&victim.heard("done").await?))
            }
        }
    }

    /// Another program settles what it can, which is the one write that waits if any does.
    async fn settle_meanwhile(&mut self) -> Result<(), Failed> {
        // The fault is for the victim's GET.
        if self.scenario == Scenario::UpdateNotReadBack {
            self.kit.simulator.clear_faults();
        }
        let other = self.kit.hub(example_domain::models()).program("other").connect().await?;
        self.settle(&other).await?;
        assert_eq!(self.settled.len(), usize::from(self.is_open()), "{:?}", self.settled);
        other.shutdown(Duration::from_secs(60)).await;
        Ok(())
    }

    /// Settles everything, and remembers what became of it.
    async fn settle(&mut self, hub: &Hub) -> Result<(), Failed> {
        let report = hub.settle().await?;
        assert!(
            report.failed.is_empty() && report.waiting.is_empty() && report.left_to_others.is_empty(),
            "{report:?}"
        );
        self.settled.extend(report.settled);
        Ok(())
    }

    fn is_open(&self) -> bool {
        self.scenario.is_open_at(self.point)
    }

    /// A write that was found not carried out and shows up nevertheless is not promised (docs/promises.md, 4): the program
    /// was stopped between its look at the lease and the first byte.
    fn is_residual(&self) -> bool {
        self.way == Way::Pause && self.point.ends_with("send/checked")
    }

    /// A program that starts afterwards finds everything in order, or puts it in order.
    async fn restarted(&mut self, outcome: &Outcome) -> Result<(), Failed> {
        let Cell { kit, scenario, records, way, .. } = *self;
        kit.simulator.clear_faults();
        let hub = kit.hub(example_domain::models()).program("restarted").connect().await?;
        if way == Way::Kill && !scenario.is_settling() {
            self.lease_is_respected(&hub).await?;
        }
        kit.advance(PAST_QUIET);
        self.settle(&hub).await?;
        if way == Way::Kill {
            assert_eq!(self.settled.len(), usize::from(self.is_open()), "{:?}", self.settled);
        }
        agrees(kit, &hub, scenario, records).await?;
        let history = history(&hub, scenario, records).await?;
        self.is_one_story(outcome, &history);
        each_once(&history);
        goes_on(kit, &hub, scenario, records).await?;
        hub.shutdown(Duration::from_secs(60)).await;
        Ok(())
    }

    /// What the caller heard, what CDMS has, what the history tells and what was settled say the same.
    fn is_one_story(&self, outcome: &Outcome, history: &[HistoryEntry]) {
        let Cell { kit, scenario, settled, .. } = self;
        let commits = self.commits_of_the_victim(history);
        let told = history.iter().filter(|entry| tells_of_the_write(*scenario, entry)).count();
        let mut found = format!("outcome {outcome:?}, {commits} × in CDMS, {told} × told, settled {settled:?}");
        for entry in history {
            write!(found, "\n{entry}").expect("a text takes any text");
        }
        assert!(commits <= 1, "{found}");
        assert_eq!(told, commits, "{found}");
        let writes = scenario.effect() != Effect::Nothing && !scenario.is_settling();
        if *outcome == Outcome::Ok && writes {
            assert_eq!(commits, 1, "{found}");
        }
        if let Outcome::Failed(kind) = outcome
            && !["Unsettled", "Quarantined"].contains(&kind.as_str())
            && writes
        {
            assert_eq!(commits, 0, "{found}");
        }
        assert!(settled.len() <= 1, "one write has one verdict: {found}");
        for (_, verdict) in settled {
            match verdict {
                Verdict::Applied => assert_eq!(commits, 1, "{found}"),
                Verdict::NotApplied | Verdict::Rejected { .. } => {
                    assert!(commits == 0 || self.is_residual(), "{found}");
                }
                other => panic!("no other program writes, so it is not {other:?}: {found}"),
            }
        }
        // Who closed an intent without being asked, as the victim does, said what is true as well.
        let intents = kit.rows_of("datahub_intents");
        let applied = intents.iter().filter(|intent| intent.contains("\"verdict\":\"applied\"")).count();
        assert!(applied == commits || self.is_residual(), "{applied} intents are applied: {found}");
    }

    /// What a reader and another writer learn before the write of the dead is settled.
    async fn lease_is_respected(&mut self, hub: &Hub) -> Result<(), Failed> {
        let Cell { scenario, records, point, .. } = *self;
        let report = hub.settle().await?;
        assert!(report.failed.is_empty() && report.left_to_others.is_empty(), "{report:?}");
        // A create or delete that was given up is settled at once by what CDMS shows; nothing else is before its time.
        let is_shown = point.ends_with("release/after") && scenario.effect() != Effect::Update;
        let (waits, shown) = (self.is_open() && !is_shown, self.is_open() && is_shown);
        assert_eq!(report.waiting.len(), usize::from(waits), "{report:?}");
        assert_eq!(report.settled.len(), usize::from(shown), "{report:?}");
        self.settled.extend(report.settled);
        if !waits {
            return Ok(());
        }
        match scenario.effect() {
            Effect::Create => {
                let read = Contact::get(hub, records.contact.into()).await.map(drop);
                assert_eq!(read.map_err(|error| error.kind()), Err(ErrorKind::Unsettled));
            }
            _ => {
                let row = Organisation::get(hub, records.account.into()).await?;
                assert!(matches!(row.checked(), Checked::Pending { .. }), "{:?}", row.checked());
                assert_eq!(row.name, "Acme");
            }
        }
        let busy = scenario.carry_out(hub, records).await;
        assert_eq!(busy.map_err(|error| error.kind()), Err(ErrorKind::Busy));
        Ok(())
    }

    /// How often CDMS carried out the one write that the operation makes or settles, to the record that it is for.
    fn commits_of_the_victim(&self, history: &[HistoryEntry]) -> usize {
        let Cell { kit, scenario, records, settled, .. } = self;
        if scenario.effect() == Effect::Nothing {
            assert!(settled.is_empty(), "{settled:?}");
        }
        let ours: Vec<_> = kit.simulator.log().into_iter().filter(|commit| commit.operation.is_some()).collect();
        let mut operations: Vec<_> = ours.iter().filter_map(|commit| commit.operation.clone()).collect();
        operations.dedup();
        assert!(operations.len() <= 1, "one write was asked for: {ours:?}");
        if let Some(operation) = operations.first() {
            let told = history.iter().filter(|entry| tells_of_the_write(*scenario, entry));
            assert!(told.clone().all(|entry| entry.operation.is_some_and(|told| told.to_string() == *operation)));
        }
        // An orphan is another record.
        ours.iter().filter(|commit| [records.account, records.contact].contains(&commit.id)).count()
    }
}

/// After one complete read both sides are equal, and another finds nothing to do.
async fn agrees(kit: &Kit, hub: &Hub, scenario: Scenario, records: Records) -> Result<(), Failed> {
    if scenario.effect() == Effect::Create {
        _ = Contact::get(hub, records.contact.into()).await;
        let is_in_cdms = kit.simulator.record("Contact", records.contact).is_some();
        return in_sync(Contact::get(hub, records.contact.into()).await.map(|contact| contact.checked()), is_in_cdms);
    }
    if scenario == Scenario::ReadUnfit {
        let read = Organisation::get(hub, records.account.into()).await.map(drop);
        assert_eq!(read.map_err(|error| error.kind()), Err(ErrorKind::Quarantined));
        assert_eq!(hub.quarantine(10).await?.len(), 1);
        let row = Organisation::get(hub, records.account.into()).freshness(Freshness::LocalOnly).await?;
        assert_eq!(row.name, "Acme");
        return Ok(());
    }
    let first = Organisation::get(hub, records.account.into()).await.map(drop);
    if scenario == Scenario::UpdateNotStorable && has_unknown_state(kit, records) {
        assert_eq!(first.map_err(|error| error.kind()), Err(ErrorKind::Quarantined));
        // The people in CDMS mend it, and the next read takes it out of quarantine.
        kit.simulator.edit("Account", records.account, [("StateCode", Value::Choice(0))]);
        Organisation::get(hub, records.account.into()).await?;
        assert!(hub.quarantine(10).await?.is_empty());
    } else if scenario == Scenario::Resolve && first.is_err_and(|error| error.kind() == ErrorKind::LocalNewer) {
        scenario.carry_out(hub, records).await?;
    }
    let record = kit.simulator.record("Account", records.account);
    let read = Organisation::get(hub, records.account.into()).await;
    if let (Ok(org), Some(record)) = (&read, &record) {
        assert_eq!(record.get("Name"), Some(&Value::text(org.name.as_str())));
        assert_eq!(record.get("WebSiteURL"), Some(&org.website.as_deref().map_or(Value::Null, Value::text)));
    }
    in_sync(read.map(|org| org.checked()), record.is_some())
}

fn has_unknown_state(kit: &Kit, records: Records) -> bool {
    let record = kit.simulator.record("Account", records.account);
    record.is_some_and(|record| record.get("StateCode") == Some(&Value::Choice(UNKNOWN_STATE)))
}

fn in_sync(read: Result<Checked, Error>, is_in_cdms: bool) -> Result<(), Failed> {
    match read {
        Ok(Checked::At { found: Finding::InSync, .. }) => assert!(is_in_cdms),
        Ok(other) => panic!("{other:?}"),
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Gone), "{error}");
            assert!(!is_in_cdms, "{error}");
        }
    }
    Ok(())
}

async fn history(hub: &Hub, scenario: Scenario, records: Records) -> Result<Vec<HistoryEntry>, Error> {
    if scenario.effect() == Effect::Create {
        Contact::history(hub, records.contact.into()).await
    } else {
        Organisation::history(hub, records.account.into()).await
    }
}

/// Whether an entry tells of the one write that the operation makes or settles.
fn tells_of_the_write(scenario: Scenario, entry: &HistoryEntry) -> bool {
    match scenario.effect() {
        Effect::Nothing => false,
        Effect::Update => matches!(entry.kind, EntryKind::Updated | EntryKind::AppliedLate),
        Effect::Create => matches!(entry.kind, EntryKind::Created | EntryKind::AppliedLate),
        Effect::Delete => {
            entry.kind == EntryKind::Deleted || (entry.kind == EntryKind::Gone && entry.operation.is_some())
        }
    }
}

/// Nothing that was found since the stage was set is told twice.
fn each_once(history: &[HistoryEntry]) {
    let since = history.iter().filter(|entry| entry.actor != "stage");
    for once in [EntryKind::FirstSeen, EntryKind::Refreshed, EntryKind::Gone] {
        let count = since.clone().filter(|entry| entry.kind == once).count();
        assert!(count <= 1, "{once:?} {count} times: {history:?}");
    }
}

/// No lock, no open transaction and no stopped write is left: the same can be done, or done again.
async fn goes_on(kit: &Kit, hub: &Hub, scenario: Scenario, records: Records) -> Result<(), Failed> {
    let again = match scenario.effect() {
        Effect::Nothing => scenario,
        Effect::Update => Scenario::Update,
        Effect::Create => Scenario::Create,
        Effect::Delete => Scenario::Delete,
    };
    let done = again.carry_out(hub, records).await;
    match (scenario, done.map_err(|error| error.kind())) {
        (Scenario::ReadGone, Err(ErrorKind::Gone))
        | (Scenario::ReadUnfit, Err(ErrorKind::Quarantined))
        | (_, Ok(())) => {}
        (_, Err(ErrorKind::AlreadyExists)) if scenario.effect() == Effect::Create => {}
        (_, Err(ErrorKind::Gone)) if scenario.effect() == Effect::Delete => {}
        (_, Err(kind)) => panic!("it cannot be done again: {kind:?}"),
    }
    match scenario.effect() {
        Effect::Update => {
            let record = kit.simulator.record("Account", records.account).expect("the test deletes none");
            assert_eq!(record.get("Name"), Some(&Value::text(NEW_NAME)));
        }
        Effect::Create => assert!(kit.simulator.record("Contact", records.contact).is_some()),
        Effect::Delete => assert!(kit.simulator.record("Account", records.account).is_none()),
        Effect::Nothing if scenario == Scenario::Backfill => {
            let rows = kit.rows_of("organisations");
            assert_eq!(rows.iter().filter(|row| row.contains("website='firm.example'")).count(), 61);
            assert_eq!(hub.completeness::<Organisation>().await?.incomplete, 0);
        }
        Effect::Nothing if matches!(scenario, Scenario::Changes | Scenario::Watch | Scenario::List) => {
            let rows = kit.rows_of("organisations");
            assert_eq!(rows.iter().filter(|row| row.contains("website='firm.example'")).count(), 61);
        }
        Effect::Nothing if scenario == Scenario::Sweep => {
            assert_eq!(kit.rows_of("organisations").len(), 56);
            let gone = kit.rows_of("datahub_history").into_iter().filter(|entry| entry.contains("kind='gone'")).count();
            assert_eq!((gone, kit.rows_of("datahub_swept").len()), (5, 0), "each is told once");
        }
        Effect::Nothing if scenario == Scenario::Pull => assert_eq!(kit.rows_of("organisations").len(), 61),
        Effect::Nothing => {}
    }
    if !matches!(scenario, Scenario::ReadUnfit) {
        agrees(kit, hub, scenario, records).await?;
    }
    assert!(kit.rows_of("datahub_intents").iter().all(|intent| !intent.contains("verdict=NULL")));
    Ok(())
}
