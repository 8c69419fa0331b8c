//! Where records wait that cannot be converted or stored.

use cdms_odata::Instant;
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{OperationId, QuarantineChange};
use uuid::Uuid;

use super::commit::Job;
use super::connection::Connection;
use super::failure::Trouble;
use super::row::Cells;
use super::statement::{ColumnType, Datum, Statement};

/// A record that waits in quarantine, see [`Hub::quarantine`](crate::Hub::quarantine).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct QuarantineEntry {
    /// Its entity type in CDMS.
    pub entity: String,
    /// Its id.
    pub id: Uuid,
    /// The table of the model that it does not fit.
    pub model: String,
    /// Why, with the values of personal and secret attributes hidden.
    pub reason: String,
    /// When it was put there, or last tried again.
    pub at: Instant,
    /// The create that made the record, if CDMS gave it another id than the chosen one.
    pub operation: Option<OperationId>,
    /// The id that the hub had chosen for it.
    pub orphan_of: Option<Uuid>,
}

/// A record that is put into quarantine.
#[derive(Debug)]
pub(crate) struct Put {
    pub(crate) id: Uuid,
    pub(crate) reason: String,
    /// The create that made it under another id than the chosen one, and the chosen one.
    pub(crate) orphan: Option<(OperationId, Uuid)>,
}

/// Carries out what a transaction says about quarantine.
pub(crate) fn change(
    connection: &mut Connection,
    job: &Job,
    change: &QuarantineChange<Fault>,
    now: Instant,
) -> Result<(), Trouble> {
    let put = match change {
        QuarantineChange::Keep => return Ok(()),
        QuarantineChange::Clear => return clear(connection, job.model, &[job.id]),
        QuarantineChange::Put(fault) => Put { id: job.id, reason: fault.to_string(), orphan: None },
        QuarantineChange::PutOrphan { id, operation } => {
            let reason = format!("CDMS created it under this id, although {} was asked for", job.id);
            Put { id: *id, reason, orphan: Some((*operation, job.id)) }
        }
    };
    self::put(connection, job.model, vec![put], now)
}

/// Puts records into quarantine, or replaces their reasons. An orphan stays one, whatever else is wrong with it.
pub(crate) fn put(
    connection: &mut Connection,
    model: &ModelDescriptor,
    records: Vec<Put>,
    now: Instant,
) -> Result<(), Trouble> {
    if records.is_empty() {
        return Ok(());
    }
    let mut statement = Statement::of_many(records.len());
    statement.sql("INSERT INTO datahub_quarantine (entity, id, model, reason, at, operation, orphan_of) VALUES ");
    statement.list(records, |statement, Put { id, reason, orphan }| {
        let values = [
            model.entity.name.into(),
            id.into(),
            model.table.into(),
            reason.into(),
            now.into(),
            Datum::Guid(orphan.map(|(operation, _)| operation.0)),
            Datum::Guid(orphan.map(|(_, chosen)| chosen)),
        ];
        statement.push("(?, ?, ?, ?, ?, ?, ?)", values);
    });
    statement.sql(
        " ON CONFLICT (model, id) DO UPDATE SET reason = excluded.reason, at = excluded.at, \
         operation = COALESCE(excluded.operation, datahub_quarantine.operation), \
         orphan_of = COALESCE(excluded.orphan_of, datahub_quarantine.orphan_of)",
    );
    connection.execute(&statement).map(drop)
}

/// Lets records go.
pub(crate) fn clear(connection: &mut Connection, model: &ModelDescriptor, ids: &[Uuid]) -> Result<(), Trouble> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut statement = Statement::of_many(ids.len());
    statement.push("DELETE FROM datahub_quarantine WHERE model = ? AND id IN (", [model.table.into()]);
    statement.list(ids, |statement, id| statement.value((*id).into()));
    statement.sql(")");
    connection.execute(&statement).map(drop)
}

const COLUMNS: &str = "SELECT entity, id, model, reason, at, operation, orphan_of FROM datahub_quarantine";

const TYPES: [ColumnType; 7] = [
    ColumnType::Text,
    ColumnType::Guid,
    ColumnType::Text,
    ColumnType::Text,
    ColumnType::Instant,
    ColumnType::Guid,
    ColumnType::Guid,
];

/// Everything that waits, longest first, up to a number.
pub(crate) fn all(connection: &mut Connection, limit: i64) -> Result<Vec<QuarantineEntry>, Trouble> {
    let mut statement = Statement::default();
    statement.sql(COLUMNS);
    statement.push(" ORDER BY at, model, id LIMIT 0 + ?", [limit.into()]);
    connection.query(&statement, &TYPES)?.into_iter().map(take).collect()
}

/// What waits of these models, longest first, up to a number.
pub(crate) fn of_tables(
    connection: &mut Connection,
    tables: &[&'static str],
    limit: i64,
) -> Result<Vec<QuarantineEntry>, Trouble> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = Statement::of_many(tables.len());
    statement.sql(COLUMNS);
    statement.sql(" WHERE model IN (");
    statement.list(tables, |statement, table| statement.value((*table).into()));
    statement.push(") ORDER BY at, model, id LIMIT 0 + ?", [limit.into()]);
    connection.query(&statement, &TYPES)?.into_iter().map(take).collect()
}

/// Notes that a record was tried again in vain, so that it waits behind the others.
pub(crate) fn tried(connection: &mut Connection, model: &ModelDescriptor, id: Uuid) -> Result<(), Trouble> {
    let now = connection.now()?;
    let sql = "UPDATE datahub_quarantine SET at = ? WHERE model = ? AND id = ?";
    connection.execute(&Statement::new(sql, [now.into(), model.table.into(), id.into()])).map(drop)
}

fn take(mut row: Cells) -> Result<QuarantineEntry, Trouble> {
    Ok(QuarantineEntry {
        entity: row.text()?,
        id: row.guid()?,
        model: row.text()?,
        reason: row.text()?,
        at: row.instant()?,
        operation: row.optional_guid()?.map(OperationId),
        orphan_of: row.optional_guid()?,
    })
}
