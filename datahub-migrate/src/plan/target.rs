//! The schema after a plan, with what must be remembered: epochs, renames, and tables that no longer exist.

use std::collections::BTreeMap;

use datahub_model::schema::{Rename, Snapshot};

use crate::change::{Changes, ColumnChange, KeptTable, TableChange};

/// The schema after a plan, and the epoch to which each table is raised, by its name before and after.
pub(super) fn of(from: &Snapshot, to: &Snapshot, changes: &Changes) -> (Snapshot, BTreeMap<String, u32>) {
    let (mut target, mut epochs) = (to.clone(), BTreeMap::new());
    target.renamed.clone_from(&from.renamed);
    target.retired.clone_from(&from.retired);
    target.engine = target.engine.max(from.engine);
    for (name, table) in &mut target.tables {
        table.epoch = from.epoch(name);
    }
    for change in &changes.tables {
        match change {
            TableChange::New { name, table } => {
                // A program of a former table with this name must not take it for its own.
                let epoch = target.retired.remove(name).unwrap_or_default();
                set(&mut target, name, epoch);
                // The names before the first migration are known only from the source.
                let former = table.columns.iter().filter_map(|column| Some((column.was.clone()?, column.name.clone())));
                let former = former.map(|(from, to)| Rename::Column { table: name.clone(), from, to });
                let table_was = table.was.clone().map(|from| Rename::Table { from, to: name.clone() });
                target.renamed.extend(table_was.into_iter().chain(former));
            }
            TableChange::Dropped { name, table } => {
                epochs.insert(name.clone(), table.epoch + 1);
                target.retired.insert(name.clone(), table.epoch + 1);
            }
            TableChange::Kept(table) => kept(from, table, &mut target, &mut epochs),
        }
    }
    for table in target.tables.values_mut() {
        table.was = None;
        for column in &mut table.columns {
            column.was = None;
        }
    }
    (target, epochs)
}

fn kept(from: &Snapshot, table: &KeptTable, target: &mut Snapshot, epochs: &mut BTreeMap<String, u32>) {
    let KeptTable { from: before, to: after, columns, .. } = table;
    let before_epoch = from.epoch(before);
    if table.is_contracted() {
        let retired = target.retired.remove(after).unwrap_or_default();
        let epoch = retired.max(before_epoch + 1);
        epochs.insert(before.clone(), before_epoch + 1);
        epochs.insert(after.clone(), epoch);
        set(target, after, epoch);
    }
    if before != after {
        target.retired.insert(before.clone(), before_epoch + 1);
        target.renamed.push(Rename::Table { from: before.clone(), to: after.clone() });
    }
    for column in columns {
        if let ColumnChange::Kept { from, to, .. } = column
            && from.name != to.name
        {
            let (from, to) = (from.name.clone(), to.name.clone());
            target.renamed.push(Rename::Column { table: after.clone(), from, to });
        }
    }
}

fn set(target: &mut Snapshot, table: &str, epoch: u32) {
    if let Some(table) = target.tables.get_mut(table) {
        table.epoch = epoch;
    }
}
