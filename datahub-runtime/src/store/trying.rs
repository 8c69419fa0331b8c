//! The rows of a model as they are, to try a mapping on them: in batches, read-only, from tables that may be those of
//! another version of the mapping.

use std::collections::{BTreeMap, BTreeSet};

use cdms_odata::{Attributes, Facts, Instant, Kind, Value};
use datahub_model::schema::FoundColumn;
use datahub_model::{Column, ModelDescriptor, Source, conversion};
use uuid::Uuid;

use super::columns::{FromRow as _, columns};
use super::connection::Connection;
use super::failure::Trouble;
use super::row::value;
use super::seen;
use super::statement::{ColumnType, Statement};

/// The number of rows in a batch, which is one statement.
const BATCH: i64 = 500;

/// The columns of a table, as far as a model's fields can be compared with them.
#[derive(Debug)]
pub(crate) struct TableToTry {
    /// The column with the records' ids; `None` if the table does not exist.
    key: Option<&'static str>,
    pub(crate) compared: Vec<Compared>,
    /// What cannot be compared, and why.
    pub(crate) not_compared: Vec<String>,
    /// Whether the engine's tables say which attributes are older than the record.
    says_outdated: bool,
}

/// A column of the table that a column of the model is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compared {
    /// The position of the model's column.
    pub(crate) position: usize,
    /// The column of the table: its name, and the kind of the values that it has.
    pub(crate) column: Column,
}

/// One row.
#[derive(Debug)]
pub(crate) struct RowToTry {
    pub(crate) id: Uuid,
    pub(crate) facts: Facts,
    pub(crate) seen: Attributes,
    /// The attributes that are older than the facts.
    pub(crate) outdated: BTreeSet<String>,
    /// Whether its record is in quarantine.
    pub(crate) quarantined: bool,
    /// Whether the model's table has it.
    pub(crate) is_there: bool,
    /// The values of the compared columns, in their order.
    pub(crate) there: Vec<Value>,
}

/// A batch of rows.
#[derive(Debug)]
pub(crate) struct RowsToTry {
    pub(crate) rows: Vec<RowToTry>,
}

impl RowsToTry {
    /// The last row, after which the next batch begins; `None` after the end.
    pub(crate) fn last(&self) -> Option<Uuid> {
        self.rows.last().map(|row| row.id)
    }
}

/// Finds out what the model's fields can be compared with.
pub(crate) fn table(connection: &mut Connection, model: &'static ModelDescriptor) -> Result<TableToTry, Trouble> {
    let records = connection.columns_of("datahub_records")?;
    if records.is_empty() {
        let reason = "there is no table datahub_records; rehearse on a database of a hub, or on a copy of one";
        return Err(Trouble::Schema(reason.to_owned()));
    }
    let found = connection.columns_of(model.table)?;
    let kinds = kinds(connection, model)?;
    let mut table = TableToTry {
        key: None,
        compared: Vec::new(),
        not_compared: Vec::new(),
        says_outdated: records.iter().any(|column| column.name == "outdated_at"),
    };
    if found.is_empty() {
        let reason = format!("there is no table {}, so no field is compared; rows are tried all the same", model.table);
        table.not_compared.push(reason);
        return Ok(table);
    }
    let key = &model.columns[model.key_column()];
    table.key = name_in(key, &found).map(|(name, _)| name);
    if table.key.is_none() {
        let reason = format!("table {} has no column {}, so no field is compared", model.table, key.name);
        table.not_compared.push(reason);
        return Ok(table);
    }
    let mut known = BTreeSet::from_iter(table.key);
    let database = connection.dialect().database;
    for (position, column) in model.columns.iter().enumerate() {
        let Some((name, there)) = name_in(column, &found) else { continue };
        known.insert(name);
        if !matches!(column.source, Source::Attribute { .. } | Source::Joined { .. }) {
            continue;
        }
        let (kind, scale) = kinds.get(name).copied().unwrap_or((column.kind, column.scale));
        if database.keeps(&there.declared, ColumnType::of(kind)) {
            table.compared.push(Compared { position, column: Column { name, kind, scale, ..*column } });
        } else {
            let declared = &there.declared;
            table.not_compared.push(format!("`{}`: column {name} is declared {declared}, not {kind}", column.field));
        }
    }
    let dropped = found.iter().filter(|column| !known.contains(column.name.as_str()));
    table.not_compared.extend(dropped.map(|column| format!("column {} belongs to no field", column.name)));
    Ok(table)
}

/// The table's column for a field: its own, or the one that it was renamed from.
fn name_in<'f>(column: &Column, found: &'f [FoundColumn]) -> Option<(&'static str, &'f FoundColumn)> {
    let of_name = |name: &'static str| Some((name, found.iter().find(|found| found.name == name)?));
    of_name(column.name).or_else(|| of_name(column.was?))
}

/// The kinds of the table's columns and the scales of decimals, by name, as the settings have them.
fn kinds(
    connection: &mut Connection,
    model: &ModelDescriptor,
) -> Result<BTreeMap<String, (Kind, Option<u32>)>, Trouble> {
    let sql = "SELECT name, value FROM datahub_settings WHERE name LIKE 'column:%'";
    let noted: Vec<(String, String)> = connection.read(&Statement::new(sql, []))?;
    let of_table = format!("column:{}.", model.table);
    let noted = noted.iter().filter_map(|(name, meaning)| {
        let name = name.strip_prefix(&of_table)?;
        // `decimal(3) or null`; while two versions share a column, the first meaning is the older one.
        let first = meaning.split([' ', '|']).next()?;
        let (word, scale) = match first.split_once('(') {
            Some((word, scale)) => (word, scale.trim_end_matches(')').parse().ok()),
            None => (first, None),
        };
        Some((name.to_owned(), (word.parse().ok()?, scale)))
    });
    Ok(noted.collect())
}

columns! {
    struct Record {
        id: Uuid = "record.id",
        modified: Instant = "record.modified",
        created: Option<Instant> = "record.created",
        modified_by: Option<Uuid> = "record.modified_by",
        seen: String = "record.seen",
        quarantined: bool = "EXISTS (SELECT 1 FROM datahub_quarantine AS waiting \
                             WHERE waiting.model = record.model AND waiting.id = record.id)",
    }
}

/// The next batch of rows.
pub(crate) fn rows(
    connection: &mut Connection,
    model: &'static ModelDescriptor,
    table: &TableToTry,
    after: Uuid,
) -> Result<RowsToTry, Trouble> {
    let mut statement = Statement::default();
    let mut types = Record::TYPES.to_vec();
    statement.sql("SELECT ");
    statement.sql(Record::SELECT);
    if table.says_outdated {
        statement.sql(", CASE WHEN record.outdated_at = record.version THEN COALESCE(record.outdated, '[]') END");
        types.push(ColumnType::Text);
    }
    if let Some(key) = table.key {
        statement.sql(", row_.");
        statement.name(key);
        types.push(ColumnType::Guid);
        for Compared { column, .. } in &table.compared {
            statement.sql(", row_.");
            statement.name(column.name);
            types.push(ColumnType::of(column.kind));
        }
    }
    statement.sql(" FROM datahub_records AS record");
    if let Some(key) = table.key {
        statement.sql(" LEFT JOIN ");
        statement.name(model.table);
        statement.sql(" AS row_ ON row_.");
        statement.name(key);
        statement.sql(" = record.id");
    }
    statement.push(
        " WHERE record.model = ? AND record.state = 'row' AND record.id > ? ORDER BY record.id LIMIT 0 + ?",
        [model.table.into(), after.into(), BATCH.into()],
    );
    let mut rows = Vec::new();
    for mut row in connection.query(&statement, &types)? {
        let Record { id, modified, created, modified_by, seen, quarantined } = Record::take(&mut row)?;
        let mut seen = seen::read(connection, &seen)?;
        let outdated = if table.says_outdated { row.optional_json()? } else { None };
        conversion::with_calendar_dates(model, &mut seen);
        // A program that does not say what it read has not read what its mapping did not have.
        let outdated = outdated.unwrap_or_default();
        let is_there = table.key.is_some() && row.optional_guid()?.is_some();
        let mut there = Vec::with_capacity(table.compared.len());
        for Compared { column, .. } in &table.compared {
            there.push(value(column, row.datum()?));
        }
        let facts = Facts { modified, created, modified_by };
        rows.push(RowToTry { id, facts, seen, outdated, quarantined, is_there, there });
    }
    Ok(RowsToTry { rows })
}
