//! The quarantine table: records that cannot be converted or stored.

use cdms_odata::Instant;
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{OperationId, QuarantineChange};
use uuid::Uuid;

use super::columns::columns;
use super::commit::Job;
use super::connection::Connection;
use super::failure::Trouble;
use super::statement::{Datum, Statement};

/// A record that waits in quarantine, see [`Hub::quarantine`](crate::Hub::quarantine).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct QuarantineEntry {
    /// The record's entity type in CDMS.
    pub entity: String,
    /// The record's id.
    pub id: Uuid,
    /// The table of the model that the record does not fit.
    pub model: String,
    /// The reason, with the values of personal and secret attributes hidden.
    pub reason: String,
    /// When the record was put into quarantine, or last tried again.
    pub at: Instant,
    /// The create that made the record, if CDMS gave it another id than the one that the hub chose.
    pub operation: Option<OperationId>,
    /// The id that the hub chose for it.
    pub orphan_of: Option<Uuid>,
}

/// A record to put into quarantine.
#[derive(Debug)]
pub(crate) struct Put {
    pub(crate) id: Uuid,
    pub(crate) reason: String,
    /// The create that made it under another id than the chosen one, and the chosen id.
    pub(crate) orphan: Option<(OperationId, Uuid)>,
}

/// Applies a transaction's change of quarantine.
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
            let reason = format!("CDMS created it under this id instead of the requested {}", job.id);
            Put { id: *id, reason, orphan: Some((*operation, job.id)) }
        }
    };
    self::put(connection, job.model, vec![put], now)
}

/// Puts records into quarantine, or replaces their reasons. An orphan stays an orphan, whatever else is wrong with it.
pub(crate) fn put(
    connection: &mut Connection,
    model: &ModelDescriptor,
    records: Vec<Put>,
    now: Instant,
) -> Result<(), Trouble> {
    if records.is_empty() {
        return Ok(());
    }
    let values = |Put { id, reason, orphan }| {
        [
            model.entity.name.into(),
            id.into(),
            model.table.into(),
            Datum::from(reason),
            now.into(),
            Datum::Guid(orphan.map(|(operation, _)| operation.0)),
            Datum::Guid(orphan.map(|(_, chosen)| chosen)),
        ]
    };
    let mut statement = Statement::default();
    statement.sql("INSERT INTO datahub_quarantine (entity, id, model, reason, at, operation, orphan_of) ");
    statement.inserted(records.into_iter().map(values));
    statement.sql(
        " ON CONFLICT (model, id) DO UPDATE SET reason = excluded.reason, at = excluded.at, \
         operation = COALESCE(excluded.operation, datahub_quarantine.operation), \
         orphan_of = COALESCE(excluded.orphan_of, datahub_quarantine.orphan_of)",
    );
    connection.send(statement)
}

/// Removes records from quarantine.
pub(crate) fn clear(connection: &mut Connection, model: &ModelDescriptor, ids: &[Uuid]) -> Result<(), Trouble> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut statement = Statement::new("DELETE FROM datahub_quarantine WHERE model = ? AND id", [model.table.into()]);
    statement.any(ids.iter().copied());
    connection.send(statement)
}

columns! {
    struct Waiting {
        entity: String = "entity",
        id: Uuid = "id",
        model: String = "model",
        reason: String = "reason",
        at: Instant = "at",
        operation: Option<OperationId> = "operation",
        orphan_of: Option<Uuid> = "orphan_of",
    }
}

/// Begins the statement that selects entries.
fn select(statement: &mut Statement) {
    statement.sql("SELECT ");
    statement.sql(Waiting::SELECT);
    statement.sql(" FROM datahub_quarantine");
}

/// All entries, those that have waited longest first, at most `limit`.
pub(crate) fn all(connection: &mut Connection, limit: i64) -> Result<Vec<QuarantineEntry>, Trouble> {
    let mut statement = Statement::default();
    select(&mut statement);
    statement.push(" ORDER BY at, model, id LIMIT 0 + ?", [limit.into()]);
    read(connection, &statement)
}

/// The entries of these models, those that have waited longest first, at most `limit`.
pub(crate) fn of_tables(
    connection: &mut Connection,
    tables: &[&'static str],
    limit: i64,
) -> Result<Vec<QuarantineEntry>, Trouble> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = Statement::default();
    select(&mut statement);
    statement.sql(" WHERE model");
    statement.any(tables.iter().copied());
    statement.push(" ORDER BY at, model, id LIMIT 0 + ?", [limit.into()]);
    read(connection, &statement)
}

/// Records that a record was tried again without success, so that it moves behind the others.
pub(crate) fn tried(connection: &mut Connection, model: &ModelDescriptor, id: Uuid) -> Result<(), Trouble> {
    let now = connection.now()?;
    let sql = "UPDATE datahub_quarantine SET at = ? WHERE model = ? AND id = ?";
    connection.send(Statement::new(sql, [now.into(), model.table.into(), id.into()]))
}

fn read(connection: &mut Connection, statement: &Statement) -> Result<Vec<QuarantineEntry>, Trouble> {
    let entry = |Waiting { entity, id, model, reason, at, operation, orphan_of }| QuarantineEntry {
        entity,
        id,
        model,
        reason,
        at,
        operation,
        orphan_of,
    };
    Ok(connection.read(statement)?.into_iter().map(entry).collect())
}
