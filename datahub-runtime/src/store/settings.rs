//! Settings that a database stores about itself, such as its tables' version and the organisation whose data it
//! contains.

use super::connection::Connection;
use super::failure::Trouble;
use super::statement::{Datum, Statement};

/// A setting's value, if it has one.
pub(crate) fn get(connection: &mut Connection, name: &str) -> Result<Option<String>, Trouble> {
    let statement = Statement::new("SELECT value FROM datahub_settings WHERE name = ?", [name.into()]);
    Ok(connection.read(&statement)?.into_iter().next())
}

/// Sets a setting unless it has a value, and returns the value that it has then. The first value stays.
pub(crate) fn put_if_absent(connection: &mut Connection, name: &str, value: &str) -> Result<String, Trouble> {
    let sql = "INSERT INTO datahub_settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING";
    connection.execute(&Statement::new(sql, [name.into(), value.into()]))?;
    get(connection, name)?.ok_or_else(|| Trouble::Corrupt(format!("the setting {name} disappeared")))
}

/// Sets a setting, and replaces its previous value.
pub(crate) fn put(connection: &mut Connection, name: &str, value: &str) -> Result<(), Trouble> {
    let sql = "INSERT INTO datahub_settings (name, value) VALUES (?, ?) \
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    connection.send(Statement::new(sql, [name.into(), value.into()]))
}

/// Deletes a setting.
pub(crate) fn forget(connection: &mut Connection, name: &str) -> Result<(), Trouble> {
    let statement = Statement::new("DELETE FROM datahub_settings WHERE name = ?", [name.into()]);
    connection.send(statement)
}

/// The settings whose names begin with this.
pub(crate) fn that_begin(connection: &mut Connection, prefix: &str) -> Result<Vec<(String, String)>, Trouble> {
    // SQLite would prepare a statement with a bound pattern again for each value.
    let sql = "SELECT name, value FROM datahub_settings WHERE substr(name, 1, ?) = ? ORDER BY name";
    let length = i32::try_from(prefix.chars().count()).ok();
    connection.read(&Statement::new(sql, [Datum::Integer(length), prefix.into()]))
}

/// Deletes the settings whose names begin with this.
pub(crate) fn forget_that_begin(connection: &mut Connection, prefix: &str) -> Result<(), Trouble> {
    that_begin(connection, prefix)?.iter().try_for_each(|(name, _)| forget(connection, name))
}
