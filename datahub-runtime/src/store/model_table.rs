//! A model's own table: storing and removing its rows.

use cdms_odata::Value;
use datahub_model::{Column, ModelDescriptor, Source};
use datahub_protocol::Values;
use uuid::Uuid;

use super::connection::Connection;
use super::failure::Trouble;
use super::row::{self, Cells, datum, zero};
use super::statement::{ColumnType, Datum, Statement};
use crate::engine::local_fields::{LocalChange, LocalFields, local_columns};

/// The purpose of a statement that stores a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To store the row.
    Keep,
    /// To find out whether the database accepts the row; the statement is undone.
    Trial,
}

/// The local columns of a row to store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stays<'v> {
    /// Their current values, if there is a row.
    pub(crate) before: Option<&'v LocalFields>,
    /// The values that the caller sets.
    pub(crate) given: &'v LocalFields,
}

/// The key column, which has the record's id.
pub(crate) fn key(model: &ModelDescriptor) -> &'static Column {
    &model.columns[model.key_column()]
}

/// Appends the key and the local columns of the table, which is `row_` in the statement, to a select list.
pub(crate) fn select_row(statement: &mut Statement, types: &mut Vec<ColumnType>, model: &ModelDescriptor) {
    let columns = std::iter::once(key(model)).chain(local_columns(model).map(|(_, column)| column));
    for column in columns {
        statement.sql(", row_.");
        statement.name(column.name);
        types.push(ColumnType::of(column.kind));
    }
}

/// Reads from the wanted ids, joined with what the engine keeps of each record, as `record`, and with its row, as `row_`.
pub(crate) fn from_wanted(statement: &mut Statement, model: &ModelDescriptor, ids: impl IntoIterator<Item = Uuid>) {
    statement.sql(" FROM ");
    statement.wanted(ids);
    statement.push(
        " LEFT JOIN datahub_records AS record ON record.model = ? AND record.id = wanted.column1",
        [model.table.into()],
    );
    statement.sql(" LEFT JOIN ");
    statement.name(model.table);
    statement.sql(" AS row_ ON row_.");
    statement.name(key(model).name);
    statement.sql(" = wanted.column1");
}

/// Takes the columns of [`select_row`]: whether there is a row, and its local values.
pub(crate) fn take_row(cells: &mut Cells, model: &ModelDescriptor) -> Result<(bool, LocalFields), Trouble> {
    let present = cells.optional_guid()?.is_some();
    let locals = local_columns(model).map(|(at, column)| Ok((at, row::value(column, cells.datum()?))));
    Ok((present, locals.collect::<Result<_, Trouble>>()?))
}

/// Inserts or updates a row. Only the given local columns change; in a new row, the others get their initial values.
pub(crate) fn put(
    connection: &mut Connection,
    model: &ModelDescriptor,
    id: Uuid,
    values: &[Value],
    stays: Stays<'_>,
    purpose: Purpose,
) -> Result<(), Trouble> {
    let statement = to_put(model, id, values, stays, purpose)?;
    connection.send_in_table(model.table, statement)
}

/// The statement that inserts or updates a row.
pub(super) fn to_put(
    model: &ModelDescriptor,
    id: Uuid,
    values: &[Value],
    stays: Stays<'_>,
    purpose: Purpose,
) -> Result<Statement, Trouble> {
    let mut statement = Statement::default();
    insert_into(&mut statement, model);
    statement.inserted([cells(model, id, values, stays, purpose)?]);
    on_conflict(
        &mut statement,
        model,
        |_| true,
        |statement, at, column| {
            if column.is_local() {
                statement.push(" = CASE WHEN ? THEN excluded.", [Datum::Bool(Some(stays.given.get(at).is_some()))]);
                statement.name(column.name);
                statement.sql(" ELSE ");
                statement.name(model.table);
                statement.sql(".");
                statement.name(column.name);
                statement.sql(" END");
            } else {
                statement.sql(" = excluded.");
                statement.name(column.name);
            }
        },
    );
    Ok(statement)
}

/// Begins the statement that inserts rows.
fn insert_into(statement: &mut Statement, model: &ModelDescriptor) {
    statement.sql("INSERT INTO ");
    statement.name(model.table);
    statement.sql(" (");
    statement.list(model.columns, |statement, column| statement.name(column.name));
    statement.sql(") ");
}

/// The values of a row to insert. They include the old local values, because SQLite applies the table's checks before
/// it looks for an existing row.
fn cells(
    model: &ModelDescriptor,
    id: Uuid,
    values: &[Value],
    stays: Stays<'_>,
    purpose: Purpose,
) -> Result<Vec<Datum>, Trouble> {
    if values.len() != model.columns.len() {
        let (found, needed) = (values.len(), model.columns.len());
        return Err(Trouble::Refused(format!("table {}: expected {needed} values, found {found}", model.table)));
    }
    let before_at = |at: usize| stays.before?.get(at);
    let cell = |(at, column): (usize, &Column)| match column.source {
        Source::Key => Ok(Datum::from(id)),
        Source::Local => match stays.given.get(at).or_else(|| before_at(at)).unwrap_or(&values[at]) {
            Value::Null => Ok(zero(column)),
            value => refused(model, datum(column, value)),
        },
        // These values come from CDMS and are not known yet. In a trial any value will do.
        Source::Engine(_) if purpose == Purpose::Trial && values[at].is_null() => Ok(zero(column)),
        _ => refused(model, datum(column, &values[at])),
    };
    model.columns.iter().enumerate().map(cell).collect()
}

/// Appends what to do if the row exists.
fn on_conflict(
    statement: &mut Statement,
    model: &ModelDescriptor,
    changes: impl Fn(&Column) -> bool,
    set: impl Fn(&mut Statement, usize, &'static Column),
) {
    statement.sql(" ON CONFLICT (");
    statement.name(key(model).name);
    statement.sql(") DO ");
    let columns = model.columns.iter().enumerate();
    let changeable = columns.filter(|(_, column)| !matches!(column.source, Source::Key) && changes(column));
    if changeable.clone().next().is_none() {
        return statement.sql("NOTHING");
    }
    statement.sql("UPDATE SET ");
    statement.list(changeable, |statement, (at, column)| {
        statement.name(column.name);
        set(statement, at, column);
    });
}

/// Changes only local columns.
pub(crate) fn put_locals(
    connection: &mut Connection,
    model: &ModelDescriptor,
    id: Uuid,
    given: &LocalFields,
) -> Result<(), Trouble> {
    if given.is_empty() {
        return Ok(());
    }
    let mut cells = Vec::new();
    for (at, column) in local_columns(model) {
        let value = given.get(at);
        let cell = value.map_or_else(|| Ok(zero(column)), |value| local_datum(model, column, value))?;
        cells.push((column, value.is_some(), cell));
    }
    let mut statement = Statement::default();
    statement.sql("UPDATE ");
    statement.name(model.table);
    statement.sql(" SET ");
    statement.list(cells, |statement, (column, given, cell)| {
        statement.name(column.name);
        statement.push(" = CASE WHEN ? THEN ? ELSE ", [Datum::Bool(Some(given)), cell]);
        statement.name(column.name);
        statement.sql(" END");
    });
    statement.sql(" WHERE ");
    statement.name(key(model).name);
    statement.push(" = ?", [id.into()]);
    match connection.execute_in_table(model.table, &statement)? {
        0 => Err(Trouble::Refused(format!(
            "the row is missing from table {}; read the record to restore it",
            model.table
        ))),
        _ => Ok(()),
    }
}

/// A row that only CDMS changes: its local columns keep their values. A new row gets the given ones.
#[derive(Clone, Debug)]
pub(crate) struct RefreshedRow {
    pub(crate) id: Uuid,
    pub(crate) values: Values,
    /// The current local fields, if there is a row.
    pub(crate) before: Option<LocalFields>,
    /// The local fields of a new row.
    pub(crate) given: LocalFields,
}

/// Inserts or updates rows in one statement.
pub(crate) fn put_refreshed(
    connection: &mut Connection,
    model: &ModelDescriptor,
    rows: &[RefreshedRow],
) -> Result<(), Trouble> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = to_put_refreshed(model, rows)?;
    connection.send_in_table(model.table, statement)
}

/// The statement that inserts or updates rows, at least one.
pub(super) fn to_put_refreshed(model: &ModelDescriptor, rows: &[RefreshedRow]) -> Result<Statement, Trouble> {
    let mut statement = Statement::default();
    insert_into(&mut statement, model);
    let cells = rows.iter().map(|row| {
        let stays = Stays { before: row.before.as_ref(), given: &row.given };
        cells(model, row.id, &row.values, stays, Purpose::Keep)
    });
    statement.inserted(cells.collect::<Result<Vec<_>, _>>()?);
    on_conflict(
        &mut statement,
        model,
        |column| !column.is_local(),
        |statement, _, column| {
            statement.sql(" = excluded.");
            statement.name(column.name);
        },
    );
    Ok(statement)
}

/// Removes rows, if they exist.
pub(crate) fn remove(connection: &mut Connection, model: &ModelDescriptor, ids: &[Uuid]) -> Result<(), Trouble> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut statement = Statement::default();
    statement.sql("DELETE FROM ");
    statement.name(model.table);
    statement.sql(" WHERE ");
    statement.name(key(model).name);
    statement.any(ids.iter().copied());
    connection.send_in_table(model.table, statement)
}

/// The changes of local columns if these values are set, compared in their stored form.
pub(crate) fn local_changes(
    model: &ModelDescriptor,
    before: Option<&LocalFields>,
    given: &LocalFields,
) -> Result<Vec<LocalChange>, Trouble> {
    let mut changes = Vec::new();
    for (at, column) in local_columns(model) {
        let Some(value) = given.get(at) else { continue };
        let before = before.and_then(|before| before.get(at));
        let old = before.map_or_else(|| Ok(zero(column)), |value| local_datum(model, column, value))?;
        let new = local_datum(model, column, value)?;
        if old != new {
            let (from, to) = (row::value(column, old), row::value(column, new));
            changes.push(LocalChange { from, to: Some(to), ..LocalChange::of(column) });
        }
    }
    Ok(changes)
}

/// The local values that a row had at its end.
pub(crate) fn local_endings(model: &ModelDescriptor, last: &LocalFields) -> Vec<LocalChange> {
    let columns = local_columns(model).filter_map(|(at, column)| Some((column, last.get(at)?)));
    let known = columns.filter(|(_, value)| !value.is_null());
    let change = |(column, value): (&Column, &Value)| LocalChange { from: value.clone(), ..LocalChange::of(column) };
    known.map(change).collect()
}

fn local_datum(model: &ModelDescriptor, column: &Column, value: &Value) -> Result<Datum, Trouble> {
    if value.is_null() { Ok(zero(column)) } else { refused(model, datum(column, value)) }
}

fn refused(model: &ModelDescriptor, result: Result<Datum, datahub_model::Fault>) -> Result<Datum, Trouble> {
    result.map_err(|fault| Trouble::Refused(format!("table {}: {fault}", model.table)))
}
