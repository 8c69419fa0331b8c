//! What writes of ours did: what their callers learn, and what the history says.

use cdms_odata::{Attributes, Value};

use crate::evidence;
use crate::planted::{Planted, planted};
use crate::send::closing;
use crate::sight::{Finding, differences, ending, found_gone, refreshed};
use crate::{
    Change, Commit, Entry, EntryKind, Mapping, NewRow, Note, OperationId, Origin, Record, RecordChange, SettledPatch,
    Snapshot, TombstoneReason, Values, Verdict,
};

/// What an update, a create or a delete did.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteOutcome {
    /// The record as the hub has it now; for a delete as it was.
    pub snapshot: Snapshot,
    /// The model's values of it; `None` of a row that was only loaded, and of a delete.
    pub values: Option<Values>,
    /// What was asked of CDMS for it.
    pub confirmation: Confirmation,
    /// The fields, by position, whose CDMS value was overwritten.
    pub conflicts: Vec<usize>,
    /// The fields that came back with another value than the one that was sent.
    pub adjusted: Vec<Adjusted>,
}

/// A field that came back with another value than the one that was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Adjusted {
    /// Its position.
    pub field: usize,
    /// The value that was sent, as the model has it.
    pub sent: Value,
    /// The value that CDMS has.
    pub now: Value,
}

/// The fields of which attributes were sent and whose values came back different: `seen` is what came back, `now` the
/// model's values of it. What was not sent is no adjustment of what was.
pub(crate) fn adjusted<M: Mapping>(mapping: &M, seen: &Attributes, patch: &Attributes, now: &[Value]) -> Vec<Adjusted> {
    let mut expected = seen.clone();
    expected.merge(patch);
    let came_back_otherwise = |name: &&str| patch.get(name).is_some_and(|sent| seen.get(name) != Some(sent));
    let adjusted = mapping.creatable().into_iter().filter_map(|field| {
        mapping.attributes_of(field).iter().find(|name| came_back_otherwise(name))?;
        // What was sent was made of the model's values, so it decodes; where it does not, it is not what came back.
        let (sent, now) = (mapping.decode_field(field, &expected).ok()?, now[field].clone());
        (sent != now).then_some(Adjusted { field, sent, now })
    });
    adjusted.collect()
}

/// What was asked of CDMS for a write, and so how sure its result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Confirmation {
    /// Nothing: no mapped field had changed. With a write of somebody else that is under way.
    Nothing(Option<OperationId>),
    /// The record, which was equal already, so that there was nothing to write.
    Compared(Finding),
    /// The write, and what CDMS made of it.
    ReadBack,
    /// The write; what CDMS made of it could not be read, so that the next read completes the row.
    NotReadBack,
}

/// What an update meant to do, whoever stores its result.
#[derive(Clone, Copy)]
pub(crate) struct Intended<'i> {
    pub(crate) patch: &'i Attributes,
    pub(crate) constants: &'i Attributes,
    pub(crate) overwritten: &'i Attributes,
}

/// The write that an entry is about, and where it came from.
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

/// The history of an update: our changes as they came back, if they could be read, and apart from them those of writes
/// that had been found not applied, and CDMS's own.
pub(crate) fn updated_entries(
    before: &Snapshot,
    late: &[SettledPatch],
    intended: Intended<'_>,
    cause: Cause,
    record: Option<&Record>,
) -> Vec<Entry> {
    let Cause { operation, origin } = cause;
    let read = |name: &str| record.and_then(|record| record.attributes.get(name));
    // What a write that had been found not applied put over ours is its own change, from what we had sent.
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
    // A constant that changed what was known is a change of ours too, without which the old value would be nowhere.
    let by_constants = intended.constants.iter().filter(|(name, _)| !intended.patch.contains(name));
    let by_constants = by_constants.filter_map(|(name, sent)| {
        let from = before.seen.get(name).filter(|from| *from != sent)?;
        // One that this mapping does not read stays in the row as it was, for whoever reads it to tell.
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
        // A constant that arrived as it was sent is our change, and told above.
        others.retain(|change| intended.constants.get(&change.attribute) != change.to.as_ref());
        entries.extend(refreshed(late, record, others));
    }
    entries
}

/// The history entry of a create: everything that was sent, as it came back if that could be read.
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

/// The history entry of a write that came to nothing, or of which that cannot be told any more; `known` is what the hub
/// has of the record then. It keeps what was sent, and taking it back changes nothing.
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

/// The transaction that makes a tombstone of a record that our delete removed.
pub(crate) fn deletion<F>(last: &Snapshot, operation: OperationId, origin: Origin) -> Commit<F> {
    let entry = Entry { origin, operation: Some(operation), ..ending(EntryKind::Deleted, last) };
    ended_by_delete(last, operation, vec![entry])
}

/// The transaction that makes a tombstone of a record that our delete found removed already: by one of `late`, the
/// writes that had been found not applied, which is told too, or by somebody else.
pub(crate) fn found_deleted<F>(last: &Snapshot, late: &[SettledPatch], operation: OperationId) -> Commit<F> {
    let ours = Entry { origin: Origin::Hub, operation: Some(operation), ..ending(EntryKind::Gone, last) };
    let removal = found_gone(late, last);
    let history = match removal.operation {
        None => vec![ours],
        // The end comes last, with the values that ended.
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
