//! Where models' tables differ from what the models need, all of it at once: their columns, and what a column's type does
//! not show.
//!
//! The settings keep of each column what its values mean: the kind, and a decimal's scale. A table that is older than that
//! is taken for what the first program means by it that connects; from then on a program that means something else is
//! refused.

use std::collections::BTreeMap;

use cdms_odata::Kind;
use datahub_model::{Column, ModelDescriptor, Source};

use super::connection::Connection;
use super::dialect::{Dialect, FoundColumn};
use super::failure::Trouble;
use super::model_table::{create_table, key};
use super::row::column_type;
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
        connection.batch(&create_table(connection.dialect(), model))?;
        for column in model.columns {
            settings::put(connection, &setting(model, column), &meaning(column))?;
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
    let columns = models.iter().flat_map(|model| model.columns.iter().map(move |column| (*model, column)));
    let meant = columns.map(|(model, column)| (setting(model, column), meaning(column)));
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
    let (noted, dialect) = (meanings(connection)?, connection.dialect());
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
        let mut of_model = differences(connection, model, &found);
        let there = |column: &Column| found.iter().find(|there| there.name == column.name);
        let columns = model.columns.iter().filter_map(|column| Some((column, there(column)?)));
        of_model.extend(columns.filter_map(|(column, there)| other_meaning(dialect, model, column, there, &noted)));
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

/// Where the columns differ.
fn differences(connection: &Connection, model: &ModelDescriptor, found: &[FoundColumn]) -> Vec<String> {
    let (table, dialect) = (model.table, connection.dialect());
    let mut told = Vec::new();
    for column in model.columns {
        let (name, field) = (column.name, column.field);
        let Some(there) = found.iter().find(|there| there.name == name) else {
            told.push(match column.was.filter(|was| found.iter().any(|there| there.name == *was)) {
                Some(was) => format!("the column {was} of table {table} is to be renamed to {name} (field {field})"),
                None => format!("table {table} has no column {name} (field {field})"),
            });
            continue;
        };
        let kind = column_type(column.kind);
        if !(dialect.keeps)(&there.declared, kind) {
            let (found, needed) = (&there.declared, (dialect.declared)(kind));
            told.push(format!("column {table}.{name} is declared {found}, but a {} needs {needed}", column.kind));
        }
        if column.nullable && there.not_null {
            told.push(format!("column {table}.{name} is NOT NULL, but field {field} can be null"));
        }
        if matches!(column.source, Source::Key) != there.in_key {
            told.push(format!("the primary key of table {table} must be the column {} alone", key(model).name));
        }
    }
    let unknown = found.iter().filter(|there| !model.columns.iter().any(|column| column.name == there.name));
    for there in unknown.filter(|there| there.in_key || (there.not_null && !there.has_default)) {
        let name = &there.name;
        told.push(format!("table {table} has the column {name}, which the model lacks and which needs a value"));
    }
    told
}

/// The setting that keeps what a column's values mean.
fn setting(model: &ModelDescriptor, column: &Column) -> String {
    format!("{COLUMN}{}.{}", model.table, column.name)
}

const COLUMN: &str = "column:";

const OR_NULL: &str = " or null";

/// What a column's values mean, as far as its type does not show it.
fn meaning(column: &Column) -> String {
    let null = if column.nullable { OR_NULL } else { "" };
    match (column.kind, column.scale) {
        (Kind::Decimal, Some(scale)) => format!("decimal({scale}){null}"),
        (kind, _) => format!("{kind}{null}"),
    }
}

/// What is noted of columns, by the settings' names.
fn meanings(connection: &mut Connection) -> Result<BTreeMap<String, String>, Trouble> {
    let sql = "SELECT name, value FROM datahub_settings WHERE name LIKE 'column:%'";
    let rows = connection.query(&Statement::new(sql, []), &[ColumnType::Text; 2])?;
    rows.into_iter().map(|mut row| Ok((row.text()?, row.text()?))).collect()
}

/// That something else is noted of a column, where its type does not show that this is over.
fn other_meaning(
    dialect: &Dialect,
    model: &ModelDescriptor,
    column: &Column,
    there: &FoundColumn,
    noted: &BTreeMap<String, String>,
) -> Option<String> {
    let (setting, meant) = (setting(model, column), meaning(column));
    let noted = noted.get(&setting).filter(|noted| **noted != meant)?;
    let (kind, could_be_null) = noted.strip_suffix(OR_NULL).map_or((noted.as_str(), false), |kind| (kind, true));
    let word = kind.split('(').next().unwrap_or(kind);
    let is_stored_alike = match Kind::ALL.into_iter().find(|kind| kind.to_string() == word) {
        Some(kind) => (dialect.declared)(column_type(kind)) == (dialect.declared)(column_type(column.kind)),
        // A newer program's kind.
        None => true,
    };
    let is_same_kind = meant.strip_suffix(OR_NULL).unwrap_or(&meant) == kind;
    let may_hold_null = could_be_null && !column.nullable && !there.not_null;
    if is_same_kind && !may_hold_null || !is_same_kind && !is_stored_alike {
        return None;
    }
    Some(format!(
        "column {}.{} holds values of kind {noted}, and field {} means {meant}: change the values, and note it with \
         UPDATE datahub_settings SET value = '{meant}' WHERE name = '{setting}'",
        model.table, column.name, column.field
    ))
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
        if model.columns.iter().all(|column| found.iter().any(|there| there.name == column.name)) {
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
