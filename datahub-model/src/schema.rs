//! The schema as data: tables, their columns, keys and indexes, described once for every database.
//!
//! A [`Table`] is the engine's own, written down as a constant, or [a model's](Table::of). What SQLite and PostgreSQL
//! make of it is [rendered](Database) by pure functions, and what a database has instead is [told](Table::differences) by
//! another. Rules that a database keeps by triggers are text in its own language, and no part of a description.

mod compare;
mod database;
mod meaning;
mod render;
mod table;

pub use compare::{Difference, FoundColumn};
pub use database::{ColumnType, Database};
pub use render::quoted;
pub use table::{Check, Contents, Index, Owner, PrimaryKey, Rows, Table, TableColumn};
