//! Loads everything that the hub has of records, in one statement.

use std::collections::{BTreeSet, HashMap};

use cdms_odata::{Facts, Instant};
use datahub_model::{ModelDescriptor, conversion};
use datahub_protocol::{
    Intent, LeaseState, Loaded, OpenIntent, Snapshot, Stored, TombstoneReason, UnansweredDelete, Verdict, Version,
};
use uuid::Uuid;

use super::columns::{FromRow as _, Json, Word, columns};
use super::commit::CompleteFor;
use super::connection::Connection;
use super::epochs::{self, Stage, oldest_epoch};
use super::failure::Trouble;
use super::intents::{self, Lease, applied, lease_state, mapping_tag, settled_patch};
use super::model_table::{from_wanted, select_row, take_row};
use super::row::missing;
use super::seen;
use super::statement::{ColumnType, Statement};
use crate::engine::local_fields::LocalFields;

/// Everything that the hub has of one record.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct StoredRecord {
    /// The data for the protocol.
    pub(crate) loaded: Loaded,
    /// All local fields; null if there is no row.
    pub(crate) locals: LocalFields,
    /// Whether the model's table has the row. If the record has a row but the table does not, someone removed it
    /// without the hub, and it must be stored again.
    pub(crate) row_present: bool,
}

/// Loads records, in the order of `ids`. The query returns one row for each relevant intent of a record, and one row
/// for a record without any. A program that is too old gets nothing unless it finishes a write.
pub(crate) fn load(
    connection: &mut Connection,
    model: &'static ModelDescriptor,
    ids: &[Uuid],
    quiet_ms: u64,
    stage: Stage,
) -> Result<Vec<StoredRecord>, Trouble> {
    let now = connection.now()?;
    let (mut statement, types) = question(model, ids, now, quiet_ms)?;
    if connection.is_in_transaction() {
        // A prepared statement may be rejected if a column was widened since, and the transaction would fail with it.
        statement = statement.once();
    }

    let mut found: HashMap<Uuid, StoredRecord> = HashMap::with_capacity(ids.len());
    for mut row in connection.query(&statement, &types)? {
        let mut known = RecordColumns::take(&mut row)?;
        stage.check(model, known.oldest_epoch.as_deref())?;
        let (row_present, locals) = take_row(&mut row, model)?;
        let stored = known.stored(connection, model)?;
        let intent = known.intent.map(|Json(intent)| intents::with_calendar_dates(model, intent));
        let lease = known.lease_until.map(|until| Lease { until, quiet_until: known.quiet_until });
        let verdict = known.verdict.map(|Json(verdict)| verdict);
        let record = found.entry(known.id).or_insert_with(|| {
            let loaded = Loaded { stored, quarantined: known.quarantined, ..Loaded::default() };
            StoredRecord { loaded, locals, row_present }
        });
        match (intent, lease) {
            (Some(intent), Some(lease)) if verdict == Some(Verdict::Applied) => {
                if let LeaseState::Quiet { left_ms } = lease_state(lease, now, quiet_ms) {
                    let operation = intent.operation;
                    record.loaded.unanswered_delete = Some(UnansweredDelete { operation, left_ms });
                }
            }
            (Some(intent), _) if verdict.is_some() => record.loaded.late.push(settled_patch(&intent)),
            (Some(intent), Some(lease)) => {
                record.loaded.intent = Some(OpenIntent { intent, lease: lease_state(lease, now, quiet_ms) });
            }
            _ => {}
        }
    }
    let in_order = ids.iter().map(|id| {
        let mut record =
            found.remove(id).ok_or_else(|| Trouble::Corrupt(format!("the query returned no row for record {id}")))?;
        if let Stored::Row(snapshot) = &mut record.loaded.stored
            && !record.row_present
        {
            // Someone removed the row without the hub: it is complete for no mapping, and will be stored again.
            snapshot.complete_for.clear();
        }
        Ok(record)
    });
    in_order.collect()
}

columns! {
    /// What is known of a record, once for each relevant intent.
    struct RecordColumns {
        id: Uuid = "wanted.column1",
        state: Option<String> = "record.state",
        version: Option<Version> = "record.version",
        modified: Option<Instant> = "record.modified",
        created: Option<Instant> = "record.created",
        modified_by: Option<Uuid> = "record.modified_by",
        seen: Option<String> = "record.seen",
        mapping_id: Option<i64> = "record.mapping_id",
        complete_for: Option<Json<CompleteFor>> = "record.complete_for",
        outdated: Option<Json<BTreeSet<String>>> = "record.outdated",
        outdated_at: Option<Version> = "record.outdated_at",
        reason: Option<Word<TombstoneReason>> = "record.reason",
        intent: Option<Json<Intent>> = "intent.body",
        lease_until: Option<Instant> = "intent.lease_until",
        quiet_until: Option<Instant> = "intent.quiet_until",
        verdict: Option<Json<Verdict>> = "intent.verdict",
        quarantined: bool = "EXISTS (SELECT 1 FROM datahub_quarantine WHERE model = ? AND id = wanted.column1)",
        oldest_epoch: Option<String> = oldest_epoch!(),
    }
}

/// How many pieces the statement that loads records has, of most models.
const QUESTION_PIECES: usize = 64;

/// The statement that loads records, and the types of its columns.
pub(super) fn question(
    model: &'static ModelDescriptor,
    ids: &[Uuid],
    now: Instant,
    quiet_ms: u64,
) -> Result<(Statement, Vec<ColumnType>), Trouble> {
    let mut statement = Statement::with_room(QUESTION_PIECES);
    let mut types = RecordColumns::TYPES.to_vec();
    statement.sql("SELECT ");
    statement.push(RecordColumns::SELECT, [model.table.into(), epochs::setting_of(model)]);
    select_row(&mut statement, &mut types, model);
    from_wanted(&mut statement, model, ids.iter().copied());
    statement.push(
        " LEFT JOIN datahub_intents AS intent ON intent.entity = ? AND intent.id = wanted.column1 \
         AND intent.finished IS NULL AND (intent.verdict IS NULL",
        [model.entity.name.into()],
    );
    statement.sql(" OR ");
    intents::push_late(&mut statement, now)?;
    statement.push(
        " OR (intent.write = 'delete' AND intent.verdict = ? AND intent.closed_at >= intent.lease_until AND ",
        [applied()?],
    );
    intents::push_quiet(&mut statement, now, quiet_ms);
    statement.sql(")) ORDER BY intent.opened_at, intent.operation");
    Ok((statement, types))
}

impl RecordColumns {
    /// The record's stored state.
    fn stored(&mut self, connection: &mut Connection, model: &ModelDescriptor) -> Result<Stored, Trouble> {
        let Some(state) = self.state.take() else { return Ok(Stored::Absent) };
        let version = self.version.ok_or_else(|| missing("a number"))?;
        let modified = self.modified.ok_or_else(|| missing("a time"))?;
        let facts = Facts { modified, created: self.created, modified_by: self.modified_by };
        let mut seen = seen::read(connection, &self.seen.take().ok_or_else(|| missing("a text"))?)?;
        // Programs of older revisions store dates as CDMS's instants.
        conversion::with_calendar_dates(model, &mut seen);
        let mut complete_for = vec![mapping_tag(self.mapping_id.ok_or_else(|| missing("a number"))?)];
        if let Some(Json(others)) = self.complete_for.take() {
            complete_for.extend(others.at(version));
        }
        let outdated = match self.outdated.take() {
            outdated if self.outdated_at == Some(version) => outdated.map(|Json(names)| names).unwrap_or_default(),
            // A program of an older revision stored it, which does not say what it read.
            _ => seen.names().map(|name| name.to_string()).collect(),
        };
        let snapshot = Snapshot { version, facts, seen, complete_for, outdated };
        match (state.as_str(), self.reason.take()) {
            ("row", None) => Ok(Stored::Row(snapshot)),
            ("tombstone", Some(Word(reason))) => Ok(Stored::Tombstone(snapshot, reason)),
            (other, _) => Err(Trouble::Corrupt(format!("invalid state {other:?} of record {}", self.id))),
        }
    }
}
