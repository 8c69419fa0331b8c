//! What the history says about a change.

use cdms_odata::{Attributes, Instant, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{OperationId, UnknownWord};

/// One entry of a record's history, without what the store adds: version, time, actor, program and mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What happened.
    pub kind: EntryKind,
    /// Its origin.
    pub origin: Origin,
    /// The write behind it, if it is one of ours.
    pub operation: Option<OperationId>,
    /// The attributes that changed. Empty for a first sight, which refers to `seen` instead of copying it.
    pub changes: Vec<Change>,
    /// The constants that were sent.
    pub constants: Attributes,
    /// CDMS's time of the change, if known.
    pub modified: Option<Instant>,
    /// CDMS's user of the change, if known.
    pub modified_by: Option<Uuid>,
    /// By how many milliseconds CDMS's time went back, within the configured clock skew.
    pub skew_ms: Option<i64>,
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EntryKind {
    /// It was read for the first time.
    FirstSeen,
    /// CDMS's values replaced older ones.
    Refreshed,
    /// The hub created it.
    Created,
    /// The hub updated it.
    Updated,
    /// The hub deleted it.
    Deleted,
    /// It was found to be gone.
    Gone,
    /// It was found again after it was gone.
    Revived,
    /// It no longer satisfies the model's `only`.
    LeftModel,
    /// Only local fields changed.
    LocalChanged,
    /// A write that had been found not applied showed up later.
    AppliedLate,
    /// A write of the hub was not in CDMS when it was settled. Nothing changed.
    NotApplied,
    /// The outcome of a write of the hub could no longer be determined, because others had changed the record in the
    /// meantime or it was gone. This entry changes nothing; what others changed has entries of its own.
    Superseded,
    /// CDMS created the record of the hub's create under another id, so no record exists under the chosen id.
    Orphaned,
    /// A kind that only a newer program knows.
    #[serde(untagged)]
    Unknown(UnknownWord),
}

impl EntryKind {
    /// Whether the record had no row afterwards.
    pub const fn is_end(self) -> bool {
        matches!(self, EntryKind::Deleted | EntryKind::Gone | EntryKind::LeftModel)
    }

    /// Whether it only reports the outcome of a write; the record did not change.
    pub const fn changes_nothing(self) -> bool {
        matches!(self, EntryKind::NotApplied | EntryKind::Superseded | EntryKind::Orphaned)
    }

    /// The kind in words; an [`EntryKind::Unknown`] has a word of its own.
    pub const fn name(self) -> &'static str {
        match self {
            EntryKind::FirstSeen => "first seen",
            EntryKind::Refreshed => "refreshed",
            EntryKind::Created => "created",
            EntryKind::Updated => "updated",
            EntryKind::Deleted => "deleted",
            EntryKind::Gone => "gone",
            EntryKind::Revived => "revived",
            EntryKind::LeftModel => "left the model",
            EntryKind::LocalChanged => "local fields changed",
            EntryKind::AppliedLate => "applied late",
            EntryKind::NotApplied => "not applied",
            EntryKind::Superseded => "superseded",
            EntryKind::Orphaned => "created under another id",
            EntryKind::Unknown(_) => "changed in a way that only a newer program knows",
        }
    }
}

/// The origin of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// A caller of the hub.
    Hub,
    /// CDMS, found by a read.
    Cdms,
    /// CDMS, found by a pull.
    Pull,
    /// A caller that put back an older version.
    Revert,
    /// A write of the hub whose outcome was found later, by settling.
    Settle,
    /// An origin that only a newer program knows.
    #[serde(untagged)]
    Unknown(UnknownWord),
}

/// The change of one attribute, in raw values. `None` means that the value was not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The attribute.
    pub attribute: String,
    /// Its value before.
    #[serde(with = "known")]
    pub from: Option<Value>,
    /// Its value after.
    #[serde(with = "known")]
    pub to: Option<Value>,
    /// A note on the change.
    #[serde(default, skip_serializing_if = "Note::is_plain")]
    pub note: Note,
}

/// A note on a change.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// Nothing.
    #[default]
    Plain,
    /// `from` is a value that CDMS had received in the meantime and that the caller overwrote.
    Conflict,
    /// CDMS changed the value that was sent to `to`.
    Adjusted {
        /// The value that was sent.
        sent: Value,
    },
    /// This value was sent, but was not in CDMS when the write was settled. `from` and `to` both hold what the hub knew
    /// of the attribute then, so reverting the change changes nothing; both are unknown for a record that was not
    /// created.
    NotKept {
        /// The value that was sent.
        sent: Value,
    },
    /// A note that only a newer program knows.
    #[serde(untagged)]
    Unknown(UnknownWord),
}

impl Note {
    fn is_plain(&self) -> bool {
        *self == Note::Plain
    }
}

/// Distinguishes "not known" from null in JSON: `[]` and `[value]`.
mod known {
    use cdms_odata::Value;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_slice().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
        Ok(Vec::<Value>::deserialize(deserializer)?.pop())
    }
}
