//! What differs between two schemas, after it is decided which tables and columns are the same ones under new names.

use cdms_odata::Kind;
use datahub_model::schema::{ColumnSource, SnapshotColumn, SnapshotIndex, SnapshotTable};

use crate::conversion::Conversion;

/// What differs between two schemas.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Changes {
    /// The revision of the engine's tables before, if they change; 0 if they do not exist.
    pub engine: Option<i64>,
    /// The tables that are new, dropped or changed, in the order of their names.
    pub tables: Vec<TableChange>,
}

/// A table that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableChange {
    /// It is new.
    New {
        /// Its name.
        name: String,
        /// What it must be.
        table: SnapshotTable,
    },
    /// It goes.
    Dropped {
        /// Its name.
        name: String,
        /// What it was.
        table: SnapshotTable,
    },
    /// It stays, under this name or another.
    Kept(KeptTable),
}

/// A table that stays, with what changes in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTable {
    /// Its name before.
    pub from: String,
    /// Its name after.
    pub to: String,
    /// Its key column after.
    pub key: SnapshotColumn,
    /// Its columns, those that do not change included: first those of the new table in order, then dropped ones.
    pub columns: Vec<ColumnChange>,
    /// What happens to its indexes.
    pub indexes: Vec<IndexChange>,
    /// The indexes that go with their columns.
    pub gone: Vec<SnapshotIndex>,
}

/// A column of a table that stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnChange {
    /// It is new.
    New(SnapshotColumn),
    /// It goes.
    Dropped(SnapshotColumn),
    /// It stays.
    Kept {
        /// What it was.
        from: SnapshotColumn,
        /// What it must be.
        to: SnapshotColumn,
        /// What becomes of its values.
        conversion: Conversion,
    },
}

/// An index of a table that stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexChange {
    /// It is created.
    New(SnapshotIndex),
    /// It goes, and its columns stay.
    Dropped(SnapshotIndex),
    /// It gets another name.
    Renamed {
        /// Its name before.
        from: String,
        /// What it must be.
        to: SnapshotIndex,
    },
}

impl Changes {
    /// Whether nothing must be done in a database.
    pub fn is_empty(&self) -> bool {
        self.engine.is_none() && self.tables.is_empty()
    }
}

impl KeptTable {
    /// Whether an older and a newer version of a program cannot share the table: it gets another name, its key does, or a
    /// column gets values of another type.
    pub fn is_switched(&self) -> bool {
        let is_rekeyed = |column: &ColumnChange| match column {
            ColumnChange::Kept { from, to, .. } => {
                (from.source == ColumnSource::Key && from.name != to.name)
                    || column.conversion() != Some(Conversion::Same)
            }
            ColumnChange::New(_) | ColumnChange::Dropped(_) => false,
        };
        self.from != self.to || self.columns.iter().any(is_rekeyed)
    }

    /// Whether something is left to do when the older programs are gone.
    pub fn is_contracted(&self) -> bool {
        let is_finished = |column: &ColumnChange| match column {
            ColumnChange::New(new) => new.nullable,
            ColumnChange::Dropped(_) => false,
            ColumnChange::Kept { from, to, .. } => shape(from) == shape(to),
        };
        self.from != self.to || !self.columns.iter().all(is_finished)
    }

    /// Whether nothing must be done in a database.
    pub fn is_unchanged(&self) -> bool {
        self.from == self.to && self.indexes.is_empty() && self.columns.iter().all(ColumnChange::is_unchanged)
    }
}

impl ColumnChange {
    /// How the values of a column that stays are converted.
    pub fn conversion(&self) -> Option<Conversion> {
        match self {
            ColumnChange::Kept { conversion, .. } => Some(*conversion),
            ColumnChange::New(_) | ColumnChange::Dropped(_) => None,
        }
    }

    /// Whether nothing must be done in a database.
    fn is_unchanged(&self) -> bool {
        match self {
            ColumnChange::Kept { from, to, .. } => {
                let is_local = |column: &SnapshotColumn| column.source == ColumnSource::Local;
                shape(from) == shape(to) && (is_local(to) || !is_local(from))
            }
            ColumnChange::New(_) | ColumnChange::Dropped(_) => false,
        }
    }
}

/// What a database and its settings show of a column.
fn shape(column: &SnapshotColumn) -> (&str, Kind, Option<u32>, bool) {
    (&column.name, column.kind, column.scale, column.nullable)
}
