//! Where databases differ in words, behind one set of statements.

use datahub_model::schema::Database;

use super::connection::Connection;
use super::failure::Trouble;

/// Empties a log; whether that could be done.
type Forget = fn(&mut Connection) -> Result<bool, Trouble>;

/// Where databases differ in words.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// Which database it is, of which the schema knows what tables are made of.
    pub(crate) database: Database,
    /// Makes the sequence of versions, and has the database refuse changes of what the history says.
    pub(crate) engine_extras: &'static str,
    /// Draws the next version.
    pub(crate) next_version: &'static str,
    /// Tells the time by the database's own clock; for databases that have one.
    pub(crate) clock: Option<&'static str>,
    /// Lists the triggers and unique indexes of the engine's tables that are in force.
    pub(crate) guards_there: &'static str,
    /// The triggers among them on which promises rest: a history that only grows.
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
