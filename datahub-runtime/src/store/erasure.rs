//! Erasing what is kept of a record's past: the values go, the facts stay.

use cdms_odata::{Attributes, Instant, Value};
use datahub_protocol::Note;
use uuid::Uuid;

use super::commit::By;
use super::connection::Connection;
use super::failure::Trouble;
use super::history::FieldChangeOfDay;
use super::model_table::LocalChange;
use super::row::to_json;
use super::statement::{ColumnType, Statement};

/// What became of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Erased {
    /// So many history entries lost their values.
    Done(u64),
    /// A write of the record is under way.
    Busy(Uuid),
    /// The hub knows nothing of the record, so there is nothing to erase.
    Unknown,
}

/// How many entries are held in memory at once.
const PAGE: i64 = 200;

/// Erases, in one transaction, the values in a record's history, those of its ended writes and those that its tombstones
/// keep, in these models. What a row has now stays.
pub(crate) fn erase(
    connection: &mut Connection,
    by: By<'_>,
    tables: &[&'static str],
    id: Uuid,
    reason: &str,
) -> Result<Erased, Trouble> {
    let entity = by.model.entity.name;
    connection.write(|connection| {
        connection.lock(entity, [id.to_string()])?;
        let open = "SELECT operation FROM datahub_intents WHERE entity = ? AND id = ? AND verdict IS NULL";
        let open = connection.query(&Statement::new(open, [entity.into(), id.into()]), &[ColumnType::Guid])?;
        if let Some(mut open) = open.into_iter().next() {
            return Ok(Erased::Busy(open.guid()?));
        }
        if page(connection, entity, id, 0, 1)?.is_empty() {
            return Ok(Erased::Unknown);
        }
        let now = connection.now()?;
        let erasure = note(connection, by, id, reason, now)?;
        let mut count = 0;
        let mut after = 0;
        loop {
            let entries = page(connection, entity, id, after, PAGE)?;
            let Some(last) = entries.last() else { break };
            after = last.sequence;
            for entry in entries.into_iter().filter(|entry| !entry.is_erased) {
                redact(connection, entry, erasure)?;
                count += 1;
            }
        }
        let ended = "DELETE FROM datahub_intents WHERE entity = ? AND id = ? AND verdict IS NOT NULL";
        connection.execute(&Statement::new(ended, [entity.into(), id.into()]))?;
        let kept = "UPDATE datahub_records SET seen = ? WHERE model = ? AND id = ? AND state = 'tombstone'";
        for table in tables {
            let values = [to_json(&Attributes::new())?, (*table).into(), id.into()];
            connection.execute(&Statement::new(kept, values))?;
        }
        Ok(Erased::Done(count))
    })
}

/// Notes who erases and why; the number of the note opens the history's rows.
fn note(connection: &mut Connection, by: By<'_>, id: Uuid, reason: &str, now: Instant) -> Result<i64, Trouble> {
    let sql = "INSERT INTO datahub_erasures (entity, id, at, actor, program, reason) VALUES (?, ?, ?, ?, ?, ?) \
               RETURNING sequence";
    let values =
        [by.model.entity.name.into(), id.into(), now.into(), by.actor.into(), by.program.into(), reason.into()];
    let rows = connection.query(&Statement::new(sql, values), &[ColumnType::BigInt])?;
    let row = rows.into_iter().next();
    row.ok_or_else(|| Trouble::Corrupt("an erasure without a number".to_owned()))?.number()
}

struct Entry {
    sequence: i64,
    changes: Vec<FieldChangeOfDay>,
    local: Vec<LocalChange>,
    is_erased: bool,
}

fn page(
    connection: &mut Connection,
    entity: &'static str,
    id: Uuid,
    after: i64,
    limit: i64,
) -> Result<Vec<Entry>, Trouble> {
    let sql = "SELECT sequence, changes, local, erased FROM datahub_history \
               WHERE entity = ? AND id = ? AND sequence > ? ORDER BY sequence LIMIT ?";
    let types = [ColumnType::BigInt, ColumnType::Text, ColumnType::Text, ColumnType::BigInt];
    let rows =
        connection.query(&Statement::new(sql, [entity.into(), id.into(), after.into(), limit.into()]), &types)?;
    let entry = |mut row: super::row::Cells| {
        Ok(Entry {
            sequence: row.number()?,
            changes: row.json()?,
            local: row.json()?,
            is_erased: row.optional_number()?.is_some(),
        })
    };
    rows.into_iter().map(entry).collect()
}

/// Takes the values out of an entry and leaves which fields changed.
fn redact(connection: &mut Connection, entry: Entry, erasure: i64) -> Result<(), Trouble> {
    let Entry { sequence, mut changes, mut local, .. } = entry;
    for FieldChangeOfDay { change, .. } in &mut changes {
        (change.from, change.to, change.note) = (None, None, Note::Plain);
    }
    for change in &mut local {
        (change.from, change.to) = (Value::Null, None);
    }
    let sql = "UPDATE datahub_history SET changes = ?, constants = ?, local = ?, erased = ? WHERE sequence = ?";
    let values = [to_json(&changes)?, to_json(&Attributes::new())?, to_json(&local)?, erasure.into(), sequence.into()];
    connection.execute(&Statement::new(sql, values)).map(drop)
}
