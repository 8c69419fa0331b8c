//! Where models' tables differ from what the models need, all of it at once: their columns, and what a column's type does
//! not show.
//!
//! The settings keep of each column what its values mean: the kind, and a decimal's scale. A table that is older than that
//! is taken for what the first program means by it that connects; from then on a program that means something else is
//! refused.

use std::collections::BTreeMap;

use datahub_model::schema::{Database, Difference, Table, TableColumn};
use datahub_model::{Column, ModelDescriptor};

use super::connection::Connection;
use super::failure::Trouble;
use super::settings;
use super::statement::{ColumnType, Statement};

/// Makes a model's table where there is none, and notes what its columns mean.
pub(super) fn make_missing(connection: &mut Connection, models: &[&'static ModelDescriptor]) -> Result<(), Trouble> {
    let mut told = Vec::new();
    for model in models {
        if !connection.columns_of(model.table)?.is_empty() {
            continue;
        }
        if let Some(former) = former_table(connection, model, models)? {
            told.push(of_former(model, &former));
            continue;
        }
        let table = Table::of(model);
        connection.batch(&connection.dialect().database.create_table(&table))?;
        for (setting, meaning) in table.meanings() {
            settings::put(connection, &setting, &meaning)?;
        }
    }
    if told.is_empty() { Ok(()) } else { Err(Trouble::Schema(told.join("; "))) }
}

/// What is to be noted of a column.
#[derive(Debug)]
pub(super) struct Unnoted {
    /// What the column means.
    meaning: String,
    /// What was noted when it was found to fit.
    noted: Option<String>,
}

/// What the columns of tables that were found to fit mean, by the settings' names, where something else is noted or nothing:
/// a note ends with the type of its column.
pub(super) fn unnoted(
    connection: &mut Connection,
    models: &[&'static ModelDescriptor],
) -> Result<BTreeMap<String, Unnoted>, Trouble> {
    let noted = meanings(connection)?;
    let tables: Vec<_> = models.iter().map(|model| Table::of(model)).collect();
    let meant = tables.iter().flat_map(Table::meanings);
    let unnoted = meant.filter(|(setting, meant)| noted.get(setting) != Some(meant));
    let unnoted = unnoted.map(|(setting, meaning)| {
        let noted = noted.get(&setting).cloned();
        (setting, Unnoted { meaning, noted })
    });
    Ok(unnoted.collect())
}

/// Notes what columns mean, where no other program has noted something else since.
pub(super) fn note(connection: &mut Connection, unnoted: &BTreeMap<String, Unnoted>) -> Result<(), Trouble> {
    let noted = meanings(connection)?;
    for (setting, Unnoted { meaning, noted: found }) in unnoted {
        match noted.get(setting) {
            None => drop(settings::put_if_absent(connection, setting, meaning)?),
            now if now == found.as_ref() => settings::put(connection, setting, meaning)?,
            // Another program has noted something since: the next check compares with that.
            Some(_) => {}
        }
    }
    Ok(())
}

/// Checks that the tables can hold the models' rows.
///
/// # Errors
///
/// [`Trouble::Schema`] with every difference, and what to do.
pub(super) fn check(connection: &mut Connection, models: &[&'static ModelDescriptor]) -> Result<(), Trouble> {
    let (noted, database) = (meanings(connection)?, connection.dialect().database);
    let mut told = Vec::new();
    for model in models {
        let found = connection.columns_of(model.table)?;
        if found.is_empty() {
            told.push(match former_table(connection, model, models)? {
                Some(former) => of_former(model, &former),
                None => format!(
                    "there is no table {} for model {}; in production make it with a migration, for a first try call \
                     create_tables() on the hub's builder",
                    model.table, model.name
                ),
            });
            continue;
        }
        let table = Table::of(model);
        let noted = |column: &TableColumn<'_>| noted.get(&table.setting(column)).map(String::as_str);
        let differences = table.differences(database, &found, noted);
        let of_model: Vec<_> = differences.into_iter().map(|found| worded(database, &table, found)).collect();
        if !of_model.is_empty() {
            told.push(format!("{}; write a migration for model {}", of_model.join("; "), model.name));
        }
    }
    if told.is_empty() { Ok(()) } else { Err(Trouble::Schema(told.join("; "))) }
}

/// What was refused, unless the table is another one than this program connected to: then that is the trouble, and no
/// record's. To be asked outside of a transaction that has failed.
pub(super) fn refused_or_changed(
    connection: &mut Connection,
    model: &'static ModelDescriptor,
    reason: String,
) -> Trouble {
    match check(connection, &[model]) {
        Ok(()) => Trouble::Refused(reason),
        Err(trouble) => trouble,
    }
}

/// A difference in words, with the field behind the column.
fn worded(database: Database, table: &Table<'_>, difference: Difference<'_>) -> String {
    let owner = table.name;
    match difference {
        Difference::Missing(TableColumn { name, field, .. }) => {
            format!("table {owner} has no column {name} (field {field})")
        }
        Difference::Renamed { column: TableColumn { name, field, .. }, from } => {
            format!("the column {from} of table {owner} is to be renamed to {name} (field {field})")
        }
        Difference::Type { column: TableColumn { name, contents, .. }, declared } => {
            let (kind, needed) = (contents.name(), database.declared(contents.column_type()));
            format!("column {owner}.{name} is declared {declared}, but a {kind} needs {needed}")
        }
        Difference::NotNull(TableColumn { name, field, .. }) => {
            format!("column {owner}.{name} is NOT NULL, but field {field} can be null")
        }
        Difference::Key(_) => {
            format!("the primary key of table {owner} must be the column {} alone", table.key.columns().join(", "))
        }
        Difference::Unknown(name) => {
            format!("table {owner} has the column {name}, which the model lacks and which needs a value")
        }
        Difference::Meaning { column, noted, meant } => {
            let (TableColumn { name, field, .. }, setting) = (column, table.setting(column));
            format!(
                "column {owner}.{name} holds values of kind {noted}, and field {field} means {meant}: change the values, \
                 and note it with UPDATE datahub_settings SET value = '{meant}' WHERE name = '{setting}'"
            )
        }
    }
}

/// What is noted of columns, by the settings' names.
fn meanings(connection: &mut Connection) -> Result<BTreeMap<String, String>, Trouble> {
    let sql = "SELECT name, value FROM datahub_settings WHERE name LIKE 'column:%'";
    let rows = connection.query(&Statement::new(sql, []), &[ColumnType::Text; 2])?;
    rows.into_iter().map(|mut row| Ok((row.text()?, row.text()?))).collect()
}

/// A table of the same records that no model of this program names and that has all of this one's columns, the hub's own
/// among them: the model's table under its former name. A model without fields of the hub's own leaves nothing behind.
fn former_table(
    connection: &mut Connection,
    model: &ModelDescriptor,
    models: &[&'static ModelDescriptor],
) -> Result<Option<String>, Trouble> {
    if !model.columns.iter().any(Column::is_local) {
        return Ok(None);
    }
    let sql = "SELECT DISTINCT model FROM datahub_history WHERE entity = ? ORDER BY model";
    let rows = connection.query(&Statement::new(sql, [model.entity.name.into()]), &[ColumnType::Text])?;
    let names = rows.into_iter().map(|mut row| row.text()).collect::<Result<Vec<_>, _>>()?;
    for name in names.into_iter().filter(|name| models.iter().all(|model| model.table != name)) {
        let found = connection.columns_of(&name)?;
        if Table::of(model).missing(&found).next().is_none() {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn of_former(model: &ModelDescriptor, former: &str) -> String {
    format!(
        "there is no table {table} for model {name}, but the table {former} has the same columns and holds {entity} \
         records: if it is the model's own, write `table = \"{former}\"` again, or its local fields and its history are left \
         behind; if both are meant, make the new one with a migration",
        table = model.table,
        name = model.name,
        entity = model.entity.name,
    )
}
