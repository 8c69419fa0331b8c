//! The single sequence from which all versions of all records are drawn.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use datahub_protocol::Version;

use super::connection::Connection;
use super::failure::Trouble;
use super::statement::Statement;

/// Draws the next version.
pub(crate) fn next(connection: &mut Connection) -> Result<Version, Trouble> {
    let drawn = version(connection, connection.dialect().next_version)?;
    connection.note_drawn(drawn);
    Ok(drawn)
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

/// The newest version that this program knows was drawn. Other programs may have drawn newer ones. A version counts only
/// once it is committed: SQLite draws one that was rolled back again.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewestKnown(Arc<AtomicI64>);

impl NewestKnown {
    pub(crate) fn note(&self, version: Version) {
        self.0.fetch_max(version.0, Ordering::SeqCst);
    }

    /// `None` if this program has met no version yet.
    pub(crate) fn get(&self) -> Option<Version> {
        Some(Version(self.0.load(Ordering::SeqCst))).filter(|version| version.0 > 0)
    }
}
