//! Where databases differ in words, behind one set of statements.

use super::connection::Connection;
use super::failure::Trouble;
use super::statement::ColumnType;

/// Empties a log; whether that could be done.
type Forget = fn(&mut Connection) -> Result<bool, Trouble>;

/// Where databases differ in words.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// The column type in `create table`.
    pub(crate) declared: fn(ColumnType) -> &'static str,
    /// Whether a column declared so keeps values of this type as they are.
    pub(crate) keeps: fn(&str, ColumnType) -> bool,
    /// The primary key of a table in which the database numbers rows itself.
    pub(crate) numbered_key: &'static str,
    /// Makes the sequence of versions, and has the database refuse changes of what the history says.
    pub(crate) engine_extras: &'static str,
    /// Draws the next version.
    pub(crate) next_version: &'static str,
    /// Tells the time by the database's own clock; for databases that have one.
    pub(crate) clock: Option<&'static str>,
    /// Lists the triggers and unique indexes of the engine's tables that are in force.
    pub(crate) guards_there: &'static str,
    /// Those among them on which promises rest: one open write per record, and a history that only grows.
    pub(crate) guards: &'static [&'static str],
    /// Takes what was overwritten out of the files beside the database, after an erasure; whether that could be done at
    /// once.
    pub(crate) forget: Option<Forget>,
    /// Lets the statements of this transaction work for as long as the upgrade of a large database may take, but wait no
    /// longer than others for what other programs hold; for databases that bound them.
    pub(crate) unhurried: Option<&'static str>,
    /// Keeps everybody else out of the engine's tables until the transaction ends; for databases where a change to a table
    /// does not do that by itself.
    pub(crate) alone: Option<&'static str>,
    /// Tells the newest version that was drawn.
    pub(crate) newest_version: &'static str,
    /// Describes a table's columns: name, declared type, not null, has a default, in the primary key.
    pub(crate) columns_of: &'static str,
    /// Begins a transaction that can write.
    pub(crate) begin: fn(&mut Connection) -> Result<(), Trouble>,
    /// Checks now what else is checked with the commit, and leaves the rest of the transaction as it was; for databases that
    /// do so when they are asked.
    pub(crate) check_deferred: Option<&'static str>,
    /// Waits until no other transaction works on what a text and each of the texts in the table that follows name; for
    /// databases in which writers are not alone.
    pub(crate) lock: Option<&'static str>,
}

/// A column as the database describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundColumn {
    pub(crate) name: String,
    pub(crate) declared: String,
    pub(crate) not_null: bool,
    pub(crate) has_default: bool,
    pub(crate) in_key: bool,
}
