//! The intents table: writes that are under way and, for a day, their outcomes.

use cdms_odata::{Attributes, Instant};
use datahub_model::{ModelDescriptor, conversion};
use datahub_protocol::planted::{Planted, planted};
use datahub_protocol::{Intent, IntentChange, LeaseState, MappingTag, OperationId, SettledPatch, Verdict};
use uuid::Uuid;

use super::columns::{Json, columns};
use super::commit::Job;
use super::connection::Connection;
use super::failure::Trouble;
use super::row::to_json;
use super::statement::{Datum, Statement};
use crate::engine::local_fields::NamedFields;

/// How long an intent is kept after it was closed.
const KEPT_MS: i64 = 24 * 60 * 60 * 1_000;

/// A stored intent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IntentRow {
    pub(crate) intent: Intent,
    pub(crate) entity: String,
    pub(crate) id: Uuid,
    /// The model's table.
    pub(crate) model: String,
    pub(crate) actor: String,
    pub(crate) program: String,
    /// While the intent is open: whether its writer may still be at work.
    pub(crate) lease: Option<LeaseState>,
    /// Once it is closed: the verdict on the write.
    pub(crate) verdict: Option<Verdict>,
    pub(crate) opened_at: Instant,
    pub(crate) closed_at: Option<Instant>,
    pub(crate) mapping: MappingTag,
    /// The oldest epoch that may use the model's table, as it is stored.
    pub(crate) oldest_epoch: Option<String>,
}

/// When a write's writer stops sending at the latest, and until when CDMS may still execute its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) until: Instant,
    /// By the writer's own settings; `None` if an older program opened the intent, which did not record it.
    pub(crate) quiet_until: Option<Instant>,
}

impl Lease {
    /// When the write can no longer be executed; `quiet_ms` is this program's own quiet period.
    pub(crate) fn quiet_until(self, quiet_ms: u64) -> Instant {
        let noted = self.quiet_until.filter(|_| !planted(Planted::QuietPeriodOfReader));
        noted.unwrap_or_else(|| after(self.until, quiet_ms))
    }
}

fn after(instant: Instant, ms: u64) -> Instant {
    instant.plus_ms(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// Adds the condition that CDMS may still execute the request of an `intent`.
pub(crate) fn push_quiet(statement: &mut Statement, now: Instant, quiet_ms: u64) {
    let unnoted = now.plus_ms(-i64::try_from(quiet_ms).unwrap_or(i64::MAX));
    statement.push(
        "(intent.quiet_until > ? OR (intent.quiet_until IS NULL AND intent.lease_until > ?))",
        [now.into(), unnoted.into()],
    );
}

/// The state of a lease by the database's clock.
pub(crate) fn lease_state(lease: Lease, now: Instant, quiet_ms: u64) -> LeaseState {
    let left = |until: Instant| u64::try_from(until.0.saturating_sub(now.0)).unwrap_or(0);
    match (left(lease.until), left(lease.quiet_until(quiet_ms))) {
        (0, 0) => LeaseState::Over,
        (0, left_ms) => LeaseState::Quiet { left_ms },
        (left_ms, _) => LeaseState::Active { left_ms },
    }
}

/// Applies a transaction's change of its record's intent.
pub(crate) fn change(
    connection: &mut Connection,
    job: &Job,
    change: &IntentChange,
    locals: &NamedFields,
    now: Instant,
) -> Result<(), Trouble> {
    match change {
        IntentChange::Keep => Ok(()),
        IntentChange::Open(intent) => open(connection, job, intent, locals, now),
        IntentChange::Close { operation, verdict } => {
            // A delete may still be needed as one that CDMS has not answered yet.
            let sql = "UPDATE datahub_intents SET verdict = ?, closed_at = ?, \
                       finished = CASE WHEN write = 'delete' THEN NULL ELSE ? END \
                       WHERE operation = ? AND verdict IS NULL";
            let finished = (!may_show_up_late(verdict)).then_some(1);
            let values = [to_json(verdict)?, now.into(), Datum::BigInt(finished), operation.0.into()];
            connection.send(Statement::new(sql, values))
        }
        IntentChange::Ended { operation } => {
            let sql = "UPDATE datahub_intents SET quiet_until = lease_until WHERE operation = ? AND verdict IS NULL";
            connection.send(Statement::new(sql, [operation.0.into()]))
        }
        IntentChange::Release { operation, has_ended } => {
            let sql = "UPDATE datahub_intents SET lease_until = ?, quiet_until = ? \
                       WHERE operation = ? AND verdict IS NULL AND lease_until > ?";
            let quiet_until = if *has_ended { now } else { after(now, job.quiet_ms) };
            let values = [now.into(), quiet_until.into(), operation.0.into(), now.into()];
            connection.send(Statement::new(sql, values))?;
            if *has_ended {
                // Also if the lease had already ended by itself.
                let sql =
                    "UPDATE datahub_intents SET quiet_until = lease_until WHERE operation = ? AND verdict IS NULL";
                connection.send(Statement::new(sql, [operation.0.into()]))?;
            }
            Ok(())
        }
    }
}

fn open(
    connection: &mut Connection,
    job: &Job,
    intent: &Intent,
    locals: &NamedFields,
    now: Instant,
) -> Result<(), Trouble> {
    let sql = "INSERT INTO datahub_intents (operation, entity, id, model, write, body, local, actor, program, \
               lease_holder, lease_until, quiet_until, opened_at, mapping_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let local = if locals.is_empty() { Datum::Text(None) } else { to_json(locals)? };
    let lease_until = now.plus_ms(i64::try_from(job.lease_ms).unwrap_or(i64::MAX));
    let values = [
        intent.operation.0.into(),
        job.model.entity.name.into(),
        job.id.into(),
        job.model.table.into(),
        intent.write.name().into(),
        to_json(&as_sent(job.model, intent.clone())?)?,
        local,
        job.actor.as_str().into(),
        job.program.as_str().into(),
        job.holder.into(),
        lease_until.into(),
        after(lease_until, job.quiet_ms).into(),
        now.into(),
        mapping_datum(job.model.mapping_id.0),
    ];
    connection.send(Statement::new(sql, values))
}

/// An intent in its stored form: with dates as the instants that are sent, because programs of older revisions compare
/// these with CDMS when they settle it.
fn as_sent(model: &ModelDescriptor, mut intent: Intent) -> Result<Intent, Trouble> {
    for values in values_of(&mut intent) {
        conversion::with_midnights(model, values).map_err(|fault| Trouble::Refused(fault.to_string()))?;
    }
    Ok(intent)
}

/// An intent in the form for comparisons with CDMS and with `seen`: with its instants of dates converted to calendar
/// dates.
pub(crate) fn with_calendar_dates(model: &ModelDescriptor, mut intent: Intent) -> Intent {
    values_of(&mut intent).into_iter().for_each(|values| conversion::with_calendar_dates(model, values));
    intent
}

fn values_of(intent: &mut Intent) -> [&mut Attributes; 4] {
    [&mut intent.patch, &mut intent.constants, &mut intent.pre_image, &mut intent.conflicts]
}

/// Whether later reads look for a write with this verdict. Other writes are finished, and loading their record skips
/// them, no matter how many there are.
const fn may_show_up_late(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::NotApplied | Verdict::Superseded { .. })
}

/// A write that was found not applied, in the form that later reads look for.
pub(crate) fn settled_patch(intent: &Intent) -> SettledPatch {
    let mut patch = intent.patch.clone();
    patch.retain(|name, value| intent.pre_image.get(name) != Some(value));
    SettledPatch { operation: intent.operation, write: intent.write, patch, constants: intent.constants.clone() }
}

/// The prefix of superseded verdicts in their stored form. It is part of the SQL text: if a pattern were bound, SQLite
/// would look at its value and recompile the statement for each new value.
macro_rules! superseded {
    () => {
        r#"'{"verdict":"superseded"%'"#
    };
}

/// The stored form of the verdict "not applied".
pub(crate) fn not_applied() -> Result<Datum, Trouble> {
    to_json(&Verdict::NotApplied)
}

/// Adds the condition that later reads look for an `intent` ([`settled_patch`]): its write was found not applied and
/// has not shown up.
pub(crate) fn push_late(statement: &mut Statement, now: Instant) -> Result<(), Trouble> {
    statement.push(
        concat!(
            "((intent.verdict = ? OR intent.verdict LIKE ",
            superseded!(),
            ") AND intent.closed_at >= ? \
             AND NOT EXISTS (SELECT 1 FROM datahub_history AS told WHERE told.operation = intent.operation \
             AND told.kind NOT IN ('not_applied', 'superseded')))"
        ),
        [not_applied()?, now.plus_ms(-KEPT_MS).into()],
    );
    Ok(())
}

/// The stored form of the verdict "applied".
pub(crate) fn applied() -> Result<Datum, Trouble> {
    to_json(&Verdict::Applied)
}

columns! {
    struct StoredIntent {
        body: Json<Intent> = "body",
        entity: String = "entity",
        id: Uuid = "id",
        model: String = "model",
        actor: String = "actor",
        program: String = "program",
        lease_until: Instant = "lease_until",
        quiet_until: Option<Instant> = "quiet_until",
        verdict: Option<Json<Verdict>> = "verdict",
        opened_at: Instant = "opened_at",
        closed_at: Option<Instant> = "closed_at",
        mapping_id: i64 = "mapping_id",
        oldest_epoch: Option<String> =
            "(SELECT value FROM datahub_settings WHERE name = 'epoch:' || datahub_intents.model)",
    }
}

/// Begins the statement that selects intents.
fn select(statement: &mut Statement) {
    statement.sql("SELECT ");
    statement.sql(StoredIntent::SELECT);
    statement.sql(" FROM datahub_intents WHERE ");
}

/// One intent that is open or was closed at most a day ago.
pub(crate) fn by_operation(
    connection: &mut Connection,
    operation: OperationId,
    quiet_ms: u64,
) -> Result<Option<IntentRow>, Trouble> {
    let now = connection.now()?;
    let mut statement = Statement::default();
    select(&mut statement);
    let values = [operation.0.into(), now.plus_ms(-KEPT_MS).into()];
    statement.push("operation = ? AND (verdict IS NULL OR closed_at >= ?)", values);
    let found = connection.read::<StoredIntent>(&statement)?.into_iter().next();
    Ok(found.map(|intent| intent.at(now, quiet_ms)))
}

/// The open intents after a given one, oldest first.
pub(crate) fn open_after(
    connection: &mut Connection,
    after: Option<(Instant, OperationId)>,
    limit: i64,
    quiet_ms: u64,
) -> Result<Vec<IntentRow>, Trouble> {
    let now = connection.now()?;
    let (opened_at, operation) = after.unwrap_or((Instant(0), OperationId(Uuid::nil())));
    let mut statement = Statement::default();
    select(&mut statement);
    statement.push(
        "verdict IS NULL AND (opened_at > ? OR (opened_at = ? AND operation > ?)) ORDER BY opened_at, operation LIMIT 0 + ?",
        [opened_at.into(), opened_at.into(), operation.0.into(), limit.into()],
    );
    let open = connection.read::<StoredIntent>(&statement)?;
    Ok(open.into_iter().map(|intent| intent.at(now, quiet_ms)).collect())
}

/// Deletes intents that were closed more than a day ago. The history keeps their changes.
pub(crate) fn forget_old(connection: &mut Connection) -> Result<(), Trouble> {
    let now = connection.now()?;
    let sql = "DELETE FROM datahub_intents WHERE verdict IS NOT NULL AND closed_at < ?";
    connection.send(Statement::new(sql, [now.plus_ms(-KEPT_MS).into()]))
}

impl StoredIntent {
    /// The intent in its current state.
    fn at(self, now: Instant, quiet_ms: u64) -> IntentRow {
        let StoredIntent { body: Json(intent), entity, id, model, actor, program, opened_at, closed_at, .. } = self;
        let oldest_epoch = self.oldest_epoch;
        let lease = Lease { until: self.lease_until, quiet_until: self.quiet_until };
        let verdict = self.verdict.map(|Json(verdict)| verdict);
        let lease = verdict.is_none().then(|| lease_state(lease, now, quiet_ms));
        let mapping = mapping_tag(self.mapping_id);
        IntentRow {
            intent,
            entity,
            id,
            model,
            actor,
            program,
            lease,
            verdict,
            opened_at,
            closed_at,
            mapping,
            oldest_epoch,
        }
    }
}

/// A mapping id as stored in a column: the same bits, signed.
pub(crate) fn mapping_datum(tag: MappingTag) -> Datum {
    Datum::from(tag.cast_signed())
}

/// A mapping id as read from its column.
pub(crate) fn mapping_tag(stored: i64) -> MappingTag {
    stored.cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_active_then_quiet_then_over() {
        let lease = Lease { until: Instant(1_000), quiet_until: Some(Instant(1_300)) };
        let state = |now| lease_state(lease, Instant(now), 900);
        assert_eq!(state(0), LeaseState::Active { left_ms: 1_000 });
        assert_eq!(state(999), LeaseState::Active { left_ms: 1 });
        assert_eq!(state(1_000), LeaseState::Quiet { left_ms: 300 });
        assert_eq!(state(1_299), LeaseState::Quiet { left_ms: 1 });
        assert_eq!(state(1_300), LeaseState::Over);
        let unnoted = Lease { quiet_until: None, ..lease };
        assert_eq!(
            lease_state(unnoted, Instant(1_300), 900),
            LeaseState::Quiet { left_ms: 600 },
            "by the reader's own settings"
        );
    }
}
