//! The one sequence from which every stored version of every record is drawn.

use datahub_protocol::Version;

use super::failure::Trouble;
use super::sqlite::Connection;
use super::statement::{ColumnType, Statement};

/// Draws the next version. On SQLite it is a row that counts, safe because a transaction that writes is alone.
pub(crate) fn next(connection: &mut Connection) -> Result<Version, Trouble> {
    let statement = Statement::new("UPDATE datahub_sequence SET value = value + 1 RETURNING value", []);
    let rows = connection.query(&statement, &[ColumnType::BigInt])?;
    let row = rows.into_iter().next();
    row.ok_or_else(|| Trouble::Corrupt("table datahub_sequence is empty".to_owned()))?.number().map(Version)
}
