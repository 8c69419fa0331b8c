//! `datahub migrate rebase`: after two branches have each planned a migration, plans one of them again on top of the other.

use std::collections::BTreeSet;

use chrono::{NaiveDateTime, Utc};
use clap::Args;
use datahub_derive::project::Project;
use datahub_migrate::{Answers, Migration, Plan, SchemaHash, Snapshot, Undecided, folder_of, note_replaced, plan};
use serde_json::json;

use super::fault::Fault;
use super::graph::{Graph, Node};
use super::journal::Journal;
use super::new::{after, as_json, journal_of, recovered, report};
use super::state::{HEAD, SCHEMA, State};
use super::{ask, models};
use crate::git::Git;
use crate::output::Output;

/// What to plan again.
#[derive(Debug, Args)]
#[command(after_long_help = "Exit codes: 0 planned again, or nothing to do; 1 something must be decided or corrected \
first; 2 a file or an option cannot be used.

Examples:
  datahub migrate rebase                            after `git merge`, or in the middle of it
  datahub migrate rebase --onto 0d3f6c1e5a7b9824    keeps the branch with this HEAD instead of the one that was first")]
pub(crate) struct Options {
    /// The hash of the schema to plan on, instead of that of the branch that planned first.
    #[arg(long, value_name = "HASH", value_parser = hash)]
    onto: Option<SchemaHash>,
    /// Plans again although a migration was edited by hand, and loses the edit.
    #[arg(long)]
    discard_edits: bool,
    /// Agrees to the loss of a column's or a table's values, in addition to what was agreed to before.
    #[arg(long, value_name = "TABLE.COLUMN|TABLE")]
    drop: Vec<String>,
    /// The time in the folders' names, in UTC, instead of now.
    #[arg(long, value_name = "YYYYMMDDHHMMSS", value_parser = super::new::time)]
    time: Option<NaiveDateTime>,
}

fn hash(text: &str) -> Result<SchemaHash, String> {
    text.parse().map_err(|error: datahub_model::schema::NotAHash| error.to_string())
}

pub(super) fn run(project: &Project, options: &Options, output: &Output) -> Result<bool, String> {
    let state = recovered(project, output)?;
    if !state.faults.is_empty() {
        Fault::print(&state.faults, output);
        return Ok(false);
    }
    let graph = state.graph();
    let heads = graph.heads();
    let (kept, again) = match heads.as_slice() {
        [] => return Err(format!("{} has no planned migrations", state.shown)),
        [head] => (*head, None),
        [one, other] => choose(&graph, (one, other), options.onto)?,
        more => {
            let names: Vec<_> = more.iter().map(|head| head.name.as_str()).collect();
            return Err(format!(
                "more than two branches planned migrations ({}); merge and rebase them in turn",
                names.join(", ")
            ));
        }
    };
    let schema = schema_of(&state, kept)?;
    let Some(again) = again else {
        if state.base().is_ok() {
            output.result("nothing to plan again: the migrations follow each other", &json!({ "folders": [] }));
            return Ok(true);
        }
        let journal = Journal { removed: Vec::new(), written: kept_files(&schema) };
        journal.commit(&state.folder)?;
        output.result(
            &format!("{} and HEAD are again those after migration {}", state.at(SCHEMA), kept.name),
            &json!({ "head": kept.to.to_string() }),
        );
        return Ok(true);
    };
    plan_again(project, options, output, &state, (&schema, kept), &graph.only_in(again, kept))
}

/// Which head stays and which is planned again: the branch that planned first stays.
fn choose<'g>(
    graph: &'g Graph,
    (one, other): (&'g Node, &'g Node),
    onto: Option<SchemaHash>,
) -> Result<(&'g Node, Option<&'g Node>), String> {
    if let Some(onto) = onto {
        return match (one.to == onto, other.to == onto) {
            (true, _) => Ok((one, Some(other))),
            (_, true) => Ok((other, Some(one))),
            _ => Err(format!("{onto} is not the schema of a branch; write {} or {}", one.to, other.to)),
        };
    }
    let first = |head, other| graph.only_in(head, other).first().map(|node| node.name.clone());
    let is_first = first(one, other) <= first(other, one);
    Ok(if is_first { (one, Some(other)) } else { (other, Some(one)) })
}

/// The text of the schema after a migration, from its file or from git.
fn schema_of(state: &State, node: &Node) -> Result<String, String> {
    let is_it = |text: &str| SchemaHash::of(text) == node.to;
    if let Some(here) = state.schema.clone().filter(|text| is_it(text)) {
        return Ok(here);
    }
    let (hash, name, file) = (node.to, &node.name, state.at(SCHEMA));
    let is_nowhere = match Git::of(&state.folder).and_then(|git| git.find_text(SCHEMA, is_it)) {
        Ok(Some(text)) => return Ok(text),
        Ok(None) => format!("is neither in {file} nor in git"),
        Err(error) => format!("is not in {file}, and cannot be looked up in git: {error}"),
    };
    Err(format!(
        "the schema with hash {hash}, after migration {name}, {is_nowhere}\nhelp: check out {file} of the branch that has \
         this migration"
    ))
}

fn kept_files(schema: &str) -> Vec<(String, String)> {
    vec![(SCHEMA.to_owned(), schema.to_owned()), (HEAD.to_owned(), format!("{}\n", SchemaHash::of(schema)))]
}

fn plan_again(
    project: &Project,
    options: &Options,
    output: &Output,
    state: &State,
    (schema, kept): (&str, &Node),
    again: &[&Node],
) -> Result<bool, String> {
    let replaced: BTreeSet<_> = again.iter().flat_map(|node| &node.folders).cloned().collect();
    let of_them = |migration: &&Migration| replaced.contains(&migration.name);
    let edited: Vec<_> = state.all().filter(of_them).filter(|migration| migration.is_edited()).collect();
    if let Some(edited) = edited.first().filter(|_| !options.discard_edits) {
        let help = "move the edit to a migration of its own, or run again with `--discard-edits`";
        Fault::print(
            &[Fault::new(edited.name.clone(), "it was edited since it was planned, in up.sql or metadata.toml", help)],
            output,
        );
        return Ok(false);
    }
    let base = Snapshot::parse(schema).map_err(|error| format!("{}: {error}", state.at(SCHEMA)))?;
    // The models are checked against the schema, so its conflict is resolved first. If something must be decided, the next
    // run finds it so.
    if state.schema.as_deref() != Some(schema) {
        Journal { removed: Vec::new(), written: kept_files(schema) }.commit(&state.folder)?;
    }
    let needed = match models::needed(project)? {
        Ok(needed) => needed,
        Err(faults) => {
            Fault::print(&faults, output);
            return Ok(false);
        }
    };
    let mut answers = agreed(state.all().filter(of_them));
    answers.drop.extend(options.drop.iter().cloned());
    let planned = match planned(&base, &needed, &mut answers) {
        Ok(planned) => planned,
        Err(undecided) => {
            output.result(&ask::text(&undecided), &ask::json(&undecided));
            return Ok(false);
        }
    };
    let removed = project
        .settings()
        .databases
        .iter()
        .flat_map(|database| replaced.iter().map(|name| format!("{}/{name}", folder_of(*database))));
    let removed: Vec<_> = removed.collect();
    let shown: Vec<_> = again.iter().map(|node| node.name.as_str()).collect();
    let are = if shown.len() == 1 { "is" } else { "are" };
    if planned.is_empty() {
        Journal { removed, written: kept_files(schema) }.commit(&state.folder)?;
        let text = format!("{} {are} removed: the models need what {} left", shown.join(" and "), kept.name);
        output.result(&text, &json!({ "removed": shown, "folders": [] }));
        return Ok(true);
    }
    // The name without its time.
    let name = again[0].name.split_once('_').map_or("change_tables", |(_, name)| name);
    let others = state.all().filter(|migration| !of_them(migration));
    let time = after(others, options.time.unwrap_or_else(|| Utc::now().naive_utc()));
    let mut files = planned.files(Some(kept.to), name, time, &project.settings().databases, &answers);
    for (database, migrations) in &state.migrations {
        note_replaced(&mut files.folders, *database, migrations.iter().filter(of_them));
    }
    journal_of(&files, removed).commit(&state.folder)?;
    let text = format!(
        "{} {are} planned again after {}\n\n{}",
        shown.join(" and "),
        kept.name,
        report(state, &planned, &files, false)
    );
    let mut json = as_json(state, &planned, &files, false);
    json["removed"] = shown.into();
    output.result(&text, &json);
    output.note(&format!(
        "on a database on which the former folders were applied, `datahub migrate run` records new ones that execute the \
         same, and refuses if some do not; then run `datahub migrate revert` first, which takes the former ones back. If git \
         shows conflicts in {}, they are resolved: `git add` the folder",
        state.shown
    ));
    Ok(true)
}

/// What was agreed to in plans.
fn agreed<'m>(migrations: impl Iterator<Item = &'m Migration>) -> Answers {
    let mut answers = Answers::default();
    for migration in migrations {
        answers.drop.extend(migration.metadata.drop.iter().cloned());
        let renames = migration.metadata.rename.iter().filter_map(|rename| rename.split_once(" = "));
        answers.rename.extend(renames.map(|(from, to)| (from.to_owned(), to.to_owned())));
    }
    answers
}

/// The plan, without answers that the other branch has made unnecessary.
fn planned(base: &Snapshot, needed: &Snapshot, answers: &mut Answers) -> Result<Plan, Undecided> {
    let undecided = match plan(base, needed, answers) {
        Err(undecided) if !undecided.unused.is_empty() => undecided,
        planned => return planned,
    };
    for (name, _) in &undecided.unused {
        answers.drop.remove(name);
        answers.rename.remove(name);
    }
    plan(base, needed, answers)
}
