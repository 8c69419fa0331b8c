//! `datahub migrate new`: plans a migration and writes its files.

use std::io::{IsTerminal as _, stderr, stdin};

use chrono::{NaiveDateTime, TimeDelta, Utc};
use clap::Args;
use datahub_derive::project::Project;
use datahub_migrate::{Answers, Files, Migration, Plan, Snapshot, Summary, TableChange, folder_of, plan};
use serde_json::json;

use super::ask;
use super::fault::Fault;
use super::journal::{self, Journal};
use super::models;
use super::state::{Base, HEAD, SCHEMA, State};
use crate::output::Output;

/// What to plan.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Exit codes: 0 written, or nothing to do; 1 something must be decided or corrected first; \
2 a file or an option cannot be used.

Examples:
  datahub migrate new add_fax                         writes the migration, and says what happens
  datahub migrate new --dry-run                       shows the SQL, and writes nothing
  datahub migrate new drop_fax --drop contacts.fax    agrees that these values are lost
  datahub migrate new --rename contacts.town=address_town
                                                      says that this column is the same one"
)]
pub(crate) struct Options {
    /// The migration's name, such as `add_fax`. Without one it follows from what changes.
    name: Option<String>,
    /// Agrees to the loss of a column's or a table's values.
    #[arg(long, value_name = "TABLE.COLUMN|TABLE")]
    drop: Vec<String>,
    /// Says that a column or a table has another name now.
    #[arg(long, value_name = "TABLE.COLUMN=COLUMN|TABLE=TABLE", value_parser = rename)]
    rename: Vec<(String, String)>,
    /// Asks nothing, also on a terminal, and fails where something must be decided.
    #[arg(long)]
    no_input: bool,
    /// Shows the files and writes none.
    #[arg(long)]
    dry_run: bool,
    /// The time in the folders' names, in UTC, instead of now.
    #[arg(long, value_name = "YYYYMMDDHHMMSS", value_parser = time)]
    time: Option<NaiveDateTime>,
}

/// The form of the time in a folder's name.
const TIME: &str = "%Y%m%d%H%M%S";

pub(super) fn time(text: &str) -> Result<NaiveDateTime, String> {
    NaiveDateTime::parse_from_str(text, TIME).map_err(|_| "must be 14 digits, such as 20261130094500".to_owned())
}

fn rename(text: &str) -> Result<(String, String), String> {
    let (from, to) = text.split_once('=').ok_or("must have the form `table.column=column` or `table=table`")?;
    Ok((from.trim().to_owned(), to.trim().to_owned()))
}

pub(super) fn run(project: &Project, options: &Options, output: &Output) -> Result<bool, String> {
    let mut state = recovered(project, output)?;
    if !options.dry_run && join(&state, output)? {
        state = State::read(project)?;
    }
    let base = match state.base() {
        Ok(base) => base,
        Err(faults) => {
            Fault::print(&faults, output);
            return Ok(false);
        }
    };
    let needed = match models::needed(project)? {
        Ok(needed) => needed,
        Err(faults) => {
            Fault::print(&faults, output);
            return Ok(false);
        }
    };
    let mut answers =
        Answers { drop: options.drop.iter().cloned().collect(), rename: options.rename.iter().cloned().collect() };
    let asks = !options.no_input && !output.is_json() && stdin().is_terminal() && stderr().is_terminal();
    let planned = loop {
        let undecided = match plan(&base.snapshot, &needed, &answers) {
            Ok(planned) => break planned,
            Err(undecided) => undecided,
        };
        let is_open = !undecided.questions.is_empty() || !undecided.losses.is_empty();
        let is_answered = asks
            && is_open
            && ask::ask(&undecided, &mut answers, &mut stdin().lock(), &mut stderr())
                .map_err(|error| format!("cannot ask on the terminal: {error}"))?;
        if !is_answered {
            output.result(&ask::text(&undecided), &ask::json(&undecided));
            return Ok(false);
        }
    };
    if planned.is_empty() {
        output.result("nothing to migrate: the models need what the last migration left", &json!({ "folders": [] }));
        return Ok(true);
    }
    let name = options.name.clone().unwrap_or_else(|| named(&planned, &base));
    if let Some(fault) = name_fault(&name) {
        return Err(fault);
    }
    let time = after(state.all(), options.time.unwrap_or_else(|| Utc::now().naive_utc()));
    let files = planned.files(base.hash, &name, time, &project.settings().databases, &answers);
    if !options.dry_run {
        journal_of(&files, Vec::new()).commit(&state.folder)?;
    }
    output.result(
        &report(&state, &planned, &files, options.dry_run),
        &as_json(&state, &planned, &files, options.dry_run),
    );
    if !answers.rename.is_empty() && options.rename.is_empty() {
        let names: Vec<_> = answers.rename.iter().map(|(from, to)| format!("`was` for {from} on {to}")).collect();
        output.note(&format!("write {} too, so that older history is found under the new name", names.join(", ")));
    }
    Ok(true)
}

/// Plans the first migration of a project that has none; returns the paths of its files, or nothing if it has one.
///
/// # Errors
///
/// Models or files of migrations with faults, and a file that cannot be written.
pub(crate) fn first(project: &Project, output: &Output) -> Result<Vec<String>, String> {
    let state = recovered(project, output)?;
    if !state.is_empty() {
        return Ok(Vec::new());
    }
    let in_words = |faults: &[Fault]| faults.iter().map(Fault::in_one_line).collect::<Vec<_>>().join("\n");
    let needed = models::needed(project)?.map_err(|faults| in_words(&faults))?;
    let answers = Answers::default();
    let planned = plan(&Snapshot::default(), &needed, &answers).map_err(|undecided| ask::text(&undecided))?;
    let files = planned.files(None, "first", Utc::now().naive_utc(), &project.settings().databases, &answers);
    journal_of(&files, Vec::new()).commit(&state.folder)?;
    Ok(paths(&state, &files))
}

/// Writes the first migration of each database that was added to the project after migrations for another were planned.
fn join(state: &State, output: &Output) -> Result<bool, String> {
    let joining = state.joining();
    let schema = state.schema.as_deref().and_then(|schema| Snapshot::parse(schema).ok());
    let (Some(schema), false, true) = (schema, joining.is_empty(), state.faults.is_empty()) else { return Ok(false) };
    let last = state.all().find(|migration| schema.migration.as_deref() == Some(&migration.name));
    let (Some(last), Ok(whole)) = (last, plan(&Snapshot::default(), &schema, &Answers::default())) else {
        return Ok(false);
    };
    let mut written = Vec::new();
    for database in joining {
        let folder = whole.joining(database, last);
        let path = format!("{}/{}", folder_of(database), folder.name);
        output.note(&format!("{} creates the schema as it is now, because the database joined later", state.at(&path)));
        written.push((format!("{path}/up.sql"), folder.up));
        written.push((format!("{path}/metadata.toml"), folder.metadata));
    }
    Journal { removed: Vec::new(), written }.commit(&state.folder)?;
    Ok(true)
}

/// The folder of migrations, after what an interrupted run left is finished or removed.
pub(super) fn recovered(project: &Project, output: &Output) -> Result<State, String> {
    if let Some(note) = journal::recover(&project.migrations())? {
        output.note(&note);
    }
    State::read(project)
}

/// The changes of files that write a plan.
pub(super) fn journal_of(files: &Files, removed: Vec<String>) -> Journal {
    let mut written = Vec::new();
    for folder in &files.folders {
        let path = format!("{}/{}", folder_of(folder.database), folder.name);
        written.push((format!("{path}/up.sql"), folder.up.clone()));
        written.push((format!("{path}/metadata.toml"), folder.metadata.clone()));
    }
    written.push((SCHEMA.to_owned(), files.schema.clone()));
    written.push((HEAD.to_owned(), files.head.clone()));
    Journal { removed, written }
}

/// A time that is later than every migration's.
pub(super) fn after<'m>(migrations: impl Iterator<Item = &'m Migration>, time: NaiveDateTime) -> NaiveDateTime {
    let versions = migrations.filter_map(|migration| NaiveDateTime::parse_from_str(&migration.version(), TIME).ok());
    versions.max().map_or(time, |last| time.max(last + TimeDelta::seconds(1)))
}

/// A name that says what changes.
fn named(planned: &Plan, base: &Base) -> String {
    if base.hash.is_none() {
        return "initial".to_owned();
    }
    match planned.changes.tables.as_slice() {
        [TableChange::New { name, .. }] => format!("create_{name}"),
        [TableChange::Dropped { name, .. }] => format!("drop_{name}"),
        [TableChange::Kept(table)] if table.from != table.to => format!("rename_{}", table.from),
        [TableChange::Kept(table)] => format!("change_{}", table.to),
        [] => "engine_tables".to_owned(),
        _ => "change_tables".to_owned(),
    }
}

fn name_fault(name: &str) -> Option<String> {
    let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let fault = if name.is_empty() || !name.bytes().all(is_fit) {
        "must consist of lowercase letters, digits and underscores, such as `add_fax`"
    } else if name.len() > 100 {
        "must have at most 100 letters"
    } else {
        return None;
    };
    Some(format!("the name of a migration {fault}, found `{name}`"))
}

/// What was planned, as text.
pub(super) fn report(state: &State, planned: &Plan, files: &Files, is_dry: bool) -> String {
    let mut text = Summary::of(planned).text();
    text.push_str(if is_dry { "\nWould write:\n" } else { "\nWritten:\n" });
    for path in paths(state, files) {
        text.push_str(&format!("- {path}\n"));
    }
    if is_dry {
        for folder in &files.folders {
            let path = state.at(&format!("{}/{}", folder_of(folder.database), folder.name));
            text.push_str(&format!("\n-- {path}/up.sql\n{}", folder.up));
        }
    }
    text.trim_end().to_owned()
}

fn paths(state: &State, files: &Files) -> Vec<String> {
    let folders =
        files.folders.iter().map(|folder| state.at(&format!("{}/{}/", folder_of(folder.database), folder.name)));
    folders.chain([state.at(SCHEMA), state.at(HEAD)]).collect()
}

/// What was planned, for machines.
pub(super) fn as_json(state: &State, planned: &Plan, files: &Files, is_dry: bool) -> serde_json::Value {
    let summary = Summary::of(planned);
    let folders = files.folders.iter().map(|folder| {
        json!({
            "database": folder_of(folder.database),
            "folder": state.at(&format!("{}/{}", folder_of(folder.database), folder.name)),
            "up": folder.up,
            "metadata": folder.metadata,
        })
    });
    json!({
        "written": !is_dry,
        "folders": folders.collect::<Vec<_>>(),
        "head": files.head.trim_end(),
        "summary": {
            "changes": summary.changes,
            "losses": summary.losses,
            "fills": summary.fills,
            "left": summary.left,
        },
    })
}
