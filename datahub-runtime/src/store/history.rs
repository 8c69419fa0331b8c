//! The history table, which the database itself keeps append-only.

mod finding;

use cdms_odata::{Attributes, Instant, Value};
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
pub(crate) use finding::{before, deciding, last_at, of_version, up_to};
#[cfg(all(test, feature = "postgres"))]
pub(super) use finding::{to_find_before, to_find_last_at, to_find_up_to, to_find_version};

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
    to_append(by, entries, version, now)?.map_or(Ok(()), |statement| connection.send(statement))
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
    let mut statement = Statement::default();
    statement.sql(
        "INSERT INTO datahub_history (entity, id, model, version, at, actor, program, origin, kind, operation, \
         changes, constants, local, mapping_id, modified, modified_by, skew_ms) ",
    );
    let rows = entries.iter().map(|appended| values(by, appended, version, now)).collect::<Result<Vec<_>, _>>()?;
    statement.inserted(rows);
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
