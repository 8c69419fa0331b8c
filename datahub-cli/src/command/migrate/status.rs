//! `datahub migrate status`: what is applied, and what is pending.

use clap::Args;
use datahub_derive::project::Project;
use datahub_runtime::migration::{Migrate, MigrationState, MigrationStatus, MigrationsStatus, Phase};
use serde_json::{Value, json};

use super::state::State;
use super::{folder, progress, shown};
use crate::command::address::Address;
use crate::output::Output;

/// Whose status.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    address: Address,
}

pub(super) fn run(project: &Project, options: &Options, output: &Output) -> Result<bool, String> {
    let is_merged = State::read(project)?.unfinished_merge().is_empty();
    let located = options.address.locate(project)?;
    let migrations = folder::read(project, located.database)?;
    let to_run = folder::to_run(located.database, &migrations);
    match progress::wait(Migrate::new(located.url, to_run).status())? {
        Ok(status) => Ok(show(&status, is_merged, output)),
        Err(error) => shown::failed(&error, output),
    }
}

/// What to do if what is pending cannot be run.
const REPLACED: &str = "help: update your working copy; if what is missing was replaced by `datahub migrate rebase` or is of a \
                        branch that you do not need, run `datahub migrate revert`, then `datahub migrate run`";

/// Shows the status, and returns whether nothing has to be run.
fn show(status: &MigrationsStatus, is_merged: bool, output: &Output) -> bool {
    let is_applied = |migration: &&MigrationStatus| {
        matches!(migration.state, MigrationState::Applied(_) | MigrationState::AppliedAs { .. })
    };
    let pending: Vec<_> = status.migrations.iter().filter(|migration| !is_applied(migration)).collect();
    // What waits until older programs are gone does not have to be run now.
    let is_due = pending.first().is_some_and(|migration| {
        migration.phase == Phase::Expand || matches!(migration.state, MigrationState::HalfDone(_))
    });
    let mut lines: Vec<_> = status.migrations.iter().map(line).collect();
    lines.extend(status.unknown.iter().map(|version| format!("{version}: applied, but missing here")));
    lines.extend(status.running.iter().map(|who| format!("{who} is running migrations, or was killed a moment ago")));
    match (pending.len(), is_due) {
        _ if !is_merged => {
            lines.push("help: two branches planned migrations; run `datahub migrate rebase` first".to_owned());
        }
        (0, _) if !status.unknown.is_empty() => lines.push(
            "nothing is pending\nhelp: update your working copy; or run `datahub migrate revert` to take back what is \
             missing here"
                .to_owned(),
        ),
        (0, _) => lines.push("nothing is pending".to_owned()),
        _ if !status.unknown.is_empty() => lines.push(REPLACED.to_owned()),
        (_, true) => lines.push("help: run `datahub migrate run`".to_owned()),
        (_, false) => {
            lines.push("help: when the older programs are gone, run `datahub migrate run --contract`".to_owned());
        }
    }
    let json = json!({
        "migrations": status.migrations.iter().map(value).collect::<Vec<_>>(),
        "unknown": status.unknown,
        "running": status.running,
    });
    output.result(&lines.join("\n"), &json);
    is_merged && !is_due && status.unknown.is_empty()
}

fn line(migration: &MigrationStatus) -> String {
    let state = match (&migration.state, migration.phase) {
        (MigrationState::Applied(at), _) => format!("applied {at}"),
        (MigrationState::AppliedAs { former, run_on }, _) => format!("applied {run_on} as {former}, which it replaces"),
        (MigrationState::HalfDone(done), _) => format!("half done: {done} of its statements are done"),
        (_, Phase::Contract) => "pending, for when the older programs are gone".to_owned(),
        (_, Phase::Expand) => "pending".to_owned(),
    };
    format!("{}: {state}", migration.name)
}

fn value(migration: &MigrationStatus) -> Value {
    let (state, more) = match &migration.state {
        MigrationState::Applied(at) => ("applied", json!(at)),
        MigrationState::AppliedAs { run_on, .. } => ("applied", json!(run_on)),
        MigrationState::HalfDone(done) => ("half_done", json!(done)),
        _ => ("pending", Value::Null),
    };
    let phase = match migration.phase {
        Phase::Expand => "expand",
        Phase::Contract => "contract",
    };
    let mut value = json!({"name": migration.name, "phase": phase, "state": state});
    match state {
        "applied" => value["run_on"] = more,
        "half_done" => value["statements_done"] = more,
        _ => {}
    }
    if let MigrationState::AppliedAs { former, .. } = &migration.state {
        value["applied_as"] = json!(former);
    }
    value
}
