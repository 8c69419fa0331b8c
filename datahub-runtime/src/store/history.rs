//! The history table, which the database itself keeps append-only.

use cdms_odata::{Attributes, Instant, Value};
use datahub_model::schema::Database;
use datahub_model::{Column, ModelDescriptor, Source, Write, conversion};
use datahub_protocol::{Change, Entry, EntryKind, MappingTag, Note, OperationId, Origin, Version};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::columns::{Json, Word, columns};
use super::commit::By;
use super::connection::Connection;
use super::failure::Trouble;
use super::intents::{mapping_datum, mapping_tag};
use super::row::{to_json, to_word};
use super::statement::{Datum, Statement};
use crate::engine::local_fields::LocalChange;

/// One entry of a record's history, with everything that was stored about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HistoryRow {
    /// Its position among all entries of the database.
    pub(crate) sequence: i64,
    /// The table of the model that made the entry.
    pub(crate) model: String,
    /// The record's version after the entry.
    pub(crate) version: Version,
    pub(crate) at: Instant,
    pub(crate) actor: String,
    pub(crate) program: String,
    pub(crate) origin: Origin,
    pub(crate) kind: EntryKind,
    pub(crate) operation: Option<OperationId>,
    pub(crate) changes: Vec<FieldChangeOfDay>,
    /// The local fields that changed.
    pub(crate) local: Vec<LocalChange>,
    pub(crate) constants: Attributes,
    pub(crate) mapping: MappingTag,
    pub(crate) modified: Option<Instant>,
    pub(crate) modified_by: Option<Uuid>,
    pub(crate) skew_ms: Option<i64>,
    /// The erasure that removed its values, if any.
    pub(crate) erasure: Option<Erasure>,
}

/// By whom, when and why the values of a record's history were erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Erasure {
    /// When the values were erased.
    #[serde(serialize_with = "crate::history::as_text")]
    pub at: Instant,
    /// The person or program for whom the hub acted.
    pub actor: String,
    /// The reason, as given by the caller.
    pub reason: String,
}

/// An attribute's change, with the field that the attribute belonged to at that time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FieldChangeOfDay {
    /// The field's path. If several fields share the attribute, those that changed, separated by commas; if no field
    /// has it, the attribute's name.
    pub(crate) field: String,
    #[serde(flatten)]
    pub(crate) change: Change,
}

impl FieldChangeOfDay {
    /// The changes of one entry.
    fn of(model: &ModelDescriptor, changes: &[Change]) -> Vec<Self> {
        let known = |side: fn(&Change) -> Option<&Value>| -> Attributes {
            changes.iter().filter_map(|change| Some((change.attribute.clone(), side(change)?.clone()))).collect()
        };
        let (before, after) = (known(|change| change.from.as_ref()), known(|change| change.to.as_ref()));
        let named = changes.iter().map(|change| {
            let has = |column: &&Column| column.attributes().contains(&change.attribute.as_str());
            let sharing: Vec<_> = model.columns.iter().filter(has).collect();
            let field = match sharing.as_slice() {
                [] => change.attribute.clone(),
                [column] => column.field.to_owned(),
                [first, ..] => {
                    let changed = sharing.iter().filter(|column| changed(column, &before, &after));
                    let changed = changed.map(|column| column.field).collect::<Vec<_>>().join(", ");
                    if changed.is_empty() { first.field.to_owned() } else { changed }
                }
            };
            FieldChangeOfDay { field, change: change.clone() }
        });
        named.collect()
    }
}

/// Whether a column that shares its attributes changed with them. A column that only shows them is not named if another
/// column writes them.
fn changed(column: &Column, before: &Attributes, after: &Attributes) -> bool {
    match column.source {
        Source::Joined { decode, write, .. } => write != Write::Never && decode(before).ok() != decode(after).ok(),
        Source::Attribute { write, .. } => write != Write::Never,
        Source::Key | Source::Engine(_) | Source::Local => false,
    }
}

/// An entry about one record, with the changes of its local columns.
#[derive(Debug)]
pub(crate) struct Appended<'e> {
    pub(crate) id: Uuid,
    pub(crate) entry: &'e Entry,
    pub(crate) local: Vec<LocalChange>,
}

/// Appends entries, in order.
pub(crate) fn append(
    connection: &mut Connection,
    by: By<'_>,
    entries: &[Appended<'_>],
    version: Version,
    now: Instant,
) -> Result<(), Trouble> {
    to_append(by, entries, version, now)?.map_or(Ok(()), |statement| connection.execute(&statement).map(drop))
}

/// The statement that appends entries, if there are any.
pub(super) fn to_append(
    by: By<'_>,
    entries: &[Appended<'_>],
    version: Version,
    now: Instant,
) -> Result<Option<Statement>, Trouble> {
    if entries.is_empty() {
        return Ok(None);
    }
    let mut statement = Statement::of_many(entries.len());
    statement.sql(
        "INSERT INTO datahub_history (entity, id, model, version, at, actor, program, origin, kind, operation, \
         changes, constants, local, mapping_id, modified, modified_by, skew_ms) VALUES ",
    );
    let rows = entries.iter().map(|appended| values(by, appended, version, now)).collect::<Result<Vec<_>, _>>()?;
    statement.list(rows, |statement, row| {
        statement.push("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row);
    });
    Ok(Some(statement))
}

fn values(by: By<'_>, appended: &Appended<'_>, version: Version, now: Instant) -> Result<[Datum; 17], Trouble> {
    let By { model, actor, program } = by;
    let Appended { id, entry, local } = appended;
    let changes = FieldChangeOfDay::of(model, &entry.changes);
    Ok([
        model.entity.name.into(),
        (*id).into(),
        model.table.into(),
        version.0.into(),
        now.into(),
        actor.into(),
        program.into(),
        to_word(&entry.origin)?,
        to_word(&entry.kind)?,
        Datum::Guid(entry.operation.map(|operation| operation.0)),
        to_json(&changes)?,
        to_json(&entry.constants)?,
        to_json(local)?,
        mapping_datum(model.mapping_id.0),
        Datum::Instant(entry.modified),
        Datum::Guid(entry.modified_by),
        Datum::BigInt(entry.skew_ms),
    ])
}

columns! {
    struct StoredEntry {
        sequence: i64 = "entry.sequence",
        model: String = "entry.model",
        version: Version = "entry.version",
        at: Instant = "entry.at",
        actor: String = "entry.actor",
        program: String = "entry.program",
        origin: Word<Origin> = "entry.origin",
        kind: Word<EntryKind> = "entry.kind",
        operation: Option<OperationId> = "entry.operation",
        changes: Json<Vec<FieldChangeOfDay>> = "entry.changes",
        constants: Json<Attributes> = "entry.constants",
        local: Json<Vec<LocalChange>> = "entry.local",
        mapping_id: i64 = "entry.mapping_id",
        modified: Option<Instant> = "entry.modified",
        modified_by: Option<Uuid> = "entry.modified_by",
        skew_ms: Option<i64> = "entry.skew_ms",
        erased_at: Option<Instant> = "erasure.at",
        erased_by: Option<String> = "erasure.actor",
        erased_because: Option<String> = "erasure.reason",
    }
}

/// Begins the statement that selects entries, each as `entry`.
fn select(statement: &mut Statement) {
    statement.sql("SELECT ");
    statement.sql(StoredEntry::SELECT);
    statement.sql(
        " FROM datahub_history AS entry LEFT JOIN datahub_erasures AS erasure ON erasure.sequence = entry.erased ",
    );
}

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

pub(super) fn to_find_before(
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

pub(super) fn to_find_version(database: Database, model: &ModelDescriptor, id: Uuid, version: Version) -> Statement {
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

pub(super) fn to_find_up_to(database: Database, model: &ModelDescriptor, id: Uuid, version: Version) -> Statement {
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

pub(super) fn to_find_last_at(database: Database, model: &ModelDescriptor, id: Uuid, time: Instant) -> Statement {
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

fn read(
    connection: &mut Connection,
    statement: &Statement,
    model: &ModelDescriptor,
) -> Result<Vec<HistoryRow>, Trouble> {
    let entries = connection.read::<StoredEntry>(statement)?;
    Ok(entries.into_iter().map(|entry| entry.read_as(model)).collect())
}

impl StoredEntry {
    /// The entry, with instants of dates converted to calendar dates.
    fn read_as(self, model: &ModelDescriptor) -> HistoryRow {
        let erasure = match (self.erased_at, self.erased_by, self.erased_because) {
            (Some(at), Some(actor), Some(reason)) => Some(Erasure { at, actor, reason }),
            _ => None,
        };
        let mut taken = HistoryRow {
            sequence: self.sequence,
            model: self.model,
            version: self.version,
            at: self.at,
            actor: self.actor,
            program: self.program,
            origin: self.origin.0,
            kind: self.kind.0,
            operation: self.operation,
            changes: self.changes.0,
            local: self.local.0,
            constants: self.constants.0,
            mapping: mapping_tag(self.mapping_id),
            modified: self.modified,
            modified_by: self.modified_by,
            skew_ms: self.skew_ms,
            erasure,
        };
        // Programs of older revisions store dates as CDMS's instants.
        conversion::with_calendar_dates(model, &mut taken.constants);
        for FieldChangeOfDay { change, .. } in &mut taken.changes {
            let Some(stated) = model.read_attribute(&change.attribute) else { continue };
            let sent = match &mut change.note {
                Note::Adjusted { sent } | Note::NotKept { sent } => Some(sent),
                _ => None,
            };
            for value in [change.from.as_mut(), change.to.as_mut(), sent].into_iter().flatten() {
                if let Some(date) = conversion::calendar_date(stated, value) {
                    *value = date;
                }
            }
        }
        taken
    }
}
