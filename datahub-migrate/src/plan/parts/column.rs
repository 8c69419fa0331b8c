//! The steps of a column of a table that stays.

use datahub_model::schema::{ColumnSource, SnapshotColumn, either_meaning, quoted};

use super::table::rows;
use super::{PartKind, Parts};
use crate::change::{ColumnChange, KeptTable};
use crate::conversion::{self, Conversion};
use crate::sql::{initial, spare_name};
use crate::step::Step;

pub(super) fn change(parts: &mut Parts<'_>, table: &KeptTable, change: &ColumnChange) {
    match change {
        ColumnChange::New(column) => add(parts, table, column),
        ColumnChange::Dropped(column) => drop(parts, table, column),
        ColumnChange::Kept { from, to, conversion } => match *conversion {
            Conversion::Same if from.name == to.name => keep(parts, table, from, to),
            Conversion::Same if table.is_switched() => rename_at_once(parts, table, from, to),
            Conversion::Same => rename(parts, table, from, to),
            conversion => convert(parts, table, from, to, conversion),
        },
    }
}

/// The step that notes the meaning of a column.
pub(super) fn note(table: &str, column: &SnapshotColumn) -> Step {
    Step::Note { table: table.to_owned(), column: column.name.clone(), meaning: meaning(column) }
}

fn meaning(column: &SnapshotColumn) -> String {
    // Columns of models have a kind, and so a meaning.
    column.described().meaning().unwrap_or_default()
}

fn add(parts: &mut Parts<'_>, table: &KeptTable, column: &SnapshotColumn) {
    let (name, key) = (table.from.clone(), table.key.name.clone());
    let nullable = SnapshotColumn { nullable: true, ..column.clone() };
    let value = initial(column).filter(|_| !column.nullable && column.source == ColumnSource::Local);
    let is_filled = value.is_some() && !table.is_switched();
    match value {
        Some(value) if is_filled => {
            parts.push(PartKind::Expand, Step::AddFilledColumn { table: name.clone(), key, column: nullable, value });
        }
        value => {
            parts.push(PartKind::Expand, Step::AddColumn { table: name.clone(), column: nullable });
            if let Some(value) = value {
                let (table, column) = (table.to.clone(), column.name.clone());
                parts.push(PartKind::Switch, Step::FillNull { table, key, column, value });
            }
        }
    }
    parts.push(PartKind::Expand, note(&name, column));
    if !column.nullable {
        forbid_null(parts, table, column, None);
        if is_filled {
            parts.push(PartKind::Contract, Step::StopFilling { table: table.to.clone(), column: column.name.clone() });
        }
    }
}

fn drop(parts: &mut Parts<'_>, table: &KeptTable, column: &SnapshotColumn) {
    if !column.nullable {
        let (table, column) = (table.from.clone(), column.name.clone());
        parts.push(PartKind::Expand, Step::AllowNull { table, column });
    }
    gone(parts, PartKind::Contract, table, column);
    parts.push(PartKind::Contract, Step::Forget { table: table.to.clone(), column: column.name.clone() });
}

/// Drops a column, and before it the indexes that SQLite does not drop with it.
fn gone(parts: &mut Parts<'_>, kind: PartKind, table: &KeptTable, column: &SnapshotColumn) {
    if parts.is_sqlite() {
        for index in table.gone.iter().filter(|index| index.columns.contains(&column.name)) {
            parts.push(kind, Step::DropIndex { name: index.name.clone() });
        }
    }
    parts.push(kind, Step::DropColumn { table: table.to.clone(), column: column.name.clone() });
}

/// The column keeps its name and the way in which its values are stored.
fn keep(parts: &mut Parts<'_>, table: &KeptTable, from: &SnapshotColumn, to: &SnapshotColumn) {
    let is_noted_anew = meaning(from) != meaning(to);
    if is_noted_anew && table.is_switched() {
        parts.push(PartKind::Switch, note(&table.to, to));
    } else if is_noted_anew {
        let (name, column) = (table.from.clone(), to.name.clone());
        let meaning = either_meaning(&meaning(from), &meaning(to));
        parts.push(PartKind::Expand, Step::Note { table: name, column, meaning });
        parts.push(PartKind::Contract, note(&table.to, to));
    }
    allow_or_forbid_null(parts, table, from, to);
}

fn allow_or_forbid_null(parts: &mut Parts<'_>, table: &KeptTable, from: &SnapshotColumn, to: &SnapshotColumn) {
    match (from.nullable, to.nullable) {
        (false, true) => {
            let (table, column) = (table.from.clone(), from.name.clone());
            parts.push(PartKind::Expand, Step::AllowNull { table, column });
        }
        (true, false) => forbid_null(parts, table, to, initial(to)),
        (false, false) | (true, true) => {}
    }
}

/// Renames a column together with its table, its key, or another column's type, which no older program survives.
fn rename_at_once(parts: &mut Parts<'_>, table: &KeptTable, from: &SnapshotColumn, to: &SnapshotColumn) {
    let name = table.to.clone();
    let (before, after) = (from.name.clone(), to.name.clone());
    parts.push(PartKind::Switch, Step::RenameColumn { table: name.clone(), from: before.clone(), to: after });
    parts.push(PartKind::Switch, Step::Forget { table: name.clone(), column: before });
    parts.push(PartKind::Switch, note(&name, to));
    allow_or_forbid_null(parts, table, from, to);
}

/// Renames a column while an older version of a program still uses the former name.
fn rename(parts: &mut Parts<'_>, table: &KeptTable, from: &SnapshotColumn, to: &SnapshotColumn) {
    let (name, key) = (table.from.clone(), table.key.name.clone());
    let nullable = SnapshotColumn { nullable: true, ..to.clone() };
    parts.push(PartKind::Expand, Step::AddColumn { table: name.clone(), column: nullable.clone() });
    if !from.nullable {
        parts.push(PartKind::Expand, Step::AllowNull { table: name.clone(), column: from.name.clone() });
    }
    let (before, after) = (from.name.clone(), to.name.clone());
    parts.push(
        PartKind::Expand,
        Step::KeepEqual { table: name.clone(), key: key.clone(), from: before.clone(), to: after.clone() },
    );
    parts.push(PartKind::Expand, note(&name, to));
    let copy = Step::Copy { table: name.clone(), key: key.clone(), from: from.clone(), to: nullable };
    parts.push(parts.fill(), copy);

    let differs = format!("{} IS DISTINCT FROM {}", quoted(&before), quoted(&after));
    let description = format!("{name}.{after} has the values of {name}.{before}");
    parts.check(parts.validate(), description, rows(&name, &key, &differs));
    parts.push(PartKind::Contract, Step::StopKeepingEqual { table: name.clone(), to: after });
    gone(parts, PartKind::Contract, table, from);
    parts.push(PartKind::Contract, Step::Forget { table: name, column: before });
    if !to.nullable {
        let value = initial(to).filter(|_| from.nullable);
        forbid_null(parts, table, to, value);
    }
}

/// Gives a column values of another type, by a second column that takes its place.
fn convert(
    parts: &mut Parts<'_>,
    table: &KeptTable,
    from: &SnapshotColumn,
    to: &SnapshotColumn,
    conversion: Conversion,
) {
    let KeptTable { from: before, to: after, key, .. } = table;
    let spare = SnapshotColumn { name: spare(from, to), nullable: true, ..to.clone() };
    let (first, first_name) = if parts.is_sqlite() { (PartKind::Switch, after) } else { (PartKind::Expand, before) };
    parts.push(first, Step::AddColumn { table: first_name.clone(), column: spare.clone() });
    if conversion != Conversion::None {
        let (key_before, key_after) = (key_before(table), key.name.clone());
        let copy = |table: &str, key: String| {
            let (from, to) = (from.clone(), spare.clone());
            Step::Copy { table: table.to_owned(), key, from, to }
        };
        if parts.is_sqlite() {
            parts.push(PartKind::Switch, copy(after, key_after));
        } else {
            let (from, to) = (from.clone(), spare.clone());
            parts.push(PartKind::Expand, Step::FollowConverted { table: before.clone(), from, to });
            parts.push(PartKind::Fill, copy(before, key_before));
            parts.push(
                PartKind::Switch,
                Step::StopFollowing { table: after.clone(), began: before.clone(), to: spare.name.clone() },
            );
        }
        survives(parts, table, from, to, &spare);
    }
    gone(parts, PartKind::Switch, table, from);
    if spare.name != to.name {
        let (table, from, to) = (after.clone(), spare.name.clone(), to.name.clone());
        parts.push(PartKind::Switch, Step::RenameColumn { table, from, to });
    }
    if from.name != to.name {
        parts.push(PartKind::Switch, Step::Forget { table: after.clone(), column: from.name.clone() });
    }
    parts.push(PartKind::Switch, note(after, to));
    if !to.nullable {
        let value = initial(to).filter(|_| from.nullable || conversion == Conversion::None);
        // The hub alone has the values of a local column, so a new program must find one at once.
        let is_local = to.source == ColumnSource::Local;
        if let Some(value) = value.clone().filter(|_| is_local) {
            let (table, key, column) = (after.clone(), key.name.clone(), to.name.clone());
            parts.push(PartKind::Switch, Step::FillNull { table, key, column, value });
        }
        forbid_null(parts, table, to, value.filter(|_| !is_local && conversion != Conversion::None));
    }
}

/// The column that gets the converted values: the new one, or one with a name of its own that takes the name later.
pub(super) fn spare(from: &SnapshotColumn, to: &SnapshotColumn) -> String {
    if from.name == to.name { spare_name(&to.name) } else { to.name.clone() }
}

/// Refuses the switch if a value does not survive the conversion.
fn survives(
    parts: &mut Parts<'_>,
    table: &KeptTable,
    from: &SnapshotColumn,
    to: &SnapshotColumn,
    spare: &SnapshotColumn,
) {
    let (name, x) = (&table.from, quoted(&from.name));
    let condition = if parts.is_sqlite() {
        let fits = conversion::sql(parts.database, from, to, &x).and_then(|converted| converted.fits);
        let Some(fits) = fits else { return };
        format!("{x} IS NOT NULL AND NOT ({fits})")
    } else {
        format!("{x} IS NOT NULL AND {} IS NULL", quoted(&spare.name))
    };
    let description = format!("every value of {name}.{} can be converted to {}", from.name, meaning(to));
    parts.check(PartKind::Switch, description, rows(name, &key_before(table), &condition));
}

/// Forbids null in a column with the last part: rows without a value get this one, or must have one by then.
fn forbid_null(parts: &mut Parts<'_>, table: &KeptTable, column: &SnapshotColumn, value: Option<String>) {
    let (name, key, column) = (table.to.clone(), table.key.name.clone(), column.name.clone());
    match value {
        Some(value) => {
            let fill = Step::FillNull { table: name.clone(), key, column: column.clone(), value };
            parts.push(parts.validate(), fill);
        }
        None => {
            let description = format!("every row of {name} has a value in {column}");
            let query = rows(&name, &key, &format!("{} IS NULL", quoted(&column)));
            parts.check(parts.validate(), description, query);
        }
    }
    if !parts.is_sqlite() {
        parts.push(PartKind::Validate, Step::ProveNotNull { table: name.clone(), column: column.clone() });
    }
    parts.push(PartKind::Contract, Step::ForbidNull { table: name, column });
}

/// The name of the key column before the switch.
fn key_before(table: &KeptTable) -> String {
    let before = table.columns.iter().find_map(|column| match column {
        ColumnChange::Kept { from, to, .. } if to.source == ColumnSource::Key => Some(from.name.clone()),
        _ => None,
    });
    before.unwrap_or_else(|| table.key.name.clone())
}
