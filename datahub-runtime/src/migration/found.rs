//! The tables of a database as they really are, for a plan that begins with them.

use std::collections::BTreeMap;

use datahub_model::schema::FoundColumn;

use super::error::MigrationError;
use super::record;
use crate::store::settings;
use crate::store::{Location, PlainConnection as Connection, PlainTrouble as Trouble, Statement, epochs};

/// The tables of a database, as they really are.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FoundTables {
    /// The revision of the engine's tables; 0 if they do not exist.
    pub engine: i64,
    /// The tables, without the engine's, by name.
    pub tables: BTreeMap<String, FoundTable>,
}

/// A table of a database, as it really is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FoundTable {
    /// Its columns, in order.
    pub columns: Vec<FoundColumn>,
    /// The noted meanings of its columns, by column.
    pub meanings: BTreeMap<String, String>,
    /// Its epoch.
    pub epoch: u64,
    /// Its indexes, without those of expressions.
    pub indexes: Vec<FoundIndex>,
    /// How many rows it has.
    pub rows: i64,
    /// How many rows have a value in a column, by column.
    pub filled: BTreeMap<String, i64>,
}

/// An index of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundIndex {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<String>,
}

/// The tables of a database.
pub(super) fn tables(location: &Location, shown: &str) -> Result<FoundTables, MigrationError> {
    let read = |connection: &mut Connection| {
        let has_settings = record::exists(connection, record::SETTINGS)?;
        let engine = if has_settings { engine(connection)? } else { 0 };
        let names = connection.read::<String>(&Statement::new(connection.dialect().tables, []))?;
        let tables = names.into_iter().map(|name| Ok((name.clone(), table(connection, &name, has_settings)?)));
        Ok(FoundTables { engine, tables: tables.collect::<Result<_, Trouble>>()? })
    };
    if location.is_missing_file() {
        return Ok(FoundTables::default());
    }
    let opened = Connection::of_migration(location);
    opened.and_then(|mut connection| read(&mut connection)).map_err(|trouble| MigrationError::of(trouble, shown))
}

/// How many rows have a value in a column that the other column does not have too.
pub(super) fn rows_that_differ(
    location: &Location,
    shown: &str,
    table: &str,
    (column, other): (&str, &str),
) -> Result<i64, MigrationError> {
    let [table, column, other] = [table, column, other].map(datahub_model::schema::quoted);
    let sql = format!(
        "SELECT CAST(count(*) AS TEXT) FROM {table} WHERE {column} IS NOT NULL AND {column} IS DISTINCT FROM {other}"
    );
    let counted = Connection::of_migration(location).and_then(|mut connection| {
        let counted = connection.texts(&sql)?.into_iter().next().unwrap_or_default();
        counted.parse().map_err(|_| Trouble::Corrupt(format!("`{counted}` is no count")))
    });
    counted.map_err(|trouble| MigrationError::of(trouble, shown))
}

fn engine(connection: &mut Connection) -> Result<i64, Trouble> {
    if !record::exists(connection, "datahub_records")? {
        return Ok(0);
    }
    let revision = settings::get(connection, datahub_model::schema::engine::REVISION_SETTING)?;
    // The first revision did not record it.
    revision.map_or(Ok(1), |revision| {
        revision.parse().map_err(|_| Trouble::Corrupt(format!("invalid revision of the engine's tables: {revision:?}")))
    })
}

fn table(connection: &mut Connection, name: &str, has_settings: bool) -> Result<FoundTable, Trouble> {
    let mut parts_of: BTreeMap<String, Option<Vec<String>>> = BTreeMap::new();
    let parts = Statement::new(connection.dialect().indexes_of, [name.into()]);
    for (index, column) in connection.read::<(String, Option<String>)>(&parts)? {
        let columns = parts_of.entry(index).or_insert_with(|| Some(Vec::new()));
        // A part without a column is an expression.
        match (columns.as_mut(), column) {
            (Some(columns), Some(column)) => columns.push(column),
            _ => *columns = None,
        }
    }
    let indexes = parts_of.into_iter().filter_map(|(name, columns)| Some(FoundIndex { name, columns: columns? }));
    let indexes = indexes.collect();
    let mut found = FoundTable { columns: connection.columns_of(name)?, indexes, ..FoundTable::default() };
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let counts = found.columns.iter().map(|column| format!(" || ' ' || count({})", quoted(&column.name)));
    let count = format!("SELECT CAST(count(*) AS TEXT){} FROM {}", counts.collect::<String>(), quoted(name));
    let counted = connection.texts(&count)?.into_iter().next().unwrap_or_default();
    let mut counted = counted.split(' ').map(|count| count.parse().unwrap_or_default());
    found.rows = counted.next().unwrap_or_default();
    found.filled = found.columns.iter().map(|column| column.name.clone()).zip(counted).collect();
    if has_settings {
        let prefix = format!("column:{name}.");
        let sql = "SELECT name, value FROM datahub_settings WHERE name LIKE 'column:%' ORDER BY name";
        let noted = connection.read::<(String, String)>(&Statement::new(sql, []))?;
        let of_table =
            noted.into_iter().filter_map(|(name, value)| Some((name.strip_prefix(&prefix)?.to_owned(), value)));
        found.meanings = of_table.collect();
        let epoch = settings::get(connection, &epochs::setting(name))?;
        found.epoch = epochs::number(name, epoch.as_deref())?;
    }
    Ok(found)
}
