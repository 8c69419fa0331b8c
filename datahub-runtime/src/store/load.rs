//! Reading all that the hub has of one record, in one statement.

use cdms_odata::{Attributes, Instant, Value};
use datahub_model::ModelDescriptor;
use datahub_protocol::{Intent, Loaded, OpenIntent, Snapshot, Stored, TombstoneReason, Version};
use uuid::Uuid;

use super::connection::Connection;
use super::failure::Trouble;
use super::intents::{KEPT_MS, SUPERSEDED, lease_state, mapping_tag, not_applied, settled_patch};
use super::model_table::{join_row, select_row, take_row};
use super::statement::{ColumnType, Statement};

/// All that the hub has of one record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredRecord {
    /// What the protocol wants to know.
    pub(crate) loaded: Loaded,
    /// The local columns' values in their order; null where there is no row.
    pub(crate) locals: Vec<Value>,
    /// Whether the model's table has the row. If the record has one and the table has not, somebody removed it past
    /// the hub, and it is to be stored again.
    pub(crate) row_present: bool,
}

/// Loads a record. There is one row of the answer for each intent that matters, and one if there is none.
pub(crate) fn load(
    connection: &mut Connection,
    model: &'static ModelDescriptor,
    id: Uuid,
    now: Instant,
    quiet_ms: u64,
) -> Result<StoredRecord, Trouble> {
    let mut statement = Statement::default();
    let mut types = vec![
        ColumnType::Text,
        ColumnType::BigInt,
        ColumnType::Instant,
        ColumnType::Instant,
        ColumnType::Guid,
        ColumnType::Text,
        ColumnType::BigInt,
        ColumnType::Text,
        ColumnType::Text,
        ColumnType::Instant,
        ColumnType::Text,
        ColumnType::Bool,
    ];
    statement.push(
        "SELECT record.state, record.version, record.modified, record.created, record.modified_by, record.seen, \
         record.mapping_id, record.reason, intent.body, intent.lease_until, intent.verdict, \
         EXISTS (SELECT 1 FROM datahub_quarantine WHERE model = ? AND id = ?)",
        [model.table.into(), id.into()],
    );
    select_row(&mut statement, &mut types, model);
    statement.push(
        " FROM (SELECT 1 AS one) AS always LEFT JOIN datahub_records AS record ON record.model = ? AND record.id = ?",
        [model.table.into(), id.into()],
    );
    join_row(&mut statement, model, id);
    statement.push(
        " LEFT JOIN datahub_intents AS intent ON intent.entity = ? AND intent.id = ? \
         AND (intent.verdict IS NULL OR ((intent.verdict = ? OR intent.verdict LIKE ?) AND intent.closed_at >= ?)) \
         ORDER BY intent.opened_at, intent.operation",
        [model.entity.name.into(), id.into(), not_applied()?, SUPERSEDED.into(), now.plus_ms(-KEPT_MS).into()],
    );

    let mut loaded = Loaded::default();
    let mut rest = (Vec::new(), false);
    for (at, mut row) in connection.query(&statement, &types)?.into_iter().enumerate() {
        let state = row.optional_text()?;
        if at == 0
            && let Some(state) = state
        {
            let version = Version(row.number()?);
            let (modified, created, modified_by) = (row.instant()?, row.optional_instant()?, row.optional_guid()?);
            let seen: Attributes = row.json()?;
            let mapping = mapping_tag(row.number()?);
            let reason: Option<TombstoneReason> = row.optional_word()?;
            let snapshot = Snapshot { version, modified, created, modified_by, seen, mapping };
            loaded.stored = match (state.as_str(), reason) {
                ("row", None) => Stored::Row(snapshot),
                ("tombstone", Some(reason)) => Stored::Tombstone(snapshot, reason),
                (other, _) => return Err(Trouble::Corrupt(format!("the state {other:?} of record {id}"))),
            };
        } else {
            // The record's columns again, or nulls.
            for _ in 0..7 {
                row.datum()?;
            }
        }
        let intent: Option<Intent> = row.optional_json()?;
        let lease_until = row.optional_instant()?;
        let closed = row.optional_text()?.is_some();
        match (intent, lease_until) {
            (Some(intent), _) if closed => loaded.late.push(settled_patch(&intent)),
            (Some(intent), Some(lease_until)) => {
                loaded.intent = Some(OpenIntent { intent, lease: lease_state(lease_until, now, quiet_ms) });
            }
            _ => {}
        }
        loaded.quarantined = row.flag()?;
        let (row_present, locals) = take_row(&mut row, model)?;
        rest = (locals, row_present);
    }
    Ok(StoredRecord { loaded, locals: rest.0, row_present: rest.1 })
}
