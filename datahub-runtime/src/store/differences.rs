//! All differences between the models' tables and what the models need: their columns, and what a column's type does
//! not show.
//!
//! For each column, the settings record the meaning of its values: the kind, and a decimal's scale. If a table is older
//! than this record, the first program that connects determines the meaning. A program with another meaning is rejected
//! from then on.

use std::collections::BTreeMap;

use datahub_model::schema::{Database, Difference, Table, TableColumn, is_noted};
use datahub_model::{Column, ModelDescriptor};

use super::connection::Connection;
use super::cure::{Gap, Pending};
use super::failure::Trouble;
use super::statement::{ColumnType, Statement};
use super::{epochs, settings};

/// Creates the missing tables of models, and records the meanings of their columns.
pub(super) fn make_missing(connection: &mut Connection, models: &[&'static ModelDescriptor]) -> Result<(), Trouble> {
    let mut reasons = Vec::new();
    for model in models {
        if !connection.columns_of(model.table)?.is_empty() {
            continue;
        }
        if former_table(connection, model, models)?.is_some() {
            reasons.push(missing(connection, model, models, &Pending::Unknown)?);
            continue;
        }
        let table = Table::of(model);
        connection.batch(&connection.dialect().database.create_table(&table))?;
        for (setting, meaning) in table.meanings() {
            settings::put(connection, &setting, &meaning)?;
        }
    }
    if reasons.is_empty() { Ok(()) } else { Err(Trouble::Schema(reasons.join("; "))) }
}

/// A meaning that is not recorded yet.
#[derive(Debug)]
pub(super) struct Unnoted {
    /// The column's meaning.
    meaning: String,
    /// The recorded meaning when the column was checked.
    noted: Option<String>,
}

/// The meanings of columns of checked tables, by setting, if another meaning or none is recorded. A record becomes
/// outdated when the type of its column changes.
pub(super) fn unnoted(
    connection: &mut Connection,
    models: &[&'static ModelDescriptor],
) -> Result<BTreeMap<String, Unnoted>, Trouble> {
    let noted = meanings(connection)?;
    let tables: Vec<_> = models.iter().map(|model| Table::of(model)).collect();
    let meant = tables.iter().flat_map(Table::meanings);
    let is_unnoted =
        |(setting, meant): &(String, String)| !noted.get(setting).is_some_and(|noted| is_noted(meant, noted));
    let unnoted = meant.filter(is_unnoted);
    let unnoted = unnoted.map(|(setting, meaning)| {
        let noted = noted.get(&setting).cloned();
        (setting, Unnoted { meaning, noted })
    });
    Ok(unnoted.collect())
}

/// Records meanings, unless another program has recorded something else in the meantime.
pub(super) fn note(connection: &mut Connection, unnoted: &BTreeMap<String, Unnoted>) -> Result<(), Trouble> {
    let noted = meanings(connection)?;
    for (setting, Unnoted { meaning, noted: found }) in unnoted {
        match noted.get(setting) {
            None => drop(settings::put_if_absent(connection, setting, meaning)?),
            now if now == found.as_ref() => settings::put(connection, setting, meaning)?,
            // Another program recorded something in the meantime: the next check compares with that.
            Some(_) => {}
        }
    }
    Ok(())
}

/// Checks that the tables can hold the models' rows.
///
/// # Errors
///
/// [`Trouble::Schema`] with every difference and how to fix it.
pub(super) fn check(
    connection: &mut Connection,
    models: &[&'static ModelDescriptor],
    pending: &Pending,
) -> Result<(), Trouble> {
    let (noted, database) = (meanings(connection)?, connection.dialect().database);
    let mut reasons = Vec::new();
    for model in models {
        let found = connection.columns_of(model.table)?;
        if found.is_empty() {
            reasons.push(missing(connection, model, models, pending)?);
            continue;
        }
        let table = Table::of(model);
        let noted = |column: &TableColumn<'_>| noted.get(&table.setting(column)).map(String::as_str);
        let differences = table.differences(database, &found, noted);
        let of_model: Vec<_> = differences.into_iter().map(|found| worded(database, &table, found)).collect();
        if !of_model.is_empty() {
            let epoch = epochs::oldest(connection, model)?;
            reasons.push(format!("{}; {}", of_model.join("; "), pending.cure(model, Gap::Columns, epoch)));
        }
    }
    if reasons.is_empty() { Ok(()) } else { Err(Trouble::Schema(reasons.join("; "))) }
}

/// The message for a table that does not exist.
fn missing(
    connection: &mut Connection,
    model: &ModelDescriptor,
    models: &[&'static ModelDescriptor],
    pending: &Pending,
) -> Result<String, Trouble> {
    let ModelDescriptor { name, table, entity, .. } = model;
    let epoch = epochs::oldest(connection, model)?;
    Ok(match former_table(connection, model, models)? {
        Some(former) => format!(
            "there is no table {table} for model {name}, but table {former} has the same columns and contains {} records: \
             {}",
            entity.name,
            pending.cure(model, Gap::Renamed(&former), epoch)
        ),
        None => {
            format!("there is no table {table} for model {name}; {}", pending.cure(model, Gap::Table, epoch))
        }
    })
}

/// The refusal, unless the table was changed since this program connected: then that is the cause, and the record is
/// not at fault. Must not be called in a failed transaction.
pub(super) fn refused_or_changed(
    connection: &mut Connection,
    model: &'static ModelDescriptor,
    reason: String,
) -> Trouble {
    match check(connection, &[model], &Pending::Unknown) {
        Ok(()) => Trouble::Refused(reason),
        Err(trouble) => trouble,
    }
}

/// The message for a difference, with the column's field.
fn worded(database: Database, table: &Table<'_>, difference: Difference<'_>) -> String {
    let owner = table.name;
    match difference {
        Difference::Missing(TableColumn { name, field, .. }) => {
            format!("table {owner} has no column {name} (field {field})")
        }
        Difference::Renamed { column: TableColumn { name, field, .. }, from } => {
            format!("column {from} of table {owner} must be renamed to {name} (field {field})")
        }
        Difference::Type { column: TableColumn { name, contents, .. }, declared } => {
            let (kind, needed) = (contents.name(), database.declared(contents.column_type()));
            format!("column {owner}.{name} is declared {declared}, but kind {kind} needs {needed}")
        }
        Difference::NotNull(TableColumn { name, field, .. }) => {
            format!("column {owner}.{name} is NOT NULL, but field {field} is nullable")
        }
        Difference::Key(_) => {
            format!("the primary key of table {owner} must consist of column {} only", table.key.columns().join(", "))
        }
        Difference::Unknown(name) => {
            format!("table {owner} has a column {name}, which the model does not have and which requires a value")
        }
        Difference::Meaning { column, noted, meant } => {
            let (TableColumn { name, field, .. }, setting) = (column, table.setting(column));
            format!(
                "column {owner}.{name} has values of kind {noted}, but field {field} expects {meant}: convert the \
                 values, then run UPDATE datahub_settings SET value = '{meant}' WHERE name = '{setting}'"
            )
        }
    }
}

/// The recorded meanings, by setting.
fn meanings(connection: &mut Connection) -> Result<BTreeMap<String, String>, Trouble> {
    let sql = "SELECT name, value FROM datahub_settings WHERE name LIKE 'column:%'";
    let rows = connection.query(&Statement::new(sql, []), &[ColumnType::Text; 2])?;
    rows.into_iter().map(|mut row| Ok((row.text()?, row.text()?))).collect()
}

/// A table of the same entity that belongs to no model of this program and has all columns of this model, including
/// local ones: probably the model's table under its former name. A model without local fields loses nothing in this
/// case.
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
