//! A database's real tables as a schema to plan from, and the schema before the last plan. Pure but for git.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use datahub_derive::project::Project;
use datahub_model::schema::{
    ColumnSource, FoundColumn, Rename, SchemaHash, Snapshot, SnapshotColumn, SnapshotIndex, SnapshotTable,
};
use datahub_runtime::migration::{FoundTable, FoundTables};

/// The tables of a database as a schema. What a database does not know, such as fields, comes from schemas that may
/// describe it; tables that none of them knows belong to the team and are left out.
pub(super) fn real(found: &FoundTables, known: &[&Snapshot]) -> Snapshot {
    let tables = found.tables.iter().filter_map(|(name, found)| {
        let described = known.iter().find_map(|snapshot| snapshot.tables.get(name))?;
        Some((name.clone(), table(found, described, known.iter().filter_map(|snapshot| snapshot.tables.get(name)))))
    });
    Snapshot { engine: found.engine, tables: tables.collect(), ..Snapshot::default() }
}

fn table<'s>(
    found: &FoundTable,
    described: &SnapshotTable,
    known: impl Iterator<Item = &'s SnapshotTable>,
) -> SnapshotTable {
    let known: Vec<_> = known.collect();
    let columns = found.columns.iter().map(|there| {
        let described = known.iter().find_map(|table| table.column(&there.name));
        column(there, found.meanings.get(&there.name).map(String::as_str), described)
    });
    let columns = columns.collect();
    let indexes = found.indexes.iter();
    let indexes =
        indexes.map(|index| SnapshotIndex { name: index.name.clone(), columns: index.columns.clone() }).collect();
    let epoch = u32::try_from(found.epoch).unwrap_or(u32::MAX);
    SnapshotTable { was: None, epoch, columns, indexes, ..described.clone() }
}

/// A column as it really is: its kind from the noted meaning, or else as it is described.
fn column(there: &FoundColumn, meaning: Option<&str>, described: Option<&SnapshotColumn>) -> SnapshotColumn {
    // While two versions share a column, the newer meaning comes last.
    let meaning = meaning.map(|meaning| meaning.rsplit(" | ").next().unwrap_or(meaning));
    let meaning = meaning.map(|meaning| meaning.trim_end_matches(" or null"));
    let (word, scale) = match meaning.and_then(|meaning| meaning.split_once('(')) {
        Some((word, scale)) => (Some(word), scale.trim_end_matches(')').parse().ok()),
        None => (meaning, None),
    };
    let kind = word.and_then(|word| word.parse().ok());
    let kind = kind.or(described.map(|described| described.kind)).unwrap_or(cdms_odata::Kind::String);
    SnapshotColumn {
        name: there.name.clone(),
        field: described.map_or_else(|| there.name.clone(), |described| described.field.clone()),
        kind,
        scale: scale.or_else(|| described.and_then(|described| described.scale)),
        nullable: !there.not_null,
        default: described.and_then(|described| described.default.clone()),
        was: None,
        source: described.map_or(ColumnSource::Local, |described| described.source.clone()),
    }
}

/// The schema to go back to, so that a plan knows what the last plan renamed, and keeps the engine's tables.
pub(super) fn target(before: &Snapshot, last: &Snapshot, real: &Snapshot) -> Snapshot {
    let mut target = before.clone();
    target.engine = real.engine.max(before.engine);
    let new = last.renamed.iter().skip(before.renamed.len());
    for rename in new {
        match rename {
            Rename::Table { from, to } if !real.tables.contains_key(from) => {
                target.tables.entry(from.clone()).and_modify(|table| table.was = Some(to.clone()));
            }
            Rename::Column { table, from, to } => {
                // The log names the table as it was called then; it may have another name before.
                let names = |name: &String| {
                    name == table
                        || last
                            .renamed
                            .iter()
                            .any(|rename| matches!(rename, Rename::Table { from, to } if from == name && to == table))
                };
                let tables = target.tables.iter_mut().filter(|(name, _)| names(name));
                for (name, table) in tables {
                    // During an overlap the column still exists under its former name.
                    let is_there = real.tables.get(name).is_some_and(|table| table.column(from).is_some());
                    for column in table.columns.iter_mut().filter(|column| column.name == *from && !is_there) {
                        column.was = Some(to.clone());
                    }
                }
            }
            Rename::Table { .. } => {}
        }
    }
    target
}

/// Values that would be lost and that no row has.
pub(super) fn empty(found: &FoundTables, names: &BTreeSet<String>) -> BTreeSet<String> {
    let is_empty = |name: &&String| match name.split_once('.') {
        Some((table, column)) => {
            found.tables.get(table).is_some_and(|table| table.filled.get(column).is_none_or(|filled| *filled == 0))
        }
        None => found.tables.get(*name).is_none_or(|table| table.rows == 0),
    };
    names.iter().filter(is_empty).cloned().collect()
}

/// How many rows have values that would be lost.
pub(super) fn rows(found: &FoundTables, name: &str) -> i64 {
    match name.split_once('.') {
        Some((table, column)) => {
            found.tables.get(table).and_then(|table| table.filled.get(column)).copied().unwrap_or_default()
        }
        None => found.tables.get(name).map_or(0, |table| table.rows),
    }
}

/// The schema with this hash, from the history of the working copy.
pub(super) fn in_git(project: &Project, hash: SchemaHash) -> Result<Snapshot, String> {
    let file = project.migrations().join("schema.toml");
    let file = file.strip_prefix(project.root()).unwrap_or(&file);
    let shown = file.display();
    let help = "pass that file with `--to FILE`, or check out the commit before the plan, and run `datahub migrate revert` there";
    let log = git(project.root(), &["log", "--format=%H", "--", &file.to_string_lossy()])
        .map_err(|reason| format!("cannot look for the schema {hash} in git: {reason}\nhelp: {help}"))?;
    for commit in log.lines() {
        // A commit may have removed the file.
        let Ok(text) = git(project.root(), &["show", &format!("{commit}:./{shown}")]) else { continue };
        if SchemaHash::of(&text) == hash {
            return Snapshot::parse(&text).map_err(|error| format!("{commit}:{shown}: {error}"));
        }
    }
    Err(format!("no commit has the schema {hash}, which the last plan began with\nhelp: {help}"))
}

fn git(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let ran = Command::new("git").arg("-C").arg(root).args(arguments).output().map_err(|error| error.to_string())?;
    if !ran.status.success() {
        return Err(String::from_utf8_lossy(&ran.stderr).trim().to_owned());
    }
    String::from_utf8(ran.stdout).map_err(|error| error.to_string())
}
