//! The single sequence from which all versions of all records are drawn.

use datahub_protocol::Version;

use super::connection::Connection;
use super::failure::Trouble;
use super::statement::Statement;

/// Draws the next version.
pub(crate) fn next(connection: &mut Connection) -> Result<Version, Trouble> {
    version(connection, connection.dialect().next_version)
}

/// The newest version that was drawn.
pub(crate) fn newest(connection: &mut Connection) -> Result<Version, Trouble> {
    version(connection, connection.dialect().newest_version)
}

fn version(connection: &mut Connection, sql: &'static str) -> Result<Version, Trouble> {
    let statement = Statement::new(sql, []);
    let version = connection.read(&statement)?.into_iter().next();
    version.ok_or_else(|| Trouble::Corrupt("the sequence of versions is empty".to_owned()))
}
