//! The questions that a migration asks the data before it changes anything.

use super::error::MigrationError;
use super::{Migration, MigrationCheck};
use crate::store::{PlainConnection as Connection, PlainTrouble as Trouble};

/// How many rows are shown of those that stand in the way.
const SHOWN_MAX: usize = 5;

/// The name of the view through which a query is read.
const VIEW: &str = "datahub_check";

/// Asks all questions of a migration; returns the first that is not true, with rows that stand in the way.
pub(super) fn ask(connection: &mut Connection, migration: &Migration) -> Result<Option<MigrationError>, Trouble> {
    for check in migration.checks.iter() {
        let rows = rows_of(connection, check)?;
        if !rows.is_empty() {
            return Ok(Some(MigrationError::CheckFailed {
                migration: migration.name.to_string(),
                description: check.description.to_string(),
                rows,
            }));
        }
    }
    Ok(None)
}

/// The rows of a query as text, with the names of their columns.
fn rows_of(connection: &mut Connection, check: &MigrationCheck) -> Result<Vec<String>, Trouble> {
    let query = check.query.trim().trim_end_matches(';');
    // The database itself knows the names of the columns. The view is gone with the connection.
    connection.batch(&format!("DROP VIEW IF EXISTS {VIEW}; CREATE TEMP VIEW {VIEW} AS {query}"))?;
    let columns = connection.columns_of(VIEW)?;
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let text = connection.dialect().text_of;
    let shown = columns.iter().map(|column| {
        let name = column.name.replace('\'', "''");
        format!("'{name}=' || {}", text.replace('?', &quoted(&column.name)))
    });
    let shown = shown.collect::<Vec<_>>().join(" || ' ' || ");
    let rows = connection.texts(&format!("SELECT {shown} FROM {VIEW} LIMIT {SHOWN_MAX}"))?;
    connection.batch(&format!("DROP VIEW {VIEW}"))?;
    Ok(rows)
}
