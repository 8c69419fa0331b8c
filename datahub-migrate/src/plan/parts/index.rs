//! The steps of an index of a table that stays.

use datahub_model::schema::SnapshotIndex;

use super::column::spare;
use super::{PartKind, Parts};
use crate::change::{ColumnChange, IndexChange, KeptTable};
use crate::conversion::Conversion;
use crate::step::Step;

pub(super) fn change(parts: &mut Parts<'_>, table: &KeptTable, change: &IndexChange) {
    match change {
        IndexChange::New(index) => create(parts, table, index),
        IndexChange::Dropped(index) => parts.push(parts.fill(), Step::DropIndex { name: index.name.clone() }),
        IndexChange::Renamed { from, to } => {
            let (table, from, to) = (table.to.clone(), from.clone(), to.clone());
            parts.push(PartKind::Switch, Step::RenameIndex { table, from, to });
        }
    }
}

/// Creates an index before the switch, on columns as they are called then. SQLite converts only in the switch.
fn create(parts: &mut Parts<'_>, table: &KeptTable, index: &SnapshotIndex) {
    let is_converted = |name: &String| {
        let is_it = |column: &&ColumnChange| matches!(column, ColumnChange::Kept { to, .. } if to.name == *name);
        let converted = table.columns.iter().find(is_it);
        converted.is_some_and(|column| column.conversion() != Some(Conversion::Same))
    };
    if parts.is_sqlite() && index.columns.iter().any(is_converted) {
        let (table, index) = (table.to.clone(), index.clone());
        parts.push(PartKind::Switch, Step::CreateIndex { table, index, adopts: false });
        return;
    }
    let columns = index.columns.iter().map(|name| called_before_switch(table, name)).collect();
    let index = SnapshotIndex { name: index.name.clone(), columns };
    parts.push(parts.fill(), Step::CreateIndex { table: table.from.clone(), index, adopts: false });
}

fn called_before_switch(table: &KeptTable, name: &str) -> String {
    let found = table.columns.iter().find_map(|column| match column {
        ColumnChange::Kept { from, to, conversion } if to.name == name => Some((from, to, *conversion)),
        _ => None,
    });
    match found {
        Some((from, _, Conversion::Same)) if table.is_switched() => from.name.clone(),
        Some((from, to, conversion)) if conversion != Conversion::Same => spare(from, to),
        _ => name.to_owned(),
    }
}
