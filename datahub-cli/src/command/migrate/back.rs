//! A database's real tables as a schema to plan from, and the schema before the last plan. Pure but for git.

use std::collections::{BTreeMap, BTreeSet};

use datahub_derive::project::Project;
use datahub_migrate::{
    Check, ColumnChange, KeptTable, Loss, LossKind, PartKind, Plan, Step, TableChange, drop_triggers, spare_name,
};
use datahub_model::schema::{
    ColumnSource, Database, FoundColumn, Rename, SchemaHash, Snapshot, SnapshotColumn, SnapshotIndex, SnapshotTable,
    quoted,
};
use datahub_runtime::migration::{FoundIndex, FoundTable, FoundTables};

use super::state::SCHEMA;
use crate::git::Git;

/// The tables of a database as a schema. What a database does not know, such as fields, comes from schemas that may
/// describe it: the last one, and the one to go back to. What neither of them knows belongs to the team and is left out:
/// tables, columns without a noted meaning, and indexes.
pub(super) fn real(found: &FoundTables, last: &Snapshot, before: &Snapshot) -> Snapshot {
    let tables = found.tables.iter().filter_map(|(name, found)| {
        let (last, before) = (last.tables.get(name), before.tables.get(name));
        Some((name.clone(), table(name, found, last.or(before)?, before)))
    });
    Snapshot { engine: found.engine, tables: tables.collect(), ..Snapshot::default() }
}

fn table(name: &str, found: &FoundTable, described: &SnapshotTable, before: Option<&SnapshotTable>) -> SnapshotTable {
    let known = || [Some(described), before].into_iter().flatten();
    let columns = found.columns.iter().filter_map(|there| {
        let described = known().find_map(|table| table.column(&there.name));
        let meaning = found.meanings.get(&there.name).map(String::as_str);
        // A plan of another kind of column notes nothing about the column in which it prepares the new values.
        let is_spare = || known().flat_map(|table| &table.columns).any(|column| spare_name(&column.name) == there.name);
        let is_ours = described.is_some() || meaning.is_some() || is_spare();
        is_ours.then(|| column(there, meaning, described))
    });
    let columns: Vec<_> = columns.collect();
    let is_ours = |index: &&FoundIndex| {
        let is_named = || known().flat_map(|table| &table.indexes).any(|known| known.name == index.name);
        let is_of_lookup =
            || index.columns.iter().any(|column| SnapshotIndex::of_column(name, column).name == index.name);
        // SQLite drops no column that has an index, so an index of the team goes with a column that goes.
        let goes_with = |column: &String| {
            let is_ours = columns.iter().any(|ours: &SnapshotColumn| ours.name == *column);
            is_ours && before.is_some_and(|before| before.column(column).is_none())
        };
        is_named() || is_of_lookup() || index.columns.iter().any(goes_with)
    };
    let indexes = found.indexes.iter().filter(is_ours);
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

/// Carries back what a run has carried over to the new name of a table that was not renamed any more.
pub(super) fn carried(before: &Snapshot, last: &Snapshot, real: &Snapshot) -> Vec<Step> {
    let new = last.renamed.iter().skip(before.renamed.len());
    let renamed = new.filter_map(|rename| match rename {
        Rename::Table { from, to } => Some((from, to)),
        Rename::Column { .. } => None,
    });
    let is_carried = |(from, to): &(&String, &String)| {
        let is_raised = real
            .tables
            .get(*from)
            .is_some_and(|table| before.tables.get(*from).is_none_or(|then| table.epoch > then.epoch));
        is_raised && !real.tables.contains_key(*to)
    };
    let back = |(from, to): (&String, &String)| {
        let (from, to) = (to.clone(), from.clone());
        [Step::CarryOver { from: from.clone(), to: to.clone() }, Step::EndCarrying { from, to }]
    };
    renamed.filter(is_carried).flat_map(back).collect()
}

/// The epochs of tables after the way back: those of the schema before. A table that it does not have begins anew, so that
/// the programs of a plan that is run again may use it.
pub(super) fn epochs(before: &Snapshot, last: &Snapshot, real: &Snapshot) -> Vec<(String, u32)> {
    let others = real.tables.keys().chain(last.tables.keys()).chain(last.retired.keys());
    let mut epochs: BTreeMap<_, _> = others.map(|name| (name.clone(), 0)).collect();
    epochs.extend(before.retired.iter().map(|(name, epoch)| (name.clone(), *epoch)));
    epochs.extend(before.tables.iter().map(|(name, table)| (name.clone(), table.epoch)));
    epochs.into_iter().collect()
}

/// The question whether what is lost is still empty, as it was when consent was not asked for, and the part before which
/// it is asked: by then no program writes any more.
pub(super) fn still_empty(plan: &Plan, loss: &Loss) -> Option<(PartKind, Check)> {
    let Some((table, column)) = loss.name.split_once('.') else {
        let dropped = plan.changes.tables.iter().find_map(|change| match change {
            TableChange::Dropped { name, table } if *name == loss.name => Some(table),
            _ => None,
        })?;
        let query = format!("SELECT {} FROM {} LIMIT 5", quoted(&dropped.key().name), quoted(&loss.name));
        return Some((PartKind::Contract, Check { description: format!("{} has no row", loss.name), query }));
    };
    let kept = plan.changes.tables.iter().find_map(|change| match change {
        TableChange::Kept(kept) if kept.from == table => Some(kept),
        _ => None,
    })?;
    let (kind, table, key) = match loss.kind {
        // The switch may have renamed the table and its key.
        LossKind::Table | LossKind::Column => (PartKind::Contract, &kept.to, &kept.key.name),
        LossKind::Unconverted => (PartKind::Switch, &kept.from, key_before(kept)),
        // Nothing changes in the database but what the column means, which older programs learn by the first part.
        LossKind::Overwritten => (PartKind::Expand, &kept.from, key_before(kept)),
    };
    let query = format!("SELECT {} FROM {} WHERE {} IS NOT NULL LIMIT 5", quoted(key), quoted(table), quoted(column));
    Some((kind, Check { description: format!("no row has a value in {}", loss.name), query }))
}

/// Drops the triggers with which an unfinished plan keeps columns filled that go.
pub(super) fn without_triggers(plan: &Plan, database: Database) -> Vec<String> {
    let kept = plan.changes.tables.iter().filter_map(|change| match change {
        TableChange::Kept(kept) => Some(kept),
        TableChange::New { .. } | TableChange::Dropped { .. } => None,
    });
    let gone = kept.flat_map(|kept| {
        kept.columns.iter().filter_map(move |change| match change {
            ColumnChange::Dropped(column) => Some(drop_triggers(database, &kept.from, &kept.to, &column.name)),
            ColumnChange::New(_) | ColumnChange::Kept { .. } => None,
        })
    });
    gone.flatten().collect()
}

/// The name of the key column before the switch.
fn key_before(table: &KeptTable) -> &String {
    let before = table.columns.iter().find_map(|column| match column {
        ColumnChange::Kept { from, to, .. } if to.source == ColumnSource::Key => Some(&from.name),
        _ => None,
    });
    before.unwrap_or(&table.key.name)
}

/// A column that goes, and the one that was renamed to it: during the overlap both exist, and triggers keep them equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Partners {
    pub(super) table: String,
    /// The column that goes.
    pub(super) new: String,
    /// The column that stays.
    pub(super) former: String,
}

impl Partners {
    /// The column that goes, as consent names it.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", self.table, self.new)
    }

    /// The question whether the column that stays has every value of the one that goes, to be asked when no program writes
    /// any more.
    pub(super) fn still_equal(&self, plan: &Plan) -> Option<Check> {
        let Partners { table, new, former } = self;
        let kept = plan.changes.tables.iter().find_map(|change| match change {
            TableChange::Kept(kept) if kept.to == *table => Some(kept),
            _ => None,
        })?;
        let [key, table, new_column, former_column] = [&kept.key.name, table, new, former].map(|name| quoted(name));
        let query = format!(
            "SELECT {key} FROM {table} WHERE {new_column} IS NOT NULL AND {new_column} IS DISTINCT FROM {former_column} \
             LIMIT 5"
        );
        Some(Check { description: format!("{former} has every value of {}", self.name()), query })
    }
}

/// The renamed columns of which both still exist, and of which the new one goes.
pub(super) fn partners(before: &Snapshot, last: &Snapshot, real: &Snapshot) -> Vec<Partners> {
    let new = last.renamed.iter().skip(before.renamed.len());
    let both = new.filter_map(|rename| {
        let Rename::Column { table, from, to } = rename else { return None };
        let there = real.tables.get(table)?;
        let (former, new) = (there.column(from)?, there.column(to)?);
        let goes = before.tables.get(table)?.column(to).is_none();
        let is_comparable = former.kind == new.kind && former.scale == new.scale;
        (goes && is_comparable).then(|| Partners { table: table.clone(), new: to.clone(), former: from.clone() })
    });
    both.collect()
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
    let help = "pass that file with `--to FILE`, or check out the commit before the plan, and run `datahub migrate revert` there";
    let found =
        Git::of(&project.migrations()).and_then(|git| git.find_text(SCHEMA, |text| SchemaHash::of(text) == hash));
    match found {
        Ok(Some(text)) => Snapshot::parse(&text).map_err(|error| format!("an earlier {SCHEMA} in git: {error}")),
        Ok(None) => Err(format!("no commit has the schema {hash}, which the last plan began with\nhelp: {help}")),
        Err(error) => Err(format!("cannot look for the schema {hash} in git: {error}\nhelp: {help}")),
    }
}
