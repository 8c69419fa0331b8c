//! Raising tables' epochs before a step that older programs cannot live with, and waiting for what they have begun.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant as MonotonicTime};

use cdms_odata::Instant;
use datahub_protocol::OperationId;

use super::error::{MigrationError, OpenWrite};
use super::record::{self, HalfDone};
use super::report::MigrationEvent;
use super::runner::Run;
use super::{Migration, checks};
use crate::crash_points::{Moment, Step, pass_blocking};
use crate::store::{PlainConnection as Connection, PlainTrouble as Trouble, Statement, epochs, settings};

/// How often open writes are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

const RAISE: Step = Step { operation: "migrate", action: "raise" };

/// Raises the epochs of a migration, and waits until nothing is open that a program of an older epoch has begun. If
/// that fails, or the data stands in the way, the epochs are lowered again.
pub(super) fn raise(run: &mut Run<'_>, migration: &Migration) -> Result<(), MigrationError> {
    if migration.epochs.is_empty() {
        return Ok(());
    }
    pass_blocking(RAISE, Moment::Before);
    run.with_lease(|connection| raise_all(connection, migration))?;
    pass_blocking(RAISE, Moment::After);
    let ready =
        wait(run, migration).and_then(|()| match run.with(|connection| checks::ask(connection, migration))? {
            None => Ok(()),
            Some(failed) => Err(failed),
        });
    if ready.is_err() {
        abandon(run, migration)?;
    }
    ready
}

/// Restores the epochs from before a migration that has changed nothing; not if another run has taken over, which may
/// rely on them.
pub(super) fn abandon(run: &mut Run<'_>, migration: &Migration) -> Result<(), MigrationError> {
    run.with_lease(|connection| lower(connection, migration))
}

/// What to report of a migration that failed after its epochs were raised. They are lowered again if it is certain that
/// nothing was changed; otherwise the error says that older programs refuse to work.
pub(super) fn failed(run: &mut Run<'_>, migration: &Migration, error: MigrationError) -> MigrationError {
    if migration.epochs.is_empty() || error == MigrationError::TakenOver {
        return error;
    }
    let is_undone = migration.in_transaction && !run.is_cut_off();
    match is_undone.then(|| abandon(run, migration)) {
        Some(Ok(())) => error,
        Some(Err(MigrationError::TakenOver)) => MigrationError::TakenOver,
        Some(Err(_)) | None => MigrationError::Raised {
            error: Box::new(error),
            tables: migration.epochs.iter().map(|(table, _)| table.to_string()).collect(),
        },
    }
}

/// What to report of a migration that failed after an earlier part of its plan has raised epochs, which stay raised.
pub(super) fn failed_after(all: &[Migration], migration: &Migration, error: MigrationError) -> MigrationError {
    let before = all.iter().take_while(|other| other.name != migration.name);
    let of_plan = before.filter(|other| other.plan == migration.plan).flat_map(|other| other.epochs.iter());
    let mut raised: Vec<_> = of_plan.map(|(table, _)| table.to_string()).collect();
    let (error, own) = match error {
        MigrationError::TakenOver => return error,
        MigrationError::Raised { error, tables } => (error, tables),
        error if raised.is_empty() => return error,
        error => (Box::new(error), Vec::new()),
    };
    raised.extend(own);
    raised.sort();
    raised.dedup();
    MigrationError::Raised { error, tables: raised }
}

/// Raises the epochs, and notes those before unless an earlier run did.
fn raise_all(connection: &mut Connection, migration: &Migration) -> Result<(), Trouble> {
    let mut before = Vec::new();
    for (table, epoch) in migration.epochs.iter() {
        let setting = epochs::setting(table);
        let found = settings::get(connection, &setting)?;
        if epochs::number(table, found.as_deref())? < u64::from(*epoch) {
            settings::put(connection, &setting, &epoch.to_string())?;
        }
        before.push((setting, found));
    }
    if HalfDone::of(connection, migration)?.is_none() {
        HalfDone::begins(migration, before).note(connection, migration)?;
    }
    Ok(())
}

/// Restores the epochs from before the migration, unless a statement of it may have changed something.
fn lower(connection: &mut Connection, migration: &Migration) -> Result<(), Trouble> {
    let half_done = HalfDone::of(connection, migration)?;
    let Some(half_done) = half_done.filter(|half_done| !half_done.changed_something()) else { return Ok(()) };
    for (setting, before) in &half_done.epochs {
        match before {
            Some(before) => settings::put(connection, setting, before)?,
            None => settings::forget(connection, setting)?,
        }
    }
    record::not_begun(connection, migration)
}

/// Waits for the transactions that may have seen the epochs before, and then for the writes that are open.
fn wait(run: &mut Run<'_>, migration: &Migration) -> Result<(), MigrationError> {
    let begun = MonotonicTime::now();
    let mut transactions = run.with(others)?;
    while !transactions.is_empty() {
        if begun.elapsed() > run.options.patience {
            let reason = format!("transactions stay open: {}", transactions.into_iter().collect::<Vec<_>>().join(", "));
            let migration = migration.name.to_string();
            return Err(MigrationError::Locked { migration, tries: 1, reason });
        }
        pause(run, begun)?;
        let now = run.with(others)?;
        transactions.retain(|transaction| now.contains(transaction));
    }
    // Whatever is opened from here on belongs to a program that knows the new epoch.
    let mut open: Option<BTreeSet<OperationId>> = None;
    let mut shown = 0;
    loop {
        let mut writes = run.with(|connection| open_writes(connection, migration))?;
        let awaited = open.get_or_insert_with(|| writes.iter().map(|(operation, _)| *operation).collect());
        writes.retain(|(operation, _)| awaited.contains(operation));
        if writes.is_empty() {
            return Ok(());
        }
        let waited = begun.elapsed();
        if waited > run.options.patience {
            let (migration, writes) =
                (migration.name.to_string(), writes.into_iter().map(|(_, write)| write).collect());
            return Err(MigrationError::OpenWrites { migration, writes, waited });
        }
        if shown != writes.len() {
            shown = writes.len();
            (run.tell)(&MigrationEvent::WaitingForWrites { name: migration.name.to_string(), open: shown });
        }
        pause(run, begun)?;
    }
}

/// Pauses, and keeps the lease.
fn pause(run: &mut Run<'_>, begun: MonotonicTime) -> Result<(), MigrationError> {
    // The longer it takes, the less often.
    sleep(LOOK_EVERY.max(begun.elapsed() / 50).min(Duration::from_secs(2)));
    run.renew()
}

/// The transactions of other sessions that have read the settings.
fn others(connection: &mut Connection) -> Result<BTreeSet<String>, Trouble> {
    let Some(sql) = connection.dialect().others_in_settings else { return Ok(BTreeSet::new()) };
    Ok(connection.texts(sql)?.into_iter().collect())
}

/// The open writes of the tables whose epochs a migration raises, oldest first.
fn open_writes(connection: &mut Connection, migration: &Migration) -> Result<Vec<(OperationId, OpenWrite)>, Trouble> {
    if !record::exists(connection, "datahub_intents")? {
        return Ok(Vec::new());
    }
    let now = connection.now()?;
    let sql = "SELECT operation, model, program, opened_at FROM datahub_intents WHERE verdict IS NULL \
               ORDER BY opened_at, operation";
    let found = connection.read::<(OperationId, String, String, Instant)>(&Statement::new(sql, []))?;
    let of_its_tables =
        found.into_iter().filter(|(_, model, ..)| migration.epochs.iter().any(|(table, _)| table == model));
    let writes = of_its_tables.map(|(operation, table, program, opened_at)| {
        let open_for = Duration::from_millis(u64::try_from(now.0.saturating_sub(opened_at.0)).unwrap_or(0));
        (operation, OpenWrite { operation: operation.to_string(), table, program, open_for })
    });
    Ok(writes.collect())
}
