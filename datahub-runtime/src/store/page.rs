//! Stores a page of records and the pull's progress, in one transaction with a fixed number of statements.

use cdms_odata::Instant;
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::planted::{Planted, planted};
use datahub_protocol::{Commit, Listed, Loaded, QuarantineChange, Record, RecordChange, Stored, Values, Version};
use uuid::Uuid;

use super::commit::{By, NewState, records_to_put};
use super::connection::Connection;
use super::deferred::{self, Touched};
use super::differences;
use super::epochs::{self, Stage};
use super::failure::Trouble;
use super::history::{self, Appended};
use super::load::{StoredRecord, load};
use super::model_table::{self, RefreshedRow};
use super::quarantine::{self, Put};
use super::statement::Statement;
use super::watermark::{self, Claim, Vouched, Watermark};
use super::{sequence, waiting_fields};
use crate::crash_points::Step;
use crate::engine::local_fields::LocalFields;

/// The maximum number of records per statement, because databases limit the number of values.
pub(super) const RECORDS_PER_STATEMENT: usize = 50;

/// Decides what to do with a record of a page, given what the store has of it.
pub(crate) type Judge = Box<dyn Fn(Uuid, &Loaded, Result<Record, Fault>) -> Listed<Fault> + Send>;

/// A page to store.
pub(crate) struct Page {
    pub(crate) claim: Claim,
    pub(crate) actor: String,
    pub(crate) program: String,
    /// The records, each id once.
    pub(crate) records: Vec<(Uuid, Result<Record, Fault>)>,
    /// The pull's progress with this page.
    pub(crate) watermark: Watermark,
    /// What a first load vouches for, if this is its last page.
    pub(crate) vouched: Option<Vouched>,
    pub(crate) judge: Judge,
    /// The step of the operation.
    pub(crate) step: Step,
}

/// The outcome of storing a page.
#[derive(Debug)]
pub(crate) enum PageStored {
    /// The page was stored. The outcome of each record, in order.
    Done(Vec<(Uuid, Listed<Fault>)>),
    /// Another pull of the model has taken over. Nothing was stored.
    TakenOver,
}

/// Stores a page.
pub(crate) fn store(connection: &mut Connection, page: Page, quiet_ms: u64) -> Result<PageStored, Trouble> {
    let Page { claim, actor, program, mut records, watermark, vouched, judge, step } = page;
    let by = By { model: claim.model, actor: &actor, program: &program };
    let stored = connection.write(|connection| {
        if !watermark::advance(connection, &claim, &watermark)? {
            return Ok(PageStored::TakenOver);
        }
        if let Some(vouched) = &vouched {
            watermark::vouch(connection, &claim, vouched)?;
        }
        connection.lock(by.model.entity.name, records.iter().map(|(id, _)| id.to_string()))?;
        let now = connection.now()?;
        // Visible on the first page if it is also the last.
        if planted(Planted::AbsenceIsDeletion) && watermark.pages == 1 && watermark.next.is_none() {
            bury_absent(connection, by.model, &records)?;
        }
        let mut outcomes = Vec::with_capacity(records.len());
        while !records.is_empty() {
            let rest = records.split_off(records.len().min(RECORDS_PER_STATEMENT));
            let (ids, some): (Vec<_>, Vec<_>) = std::mem::replace(&mut records, rest).into_iter().unzip();
            let mut some = some.into_iter();
            let judge = |id, loaded: &Loaded| some.next().map_or(Listed::AsIs, |record| judge(id, loaded, record));
            outcomes.extend(store_some(connection, by, &ids, judge, now, quiet_ms)?);
        }
        connection.pass_before_commit(step)?;
        Ok(PageStored::Done(outcomes))
    });
    stored.map_err(|trouble| epochs::cause(connection, by.model, trouble))
}

/// A planted fault: makes tombstones of rows that are missing from a list.
fn bury_absent(
    connection: &mut Connection,
    model: &'static ModelDescriptor,
    shown: &[(Uuid, Result<Record, Fault>)],
) -> Result<(), Trouble> {
    let mut rows =
        Statement::new("SELECT id FROM datahub_records WHERE state = 'row' AND model = ?", [model.table.into()]);
    rows.sql(" ORDER BY id");
    let mut absent = connection.read::<Uuid>(&rows)?;
    absent.retain(|id| shown.iter().all(|(shown, _)| shown != id));
    bury(connection, model, &absent)
}

/// Part of a planted fault: makes tombstones of rows without a look at their records.
pub(super) fn bury(connection: &mut Connection, model: &'static ModelDescriptor, ids: &[Uuid]) -> Result<(), Trouble> {
    for id in ids {
        let sql = "UPDATE datahub_records SET state = 'tombstone', reason = 'gone' WHERE model = ? AND id = ?";
        connection.send(Statement::new(sql, [model.table.into(), (*id).into()]))?;
    }
    model_table::remove(connection, model, ids)
}

/// Loads some records, whose locks are held, and stores what is decided about each.
pub(super) fn store_some(
    connection: &mut Connection,
    by: By<'_>,
    ids: &[Uuid],
    mut judge: impl FnMut(Uuid, &Loaded) -> Listed<Fault>,
    now: Instant,
    quiet_ms: u64,
) -> Result<Vec<(Uuid, Listed<Fault>)>, Trouble> {
    let stored = load(connection, by.model, ids, quiet_ms, Stage::Begins)?;
    let judged = ids.iter().zip(&stored).map(|(id, stored)| (*id, judge(*id, &stored.loaded)));
    let outcomes = judged.collect();
    store_judged(connection, by, outcomes, &stored, now).map(|(outcomes, _)| outcomes)
}

/// What was decided about records, in their order.
type Outcomes = Vec<(Uuid, Listed<Fault>)>;

/// Stores what was decided about records, given what the store has of each. Returns the outcomes and, if there was
/// anything to store, its version.
pub(super) fn store_judged(
    connection: &mut Connection,
    by: By<'_>,
    mut outcomes: Outcomes,
    stored: &[StoredRecord],
    now: Instant,
) -> Result<(Outcomes, Option<Version>), Trouble> {
    if outcomes.iter().all(|(_, listed)| listed.commit().is_none()) {
        return Ok((outcomes, None));
    }
    let version = sequence::next(connection)?;
    let all: Vec<_> = outcomes.iter().zip(stored).map(|((id, listed), stored)| (*id, listed, stored)).collect();
    let reason = match attempt(connection, by, &all, version, now) {
        Ok(()) => return Ok((outcomes, Some(version))),
        // One of the rows violates a rule of the database. To find out which, each is tried separately.
        Err(Trouble::Refused(reason)) => reason,
        Err(trouble) => return Err(trouble),
    };
    // Or all do, because the table was changed: then no record is at fault.
    match differences::refused_or_changed(connection, by.model, reason) {
        Trouble::Refused(_) => {}
        trouble => return Err(trouble),
    }
    let mut waiting: Vec<_> = (0..outcomes.len()).collect();
    loop {
        let mut refused = Vec::new();
        for at in &waiting {
            let (id, listed) = &outcomes[*at];
            match attempt(connection, by, &[(*id, listed, &stored[*at])], version, now) {
                Ok(()) => {}
                Err(Trouble::Refused(reason)) => refused.push((*at, reason)),
                Err(trouble) => return Err(trouble),
            }
        }
        // A record may reference a later record of the same page.
        if refused.len() < waiting.len() {
            waiting = refused.into_iter().map(|(at, _)| at).collect();
            continue;
        }
        for (at, reason) in refused {
            let (id, listed) = &mut outcomes[at];
            *listed = std::mem::replace(listed, Listed::AsIs).refused(Fault::new(reason));
            apply(connection, by, &[(*id, listed, &stored[at])], version, now)?;
        }
        return Ok((outcomes, Some(version)));
    }
}

/// Stores the outcomes if they satisfy all rules of the database.
fn attempt(
    connection: &mut Connection,
    by: By<'_>,
    outcomes: &[(Uuid, &Listed<Fault>, &StoredRecord)],
    version: Version,
    now: Instant,
) -> Result<(), Trouble> {
    let ids: Vec<_> = outcomes.iter().map(|(id, ..)| *id).collect();
    let ends = |listed: &Listed<Fault>| {
        listed.commit().is_some_and(|commit| matches!(commit.record, RecordChange::Tombstone { .. }))
    };
    let removes = outcomes.iter().any(|(_, listed, _)| ends(listed));
    connection.savepoint(|connection| {
        let deferred = deferred::before(connection, Touched { model: by.model, ids: &ids, removes })?;
        apply(connection, by, outcomes, version, now)?;
        deferred.check(connection, by.model)
    })
}

/// Stores the outcomes.
fn apply(
    connection: &mut Connection,
    by: By<'_>,
    outcomes: &[(Uuid, &Listed<Fault>, &StoredRecord)],
    version: Version,
    now: Instant,
) -> Result<(), Trouble> {
    let model = by.model;
    let commits = || outcomes.iter().filter_map(|(id, listed, stored)| Some((*id, listed.commit()?, *stored)));
    let awaiting = commits().filter(|(_, commit, stored)| {
        let is_first = !stored.row_present && matches!(commit.record, RecordChange::Put { .. });
        is_first && waiting_fields::awaits(commit, stored.loaded.stored != Stored::Absent)
    });
    let awaiting: Vec<_> = awaiting.map(|(id, ..)| id).collect();
    let mut awaited = waiting_fields::awaited(connection, model, &awaiting)?;
    let mut plan = Plan::default();
    for (id, commit, stored) in commits() {
        plan.add(model, id, commit, stored, awaited.remove(&id).unwrap_or_default())?;
    }
    model_table::remove(connection, model, &plan.removed)?;
    model_table::put_refreshed(connection, model, &plan.rows)?;
    put_states(connection, by, &plan, version, now)?;
    quarantine::clear(connection, model, &plan.cleared)?;
    quarantine::put(connection, model, plan.quarantined, now)
}

/// Stores the engine's data about records and their history, in one statement if the database has such.
fn put_states(
    connection: &mut Connection,
    by: By<'_>,
    plan: &Plan<'_>,
    version: Version,
    now: Instant,
) -> Result<(), Trouble> {
    let form = connection.known_names().form_of(by.model);
    let states = records_to_put(by.model, &form, &plan.states, version)?;
    let history = history::to_append(by, &plan.history, version, now)?;
    match (states, history) {
        (Some(states), Some(history)) if connection.dialect().has_writing_subqueries => {
            connection.send(states.and(history))
        }
        (states, history) => states.into_iter().chain(history).try_for_each(|one| connection.send(one)),
    }
}

/// The combined changes of a page's records.
#[derive(Default)]
struct Plan<'c> {
    rows: Vec<RefreshedRow>,
    removed: Vec<Uuid>,
    states: Vec<NewState<'c>>,
    history: Vec<Appended<'c>>,
    cleared: Vec<Uuid>,
    quarantined: Vec<Put>,
}

impl<'c> Plan<'c> {
    fn add(
        &mut self,
        model: &ModelDescriptor,
        id: Uuid,
        commit: &'c Commit<Fault>,
        stored: &StoredRecord,
        given: LocalFields,
    ) -> Result<(), Trouble> {
        let before = stored.row_present.then_some(&stored.locals);
        let mut local = Vec::new();
        match &commit.record {
            RecordChange::Keep => {}
            RecordChange::Put { row, values } => {
                local = model_table::local_changes(model, before, &given)?;
                let values = Values::clone(values);
                self.rows.push(RefreshedRow { id, values, before: before.cloned(), given });
                self.states.push(NewState { id, row, ended: None });
            }
            RecordChange::Tombstone { reason, last } => {
                self.removed.push(id);
                self.states.push(NewState { id, row: last, ended: Some(*reason) });
                local = before.map(|last| model_table::local_endings(model, last)).unwrap_or_default();
            }
            RecordChange::LocalOnly | RecordChange::Touch => unreachable!("a page never ends a write"),
        }
        for entry in &commit.history {
            self.history.push(Appended { id, entry, local: std::mem::take(&mut local) });
        }
        match &commit.quarantine {
            QuarantineChange::Keep => {}
            QuarantineChange::Clear => self.cleared.push(id),
            QuarantineChange::Put(fault) => {
                self.quarantined.push(Put { id, reason: fault.to_string(), orphan: None });
            }
            QuarantineChange::PutOrphan { .. } => unreachable!("a page is never the answer to a create"),
        }
        Ok(())
    }
}
