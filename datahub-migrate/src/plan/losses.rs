//! What a plan loses, and what is kept of it elsewhere.

use datahub_model::schema::{ColumnSource, SnapshotColumn};

use crate::change::{Changes, ColumnChange, TableChange};
use crate::conversion::Conversion;

/// Values that a plan gives up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The column (`table.column`) or the table, by the name before the plan: what consent must name.
    pub name: String,
    /// Why.
    pub kind: LossKind,
    /// Whether the values are the hub's alone, so that CDMS cannot give them back.
    pub is_local: bool,
}

/// Why values are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossKind {
    /// A table goes.
    Table,
    /// A column goes.
    Column,
    /// A column gets a kind to which its values cannot be converted.
    Unconverted,
    /// A local column shows attributes of CDMS from now on.
    Overwritten,
}

/// What changes give up.
pub(super) fn of(changes: &Changes) -> Vec<Loss> {
    let mut losses = Vec::new();
    for change in &changes.tables {
        match change {
            TableChange::New { .. } => {}
            TableChange::Dropped { name, table } => {
                let is_local = table.columns.iter().any(is_local);
                losses.push(Loss { name: name.clone(), kind: LossKind::Table, is_local });
            }
            TableChange::Kept(table) => {
                let lost = table.columns.iter().filter_map(|column| of_column(&table.from, column));
                losses.extend(lost);
            }
        }
    }
    losses
}

fn of_column(table: &str, change: &ColumnChange) -> Option<Loss> {
    let (column, kind) = match change {
        ColumnChange::New(_) => return None,
        // The engine keeps these values.
        ColumnChange::Dropped(column) if column.source == ColumnSource::Engine => return None,
        ColumnChange::Dropped(column) => (column, LossKind::Column),
        ColumnChange::Kept { from, conversion: Conversion::None, .. } => (from, LossKind::Unconverted),
        ColumnChange::Kept { from, to, .. } if is_local(from) && !is_local(to) => (from, LossKind::Overwritten),
        ColumnChange::Kept { .. } => return None,
    };
    Some(Loss { name: format!("{table}.{}", column.name), kind, is_local: is_local(column) })
}

fn is_local(column: &SnapshotColumn) -> bool {
    column.source == ColumnSource::Local
}

impl Loss {
    /// What is lost, and what is kept, as sentences.
    pub fn explain(&self) -> String {
        let name = &self.name;
        let history = "the history keeps what was recorded of them";
        match (self.kind, self.is_local) {
            (LossKind::Table, true) => {
                format!("the rows of {name} would be lost, with local fields that only the hub has; {history}")
            }
            (LossKind::Table, false) => {
                format!("the rows of {name} would be lost; CDMS has the records, and {history}")
            }
            (LossKind::Column, true) => {
                format!("the values of {name} would be lost, and only the hub has them; {history}")
            }
            (LossKind::Column, false) => format!("the values of {name} would be lost; CDMS has them, and {history}"),
            (LossKind::Unconverted, true) => format!(
                "the values of {name} cannot be converted to its new kind and would be lost, and only the hub has them; \
                 {history}"
            ),
            (LossKind::Unconverted, false) => format!(
                "the values of {name} cannot be converted to its new kind; the column would be empty until they are read \
                 from CDMS again; {history}"
            ),
            (LossKind::Overwritten, _) => format!(
                "{name} is local and would show values of CDMS, which replace its own at the next refresh; {history}"
            ),
        }
    }
}
