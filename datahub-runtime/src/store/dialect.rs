//! What differs between databases, behind one set of statements.

use datahub_model::schema::Database;

use super::connection::Connection;
use super::failure::Trouble;

/// Empties a log, and returns whether that succeeded.
type Forget = fn(&mut Connection) -> Result<bool, Trouble>;

/// What differs between databases.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// The database, from which the schema derives column types.
    pub(crate) database: Database,
    /// Draws the next version.
    pub(crate) next_version: &'static str,
    /// Draws the next version in the select list of another statement, once for each row; `None` if that cannot be.
    pub(crate) next_version_in_select: Option<&'static str>,
    /// Returns the time by the database's clock; `None` if it has none.
    pub(crate) clock: Option<&'static str>,
    /// Lists the active triggers and unique indexes of the engine's tables.
    pub(crate) guards_there: &'static str,
    /// The triggers among them that the promises depend on: the history is append-only.
    pub(crate) guards: &'static [&'static str],
    /// Removes overwritten data from the files next to the database after an erasure, and returns whether that
    /// succeeded.
    pub(crate) forget: Option<Forget>,
    /// Lets the statements of this transaction run as long as an upgrade of a large database may take, but wait for
    /// other programs' locks no longer than usual; `None` if the database sets no limits.
    pub(crate) unhurried: Option<&'static str>,
    /// Locks the engine's tables exclusively until the end of the transaction; `None` if changing a table does that by
    /// itself.
    pub(crate) alone: Option<&'static str>,
    /// Returns the newest version that was drawn.
    pub(crate) newest_version: &'static str,
    /// Describes a table's columns: name, declared type, not null, has a default, in the primary key.
    pub(crate) columns_of: &'static str,
    /// Lists the tables of the database, without the engine's and the database's own.
    pub(crate) tables: &'static str,
    /// Lists the indexes of a table that are not of its key, with a row for each of their columns in order.
    pub(crate) indexes_of: &'static str,
    /// What makes a table with a column `value` of the JSON array in a text: what stands before the text and behind it.
    pub(crate) each_of_json: (&'static str, &'static str),
    /// A value as text.
    pub(crate) text_of: &'static str,
    /// Returns a row if an index was to be created while others write and was not finished; `None` if that cannot be.
    pub(crate) unfinished_index: Option<&'static str>,
    /// Lists the transactions of others that have read the settings; `None` if a transaction that writes is alone.
    pub(crate) others_in_settings: Option<&'static str>,
    /// Finds out whether the database has Unicode's collation, by which text is lowered whatever its own one is; `None` if
    /// it has functions of ours for that.
    pub(crate) has_unicode: Option<&'static str>,
    /// Whether a statement can write in a subquery, so that two of them can be one.
    pub(crate) has_writing_subqueries: bool,
    /// Begins a transaction that can write.
    pub(crate) begin: fn(&mut Connection) -> Result<(), Trouble>,
    /// Checks deferred rules now, and leaves the rest of the transaction deferred; `None` if the database cannot check
    /// on demand.
    pub(crate) check_deferred: Option<&'static str>,
    /// Locks what is named by a space and each text in the following table, and waits for other transactions; `None` if
    /// writers are exclusive anyway.
    pub(crate) lock: Option<&'static str>,
}
