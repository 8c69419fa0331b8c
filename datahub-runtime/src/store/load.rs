//! Reading all that the hub has of records, in one statement.

use std::collections::HashMap;

use cdms_odata::{Attributes, Facts, Instant, Value};
use datahub_model::{ModelDescriptor, conversion};
use datahub_protocol::{
    LeaseState, Loaded, OpenIntent, Snapshot, Stored, TombstoneReason, UnansweredDelete, Verdict, Version,
};
use uuid::Uuid;

use super::commit::CompleteFor;
use super::connection::Connection;
use super::failure::Trouble;
use super::intents::{self, Lease, applied, lease_state, mapping_tag, settled_patch};
use super::model_table::{join_row, select_row, take_row};
use super::row::Cells;
use super::statement::{ColumnType, Statement};

/// All that the hub has of one record.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct StoredRecord {
    /// What the protocol wants to know.
    pub(crate) loaded: Loaded,
    /// The local columns' values in their order; null where there is no row.
    pub(crate) locals: Vec<Value>,
    /// Whether the model's table has the row. If the record has one and the table has not, somebody removed it past
    /// the hub, and it is to be stored again.
    pub(crate) row_present: bool,
}

/// Loads records, in the order of their ids. There is one row of the answer for each intent of a record that matters, and
/// one where there is none.
pub(crate) fn load(
    connection: &mut Connection,
    model: &'static ModelDescriptor,
    ids: &[Uuid],
    quiet_ms: u64,
) -> Result<Vec<StoredRecord>, Trouble> {
    let now = connection.now()?;
    let (mut statement, types) = question(model, ids, now, quiet_ms)?;
    if connection.is_in_transaction() {
        // A prepared one may be refused where a column was widened since, and take the transaction with it.
        statement = statement.once();
    }

    let mut found: HashMap<Uuid, StoredRecord> = HashMap::with_capacity(ids.len());
    for mut row in connection.query(&statement, &types)? {
        let id = row.guid()?;
        let stored = stored(&mut row, model, id)?;
        let intent = row.optional_json()?.map(|intent| intents::with_calendar_dates(model, intent));
        let (lease_until, quiet_until) = (row.optional_instant()?, row.optional_instant()?);
        let lease = lease_until.map(|until| Lease { until, quiet_until });
        let verdict: Option<Verdict> = row.optional_json()?;
        let quarantined = row.flag()?;
        let (row_present, locals) = take_row(&mut row, model)?;
        let record = found.entry(id).or_insert_with(|| {
            let loaded = Loaded { stored, quarantined, ..Loaded::default() };
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
        let mut record = found.remove(id).ok_or_else(|| Trouble::Corrupt(format!("no answer for record {id}")))?;
        if let Stored::Row(snapshot) = &mut record.loaded.stored
            && !record.row_present
        {
            // Somebody removed the row behind the hub's back: it is complete for nobody, and put again.
            snapshot.complete_for.clear();
        }
        Ok(record)
    });
    in_order.collect()
}

/// The statement that loads records, and what its rows are.
pub(super) fn question(
    model: &'static ModelDescriptor,
    ids: &[Uuid],
    now: Instant,
    quiet_ms: u64,
) -> Result<(Statement, Vec<ColumnType>), Trouble> {
    let mut statement = Statement::of_many(ids.len());
    let mut types = vec![
        ColumnType::Guid,
        ColumnType::Text,
        ColumnType::BigInt,
        ColumnType::Instant,
        ColumnType::Instant,
        ColumnType::Guid,
        ColumnType::Text,
        ColumnType::BigInt,
        ColumnType::Text,
        ColumnType::Text,
        ColumnType::Text,
        ColumnType::Instant,
        ColumnType::Instant,
        ColumnType::Text,
        ColumnType::Bool,
    ];
    statement.push(
        "SELECT wanted.column1, record.state, record.version, record.modified, record.created, record.modified_by, \
         record.seen, record.mapping_id, record.complete_for, record.reason, intent.body, intent.lease_until, intent.quiet_until, \
         intent.verdict, EXISTS (SELECT 1 FROM datahub_quarantine WHERE model = ? AND id = wanted.column1)",
        [model.table.into()],
    );
    select_row(&mut statement, &mut types, model);
    statement.sql(" FROM ");
    statement.wanted(ids.iter().copied());
    statement.push(
        " LEFT JOIN datahub_records AS record ON record.model = ? AND record.id = wanted.column1",
        [model.table.into()],
    );
    join_row(&mut statement, model);
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

/// Takes a record's own columns.
fn stored(row: &mut Cells, model: &ModelDescriptor, id: Uuid) -> Result<Stored, Trouble> {
    let Some(state) = row.optional_text()? else {
        for _ in 0..8 {
            row.datum()?;
        }
        return Ok(Stored::Absent);
    };
    let version = Version(row.number()?);
    let facts = Facts { modified: row.instant()?, created: row.optional_instant()?, modified_by: row.optional_guid()? };
    let mut seen: Attributes = row.json()?;
    // Programs of older revisions keep the instants that CDMS has for dates.
    conversion::with_calendar_dates(model, &mut seen);
    let mut complete_for = vec![mapping_tag(row.number()?)];
    if let Some(others) = row.optional_json::<CompleteFor>()? {
        complete_for.extend(others.at(version));
    }
    let reason: Option<TombstoneReason> = row.optional_word()?;
    let snapshot = Snapshot { version, facts, seen, complete_for };
    match (state.as_str(), reason) {
        ("row", None) => Ok(Stored::Row(snapshot)),
        ("tombstone", Some(reason)) => Ok(Stored::Tombstone(snapshot, reason)),
        (other, _) => Err(Trouble::Corrupt(format!("the state {other:?} of record {id}"))),
    }
}
