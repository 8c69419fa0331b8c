//! The schema as data: tables, their columns, keys and indexes, described once for every database.
//!
//! A [`Table`] is either one of the engine's, written as a constant, or [a model's](Table::of). Pure functions
//! [render](Database) it for SQLite and PostgreSQL, and [compare](Table::differences) it with what a database has.
//! Rules that a database enforces with triggers are text in its own language and not part of the description.

mod compare;
mod database;
pub mod engine;
mod meaning;
mod render;
#[cfg(feature = "source")]
mod snapshot;
mod table;

pub use compare::{Difference, FoundColumn};
pub use database::{ColumnType, Database};
pub use meaning::{either_meaning, is_noted};
pub use render::quoted;
#[cfg(feature = "source")]
pub use snapshot::{
    ColumnSource, FaultySnapshot, NotAHash, Rename, SchemaHash, Snapshot, SnapshotColumn, SnapshotIndex, SnapshotTable,
};
pub use table::{Check, Contents, Index, Owner, PrimaryKey, Rows, Table, TableColumn};
