//! Finds entries of one record: a page of them, the one of a version or of a time, and those that decide what a row was.

use cdms_odata::Instant;
use datahub_model::ModelDescriptor;
use datahub_model::schema::Database;
use datahub_protocol::{EntryKind, Version};
use uuid::Uuid;

use super::{HistoryRow, read, select};
use crate::store::columns::Word;
use crate::store::connection::Connection;
use crate::store::failure::Trouble;
use crate::store::statement::Statement;

/// The condition that an entry is about the record, and not only about a write that had no effect
/// ([`EntryKind::changes_nothing`]).
macro_rules! changed {
    () => {
        "entry.kind NOT IN ('not_applied', 'superseded', 'orphaned')"
    };
}

/// The condition that an entry belongs to a record and is before another, for [`NEWEST_FIRST`]. PostgreSQL must not know
/// that entity and id are constant, and SQLite finds no place in an index by a row that ends with the primary key.
fn of_record(statement: &mut Statement, database: Database, model: &ModelDescriptor, id: Uuid, before: i64) {
    let (entity, first) = (model.entity.name, i64::MIN);
    match database {
        Database::Sqlite => statement.push(
            "entry.entity = ? AND entry.id = ? AND entry.sequence < ?",
            [entity.into(), id.into(), before.into()],
        ),
        Database::Postgres => statement.push(
            "(entry.entity, entry.id, entry.sequence) > (?, ?, ?) AND (entry.entity, entry.id, entry.sequence) < (?, ?, ?)",
            [entity.into(), id.into(), first.into(), entity.into(), id.into(), before.into()],
        ),
    }
}

/// The order of a record's entries. Only the index of records has it: if PostgreSQL knows that entity and id are constant,
/// it may take the primary key for the same order and look through all records for this one's entries.
const NEWEST_FIRST: &str = " ORDER BY entry.entity DESC, entry.id DESC, entry.sequence DESC LIMIT ";

/// A record's history before an entry, newest first, at most `limit` entries, of all models.
pub(crate) fn before(
    connection: &mut Connection,
    model: &ModelDescriptor,
    id: Uuid,
    before: i64,
    limit: i64,
) -> Result<Vec<HistoryRow>, Trouble> {
    read(connection, &to_find_before(connection.dialect().database, model, id, before, limit), model)
}

pub(in crate::store) fn to_find_before(
    database: Database,
    model: &ModelDescriptor,
    id: Uuid,
    before: i64,
    limit: i64,
) -> Statement {
    let mut statement = Statement::default();
    select(&mut statement);
    statement.sql("WHERE ");
    of_record(&mut statement, database, model, id, before);
    statement.sql(NEWEST_FIRST);
    statement.push("0 + ?", [limit.into()]);
    statement
}

/// The last entry of exactly this version of the model's row, ignoring entries that only report the outcome of a write.
pub(crate) fn of_version(
    connection: &mut Connection,
    model: &ModelDescriptor,
    id: Uuid,
    version: Version,
) -> Result<Option<HistoryRow>, Trouble> {
    Ok(read(connection, &to_find_version(connection.dialect().database, model, id, version), model)?.into_iter().next())
}

pub(in crate::store) fn to_find_version(
    database: Database,
    model: &ModelDescriptor,
    id: Uuid,
    version: Version,
) -> Statement {
    let mut statement = Statement::default();
    select(&mut statement);
    statement.sql("WHERE ");
    of_record(&mut statement, database, model, id, i64::MAX);
    statement.push(" AND entry.model = ? AND entry.version = ? AND ", [model.table.into(), version.0.into()]);
    statement.sql(changed!());
    statement.sql(NEWEST_FIRST);
    statement.sql("1");
    statement
}

/// The last entry of the model's row up to a version; `None` if the row is newer.
pub(crate) fn up_to(
    connection: &mut Connection,
    model: &ModelDescriptor,
    id: Uuid,
    version: Version,
) -> Result<Option<i64>, Trouble> {
    Ok(connection.read(&to_find_up_to(connection.dialect().database, model, id, version))?.into_iter().next())
}

pub(in crate::store) fn to_find_up_to(
    database: Database,
    model: &ModelDescriptor,
    id: Uuid,
    version: Version,
) -> Statement {
    let mut statement = Statement::default();
    statement.sql("SELECT entry.sequence FROM datahub_history AS entry WHERE ");
    of_record(&mut statement, database, model, id, i64::MAX);
    statement.push(" AND entry.model = ? AND entry.version <= ?", [model.table.into(), version.0.into()]);
    statement.sql(NEWEST_FIRST);
    statement.sql("1");
    statement
}

/// The entries after one entry from which the model's row at that entry follows, newest first: for each attribute and
/// each local field that has changed since, the first change from a known value; and the newest entry whose values were
/// erased, if there is one. There are at most as many as names that changed, however many versions the record has.
pub(crate) fn deciding(
    connection: &mut Connection,
    model: &ModelDescriptor,
    id: Uuid,
    after: i64,
) -> Result<Vec<HistoryRow>, Trouble> {
    let (begin, end) = connection.dialect().each_of_json;
    let of_it = |statement: &mut Statement| {
        let values = [model.entity.name.into(), id.into(), model.table.into(), after.into()];
        statement.push("WHERE later.entity = ? AND later.id = ? AND later.model = ? AND later.sequence > ? ", values);
    };
    let first = |statement: &mut Statement, changes| {
        statement.sql("SELECT min(later.sequence) FROM datahub_history AS later, ");
        statement.sql(begin);
        statement.sql(changes);
        statement.sql(end);
        statement.sql(" AS change ");
        of_it(statement);
    };
    let mut statement = Statement::default();
    // Found once, however many entries a database without statistics expects.
    statement.sql("WITH deciding (sequence) AS MATERIALIZED (");
    first(&mut statement, "later.changes");
    statement.sql("AND change.value ->> 'from' <> '[]' GROUP BY change.value ->> 'attribute' UNION ");
    first(&mut statement, "later.local");
    statement.sql("GROUP BY coalesce(change.value ->> 'column', change.value ->> 'field') UNION ");
    // In groups, so that PostgreSQL does not look for the newest entry of all records first.
    statement.sql("SELECT max(later.sequence) FROM datahub_history AS later ");
    of_it(&mut statement);
    statement.sql("AND later.erased IS NOT NULL GROUP BY later.model) ");
    select(&mut statement);
    statement.sql("WHERE entry.sequence IN (SELECT sequence FROM deciding) ORDER BY entry.sequence DESC");
    read(connection, &statement, model)
}

/// The last entry up to a time, and the kind of the last one up to then that changed the model's row. Entries are in
/// the order in which they were stored, regardless of clocks. Entries that only report the outcome of a write do not
/// count for the kind.
pub(crate) fn last_at(
    connection: &mut Connection,
    model: &ModelDescriptor,
    id: Uuid,
    time: Instant,
) -> Result<Option<(i64, EntryKind)>, Trouble> {
    let last = connection
        .read::<(i64, Option<Word<EntryKind>>)>(&to_find_last_at(connection.dialect().database, model, id, time))?
        .into_iter()
        .next();
    Ok(last.and_then(|(sequence, kind)| Some((sequence, kind?.0))))
}

pub(in crate::store) fn to_find_last_at(
    database: Database,
    model: &ModelDescriptor,
    id: Uuid,
    time: Instant,
) -> Statement {
    let mut statement = Statement::default();
    // Found once, and not for each entry before it.
    statement.sql("WITH latest (sequence) AS MATERIALIZED (SELECT entry.sequence FROM datahub_history AS entry WHERE ");
    of_record(&mut statement, database, model, id, i64::MAX);
    statement.push(" AND entry.model = ? AND entry.at <= ?", [model.table.into(), time.into()]);
    statement.sql(NEWEST_FIRST);
    statement.sql(
        "1) SELECT latest.sequence, (SELECT entry.kind FROM datahub_history AS entry WHERE entry.sequence <= \
         latest.sequence AND ",
    );
    of_record(&mut statement, database, model, id, i64::MAX);
    statement.push(" AND entry.model = ? AND ", [model.table.into()]);
    statement.sql(changed!());
    statement.sql(NEWEST_FIRST);
    statement.sql("1) FROM latest");
    statement
}
