//! A record's history, as a caller reads it.

use std::fmt;
use std::future::IntoFuture;

use cdms_odata::{Attributes, Instant, Value};
use datahub_model::{Class, Column, MappingId, ModelDescriptor};
use datahub_protocol::{Change, EntryKind, Note, OperationId, Origin, Version};
use futures_util::future::BoxFuture;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::engine::call::Call;
use crate::engine::local_fields::LocalChange;
use crate::store::{Erasure, FieldChangeOfDay, HistoryRow};
use crate::{CdmsSynced, Error, ErrorKind, Hub, Id};

/// One event in a record's history: who, what, when, on which side.
///
/// It serializes as one JSON object, so calling `serde_json::to_string` on each entry produces an export as JSON lines.
/// The object names the record, and its changes distinguish an unknown value, `[]`, from null, `[null]`. Like
/// `Display`, it shows public values only, and of other values the class; [`HistoryEntry::with_all_values`] shows all
/// of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// The record's entity in CDMS.
    pub entity: &'static str,
    /// The record.
    pub record: Uuid,
    /// The table of the model through which it was made.
    pub model: String,
    /// Its number among all entries of the database: later entries have larger numbers.
    pub number: i64,
    /// The version of the row that it made.
    pub version: Version,
    /// When the hub recorded it.
    #[serde(serialize_with = "as_text")]
    pub at: Instant,
    /// The user or program on whose behalf the hub acted.
    pub actor: String,
    /// The program that did it.
    pub program: String,
    /// The mapping with which it was made.
    pub mapping: MappingId,
    /// Which side it came from.
    pub origin: Origin,
    /// What happened.
    pub kind: EntryKind,
    /// The hub's write that caused it, if any.
    pub operation: Option<OperationId>,
    /// The fields that changed, with their raw values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FieldChange>,
    /// The constants that were sent with the write.
    pub constants: Attributes,
    /// CDMS's time of the change, if known.
    #[serde(serialize_with = "as_optional_text")]
    pub modified: Option<Instant>,
    /// CDMS's user of the change, if known.
    pub modified_by: Option<Uuid>,
    /// By how many milliseconds CDMS's time went back, if the configured clock skew tolerated it.
    pub skew_ms: Option<i64>,
    /// Who erased its values, if they were erased: then only the fact and the fields' names are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasure: Option<Erasure>,
}

pub(crate) fn as_text<S: Serializer>(instant: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(instant)
}

fn as_optional_text<S: Serializer>(instant: &Option<Instant>, serializer: S) -> Result<S::Ok, S::Error> {
    instant.map(|instant| instant.to_string()).serialize(serializer)
}

/// One change of a field or attribute in a history entry. Its `Debug` form, which may end up in logs, shows no personal
/// or secret values.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct FieldChange {
    /// The field's name at that time; the attribute's name if no field had it.
    pub field: String,
    /// The CDMS attribute; `None` for a local field.
    pub attribute: Option<String>,
    /// The value before; `None` if it was unknown.
    pub from: Option<Value>,
    /// The value after; `None` if it no longer exists.
    pub to: Option<Value>,
    /// An additional note: a conflict, or how CDMS changed the value.
    pub note: Note,
    /// Decides whether the values may be shown.
    class: Class,
    /// Whether the attribute is one of several of its field, so that the field's name alone does not identify it.
    is_part: bool,
}

impl FieldChange {
    fn serialized<S: Serializer>(&self, all_values: bool, serializer: S) -> Result<S::Ok, S::Error> {
        let FieldChange { field, attribute, from, to, note, class, .. } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("field", field)?;
        map.serialize_entry("attribute", attribute)?;
        if !all_values && *class != Class::Public {
            map.serialize_entry("hidden", if *class == Class::Secret { "secret" } else { "personal" })?;
            return map.end();
        }
        map.serialize_entry("from", from.as_slice())?;
        map.serialize_entry("to", to.as_slice())?;
        map.serialize_entry("note", note)?;
        map.end()
    }
}

impl fmt::Debug for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FieldChange { field, attribute, from, to, note, class, .. } = self;
        let mut change = f.debug_struct("FieldChange");
        change.field("field", field).field("attribute", attribute);
        if *class == Class::Public {
            change.field("from", from).field("to", to).field("note", note);
        }
        change.field("class", class).finish()
    }
}

impl Serialize for FieldChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialized(false, serializer)
    }
}

impl HistoryEntry {
    /// The entry with its values of every class, for an export from which a row can be rebuilt. If you store it, you
    /// keep personal data out of reach of [`CdmsSynced::erase`].
    pub fn with_all_values(&self) -> impl Serialize + '_ {
        struct Change<'c>(&'c FieldChange);

        impl Serialize for Change<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialized(true, serializer)
            }
        }

        #[derive(Serialize)]
        struct Whole<'e> {
            #[serde(flatten)]
            entry: HistoryEntry,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            changes: Vec<Change<'e>>,
        }

        let changes = self.changes.iter().map(Change).collect();
        Whole { entry: HistoryEntry { changes: Vec::new(), ..self.clone() }, changes }
    }
}

/// A read of a record's history; see [`CdmsSynced::history`].
#[derive(Debug)]
#[must_use = "a history does nothing until it is awaited"]
pub struct History<T> {
    hub: Hub,
    id: Id<T>,
    before: i64,
    limit: Option<u32>,
}

/// How many entries are read without a limit; more are refused, so that no record fills the memory unexpectedly.
const ENTRIES_MAX: u32 = 10_000;

/// How many entries are read in one statement.
const PAGE: u32 = 500;

impl<T: CdmsSynced> History<T> {
    #[track_caller]
    pub(crate) fn new(hub: &Hub, id: Id<T>) -> Self {
        History { hub: hub.called(), id, before: i64::MAX, limit: None }
    }

    /// Returns only this number of newest entries.
    pub fn limit(mut self, entries: u32) -> Self {
        self.limit = Some(entries);
        self
    }

    /// Returns only entries before this one; with [`History::limit`], the preceding page.
    pub fn before(mut self, entry: &HistoryEntry) -> Self {
        self.before = entry.number;
        self
    }

    async fn run(self) -> Result<Vec<HistoryEntry>, Error> {
        let model = T::DESCRIPTOR;
        self.hub.engine.admit(model)?;
        let wanted = usize::try_from(self.limit.unwrap_or(ENTRIES_MAX + 1)).unwrap_or(usize::MAX);
        let mut before = self.before;
        let mut entries = Vec::new();
        while entries.len() < wanted {
            let page = u32::try_from(wanted - entries.len()).unwrap_or(PAGE).min(PAGE);
            let rows = self.hub.engine.store.history(model, self.id.guid(), before, i64::from(page)).await?;
            let is_last = rows.len() < usize::try_from(page).unwrap_or(usize::MAX);
            before = rows.last().map_or(before, |oldest| oldest.sequence);
            entries.extend(rows.into_iter().map(|row| entry(model, self.id.guid(), row)));
            if is_last {
                break;
            }
        }
        if self.limit.is_none() && entries.len() == wanted {
            let message = format!("the history has more than {ENTRIES_MAX} entries");
            return Err(Error::new(ErrorKind::Invalid, message)
                .advise("read it in pages, with `.limit(n)` and `.before(&oldest_of_the_page)`")
                .of_record(model, self.id.guid()));
        }
        entries.reverse();
        Ok(entries)
    }
}

impl<T: CdmsSynced> IntoFuture for History<T> {
    type Output = Result<Vec<HistoryEntry>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let call = Call::new(&self.hub, "history", T::DESCRIPTOR.name).on(self.id.guid());
        Box::pin(call.run(self.run()))
    }
}

fn entry(model: &'static ModelDescriptor, record: Uuid, row: HistoryRow) -> HistoryEntry {
    let mapped = row.changes.into_iter().map(|change| mapped_change(model, change));
    let local = row.local.into_iter().map(|change| local_change(model, change));
    HistoryEntry {
        entity: model.entity.name,
        record,
        model: row.model,
        program: row.program,
        mapping: MappingId(row.mapping),
        number: row.sequence,
        version: row.version,
        at: row.at,
        actor: row.actor,
        origin: row.origin,
        kind: row.kind,
        operation: row.operation,
        changes: mapped.chain(local).collect(),
        constants: row.constants,
        modified: row.modified,
        modified_by: row.modified_by,
        skew_ms: row.skew_ms,
        erasure: row.erasure,
    }
}

fn local_change(model: &ModelDescriptor, change: LocalChange) -> FieldChange {
    let class = change.column_in(model).map_or(Class::Personal, Column::local_class);
    let LocalChange { field, from, to, .. } = change;
    FieldChange { field, attribute: None, from: Some(from), to, note: Note::Plain, class, is_part: false }
}

fn mapped_change(model: &ModelDescriptor, of_day: FieldChangeOfDay) -> FieldChange {
    let FieldChangeOfDay { field, change: Change { attribute, from, to, note } } = of_day;
    // If the field no longer exists, its name is either the attribute's or identifies the attribute.
    let column = model.columns.iter().find(|column| column.field == field);
    FieldChange {
        is_part: column.is_none_or(|column| column.attributes().len() > 1) && field != attribute,
        field,
        // An attribute that this mapping does not know could hold anything, so it is not shown.
        class: model.read_attribute(&attribute).map_or(Class::Personal, |known| known.class),
        attribute: Some(attribute),
        from,
        to,
        note,
    }
}

impl fmt::Display for HistoryEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HistoryEntry { at, kind, actor, .. } = self;
        let kind = match kind {
            EntryKind::Unknown(word) => word.to_string(),
            known => known.name().to_owned(),
        };
        match (self.origin, self.modified_by) {
            (Origin::Hub | Origin::Revert, _) => write!(f, "{at}  Data Hub  {kind} by {actor}")?,
            (Origin::Settle, _) => write!(f, "{at}  Data Hub  {kind} for {actor}, settled later")?,
            (Origin::Cdms | Origin::Pull, Some(user)) => write!(f, "{at}  CDMS      {kind} by its user {user}")?,
            (Origin::Cdms | Origin::Pull, None) => write!(f, "{at}  CDMS      {kind}")?,
            (Origin::Unknown(word), _) => write!(f, "{at}  {word:9}  {kind} by {actor}")?,
            (other, _) => write!(f, "{at}  {other:?}  {kind} by {actor}")?,
        }
        if let Some(Erasure { at, actor, reason }) = &self.erasure {
            write!(f, ", its values erased {at} by {actor}: {reason}")?;
            let mut fields = self.changes.iter().map(|change| change.field.as_str()).collect::<Vec<_>>();
            fields.dedup();
            return if fields.is_empty() { Ok(()) } else { write!(f, "\n    {}", fields.join(", ")) };
        }
        // At the end of a record every field is listed; fields that were empty are left out.
        let empty = |change: &&FieldChange| change.from == Some(Value::Null) && change.to.is_none();
        for change in self.changes.iter().filter(|change| !empty(change)) {
            write!(f, "\n    {change}")?;
        }
        Ok(())
    }
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| match value {
            None => "?".to_owned(),
            Some(Value::Null) => "nothing".to_owned(),
            Some(_) if self.class != Class::Public => "(hidden)".to_owned(),
            Some(value) => value.to_string(),
        };
        let field = match &self.attribute {
            Some(attribute) if self.is_part => format!("{} ({attribute})", self.field),
            _ => self.field.clone(),
        };
        if let Note::NotKept { sent } = &self.note {
            let sent = shown(&Some(sent.clone()));
            return match &self.to {
                None => write!(f, "{field}: {sent} was sent and not kept"),
                to => write!(f, "{field}: {}  ({sent} was sent and not kept)", shown(to)),
            };
        }
        write!(f, "{field}: {} → {}", shown(&self.from), shown(&self.to))?;
        match &self.note {
            Note::Plain | Note::NotKept { .. } => Ok(()),
            Note::Conflict => f.write_str("  (conflict: CDMS's value was overwritten)"),
            Note::Unknown(word) => write!(f, "  ({word})"),
            Note::Adjusted { sent } => write!(f, "  (changed by CDMS from {})", shown(&Some(sent.clone()))),
            // A note of a newer protocol that this crate has no words for; its values may not be public.
            _ => Ok(()),
        }
    }
}
