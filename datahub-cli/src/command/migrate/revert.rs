//! `datahub migrate revert`: the way back, planned from the database's real state.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;

use clap::Args;
use datahub_derive::project::Project;
use datahub_migrate::{Answers, PartKind, Plan, Step, Summary, Undecided, plan};
use datahub_model::schema::{Database, SchemaHash, Snapshot};
use datahub_runtime::migration::{
    self, FoundTables, Migrate, Migration, MigrationState, MigrationsStatus, Phase, WayBack,
};
use serde_json::json;

use super::back::Partners;
use super::{back, folder, progress, shown};
use crate::command::address::{Address, Located};
use crate::output::Output;

/// How far back, and with what consent.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    address: Address,
    /// The schema to go back to, a former `schema.toml`.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Agrees to the loss of a column (`table.column`) or a table; repeatable.
    #[arg(long, value_name = "NAME")]
    drop: Vec<String>,
    /// Carries it out without asking.
    #[arg(long)]
    yes: bool,
}

/// The schema to go back to, and what is taken back.
struct Before {
    snapshot: Snapshot,
    /// The versions that the database forgets, newest last.
    versions: Vec<String>,
    /// Those of them that the working copy does not have.
    unknown: Vec<String>,
    /// Migrations that were written by hand, are newer, and stay applied.
    by_hand: Vec<String>,
}

/// The way back with consent to what it loses.
struct Agreed {
    plan: Plan,
    /// What was agreed to because no row had a value.
    empty: BTreeSet<String>,
}

pub(super) fn run(project: &Project, options: &Options, output: &Output) -> Result<bool, String> {
    let located = options.address.locate(project)?;
    let last = match project.schema().map_err(|error| error.to_string())? {
        Some(schema) => (*schema.snapshot).clone(),
        None => return Err(folder::none(project, located.database)),
    };
    let Some(before) = before(project, &located, options, &last, output)? else { return Ok(false) };
    if before.versions.is_empty() {
        output.result("no migration is applied that could be taken back", &json!({"reverted": []}));
        return Ok(false);
    }
    let found = match progress::wait(migration::tables_of(located.url.clone()))? {
        Ok(found) => found,
        Err(error) => return shown::failed(&error, output),
    };
    let real = back::real(&found, &last, &before.snapshot);
    let target = back::target(&before.snapshot, &last, &real);
    let (mut equal, mut unequal) = (Vec::new(), BTreeMap::new());
    for partners in back::partners(&before.snapshot, &last, &real) {
        let Partners { table, new, former } = &partners;
        let counted = migration::rows_that_differ(located.url.clone(), table.clone(), new.clone(), former.clone());
        match progress::wait(counted)? {
            Ok(0) => equal.push(partners),
            Ok(rows) => _ = unequal.insert(partners.name(), (partners, rows)),
            Err(error) => return shown::failed(&error, output),
        }
    }
    let Agreed { plan: planned, empty } = match agreed(&real, &target, (&found, &equal), options) {
        Ok(agreed) => agreed,
        Err(undecided) => {
            output.error(&refusal(&undecided, &found, &unequal));
            return Ok(false);
        }
    };
    let is_agreed = |partners: &Partners| options.drop.contains(&partners.name());
    let equal: Vec<_> = equal.into_iter().filter(|partners| !is_agreed(partners)).collect();
    let carried = back::carried(&before.snapshot, &last, &real);
    let parts = parts(&planned, (&empty, &equal), carried, located.database);
    if !confirmed(&planned, &parts, &before, options, output)? {
        return Ok(false);
    }
    let epochs = back::epochs(&before.snapshot, &last, &real);
    let way_back = WayBack { parts, versions: before.versions.clone(), epochs };
    match progress::wait(way_back.go(located.url, progress::shown()))? {
        Ok(done) => {
            let mut lines: Vec<_> = done.iter().map(shown::line).collect();
            lines.push(format!("reverted {}", before.versions.join(", ")));
            let done: Vec<_> = done.iter().map(shown::applied).collect();
            let json = json!({"reverted": before.versions, "parts": done, "stay": before.by_hand});
            output.result(&lines.join("\n"), &json);
            Ok(true)
        }
        Err(error) => shown::failed(&error, output),
    }
}

/// Where to go back to. Without a file: behind what the working copy does not have, if the database has such migrations,
/// otherwise to the schema that the last plan began with.
fn before(
    project: &Project,
    located: &Located,
    options: &Options,
    last: &Snapshot,
    output: &Output,
) -> Result<Option<Before>, String> {
    let migrations = folder::read(project, located.database)?;
    let to_run = folder::to_run(located.database, &migrations);
    let status = match progress::wait(Migrate::new(located.url.clone(), to_run).status())? {
        Ok(status) => status,
        Err(error) => return shown::failed(&error, output).map(|_| None),
    };
    // Where a migration counts as applied because it replaces one, those between them may be pending.
    let former = status.migrations.iter().filter_map(|migration| match &migration.state {
        MigrationState::AppliedAs { former, .. } => Some(former.clone()),
        _ => None,
    });
    let former: Vec<_> = former.collect();
    let snapshot = match &options.to {
        Some(file) => {
            let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            Snapshot::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?
        }
        None => {
            let hash = match status.unknown.iter().chain(&former).min() {
                Some(unknown) => last_before(unknown, &migrations, &status),
                None => last.parent,
            };
            match hash {
                Some(hash) if hash == last.hash() => last.clone(),
                Some(hash) => back::in_git(project, hash)?,
                None => Snapshot::default(),
            }
        }
    };
    let newest_kept = snapshot.migration.as_deref().map(version);
    let applied = status
        .migrations
        .iter()
        .filter(|migration| matches!(migration.state, MigrationState::Applied(_) | MigrationState::HalfDone(_)));
    let is_newer = |version: &String| newest_kept.as_ref().is_none_or(|kept| version > kept);
    let newer = applied.map(|migration| migration.name.clone()).filter(|name| is_newer(&version(name)));
    // The way back is planned from schemas, which say nothing of what was written by hand.
    let is_by_hand =
        |name: &String| migrations.iter().any(|migration| migration.name == *name && migration.metadata.to.is_none());
    let (by_hand, planned): (Vec<_>, Vec<_>) = newer.partition(is_by_hand);
    let unknown: Vec<_> = status.unknown.iter().filter(|version| is_newer(version)).cloned().collect();
    let former = former.into_iter().filter(is_newer);
    let planned = planned.iter().map(|name| version(name));
    let versions: BTreeSet<_> = planned.chain(former).chain(unknown.iter().cloned()).collect();
    Ok(Some(Before { snapshot, versions: versions.into_iter().collect(), unknown, by_hand }))
}

/// The version by which a migration is recorded.
fn version(name: &str) -> String {
    name.split('_').next().unwrap_or_default().replace('-', "")
}

/// The hash of the schema after the newest plan that is wholly applied and older than a version.
fn last_before(
    unknown: &String,
    migrations: &[datahub_migrate::Migration],
    status: &MigrationsStatus,
) -> Option<SchemaHash> {
    let is_applied = |name: &str| {
        let mut states = status.migrations.iter().filter(|migration| migration.name == name);
        states.any(|migration| matches!(migration.state, MigrationState::Applied(_)))
    };
    let is_whole = |plan: &str| {
        let mut parts = migrations.iter().filter(|migration| migration.plan() == plan);
        parts.all(|part| part.version() < *unknown && is_applied(&part.name))
    };
    let plans = migrations.iter().rev().filter(|migration| is_whole(migration.plan()));
    plans.into_iter().find_map(|migration| migration.metadata.to)
}

/// The plan, with consent to what is lost: what was named, what no row has, and what another column has too.
fn agreed(
    real: &Snapshot,
    target: &Snapshot,
    (found, equal): (&FoundTables, &[Partners]),
    options: &Options,
) -> Result<Agreed, Undecided> {
    let equal: BTreeSet<_> = equal.iter().map(Partners::name).collect();
    let without_equal = |mut plan: Plan| {
        plan.losses.retain(|loss| !equal.contains(&loss.name));
        plan
    };
    let mut answers = Answers { drop: options.drop.iter().cloned().collect(), ..Answers::default() };
    let undecided = match plan(real, target, &answers) {
        Ok(plan) => return Ok(Agreed { plan: without_equal(plan), empty: BTreeSet::new() }),
        Err(undecided) => undecided,
    };
    // A column that goes is not one that comes back: what was renamed is known from the log.
    let names: BTreeSet<_> = undecided.losses.iter().map(|loss| loss.name.clone()).collect();
    let in_question: BTreeSet<_> = undecided.questions.iter().map(datahub_migrate::Question::name).collect();
    let (in_both, others) = names.union(&in_question).cloned().partition(|name| equal.contains(name));
    let in_both: BTreeSet<String> = in_both;
    let empty = back::empty(found, &others);
    if empty.is_empty() && in_both.is_empty() {
        return Err(undecided);
    }
    answers.drop.extend(empty.iter().chain(&in_both).cloned());
    Ok(Agreed { plan: without_equal(plan(real, target, &answers)?), empty })
}

/// Why the way back is not carried out without consent.
fn refusal(undecided: &Undecided, found: &FoundTables, unequal: &BTreeMap<String, (Partners, i64)>) -> String {
    let mut lines = Vec::new();
    let names = undecided.losses.iter().map(|loss| loss.name.clone());
    let names: Vec<_> = names.chain(undecided.questions.iter().map(datahub_migrate::Question::name)).collect();
    for name in &names {
        if let Some((Partners { former, .. }, rows)) = unequal.get(name) {
            let rows = if *rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
            lines.push(format!("the way back loses {name}, which has another value than {former} in {rows}"));
            continue;
        }
        lines.push(match back::rows(found, name) {
            1 => format!("the way back loses {name}, which has a value in 1 row"),
            rows => format!("the way back loses {name}, which has values in {rows} rows"),
        });
    }
    lines.extend(undecided.faults.iter().cloned());
    if !names.is_empty() {
        let drop: Vec<_> = names.iter().map(|name| format!("--drop {name}")).collect();
        lines.push(format!(
            "help: the history keeps what CDMS has sent and what was changed; if the values may go, add {}",
            drop.join(" ")
        ));
    }
    lines.join("\n")
}

/// The parts as they are executed. What was empty or equal must still be so when the programs have stopped.
fn parts(
    planned: &Plan,
    (empty, equal): (&BTreeSet<String>, &[Partners]),
    carried: Vec<Step>,
    database: Database,
) -> Vec<Migration> {
    let mut parts = planned.parts(database);
    parts.iter_mut().filter(|part| part.kind == PartKind::Carry).for_each(|part| part.steps.extend(carried.clone()));
    let losses = planned.losses.iter().filter(|loss| empty.contains(&loss.name));
    for (kind, check) in losses.filter_map(|loss| back::still_empty(planned, loss)) {
        parts.iter_mut().filter(|part| part.kind == kind).for_each(|part| part.checks.push(check.clone()));
    }
    for check in equal.iter().filter_map(|partners| partners.still_equal(planned)) {
        let contract = parts.iter_mut().filter(|part| part.kind == PartKind::Contract);
        contract.for_each(|part| part.checks.push(check.clone()));
    }
    let parts = parts.into_iter().filter(|part| !part.is_empty()).map(|part| {
        let is_last = part.kind == PartKind::Contract;
        let triggers = if is_last { back::without_triggers(planned, database) } else { Vec::new() };
        let steps = part.steps.iter().flat_map(|step| step.sql(database, true));
        let statements = triggers.into_iter().chain(steps);
        let name = format!("revert{}", part.kind.suffix());
        let epochs = part.epochs.iter().map(|(table, epoch)| (table.clone().into(), *epoch));
        Migration {
            plan: name.clone().into(),
            name: name.into(),
            phase: Phase::Contract,
            in_transaction: part.kind != PartKind::Carry,
            statements: statements.map(Into::into).collect::<Vec<_>>().into(),
            epochs: epochs.collect::<Vec<_>>().into(),
            checks: folder::checks(&part.checks),
            replaces: Vec::new().into(),
        }
    });
    parts.collect()
}

/// Shows the plan, and asks whether to go on.
fn confirmed(
    planned: &Plan,
    parts: &[Migration],
    before: &Before,
    options: &Options,
    output: &Output,
) -> Result<bool, String> {
    let mut lines = vec![format!("takes back {}", before.versions.join(", "))];
    let mut left = vec!["stop the programs that need the newer tables, before you go back".to_owned()];
    left.extend(before.by_hand.iter().map(|name| {
        format!("{name} was written by hand and stays applied: what it did is not undone; undo it by hand if need be")
    }));
    left.extend(before.unknown.iter().map(|version| {
        format!("{version} is not in this working copy: what it did besides the tables of models is not undone")
    }));
    let summary = Summary { left, ..Summary::at_once(planned) };
    lines.extend(summary.text().lines().map(str::to_owned));
    lines.push("SQL:".to_owned());
    for sql in parts.iter().flat_map(|part| part.statements.iter()) {
        // Comments are for reviewers of a migration.
        let sql = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
        lines.push(format!("  {};", sql.collect::<Vec<_>>().join("\n  ")));
    }
    crate::output::note(&lines.join("\n"));
    if options.yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        output.error("nothing was changed, because the way back was not confirmed\nhelp: add `--yes`");
        return Ok(false);
    }
    crate::output::note("carry it out? [y/N]");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(|error| format!("cannot read the answer: {error}"))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
