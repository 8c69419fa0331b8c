//! Erases the values that are kept of a record's past, and keeps the facts.

use cdms_odata::{Attributes, Instant, Value};
use datahub_model::ModelDescriptor;
use datahub_model::schema::engine::CARRIED_SETTING;
use datahub_protocol::{MappingTag, Note};
use uuid::Uuid;

use super::columns::{Json, columns};
use super::commit::By;
use super::connection::Connection;
use super::epochs;
use super::failure::Trouble;
use super::history::FieldChangeOfDay;
use super::intents::{Lease, applied, mapping_datum, mapping_tag, push_quiet};
use super::row::to_json;
use super::seen;
use super::sequence;
use super::statement::{Datum, Statement};
use crate::engine::local_fields::LocalChange;

/// The outcome of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Erased {
    /// The number of history entries whose values were erased.
    Done(u64),
    /// A write of the record is under way, or may still be executed for this many milliseconds.
    Busy(Uuid, u64),
    /// The hub has no data about the record, so there is nothing to erase.
    Unknown,
}

/// The number of entries held in memory at once.
const PAGE: i64 = 200;

/// How long to wait before trying again if a write of the record is open.
const BUSY_RETRY_MS: u64 = 1_000;

/// Replaces a quarantine reason, which may contain a value.
const REASON_ERASED: &str = "the reason was erased; read the record again";

/// Erases, in one transaction, everything that is kept of a record besides the current values of its rows: the values
/// in its history and in its ended writes, those of its tombstones in any model, attributes that no mapping of this
/// program reads any more, and its quarantine reason. Every row and tombstone gets a new version, so that a transaction
/// that loaded the record before cannot store the old values again.
pub(crate) fn erase(
    connection: &mut Connection,
    by: By<'_>,
    models: &[&'static ModelDescriptor],
    id: Uuid,
    reason: &str,
    quiet_ms: u64,
) -> Result<Erased, Trouble> {
    let entity = by.model.entity.name;
    connection.write(|connection| {
        connection.lock(entity, [id.to_string()])?;
        // What this program does not read may be what a newer one needs.
        epochs::check_all(connection, models)?;
        let now = connection.now()?;
        // The tables are locked in the order that all operations use.
        let states = states(connection, entity, id)?;
        if let Some(busy) = under_way(connection, entity, id, now, quiet_ms)? {
            return Ok(busy);
        }
        let known = "SELECT (SELECT count(*) FROM datahub_intents WHERE entity = ? AND id = ?) \
                     + (SELECT count(*) FROM datahub_history WHERE entity = ? AND id = ?) \
                     + (SELECT count(*) FROM datahub_quarantine WHERE entity = ? AND id = ?)";
        let of = || [Datum::from(entity), Datum::from(id)];
        let [[a, b], [c, d], [e, f]] = [of(), of(), of()];
        if connection.read::<i64>(&Statement::new(known, [a, b, c, d, e, f]))?.into_iter().all(|count| count == 0) {
            return Ok(Erased::Unknown);
        }
        let erasure = note(connection, by, id, reason, now)?;
        let mut count = 0;
        let mut after = 0;
        loop {
            let entries = page(connection, entity, id, after, PAGE)?;
            let Some(last) = entries.last() else { break };
            after = last.sequence;
            for entry in entries.into_iter().filter(|entry| entry.erased.is_none()) {
                redact(connection, entry, erasure)?;
                count += 1;
            }
        }
        let ended = "DELETE FROM datahub_intents WHERE entity = ? AND id = ? AND verdict IS NOT NULL";
        connection.execute(&Statement::new(ended, [entity.into(), id.into()]))?;
        let waiting = "UPDATE datahub_quarantine SET reason = ? WHERE entity = ? AND id = ?";
        connection.execute(&Statement::new(waiting, [REASON_ERASED.into(), entity.into(), id.into()]))?;
        forget_states(connection, models, id, states)?;
        Ok(Erased::Done(count))
    })
}

/// Removes overwritten data from the files next to the database, and returns whether nothing of it is left there.
pub(crate) fn forget(connection: &mut Connection) -> bool {
    let Some(forget) = connection.dialect().forget else { return true };
    forget(connection).unwrap_or_else(|trouble| {
        tracing::warn!(?trouble, "the database's log could not be emptied");
        false
    })
}

/// The record's write that is open, or that CDMS may still execute although it was settled: a delete of a record that
/// was already gone. Its data cannot be erased yet.
fn under_way(
    connection: &mut Connection,
    entity: &'static str,
    id: Uuid,
    now: Instant,
    quiet_ms: u64,
) -> Result<Option<Erased>, Trouble> {
    let mut statement = Statement::default();
    statement.push(
        "SELECT operation, verdict, lease_until, quiet_until FROM datahub_intents AS intent WHERE entity = ? AND id = ? \
         AND (verdict IS NULL OR (write = 'delete' AND verdict = ? AND closed_at >= lease_until AND ",
        [entity.into(), id.into(), applied()?],
    );
    push_quiet(&mut statement, now, quiet_ms);
    statement.sql(")) ORDER BY opened_at LIMIT 1");
    let found = connection.read::<(Uuid, Option<String>, Instant, Option<Instant>)>(&statement)?.into_iter().next();
    let Some((operation, verdict, until, quiet_until)) = found else { return Ok(None) };
    let lease = Lease { until, quiet_until };
    let left = lease.quiet_until(quiet_ms).0.saturating_sub(now.0);
    let retry_after = if verdict.is_none() { BUSY_RETRY_MS } else { u64::try_from(left).unwrap_or(BUSY_RETRY_MS) };
    Ok(Some(Erased::Busy(operation, retry_after)))
}

/// A record in a model: its table, whether it is a row or a tombstone, what was seen of it, and the mapping that stored it.
type State = (String, String, String, i64);

/// The record in each model, also in one whose table is being renamed: what the engine keeps of it may have the new name,
/// and the history still the former one.
fn states(connection: &mut Connection, entity: &'static str, id: Uuid) -> Result<Vec<State>, Trouble> {
    let sql = "WITH named AS (SELECT DISTINCT model FROM datahub_history WHERE entity = ? AND id = ?) \
               SELECT model, state, seen, mapping_id FROM datahub_records WHERE id = ? AND model IN \
               (SELECT model FROM named UNION SELECT setting.value FROM named JOIN datahub_settings AS setting \
               ON setting.name = ? || named.model)";
    connection.read(&Statement::new(sql, [entity.into(), id.into(), id.into(), CARRIED_SETTING.into()]))
}

/// The mapping of a row that lacks values for every mapping.
const OF_NO_MAPPING: MappingTag = 0;

/// Erases the values of the record's tombstones, and those values of its rows that no mapping of this program reads.
fn forget_states(
    connection: &mut Connection,
    models: &[&'static ModelDescriptor],
    id: Uuid,
    states: Vec<State>,
) -> Result<(), Trouble> {
    for (table, state, seen, stored_by) in states {
        let mut seen = seen::read(connection, &seen)?;
        let mut mapping = mapping_tag(stored_by);
        match (state.as_str(), models.iter().find(|model| model.table == table)) {
            ("tombstone", _) => seen = Attributes::new(),
            (_, Some(model)) => {
                let before = seen.len();
                seen.retain(|name, _| model.read_attribute(name).is_some());
                // The other mapping may need what is gone, so its programs must read the record again.
                if seen.len() < before && mapping != model.mapping_id.0 {
                    mapping = OF_NO_MAPPING;
                }
            }
            // The row's model is not listed by this program, so it is unknown which attributes it reads.
            (_, None) => {}
        }
        let version = sequence::next(connection)?;
        let sql = "UPDATE datahub_records SET seen = ?, mapping_id = ?, version = ?, complete_for = ?, \
                   outdated_at = CASE WHEN outdated_at = version THEN CAST(? AS BIGINT) END WHERE model = ? AND id = ?";
        let (text, number) = (Datum::Text(None), version.0);
        let (seen, mapping) = (to_json(&seen)?, mapping_datum(mapping));
        let values = [seen, mapping, number.into(), text, number.into(), table.as_str().into(), id.into()];
        if connection.execute(&Statement::new(sql, values))? == 0 {
            return Err(Trouble::Unavailable(format!("a migration is renaming the table {table}")));
        }
    }
    Ok(())
}

/// Records who erases and why. The number of this record unlocks the history's rows.
fn note(connection: &mut Connection, by: By<'_>, id: Uuid, reason: &str, now: Instant) -> Result<i64, Trouble> {
    let sql = "INSERT INTO datahub_erasures (entity, id, at, actor, program, reason) VALUES (?, ?, ?, ?, ?, ?) \
               RETURNING sequence";
    let values =
        [by.model.entity.name.into(), id.into(), now.into(), by.actor.into(), by.program.into(), reason.into()];
    let number = connection.read(&Statement::new(sql, values))?.into_iter().next();
    number.ok_or_else(|| Trouble::Corrupt("the new erasure has no number".to_owned()))
}

columns! {
    struct Entry {
        sequence: i64 = "sequence",
        changes: Json<Vec<FieldChangeOfDay>> = "changes",
        local: Json<Vec<LocalChange>> = "local",
        /// The number of the erasure that removed its values.
        erased: Option<i64> = "erased",
    }
}

fn page(
    connection: &mut Connection,
    entity: &'static str,
    id: Uuid,
    after: i64,
    limit: i64,
) -> Result<Vec<Entry>, Trouble> {
    let mut statement = Statement::default();
    statement.sql("SELECT ");
    statement.sql(Entry::SELECT);
    statement.push(
        " FROM datahub_history WHERE entity = ? AND id = ? AND sequence > ? ORDER BY sequence LIMIT 0 + ?",
        [entity.into(), id.into(), after.into(), limit.into()],
    );
    connection.read(&statement)
}

/// Erases the values of an entry, and keeps the names of the changed fields.
fn redact(connection: &mut Connection, entry: Entry, erasure: i64) -> Result<(), Trouble> {
    let Entry { sequence, changes: Json(mut changes), local: Json(mut local), .. } = entry;
    for FieldChangeOfDay { change, .. } in &mut changes {
        (change.from, change.to, change.note) = (None, None, Note::Plain);
    }
    for change in &mut local {
        (change.from, change.to) = (Value::Null, None);
    }
    let sql = "UPDATE datahub_history SET changes = ?, constants = ?, local = ?, erased = ? WHERE sequence = ?";
    let values = [to_json(&changes)?, to_json(&Attributes::new())?, to_json(&local)?, erasure.into(), sequence.into()];
    connection.send(Statement::new(sql, values))
}
