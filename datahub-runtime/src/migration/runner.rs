//! A run: takes the lease, and executes what is pending, one migration after the other.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant as MonotonicTime};

use datahub_model::schema::Database;

use super::error::MigrationError;
use super::execute::{self, Ending};
use super::lease::{SETTING, keep, lease_of};
use super::record::{self, HalfDone};
use super::report::{
    AppliedMigration, MigrationEvent, MigrationReport, MigrationState, MigrationStatus, MigrationsStatus,
};
use super::schedule::{Schedule, former_of};
use super::{Migration, Migrations, Options, WayBack, checks, raise};
use crate::store::{
    Lacks, Lease, Location, PlainConnection as Connection, PlainTrouble as Trouble, Taking, epochs, lease_holder,
    settings,
};
use crate::store::{complete_engine_tables, lacks_of_engine_tables};

/// A run that has the lease.
pub(super) struct Run<'r> {
    pub(super) connection: Connection,
    pub(super) location: &'r Location,
    /// The database's name in messages.
    pub(super) shown: &'r str,
    pub(super) lease: Lease,
    pub(super) options: &'r Options,
    pub(super) tell: &'r mut dyn FnMut(&MigrationEvent),
}

impl Run<'_> {
    /// Uses the connection, outside a transaction.
    pub(super) fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, Trouble>,
    ) -> Result<T, MigrationError> {
        work(&mut self.connection).map_err(|trouble| MigrationError::of(trouble, self.shown))
    }

    /// Changes what is recorded, in a transaction in which no other run can take over.
    pub(super) fn with_lease<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, Trouble>,
    ) -> Result<T, MigrationError> {
        let lease = self.lease.clone();
        let done =
            self.with(|connection| {
                connection.write(|connection| {
                    if lease.renew(connection)? { work(connection).map(Some) } else { Ok::<_, Trouble>(None) }
                })
            })?;
        done.ok_or(MigrationError::TakenOver)
    }

    pub(super) fn database(&self) -> Database {
        self.location.database()
    }

    /// Renews the lease.
    pub(super) fn renew(&mut self) -> Result<(), MigrationError> {
        let lease = self.lease.clone();
        if self.with(|connection| lease.renew(connection))? { Ok(()) } else { Err(MigrationError::TakenOver) }
    }

    /// Gives the lease back. If that fails, it ends by itself.
    fn release(&mut self) {
        let lease = self.lease.clone();
        if let Err(error) = self.with(|connection| lease.release(connection)) {
            tracing::debug!(%error, "the lease of the migrations could not be given back");
        }
    }

    /// Whether the connection has ended, so that it is unknown what became of a statement.
    pub(super) fn is_cut_off(&mut self) -> bool {
        self.connection.was_closed() || self.connection.is_spoilt()
    }
}

/// Runs what is pending.
pub(super) fn run(
    location: &Location,
    shown: &str,
    migrations: &Migrations,
    options: &Options,
    tell: &mut dyn FnMut(&MigrationEvent),
) -> Result<MigrationReport, MigrationError> {
    let all = some(migrations, location.database())?;
    let mut run = begin(location, shown, options, tell, all)?;
    let done = until_done(&mut run, all);
    run.release();
    done
}

fn until_done(run: &mut Run<'_>, all: &[Migration]) -> Result<MigrationReport, MigrationError> {
    let mut report = MigrationReport::default();
    // Older programs cannot mind what happens to a database that none has used.
    let contract = run.options.contract || run.with(record::is_empty)?;
    loop {
        // Read again under the lease: another run may have executed some meanwhile.
        let applied = run.with(record::applied_versions)?;
        let schedule = Schedule::of(all, &applied, contract);
        let Some(migration) = schedule.due.first() else {
            report.waiting = schedule.waiting.iter().map(|migration| migration.name.to_string()).collect();
            report.unknown = schedule.unknown;
            break;
        };
        refuse_disorder(&schedule)?;
        if let Some(former) = former_of(migration, &applied) {
            run.with_lease(|connection| record::replaced(connection, &former, migration))?;
            report.replaced.push(migration.name.to_string());
            continue;
        }
        if applied.is_empty() {
            // Tables that create_tables made, maybe an older version's: the first migration does not know of which.
            complete(run, &mut report)?;
        }
        let applied = one(run, migration, &|connection| record::done(connection, migration));
        report.applied.push(applied.map_err(|error| raise::failed_after(all, migration, error))?);
    }
    complete(run, &mut report)?;
    Ok(report)
}

/// Adds what the engine's tables lack of this program's revision.
fn complete(run: &mut Run<'_>, report: &mut MigrationReport) -> Result<(), MigrationError> {
    let Some(Lacks { rules, parts }) = run.with(lacks_of_engine_tables)? else { return Ok(()) };
    run.renew()?;
    let (location, lease) = (run.location, run.lease.clone());
    let completed = keep(&lease, location).and_then(|_keeper| {
        let mut connection = Connection::of_migration(location)?;
        complete_engine_tables(&mut connection)
    });
    completed.map_err(|trouble| MigrationError::of(trouble, run.shown))?;
    report.restored.extend(rules.into_iter().map(str::to_owned));
    report.added.extend(parts);
    Ok(())
}

/// Executes one migration, with what its last transaction records.
fn one(run: &mut Run<'_>, migration: &Migration, ending: Ending<'_>) -> Result<AppliedMigration, MigrationError> {
    let begun = MonotonicTime::now();
    (run.tell)(&MigrationEvent::Begun { name: migration.name.to_string(), statements: migration.statements.len() });
    // Asked first, so that older programs are not disturbed in vain, and again when nothing of theirs is open.
    if let Some(failed) = run.with(|connection| checks::ask(connection, migration))? {
        // A run that was killed may have raised the epochs already.
        raise::abandon(run, migration)?;
        return Err(failed);
    }
    raise::raise(run, migration)?;
    let executed = run.renew().and_then(|()| execute::execute(run, migration, ending));
    let mut applied = executed.map_err(|error| raise::failed(run, migration, error))?;
    applied.took = begun.elapsed();
    (run.tell)(&MigrationEvent::Applied(applied.clone()));
    Ok(applied)
}

/// The migrations of a database, of which there must be some.
fn some(migrations: &Migrations, database: Database) -> Result<&[Migration], MigrationError> {
    let all = migrations.on(database);
    let database = match database {
        Database::Sqlite => "SQLite",
        Database::Postgres => "PostgreSQL",
    };
    if all.is_empty() { Err(MigrationError::None { database }) } else { Ok(all) }
}

fn refuse_disorder(schedule: &Schedule<'_>) -> Result<(), MigrationError> {
    if !schedule.unknown.is_empty() {
        return Err(MigrationError::Unknown { versions: schedule.unknown.clone() });
    }
    match schedule.overtaken.first() {
        Some((migration, newest)) => {
            Err(MigrationError::Overtaken { migration: migration.name.to_string(), newest: newest.clone() })
        }
        None => Ok(()),
    }
}

/// Connects and takes the lease; waits while another run has it.
fn begin<'r>(
    location: &'r Location,
    shown: &'r str,
    options: &'r Options,
    tell: &'r mut dyn FnMut(&MigrationEvent),
    all: &[Migration],
) -> Result<Run<'r>, MigrationError> {
    let failed = |trouble| MigrationError::of(trouble, shown);
    let mut connection = Connection::of_migration(location).map_err(failed)?;
    // Several programs may create the same table at once, and all but one fail; there are two tables.
    let prepared = record::prepare(&mut connection).or_else(|_| record::prepare(&mut connection));
    prepared.or_else(|_| record::prepare(&mut connection)).map_err(failed)?;
    let lease = lease_of(&options.program, options.lease);
    let begun = MonotonicTime::now();
    let mut waits_for = None;
    let before = loop {
        match lease.take(&mut connection) {
            Ok(Taking::Taken) => break None,
            Ok(Taking::TakenOver(who)) => break Some(who),
            Ok(Taking::Held(who, _)) if begun.elapsed() > options.patience => return Err(MigrationError::Busy { who }),
            Ok(Taking::Held(who, lease_ends_in)) => {
                if waits_for.as_ref() != Some(&who) {
                    tell(&MigrationEvent::Waiting { who: who.clone(), lease_ends_in });
                    waits_for = Some(who);
                }
                sleep(lease_ends_in.clamp(Duration::from_millis(20), Duration::from_millis(500)));
            }
            // A SQLite file that another run is writing.
            Err(Trouble::Unavailable(_)) if location.has_one_writer() && begun.elapsed() < options.patience => {
                sleep(Duration::from_millis(100));
            }
            Err(trouble) => return Err(failed(trouble)),
        }
    };
    let mut run = Run { connection, location, shown, lease, options, tell };
    if let Some(who) = before {
        interrupted(&mut run, who, all)?;
    }
    Ok(run)
}

/// Tells what an earlier run, which was killed, has left half done.
fn interrupted(run: &mut Run<'_>, who: String, all: &[Migration]) -> Result<(), MigrationError> {
    let applied = run.with(record::applied_versions)?;
    let next = all.iter().find(|migration| !applied.contains(&migration.version()));
    let half_done = match next {
        None => None,
        Some(next) => run.with(|connection| HalfDone::of(connection, next))?.map(|half_done| (next, half_done.done)),
    };
    (run.tell)(&MigrationEvent::Interrupted {
        who,
        half_done: half_done.as_ref().map(|(migration, _)| migration.name.to_string()),
        statements: half_done.map(|(migration, done)| (done, migration.statements.len())),
    });
    Ok(())
}

/// What is applied and what is pending.
pub(super) fn status(
    location: &Location,
    shown: &str,
    migrations: &Migrations,
) -> Result<MigrationsStatus, MigrationError> {
    let failed = |trouble| MigrationError::of(trouble, shown);
    let all = some(migrations, location.database())?;
    if location.is_missing_file() {
        return Ok(nothing_yet(shown, all));
    }
    let mut connection = Connection::of_migration(location).map_err(failed)?;
    let is_empty = record::is_empty(&mut connection).map_err(failed)?;
    let applied = record::applied(&mut connection).map_err(failed)?;
    let has_settings = record::exists(&mut connection, record::SETTINGS).map_err(failed)?;
    let mut states = Vec::with_capacity(all.len());
    for migration in all {
        let half_done = |connection: &mut Connection| {
            if has_settings { HalfDone::of(connection, migration) } else { Ok(None) }
        };
        let former = migration.former_versions().find_map(|former| Some((applied.get(&former)?.clone(), former)));
        let state = match (applied.get(&migration.version()), former) {
            (Some(at), _) => MigrationState::Applied(at.clone()),
            (None, Some((run_on, former))) => MigrationState::AppliedAs { former, run_on },
            (None, None) => half_done(&mut connection)
                .map_err(failed)?
                .map_or(MigrationState::Pending, |half_done| MigrationState::HalfDone(half_done.done)),
        };
        states.push(MigrationStatus { name: migration.name.to_string(), phase: migration.phase, state });
    }
    let versions: BTreeSet<_> = applied.into_keys().collect();
    let running = if has_settings { lease_holder(&mut connection, SETTING).map_err(failed)? } else { None };
    Ok(MigrationsStatus {
        database: shown.to_owned(),
        migrations: states,
        unknown: Schedule::of(all, &versions, true).unknown,
        running,
        is_empty,
    })
}

/// The status of a file that does not exist yet; a run creates it.
fn nothing_yet(shown: &str, all: &[Migration]) -> MigrationsStatus {
    let pending = |migration: &Migration| MigrationStatus {
        name: migration.name.to_string(),
        phase: migration.phase,
        state: MigrationState::Pending,
    };
    MigrationsStatus {
        database: shown.to_owned(),
        migrations: all.iter().map(pending).collect(),
        unknown: Vec::new(),
        running: None,
        is_empty: true,
    }
}

/// Goes a way back, and forgets the versions that it takes back.
pub(super) fn revert(
    location: &Location,
    shown: &str,
    way_back: &WayBack,
    tell: &mut dyn FnMut(&MigrationEvent),
) -> Result<Vec<AppliedMigration>, MigrationError> {
    let options = Options::default();
    let mut run = begin(location, shown, &options, tell, &[])?;
    let done = back(&mut run, way_back);
    run.release();
    done
}

fn back(run: &mut Run<'_>, way_back: &WayBack) -> Result<Vec<AppliedMigration>, MigrationError> {
    let parts = way_back.parts.iter().map(|part| one(run, part, &|connection| record::not_begun(connection, part)));
    let applied = parts.collect::<Result<Vec<_>, _>>()?;
    run.with_lease(|connection| {
        for (table, epoch) in &way_back.epochs {
            settings::put(connection, &epochs::setting(table), &epoch.to_string())?;
        }
        way_back.versions.iter().try_for_each(|version| record::undone(connection, version))
    })?;
    Ok(applied)
}
