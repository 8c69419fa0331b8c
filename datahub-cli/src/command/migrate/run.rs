//! `datahub migrate run`: executes what is pending.

use std::time::Duration;

use clap::Args;
use datahub_derive::project::Project;
use datahub_migrate::Migration;
use datahub_runtime::migration::{Migrate, MigrationReport, MigrationState};
use serde_json::json;

use super::fault::Fault;
use super::state::State;
use super::{folder, progress, shown};
use crate::command::address::Address;
use crate::output::Output;

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    address: Address,
    /// Also runs the steps that older programs cannot live with, when these are gone.
    #[arg(long)]
    contract: bool,
    /// Only says what would be run, and changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// How long to wait for open writes of older programs, and for another run.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    patience: u64,
}

/// What to do when the older programs are gone.
const THEN: &str = "help: when the older programs are gone, run `datahub migrate run --contract`";

pub(super) fn run(project: &Project, options: &Options, output: &Output) -> Result<bool, String> {
    let faults = State::read(project)?.unfinished_merge();
    if !faults.is_empty() {
        Fault::print(&faults, output);
        return Ok(false);
    }
    let located = options.address.locate(project)?;
    let migrations = folder::read(project, located.database)?;
    let to_run = folder::to_run(located.database, &migrations);
    let run =
        Migrate::new(located.url, to_run).program("datahub migrate").patience(Duration::from_secs(options.patience));
    if options.dry_run {
        return dry_run(run, &migrations, options.contract, output);
    }
    let run = if options.contract { run.contract() } else { run };
    match progress::wait(run.on_event(progress::shown()).into_future())? {
        Ok(report) => {
            show(&report, output);
            Ok(true)
        }
        Err(error) => shown::failed(&error, output),
    }
}

fn show(report: &MigrationReport, output: &Output) {
    let mut lines: Vec<_> = report.applied.iter().map(shown::line).collect();
    lines.extend(report.restored.iter().map(|rule| format!("restored {rule}, which the engine's tables had lost")));
    lines.extend(report.added.iter().map(|part| format!("added {part}, which the engine's tables lacked")));
    lines.extend(report.replaced.iter().map(|name| {
        format!(
            "{name}: not executed, only recorded, because the migration that it replaces was applied and does the same"
        )
    }));
    let count = report.applied.len();
    lines.push(match count {
        0 if !report.replaced.is_empty() => "nothing had to be executed".to_owned(),
        0 => "nothing was pending".to_owned(),
        1 => "applied 1 migration".to_owned(),
        count => format!(
            "applied {count} migrations; the longest lock was held for {}",
            shown::duration(report.longest_lock())
        ),
    });
    if count == 0 && !report.waiting.is_empty() {
        lines.pop();
        lines.push("nothing was pending that older programs can live with".to_owned());
    }
    if !report.waiting.is_empty() {
        lines.push(format!("not run, because older programs cannot live with it: {}", report.waiting.join(", ")));
        lines.push(THEN.to_owned());
    }
    if !report.unknown.is_empty() {
        let versions = report.unknown.join(", ");
        lines.push(format!("applied, but missing here: {versions}; a newer program has run them"));
    }
    let json = json!({
        "added": report.added,
        "applied": report.applied.iter().map(shown::applied).collect::<Vec<_>>(),
        "replaced": report.replaced,
        "waiting": report.waiting,
        "restored": report.restored,
        "unknown": report.unknown,
        "longest_lock_ms": u64::try_from(report.longest_lock().as_millis()).unwrap_or(u64::MAX),
    });
    output.result(&lines.join("\n"), &json);
}

/// Says what would be run.
fn dry_run(run: Migrate, migrations: &[Migration], contract: bool, output: &Output) -> Result<bool, String> {
    let status = match progress::wait(run.status())? {
        Ok(status) => status,
        Err(error) => return shown::failed(&error, output),
    };
    let applied = |name: &str| {
        let found = status.migrations.iter().find(|migration| migration.name == name);
        found.is_some_and(|found| matches!(found.state, MigrationState::Applied(_) | MigrationState::AppliedAs { .. }))
    };
    let pending: Vec<_> = migrations.iter().filter(|migration| !applied(&migration.name)).collect();
    let contract = contract || status.is_empty;
    let is_contract = |migration: &&Migration| migration.phase() == datahub_migrate::Phase::Contract;
    let stop = pending.iter().position(|migration| !contract && is_contract(migration)).unwrap_or(pending.len());
    let (due, waiting) = pending.split_at(stop);
    let mut lines = Vec::new();
    for migration in due {
        lines.push(migration.name.clone());
        lines.extend(migration.metadata.summary.lines().map(|line| format!("  {line}")));
    }
    lines.push(match (due.len(), pending.len()) {
        (_, 0) => "nothing is pending".to_owned(),
        (1, 1) => "1 migration is pending, and would be run".to_owned(),
        (due, all) if due == all => format!("{all} migrations are pending, and would all be run"),
        (due, 1) => format!("1 migration is pending, and {due} would be run"),
        (due, all) => format!("{all} migrations are pending, of which {due} would be run"),
    });
    if !waiting.is_empty() {
        lines.push(THEN.to_owned());
    }
    let names =
        |migrations: &[&Migration]| migrations.iter().map(|migration| migration.name.clone()).collect::<Vec<_>>();
    output.result(&lines.join("\n"), &json!({"due": names(due), "waiting": names(waiting)}));
    Ok(true)
}
