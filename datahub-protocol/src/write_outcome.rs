//! The outcomes of our writes: what the callers get, and what the history records.

use cdms_odata::{Attributes, Value};

use crate::evidence;
use crate::planted::{Planted, planted};
use crate::send::closing;
use crate::sight::{Finding, differences, ending, found_gone, refreshed};
use crate::{
    Change, Commit, Entry, EntryKind, Mapping, NewRow, Note, OperationId, Origin, Record, RecordChange, SettledPatch,
    Snapshot, TombstoneReason, Values, Verdict,
};

/// The outcome of an update, a create or a delete.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteOutcome {
    /// The record as the hub has it now; for a delete, as it was before.
    pub snapshot: Snapshot,
    /// The model's values of the record; `None` for a row that was only loaded, and for a delete.
    pub values: Option<Values>,
    /// How the outcome was confirmed with CDMS.
    pub confirmation: Confirmation,
    /// The fields, by position, whose CDMS values were overwritten.
    pub conflicts: Vec<usize>,
    /// The fields that came back with another value than was sent.
    pub adjusted: Vec<Adjusted>,
}

/// A field that came back with another value than was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Adjusted {
    /// The field's position.
    pub field: usize,
    /// The value that was sent, as the model has it.
    pub sent: Value,
    /// The value that CDMS has.
    pub now: Value,
}

/// The fields whose attributes were sent and came back with other values: `seen` is what came back, `now` the model's
/// values of it. An attribute that was not sent is not adjusted.
pub(crate) fn adjusted<M: Mapping>(mapping: &M, seen: &Attributes, patch: &Attributes, now: &[Value]) -> Vec<Adjusted> {
    let mut expected = seen.clone();
    expected.merge(patch);
    let came_back_otherwise = |name: &&str| patch.get(name).is_some_and(|sent| seen.get(name) != Some(sent));
    let adjusted = mapping.creatable().into_iter().filter_map(|field| {
        mapping.attributes_of(field).iter().find(|name| came_back_otherwise(name))?;
        // What was sent was encoded from the model's values, so it decodes. If it does not, it differs from what came
        // back.
        let (sent, now) = (mapping.decode_field(field, &expected).ok()?, now[field].clone());
        (sent != now).then_some(Adjusted { field, sent, now })
    });
    adjusted.collect()
}

/// What was requested from CDMS for a write, which decides how certain its result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Confirmation {
    /// Nothing, because no mapped field had changed. Holds another write that is under way, if any.
    Nothing(Option<OperationId>),
    /// The record, which was already equal, so there was nothing to write.
    Compared(Finding),
    /// The write, and then the record.
    ReadBack,
    /// The write; the record could not be read afterwards, so the next read completes the row.
    NotReadBack,
}

/// What an update intended, whether its writer or settling stores the result.
#[derive(Clone, Copy)]
pub(crate) struct Intended<'i> {
    pub(crate) patch: &'i Attributes,
    pub(crate) constants: &'i Attributes,
    pub(crate) overwritten: &'i Attributes,
}

/// The write behind a history entry, and the entry's origin.
#[derive(Clone, Copy)]
pub(crate) struct Cause {
    pub(crate) operation: OperationId,
    pub(crate) origin: Origin,
}

/// What a write sent.
#[derive(Clone, Copy)]
pub(crate) struct SentValues<'i> {
    pub(crate) patch: &'i Attributes,
    pub(crate) constants: &'i Attributes,
}

/// The history of an update: our changes as they came back, if they could be read, and in separate entries the changes
/// by writes that had been found not applied and by CDMS.
pub(crate) fn updated_entries(
    before: &Snapshot,
    late: &[SettledPatch],
    intended: Intended<'_>,
    cause: Cause,
    record: Option<&Record>,
) -> Vec<Entry> {
    let Cause { operation, origin } = cause;
    let read = |name: &str| record.and_then(|record| record.attributes.get(name));
    // If a write that had been found not applied overwrote ours, that is its own change, from the value that we had
    // sent.
    let is_overwritten = |name: &str, sent: &Value| {
        let shown = |sent: &Value| read(name).is_some_and(|now| evidence::shows(now, sent));
        let by = |late: &SettledPatch| late.patch.get(name).is_some_and(|late| shown(late) && !shown(sent));
        late.iter().any(by)
    };
    let changes = intended.patch.iter().map(|(name, sent)| {
        let now = read(name).filter(|_| !is_overwritten(name, sent)).unwrap_or(sent);
        let note = if now != sent {
            Note::Adjusted { sent: sent.clone() }
        } else if intended.overwritten.contains(name) && !planted(Planted::ConflictForgotten) {
            Note::Conflict
        } else {
            Note::Plain
        };
        Change { attribute: name.to_owned(), from: before.seen.get(name).cloned(), to: Some(now.clone()), note }
    });
    // A constant that changed a known value is also our change; without it, the old value would be lost.
    let by_constants = intended.constants.iter().filter(|(name, _)| !intended.patch.contains(name));
    let by_constants = by_constants.filter_map(|(name, sent)| {
        let from = before.seen.get(name).filter(|from| *from != sent)?;
        // A constant that this mapping does not read keeps its old value in the row; a mapping that reads it records
        // the change.
        let now = match record {
            Some(record) => record.attributes.get(name)?,
            None => sent,
        };
        (now == sent).then(|| Change {
            attribute: name.to_owned(),
            from: Some(from.clone()),
            to: Some(sent.clone()),
            note: Note::Plain,
        })
    });
    let mut entries = vec![Entry {
        kind: EntryKind::Updated,
        origin,
        operation: Some(operation),
        changes: changes.chain(by_constants).collect(),
        constants: intended.constants.clone(),
        modified: record.map(|record| record.facts.modified),
        modified_by: record.and_then(|record| record.facts.modified_by),
        skew_ms: None,
    }];
    if let Some(record) = record {
        let mut others = differences(&before.seen, &record.attributes);
        others.retain_mut(|change| match intended.patch.get(&change.attribute) {
            None => true,
            Some(sent) => {
                change.from = Some(sent.clone());
                is_overwritten(&change.attribute, sent)
            }
        });
        // A constant that arrived as sent is our change and is already recorded above.
        others.retain(|change| intended.constants.get(&change.attribute) != change.to.as_ref());
        entries.extend(refreshed(late, record, others));
    }
    entries
}

/// The history entry of a create: everything that was sent, as it came back if it could be read.
pub(crate) fn created_entry(sent: SentValues<'_>, cause: Cause, record: Option<&Record>) -> Entry {
    let (SentValues { patch, constants }, Cause { operation, origin }) = (sent, cause);
    let changes = patch.iter().map(|(name, sent)| {
        let now = record.and_then(|record| record.attributes.get(name)).unwrap_or(sent);
        let note = if now == sent { Note::Plain } else { Note::Adjusted { sent: sent.clone() } };
        Change { attribute: name.to_owned(), from: Some(Value::Null), to: Some(now.clone()), note }
    });
    Entry {
        kind: EntryKind::Created,
        origin,
        operation: Some(operation),
        changes: changes.collect(),
        constants: constants.clone(),
        modified: record.map(|record| record.facts.modified),
        modified_by: record.and_then(|record| record.facts.modified_by),
        skew_ms: None,
    }
}

/// The history entry of a write that had no effect, or whose effect can no longer be determined; `known` is what the
/// hub then knows of the record. It keeps what was sent, and reverting it changes nothing.
pub(crate) fn not_kept_entry(kind: EntryKind, sent: SentValues<'_>, cause: Cause, known: Option<&Attributes>) -> Entry {
    let (SentValues { patch, constants }, Cause { operation, origin }) = (sent, cause);
    let changes = patch.iter().map(|(name, sent)| {
        let now = known.and_then(|known| known.get(name)).cloned();
        let note = if now.as_ref() == Some(sent) { Note::Plain } else { Note::NotKept { sent: sent.clone() } };
        Change { attribute: name.to_owned(), from: now.clone(), to: now, note }
    });
    Entry {
        kind,
        origin,
        operation: Some(operation),
        changes: changes.collect(),
        constants: constants.clone(),
        modified: None,
        modified_by: None,
        skew_ms: None,
    }
}

/// The transaction that turns a record that our delete removed into a tombstone.
pub(crate) fn deletion<F>(last: &Snapshot, operation: OperationId, origin: Origin) -> Commit<F> {
    let entry = Entry { origin, operation: Some(operation), ..ending(EntryKind::Deleted, last) };
    ended_by_delete(last, operation, vec![entry])
}

/// The transaction that creates a tombstone for a record that was already removed when our delete found it: by one of
/// `late`, the writes that had been found not applied, which is then recorded too, or by someone else.
pub(crate) fn found_deleted<F>(last: &Snapshot, late: &[SettledPatch], operation: OperationId) -> Commit<F> {
    let ours = Entry { origin: Origin::Hub, operation: Some(operation), ..ending(EntryKind::Gone, last) };
    let removal = found_gone(late, last);
    let history = match removal.operation {
        None => vec![ours],
        // The end comes last, with the last values.
        Some(_) => vec![Entry { changes: Vec::new(), ..ours }, removal],
    };
    ended_by_delete(last, operation, history)
}

fn ended_by_delete<F>(last: &Snapshot, operation: OperationId, history: Vec<Entry>) -> Commit<F> {
    let mut commit = closing(operation, Verdict::Applied);
    commit.record = RecordChange::Tombstone { reason: TombstoneReason::Gone, last: NewRow::from(last) };
    commit.history = history;
    if planted(Planted::DeleteWithoutHistory) {
        commit.history.iter_mut().for_each(|entry| entry.changes.clear());
    }
    commit.insist = true;
    commit
}
