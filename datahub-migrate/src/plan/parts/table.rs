//! The steps of a table: created, changed or dropped.

use datahub_model::schema::{SnapshotTable, quoted};

use super::{PartKind, Parts, column, index};
use crate::change::KeptTable;
use crate::sql::text;
use crate::step::Step;

pub(super) fn create(parts: &mut Parts<'_>, name: &str, table: &SnapshotTable, adopts: bool) {
    parts.push(PartKind::Expand, Step::CreateTable { name: name.to_owned(), table: table.clone(), adopts });
    for index in &table.indexes {
        parts.push(PartKind::Expand, Step::CreateIndex { table: name.to_owned(), index: index.clone(), adopts });
    }
    for column in &table.columns {
        parts.push(PartKind::Expand, column::note(name, column));
    }
}

pub(super) fn drop(parts: &mut Parts<'_>, name: &str) {
    let (kind, model) = (PartKind::Contract, text(name));
    parts.raise(kind, &[name]);
    if parts.is_sqlite() {
        // SQLite would delete the rows that refer to it, or whatever else the reference says.
        parts.check(
            kind,
            format!("no other table has a foreign key to {name}"),
            format!(
                "SELECT other.name FROM sqlite_schema AS other, pragma_foreign_key_list(other.name) AS reference \
                 WHERE other.type = 'table' AND lower(reference.\"table\") = {model} AND other.name <> {model}"
            ),
        );
    }
    parts.push(kind, Step::DropTable { name: name.to_owned() });
}

pub(super) fn change(parts: &mut Parts<'_>, table: &KeptTable) {
    if table.from != table.to {
        parts.raise(PartKind::Carry, &[&table.from, &table.to]);
        let (from, to) = (table.from.clone(), table.to.clone());
        parts.push(PartKind::Carry, Step::CarryOver { from: from.clone(), to: to.clone() });
        parts.push(PartKind::Switch, Step::RenameTable { from, to });
    } else if table.is_switched() {
        parts.raise(PartKind::Switch, &[&table.to]);
    }
    for column in &table.columns {
        column::change(parts, table, column);
    }
    for change in &table.indexes {
        index::change(parts, table, change);
    }
    if table.is_contracted() {
        parts.finish_raising(&table.to);
    }
}

impl Parts<'_> {
    /// Raises the epoch of a changed table, unless an earlier part has: before everything else that the first part does to
    /// the table.
    fn finish_raising(&mut self, table: &str) {
        let first_step = |part: &super::Part| part.steps.iter().position(|step| step.is_about(table));
        let first = [PartKind::Validate, PartKind::Contract].into_iter().find_map(|kind| {
            let at = first_step(&self.parts[kind as usize])?;
            Some((kind, at))
        });
        let Some((kind, at)) = first else { return };
        let before = self.parts[kind as usize].steps.len();
        self.raise(kind, &[table]);
        let steps = &mut self.parts[kind as usize].steps;
        let raised = steps.split_off(before);
        steps.splice(at..at, raised);
    }
}

/// A query for the keys of rows that satisfy a condition.
pub(super) fn rows(table: &str, key: &str, condition: &str) -> String {
    format!("SELECT {} FROM {} WHERE {condition} LIMIT 5", quoted(key), quoted(table))
}
