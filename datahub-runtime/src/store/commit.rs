//! Runs one transaction of the protocol: checks its guard, then stores all of it or nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use cdms_odata::{Instant, Value};
use datahub_model::{Column, EngineAttribute, Fault, ModelDescriptor, Source};
use datahub_protocol::planted::{Planted, planted};
use datahub_protocol::{
    Commit, Committed, Entry, EntryKind, Guard, IntentChange, MappingTag, NewRow, OperationId, Origin, RecordChange,
    Snapshot, Stored, TombstoneReason, Trial, Version,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::columns::{FromRow as _, Json};
use super::connection::Connection;
use super::deferred::{self, Touched};
use super::differences;
use super::epochs::{self, Stage, oldest_epoch};
use super::failure::Trouble;
use super::history::{self, Appended};
use super::intents::{self, mapping_datum};
use super::load::load;
use super::model_table::{self, Purpose, Stays, from_wanted, select_row, take_row};
use super::row::{to_json, to_word};
use super::seen::Form;
use super::statement::{ColumnType, Datum, Statement};
use super::{quarantine, sequence, waiting_fields};
use crate::crash_points::Step;
use crate::engine::local_fields::{LocalChange, LocalFields, NamedFields};

/// A transaction on one record, with what the protocol does not know about it.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) model: &'static ModelDescriptor,
    pub(crate) id: Uuid,
    pub(crate) commit: Commit<Fault>,
    /// The values that the caller set in local fields. They are stored by the transaction that ends the caller's write
    /// as applied, or on their own. A refresh before that does not store them.
    pub(crate) locals: Option<LocalFields>,
    pub(crate) actor: String,
    pub(crate) program: String,
    /// The id of this program's instance, which holds leases.
    pub(crate) holder: Uuid,
    /// The duration of a lease that the transaction opens.
    pub(crate) lease_ms: u64,
    /// How long after its lease CDMS may still execute the request of a write that the transaction opens or releases.
    pub(crate) quiet_ms: u64,
    /// Whether the transaction is repeated because the database became unavailable before it reported the outcome of
    /// the first run.
    pub(crate) again: bool,
    /// The step of the operation.
    pub(crate) step: Step,
}

/// The actor and program that store, and the model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By<'j> {
    pub(crate) model: &'static ModelDescriptor,
    pub(crate) actor: &'j str,
    pub(crate) program: &'j str,
}

impl Job {
    fn by(&self) -> By<'_> {
        By { model: self.model, actor: &self.actor, program: &self.program }
    }

    /// Whether the transaction may be the first of its operation, or belongs to a write that was begun before.
    fn stage(&self) -> Stage {
        match self.commit.guard {
            Guard::Unchanged { .. } => Stage::Begins,
            Guard::Intent(_) => Stage::Finishes,
        }
    }

    /// The same job, as if CDMS had changed the row now.
    fn at(&self, now: Instant) -> Job {
        let mut job = self.clone();
        if let RecordChange::Put { row, .. } | RecordChange::Tombstone { last: row, .. } = &mut job.commit.record {
            row.facts.modified = now;
        }
        if let RecordChange::Put { values, .. } = &mut job.commit.record {
            let shown = |column: &Column| matches!(column.source, Source::Engine(EngineAttribute::Modified));
            let columns = self.model.columns.iter().zip(Arc::make_mut(values));
            columns.filter(|(column, _)| shown(column)).for_each(|(_, value)| *value = Value::Instant(now));
        }
        job
    }
}

/// Why a transaction was not committed.
#[derive(Debug)]
enum Stop {
    Lost,
    Trouble(Trouble),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Stop::Trouble(trouble)
    }
}

/// The state that the guard checks.
struct Guarded {
    version: Option<Version>,
    intent: Option<Uuid>,
    /// The record's newest write that was found not applied and has not shown up.
    late: Option<OperationId>,
    /// The local values that the open intent's writer wants to be stored when its write succeeds.
    intended_locals: NamedFields,
    /// The local fields, if there is a row.
    locals: Option<LocalFields>,
    /// The version for the record's new state, if it was drawn with this.
    next_version: Option<Version>,
}

/// Runs the transaction. Nothing is changed unless the result is [`Committed::Done`].
///
/// # Errors
///
/// [`Trouble::Outdated`] alone. Any other problem is part of the outcome.
pub(crate) fn run(connection: &mut Connection, job: &Job) -> Result<Committed, Trouble> {
    let at_our_time =
        if planted(Planted::LocalClockStored) { connection.now().ok().map(|now| job.at(now)) } else { None };
    let job = at_our_time.as_ref().unwrap_or(job);
    let mut stored = connection.write(|connection| store(connection, job));
    if let Err(Stop::Trouble(Trouble::Forgotten(_))) = stored {
        stored = connection.write(|connection| store(connection, job));
    }
    Ok(match stored {
        Ok((version, local)) if planted(Planted::HistoryOutsideTransaction) => {
            connection.pass_before_commit(job.step)?;
            let append = |connection: &mut Connection| {
                let now = connection.now()?;
                append_history(connection, job, local, version, now)
            };
            _ = connection.write(append);
            Committed::Done(version)
        }
        Ok((version, _)) => Committed::Done(version),
        Err(Stop::Lost) => Committed::Lost,
        Err(Stop::Trouble(Trouble::Refused(reason))) => {
            match differences::refused_or_changed(connection, job.model, reason) {
                Trouble::Refused(reason) => Committed::Refused(reason),
                trouble => return unavailable(connection, job, trouble),
            }
        }
        Err(Stop::Trouble(trouble)) => return unavailable(connection, job, trouble),
    })
}

/// The database cannot be used for this transaction, or the program has become too old for it.
fn unavailable(connection: &mut Connection, job: &Job, trouble: Trouble) -> Result<Committed, Trouble> {
    match epochs::cause(connection, job.model, trouble) {
        outdated @ Trouble::Outdated(_) => Err(outdated),
        trouble => Ok(Committed::Unavailable(trouble.into_reason())),
    }
}

/// Returns the new version, and the changes of local columns that are not yet in the history.
fn store(connection: &mut Connection, job: &Job) -> Result<(Version, Vec<LocalChange>), Stop> {
    let Job { model, id, commit, .. } = job;
    connection.send_lock(model.entity.name, [id.to_string()])?;
    let found = find(connection, job)?;
    // Taken once the lock is held, so that it is later than the times of transactions that held the lock before.
    let now = connection.now()?;
    if !holds(commit.guard, &found) && !planted(Planted::NoCompareAndSet) {
        // A write that ends without a record to store leaves no version either.
        let version = found.version.unwrap_or(Version(0));
        return if job.again && is_done_already(connection, job)? {
            Ok((version, Vec::new()))
        } else {
            Err(Stop::Lost)
        };
    }
    if let Some(trial) = &commit.trial {
        let given = &job.locals.clone().unwrap_or_default();
        let before = found.locals.as_ref();
        let touched = Touched { model, ids: &[*id], removes: matches!(trial, Trial::Remove) };
        connection.attempt(|connection| {
            let deferred = deferred::before(connection, touched)?;
            match trial {
                Trial::Put(values) => {
                    model_table::put(connection, model, *id, values, Stays { before, given }, Purpose::Trial)?;
                }
                Trial::Remove => model_table::remove(connection, model, &[*id])?,
            }
            deferred.check(connection, model)
        })?;
    }
    let version = match commit.record {
        RecordChange::Keep => found.version.unwrap_or(Version(0)),
        _ => match found.next_version {
            Some(version) => version,
            None => sequence::next(connection)?,
        },
    };
    let mut local = change_record(connection, job, &found, version)?;
    if !planted(Planted::HistoryOutsideTransaction) {
        append_history(connection, job, std::mem::take(&mut local), version, now)?;
    }
    intents::change(connection, job, &commit.intent, &waiting_fields::to_keep(job), now)?;
    quarantine::change(connection, job, &commit.quarantine, now)?;
    if !planted(Planted::HistoryOutsideTransaction) {
        connection.pass_before_commit(job.step)?;
    }
    Ok((version, local))
}

fn find(connection: &mut Connection, job: &Job) -> Result<Guarded, Trouble> {
    let Job { model, id, commit, .. } = job;
    let mut statement = Statement::default();
    // The table's epoch, the record's version, the open intent's operation and local values, and the newest operation that may show up
    // late.
    type GuardColumns = (Option<String>, Option<Version>, Option<Uuid>, Option<Json<NamedFields>>, Option<OperationId>);
    let mut types = GuardColumns::TYPES.to_vec();
    statement.push(concat!("SELECT ", oldest_epoch!()), [epochs::setting_of(model)]);
    statement.push(
        ", record.version, intent.operation, intent.local, (SELECT intent.operation FROM datahub_intents AS intent \
         WHERE intent.entity = ? AND intent.id = ? AND intent.finished IS NULL AND ",
        [model.entity.name.into(), (*id).into()],
    );
    intents::push_late(&mut statement, connection.now()?)?;
    statement.sql(" ORDER BY intent.opened_at DESC, intent.operation DESC LIMIT 1)");
    select_row(&mut statement, &mut types, model);
    // There is one row, of the one record.
    let draws = match commit.record {
        RecordChange::Keep => None,
        _ => connection.dialect().next_version_in_select,
    };
    if let Some(draws) = draws {
        statement.sql(draws);
        types.push(ColumnType::BigInt);
    }
    from_wanted(&mut statement, model, [*id]);
    statement.push(
        " LEFT JOIN datahub_intents AS intent ON intent.entity = ? AND intent.id = wanted.column1 \
         AND intent.verdict IS NULL",
        [model.entity.name.into()],
    );
    let rows = connection.query(&statement, &types)?;
    let mut row =
        rows.into_iter().next().ok_or_else(|| Trouble::Corrupt("the guard's query returned no row".to_owned()))?;
    let (oldest_epoch, version, intent, intended, late) = GuardColumns::take(&mut row)?;
    job.stage().check(model, oldest_epoch.as_deref())?;
    let intended_locals = intended.map(|Json(locals)| locals).unwrap_or_default();
    let (present, locals) = take_row(&mut row, model)?;
    let next_version = draws.map(|_| row.number().map(Version)).transpose()?;
    next_version.into_iter().for_each(|version| connection.note_drawn(version));
    Ok(Guarded { version, intent, late, intended_locals, locals: present.then_some(locals), next_version })
}

fn holds(guard: Guard, found: &Guarded) -> bool {
    match guard {
        Guard::Unchanged { version, late } => found.version == version && found.intent.is_none() && found.late == late,
        Guard::Intent(operation) => found.intent == Some(operation.0),
    }
}

/// Whether the first run of the transaction was committed after all: its write has the verdict, and the record has the
/// state.
fn is_done_already(connection: &mut Connection, job: &Job) -> Result<bool, Trouble> {
    let IntentChange::Close { operation, verdict } = &job.commit.intent else { return Ok(false) };
    let settled = intents::by_operation(connection, *operation, 0)?.and_then(|intent| intent.verdict);
    if settled.as_ref() != Some(verdict) {
        return Ok(false);
    }
    let stored = load(connection, job.model, &[job.id], 0, Stage::Finishes)?.pop().map(|record| record.loaded.stored);
    let as_stored =
        |row: &NewRow, snapshot: &Snapshot| row.seen == snapshot.seen && row.facts.modified == snapshot.facts.modified;
    Ok(match (&job.commit.record, stored) {
        (RecordChange::Keep | RecordChange::Touch, _) => true,
        (RecordChange::Put { row, .. }, Some(Stored::Row(snapshot))) => as_stored(row, &snapshot),
        (RecordChange::Tombstone { last, .. }, Some(Stored::Tombstone(snapshot, _))) => as_stored(last, &snapshot),
        _ => false,
    })
}

/// Stores the record's new state and returns the changes of its local columns.
fn change_record(
    connection: &mut Connection,
    job: &Job,
    found: &Guarded,
    version: Version,
) -> Result<Vec<LocalChange>, Trouble> {
    let Job { model, id, commit, .. } = job;
    let before = found.locals.as_ref();
    match &commit.record {
        RecordChange::Keep => Ok(Vec::new()),
        // The write was applied, but its record cannot be stored. Local fields need not wait for that.
        RecordChange::Touch => {
            touch(connection, job, version)?;
            if before.is_none() {
                // They wait for the row in the write's intent; see `waiting_fields`.
                return Ok(Vec::new());
            }
            let given = waiting_fields::to_store(job, &found.intended_locals);
            model_table::put_locals(connection, model, *id, &given)?;
            model_table::local_changes(model, before, &given)
        }
        RecordChange::Put { row, values } => {
            let awaited = match before {
                None if waiting_fields::awaits(commit, found.version.is_some()) => {
                    waiting_fields::awaited(connection, model, &[*id])?
                }
                _ => BTreeMap::new(),
            };
            let given =
                awaited.into_values().next().unwrap_or_else(|| waiting_fields::to_store(job, &found.intended_locals));
            model_table::put(connection, model, *id, values, Stays { before, given: &given }, Purpose::Keep)?;
            put_records(connection, model, &[NewState { id: *id, row, ended: None }], version)?;
            model_table::local_changes(model, before, &given)
        }
        RecordChange::Tombstone { reason, last } => {
            model_table::remove(connection, model, &[*id])?;
            put_records(connection, model, &[NewState { id: *id, row: last, ended: Some(*reason) }], version)?;
            Ok(before.map(|last| model_table::local_endings(model, last)).unwrap_or_default())
        }
        RecordChange::LocalOnly => {
            let given = job.locals.clone().unwrap_or_default();
            let changes = model_table::local_changes(model, before, &given)?;
            model_table::put_locals(connection, model, *id, &given)?;
            touch(connection, job, version)?;
            Ok(changes)
        }
    }
}

/// Gives a record a new version.
fn touch(connection: &mut Connection, job: &Job, version: Version) -> Result<(), Trouble> {
    let sql = "UPDATE datahub_records SET version = ?, \
               outdated_at = CASE WHEN outdated_at = version THEN CAST(? AS BIGINT) END WHERE model = ? AND id = ?";
    let values = [version.0.into(), version.0.into(), job.model.table.into(), job.id.into()];
    connection.send(Statement::new(sql, values))
}

/// The new state of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewState<'r> {
    pub(crate) id: Uuid,
    pub(crate) row: &'r NewRow,
    /// The reason for a tombstone.
    pub(crate) ended: Option<TombstoneReason>,
}

/// The other mappings for which a row is complete, as stored. It applies to this version only, so a program that does
/// not know the column can ignore it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CompleteFor {
    version: Version,
    mappings: Vec<MappingTag>,
}

impl CompleteFor {
    fn datum(&self) -> Result<Datum, Trouble> {
        if self.mappings.is_empty() { Ok(Datum::Text(None)) } else { to_json(self) }
    }

    /// The mappings at a version.
    pub(crate) fn at(self, version: Version) -> Vec<MappingTag> {
        if self.version == version { self.mappings } else { Vec::new() }
    }
}

/// Stores the engine's data about records.
pub(crate) fn put_records(
    connection: &mut Connection,
    model: &ModelDescriptor,
    records: &[NewState<'_>],
    version: Version,
) -> Result<(), Trouble> {
    let form = connection.known_names().form_of(model);
    records_to_put(model, &form, records, version)?.map_or(Ok(()), |statement| connection.send(statement))
}

/// The statement that stores the engine's data about records, if there are any.
pub(super) fn records_to_put(
    model: &ModelDescriptor,
    form: &Form,
    records: &[NewState<'_>],
    version: Version,
) -> Result<Option<Statement>, Trouble> {
    if records.is_empty() {
        return Ok(None);
    }
    let mut statement = Statement::default();
    statement.sql(
        "INSERT INTO datahub_records \
         (model, id, modified, created, modified_by, seen, mapping_id, version, state, reason, complete_for, outdated, \
         outdated_at) ",
    );
    let values =
        records.iter().map(|record| state_values(model, form, *record, version)).collect::<Result<Vec<_>, _>>()?;
    statement.inserted(values);
    statement.sql(
        " ON CONFLICT (model, id) DO UPDATE SET modified = excluded.modified, created = excluded.created, \
         modified_by = excluded.modified_by, seen = excluded.seen, mapping_id = excluded.mapping_id, \
         version = excluded.version, state = excluded.state, reason = excluded.reason, \
         complete_for = excluded.complete_for, outdated = excluded.outdated, outdated_at = excluded.outdated_at",
    );
    Ok(Some(statement))
}

fn state_values(
    model: &ModelDescriptor,
    form: &Form,
    record: NewState<'_>,
    version: Version,
) -> Result<[Datum; 13], Trouble> {
    let NewState { id, row, ended } = record;
    Ok([
        model.table.into(),
        id.into(),
        row.facts.modified.into(),
        Datum::Instant(row.facts.created),
        Datum::Guid(row.facts.modified_by),
        form.datum(&row.seen)?,
        mapping_datum(model.mapping_id.0),
        version.0.into(),
        if ended.is_some() { "tombstone" } else { "row" }.into(),
        ended.as_ref().map_or(Ok(Datum::Text(None)), to_word)?,
        CompleteFor { version, mappings: row.complete_for.clone() }.datum()?,
        if row.outdated.is_empty() { Datum::Text(None) } else { to_json(&row.outdated)? },
        version.0.into(),
    ])
}

/// Appends the entries. Changes of local columns go with the entry of the record's end, otherwise with the first entry.
fn append_history(
    connection: &mut Connection,
    job: &Job,
    mut local: Vec<LocalChange>,
    version: Version,
    now: Instant,
) -> Result<(), Trouble> {
    let only_local = Entry {
        kind: EntryKind::LocalChanged,
        origin: Origin::Hub,
        operation: None,
        changes: Vec::new(),
        constants: cdms_odata::Attributes::new(),
        modified: None,
        modified_by: None,
        skew_ms: None,
    };
    let all: &[Entry] = match &job.commit.history[..] {
        [] if local.is_empty() => return Ok(()),
        [] => std::slice::from_ref(&only_local),
        all => all,
    };
    let at = all.iter().rposition(|entry| entry.kind.is_end()).unwrap_or(0);
    let mut local_at = |place| if place == at { std::mem::take(&mut local) } else { Vec::new() };
    let entries = all.iter().enumerate();
    let entries = entries.map(|(place, entry)| Appended { id: job.id, entry, local: local_at(place) });
    history::append(connection, job.by(), &entries.collect::<Vec<_>>(), version, now)
}
