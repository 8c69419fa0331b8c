//! Which tables and columns are the same ones under new names: by name, by `was`, by an answer, or else it is a question.

use std::collections::{BTreeMap, BTreeSet};

use datahub_model::schema::{ColumnSource, Rename, Snapshot, SnapshotColumn, SnapshotIndex, SnapshotTable};

use crate::change::{Changes, ColumnChange, IndexChange, KeptTable, TableChange};
use crate::conversion::Conversion;

/// What the author of a plan decided. Names are those of the schema before the plan.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Answers {
    /// Columns (`table.column`) and tables whose values may be lost.
    pub drop: BTreeSet<String>,
    /// The new names of columns (`table.column`) and tables.
    pub rename: BTreeMap<String, String>,
}

/// Whether something that vanishes is what appears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// A table vanishes, and others that can be it appear.
    Table {
        /// The table that vanishes.
        from: String,
        /// Those that it may be now.
        candidates: Vec<String>,
    },
    /// A column vanishes, and others of its kind appear.
    Column {
        /// The table, by its name before.
        table: String,
        /// The column that vanishes.
        from: String,
        /// Those that it may be now, each with its field.
        candidates: Vec<(String, String)>,
    },
}

impl Question {
    /// What vanishes, by the name that an answer must use.
    pub fn name(&self) -> String {
        match self {
            Question::Table { from, .. } => from.clone(),
            Question::Column { table, from, .. } => format!("{table}.{from}"),
        }
    }
}

/// What is the same, by its new name.
#[derive(Default)]
pub(super) struct Matched {
    /// The former names of tables.
    tables: BTreeMap<String, String>,
    /// The former names of columns, by new table and column.
    columns: BTreeMap<(String, String), String>,
    pub(super) questions: Vec<Question>,
    /// Answers that fit nothing: what they name, and why.
    pub(super) unused: Vec<(String, String)>,
}

pub(super) fn matched(from: &Snapshot, to: &Snapshot, answers: &Answers) -> Matched {
    let mut matched = Matched::default();
    let mut answered: BTreeSet<&str> = BTreeSet::new();
    for (name, table) in &to.tables {
        let former = if from.tables.contains_key(name) {
            Some(name.clone())
        } else {
            let was = table.was.as_deref().map(|was| now_called(&from.renamed, was));
            let answer = answers.rename.iter().find(|(_, new)| *new == name).map(|(old, _)| old.as_str());
            answered.extend(answer);
            let former = was.or(answer);
            former.filter(|was| from.tables.contains_key(*was) && !to.tables.contains_key(*was)).map(str::to_owned)
        };
        if let Some(former) = former {
            matched.tables.insert(name.clone(), former);
        }
    }
    let kept: BTreeSet<_> = matched.tables.values().cloned().collect();
    let appearing: Vec<_> = to.tables.iter().filter(|(name, _)| !matched.tables.contains_key(*name)).collect();
    for (name, table) in from.tables.iter().filter(|(name, _)| !kept.contains(*name) && !answers.drop.contains(*name)) {
        let candidates = appearing.iter().filter(|(_, new)| may_be(table, new)).map(|(name, _)| (*name).clone());
        let candidates: Vec<_> = candidates.collect();
        if !candidates.is_empty() {
            matched.questions.push(Question::Table { from: name.clone(), candidates });
        }
    }
    for (name, former) in matched.tables.clone() {
        columns(
            &mut matched,
            (&name, &to.tables[&name]),
            (&former, &from.tables[&former]),
            from,
            answers,
            &mut answered,
        );
    }
    let unused = answers.rename.iter().filter(|(old, _)| !answered.contains(old.as_str()));
    matched.unused = unused.map(|(old, new)| (old.clone(), format!("`{old}` is not renamed to `{new}`"))).collect();
    matched
}

/// Whether a table may be another one under a new name: both have rows of the same entity, or it has all of its columns.
fn may_be(former: &SnapshotTable, new: &SnapshotTable) -> bool {
    let has = |column: &SnapshotColumn| new.column(&column.name).is_some_and(|other| other.kind == column.kind);
    (former.entity == new.entity && !former.entity.is_empty()) || former.columns.iter().all(has)
}

/// Finds the columns of a table under their new names.
fn columns<'a>(
    matched: &mut Matched,
    (name, new): (&str, &SnapshotTable),
    (former_name, former): (&str, &SnapshotTable),
    from: &Snapshot,
    answers: &'a Answers,
    answered: &mut BTreeSet<&'a str>,
) {
    let mut pairs: BTreeMap<&str, &str> = BTreeMap::new();
    for column in &new.columns {
        let is_key = column.source == ColumnSource::Key;
        let by_answer = || {
            let answer = answers.rename.iter().find(|(old, to)| {
                **to == column.name && old.rsplit_once('.').is_some_and(|(table, _)| table == former_name)
            })?;
            answered.insert(answer.0);
            answer.0.rsplit_once('.').map(|(_, column)| column)
        };
        let same = |other: &&SnapshotColumn| other.name == column.name && (other.source == ColumnSource::Key) == is_key;
        let found = if is_key {
            // Each table has one key, which is the record's id, whatever it is called.
            Some(former.key())
        } else if let Some(same) = former.columns.iter().find(same) {
            Some(same)
        } else {
            let was = column.was.as_deref().map(|was| column_now_called(from, former_name, was));
            let candidate = was.or_else(by_answer).and_then(|was| former.column(was));
            candidate.filter(|was| new.column(&was.name).is_none() && was.source != ColumnSource::Key)
        };
        if let Some(found) = found {
            pairs.insert(&column.name, &found.name);
        }
    }
    let kept: BTreeSet<_> = pairs.values().copied().collect();
    let appearing: Vec<_> = new.columns.iter().filter(|column| !pairs.contains_key(column.name.as_str())).collect();
    for column in former.columns.iter().filter(|column| !kept.contains(column.name.as_str())) {
        let answer = format!("{former_name}.{}", column.name);
        if answers.drop.contains(&answer) || column.source == ColumnSource::Engine {
            continue;
        }
        let is_local = |column: &SnapshotColumn| column.source == ColumnSource::Local;
        let candidates = appearing.iter().filter(|new| {
            Conversion::between(column, new) == Conversion::Same
                && is_local(column) == is_local(new)
                && new.source != ColumnSource::Engine
        });
        let candidates: Vec<_> = candidates.map(|new| (new.name.clone(), new.field.clone())).collect();
        if !candidates.is_empty() {
            let (table, from) = (former_name.to_owned(), column.name.clone());
            matched.questions.push(Question::Column { table, from, candidates });
        }
    }
    let pairs = pairs.into_iter().map(|(column, former)| ((name.to_owned(), column.to_owned()), former.to_owned()));
    matched.columns.extend(pairs.collect::<Vec<_>>());
}

/// The present name of a table that had another name.
fn now_called<'s>(renamed: &'s [Rename], was: &'s str) -> &'s str {
    renamed.iter().fold(was, |name, rename| match rename {
        Rename::Table { from, to } if from == name => to,
        _ => name,
    })
}

/// The present name of a column that had another name; its table's name is the present one.
fn column_now_called<'s>(from: &'s Snapshot, table: &str, was: &'s str) -> &'s str {
    // A column that still has the former name was not renamed since.
    if from.tables.get(table).is_some_and(|table| table.column(was).is_some()) {
        return was;
    }
    from.renamed.iter().fold(was, |name, rename| match rename {
        Rename::Column { table: then, from: old, to } if old == name && now_called(&from.renamed, then) == table => to,
        _ => name,
    })
}

pub(super) fn changes(from: &Snapshot, to: &Snapshot, matched: &Matched, answers: &Answers) -> Changes {
    let mut tables = Vec::new();
    for (name, table) in &to.tables {
        match matched.tables.get(name) {
            None => tables.push(TableChange::New { name: name.clone(), table: table.clone() }),
            Some(former) => {
                let kept = kept((former, &from.tables[former]), (name, table), matched, answers);
                if !kept.is_unchanged() {
                    tables.push(TableChange::Kept(kept));
                }
            }
        }
    }
    let kept: BTreeSet<_> = matched.tables.values().collect();
    let dropped = from.tables.iter().filter(|(name, _)| !kept.contains(name));
    tables.extend(dropped.map(|(name, table)| TableChange::Dropped { name: name.clone(), table: table.clone() }));
    Changes { engine: (from.engine < to.engine).then_some(from.engine), tables }
}

/// Names that a table needs for two columns until the last part of the plan: the key is renamed to or from them.
pub(super) fn clashes(changes: &Changes) -> Vec<String> {
    let mut clashes = Vec::new();
    for change in &changes.tables {
        let TableChange::Kept(table) = change else { continue };
        let key = table.columns.iter().find_map(|column| match column {
            ColumnChange::Kept { from, to, .. } if to.source == ColumnSource::Key => Some((&from.name, &to.name)),
            _ => None,
        });
        let Some((before, after)) = key.filter(|(before, after)| before != after) else { continue };
        for column in &table.columns {
            let name = match column {
                ColumnChange::New(new) if new.name == *before => before,
                ColumnChange::Kept { from, to, .. } if from.name != *before && to.name == *before => before,
                ColumnChange::Dropped(old) if old.name == *after => after,
                ColumnChange::Kept { from, .. } if from.name != *before && from.name == *after => after,
                _ => continue,
            };
            let table = &table.from;
            clashes.push(format!(
                "the key of {table} is renamed from `{before}` to `{after}`, and another column is called `{name}` before or \
                 afterwards; rename in two migrations"
            ));
        }
    }
    clashes
}

/// What becomes of the values of a column that stays.
fn conversion(table: &str, from: &SnapshotColumn, to: &SnapshotColumn, answers: &Answers) -> Conversion {
    let possible = Conversion::between(from, to);
    let is_another_attribute = match (&from.source, &to.source) {
        (ColumnSource::Attributes(before), ColumnSource::Attributes(after)) => before != after,
        _ => false,
    };
    let is_given_up = || answers.drop.contains(&format!("{table}.{}", from.name));
    match possible {
        Conversion::Same => Conversion::Same,
        // The values of one attribute say nothing about those of another, and CDMS has these.
        _ if is_another_attribute => Conversion::None,
        Conversion::Partial if is_given_up() => Conversion::None,
        possible => possible,
    }
}

fn kept(
    (from, before): (&str, &SnapshotTable),
    (to, after): (&str, &SnapshotTable),
    matched: &Matched,
    answers: &Answers,
) -> KeptTable {
    let former = |column: &SnapshotColumn| matched.columns.get(&(to.to_owned(), column.name.clone()));
    let mut columns: Vec<_> = after
        .columns
        .iter()
        .map(|column| match former(column).and_then(|former| before.column(former)) {
            Some(former) => ColumnChange::Kept {
                from: former.clone(),
                to: column.clone(),
                conversion: conversion(from, former, column, answers),
            },
            None => ColumnChange::New(column.clone()),
        })
        .collect();
    let kept: BTreeSet<_> = after.columns.iter().filter_map(former).map(String::as_str).collect();
    let gone = before.columns.iter().filter(|column| !kept.contains(column.name.as_str()));
    columns.extend(gone.cloned().map(ColumnChange::Dropped));
    let mut table = KeptTable {
        from: from.to_owned(),
        to: to.to_owned(),
        key: after.key().clone(),
        columns,
        indexes: Vec::new(),
        gone: Vec::new(),
    };
    (table.indexes, table.gone) = indexes(&table, before, after);
    table
}

/// What happens to the indexes of a table, and those that go with their columns.
fn indexes(table: &KeptTable, before: &SnapshotTable, after: &SnapshotTable) -> (Vec<IndexChange>, Vec<SnapshotIndex>) {
    let is_switched = table.is_switched();
    // The new name of a column that stays in place, with its indexes.
    let stays = |name: &str| {
        table.columns.iter().find_map(|column| match column {
            ColumnChange::Kept { from, to, .. } if from.name == name => {
                let in_place = column.conversion() == Some(Conversion::Same) && (is_switched || from.name == to.name);
                in_place.then(|| to.name.clone())
            }
            _ => None,
        })
    };
    let (mut changes, mut gone, mut known) = (Vec::new(), Vec::new(), BTreeSet::new());
    for index in &before.indexes {
        let Some(columns) = index.columns.iter().map(|column| stays(column)).collect::<Option<Vec<_>>>() else {
            gone.push(index.clone());
            continue;
        };
        match after.indexes.iter().find(|new| new.columns == columns) {
            None => changes.push(IndexChange::Dropped(index.clone())),
            Some(new) => {
                known.insert(&new.name);
                if new.name != index.name {
                    changes.push(IndexChange::Renamed { from: index.name.clone(), to: new.clone() });
                }
            }
        }
    }
    let new = after.indexes.iter().filter(|index: &&SnapshotIndex| !known.contains(&index.name));
    changes.extend(new.cloned().map(IndexChange::New));
    (changes, gone)
}
