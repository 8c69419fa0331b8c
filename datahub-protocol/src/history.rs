//! What the history says of a change.

use cdms_odata::{Attributes, Instant, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{OperationId, UnknownWord};

/// One entry of a record's history, without what the store adds: version, time, actor, program, mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What happened.
    pub kind: EntryKind,
    /// Which side it came from.
    pub origin: Origin,
    /// The write behind it, if one of ours.
    pub operation: Option<OperationId>,
    /// The attributes it changed. Empty for a first sight, which refers to what is seen instead of copying it.
    pub changes: Vec<Change>,
    /// What was sent along.
    pub constants: Attributes,
    /// CDMS's time of the change, where known.
    pub modified: Option<Instant>,
    /// CDMS's user of the change, where known.
    pub modified_by: Option<Uuid>,
    /// By how many milliseconds CDMS's time went back, where the configured clock skew tolerated it.
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
    /// It was found gone.
    Gone,
    /// It was found again after it had gone.
    Revived,
    /// It no longer satisfies the model's `only`.
    LeftModel,
    /// Only the hub's own fields changed.
    LocalChanged,
    /// A write that had been found not applied showed up after all.
    AppliedLate,
    /// A write of the hub was not in CDMS when its outcome was found out. Nothing changed.
    NotApplied,
    /// A write of the hub could no longer be told from what CDMS showed, because others had changed the record meanwhile
    /// or it was gone. Nothing changed by this entry; what others had changed has its own.
    Superseded,
    /// CDMS created the record of the hub's create under another id, so that there is none under the chosen one.
    Orphaned,
    /// What a newer program noted.
    #[serde(untagged)]
    Unknown(UnknownWord),
}

impl EntryKind {
    /// Whether the record had no row any more afterwards.
    pub const fn is_end(self) -> bool {
        matches!(self, EntryKind::Deleted | EntryKind::Gone | EntryKind::LeftModel)
    }

    /// Whether it tells only what became of a write, and nothing of the record itself, which stayed as it was.
    pub const fn changes_nothing(self) -> bool {
        matches!(self, EntryKind::NotApplied | EntryKind::Superseded | EntryKind::Orphaned)
    }

    /// The kind in words; [`EntryKind::Unknown`] has its own.
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

/// Which side a change came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// A caller of the hub.
    Hub,
    /// CDMS, noticed by a read.
    Cdms,
    /// CDMS, noticed by a pull.
    Pull,
    /// A caller who put back an older version.
    Revert,
    /// A write of the hub whose outcome was found out later.
    Settle,
    /// What a newer program noted.
    #[serde(untagged)]
    Unknown(UnknownWord),
}

/// One attribute's change, in raw values. `None` means that the value was not known.
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
    /// What else is to say.
    #[serde(default, skip_serializing_if = "Note::is_plain")]
    pub note: Note,
}

/// What else there is to say of a change.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// Nothing.
    #[default]
    Plain,
    /// `from` is a value that CDMS had got meanwhile and that the caller overwrote.
    Conflict,
    /// This was sent, and CDMS made `to` of it.
    Adjusted {
        /// The value that was sent.
        sent: Value,
    },
    /// This was sent, and was not there when the write's outcome was found out. `from` and `to` are both what the hub
    /// knew of the attribute then, so that taking the change back changes nothing; of a record that was not made it knew
    /// nothing.
    NotKept {
        /// The value that was sent.
        sent: Value,
    },
    /// What a newer program noted.
    #[serde(untagged)]
    Unknown(UnknownWord),
}

impl Note {
    fn is_plain(&self) -> bool {
        *self == Note::Plain
    }
}

/// Tells "not known" from null in JSON: `[]` and `[value]`.
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
