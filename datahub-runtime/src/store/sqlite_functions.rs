//! Functions that SQLite lacks, for queries of rows: text without case, beyond ASCII, and GUIDs as text.

use diesel::sql_types::{Binary, Nullable, Text};
use diesel::sqlite::SqliteConnection;
use uuid::Uuid;

#[diesel::declare_sql_function]
extern "SQL" {
    /// A text without case and trailing spaces.
    fn datahub_folded(text: Nullable<Text>) -> Nullable<Text>;
    /// A text without case.
    fn datahub_lowered(text: Nullable<Text>) -> Nullable<Text>;
    /// A GUID as text.
    fn datahub_guid(bytes: Nullable<Binary>) -> Nullable<Text>;
}

/// Adds the functions to a connection.
pub(super) fn register(connection: &mut SqliteConnection) -> diesel::QueryResult<()> {
    datahub_folded_utils::register_impl(connection, |text: Option<String>| {
        text.map(|text| text.trim_end_matches(' ').to_lowercase())
    })?;
    datahub_lowered_utils::register_impl(connection, |text: Option<String>| text.map(|text| text.to_lowercase()))?;
    datahub_guid_utils::register_impl(connection, |bytes: Option<Vec<u8>>| {
        bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok()).map(|id| id.to_string())
    })
}
