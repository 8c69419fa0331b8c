//! Intents: the durable notes that a write is under way, and the verdicts on it.

use std::fmt;
use std::str::FromStr;

use cdms_odata::dialect::Write;
use cdms_odata::{Attributes, Instant};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::UnknownWord;

/// The id of one write, sent with it and kept in the history. It prints, parses and serializes as a GUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub Uuid);

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for OperationId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(OperationId)
    }
}

/// What a write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum WriteKind {
    /// A POST to the set.
    Create,
    /// A MERGE of the changed attributes.
    Update,
    /// A DELETE.
    Delete,
    /// A kind of write that only a newer program knows; that program settles it.
    #[serde(untagged)]
    Unknown(UnknownWord),
}

impl WriteKind {
    /// The write's name in one word; a [`WriteKind::Unknown`] has a word of its own.
    pub const fn name(self) -> &'static str {
        match self {
            WriteKind::Create => "create",
            WriteKind::Update => "update",
            WriteKind::Delete => "delete",
            WriteKind::Unknown(_) => "unknown",
        }
    }

    /// The write in the terms of a dialect; `None` for a write that only a newer program knows.
    pub const fn in_dialects(self) -> Option<Write> {
        match self {
            WriteKind::Create => Some(Write::Create),
            WriteKind::Update => Some(Write::Update),
            WriteKind::Delete => Some(Write::Delete),
            WriteKind::Unknown(_) => None,
        }
    }
}

impl fmt::Display for WriteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteKind::Unknown(word) => word.fmt(f),
            known => f.write_str(known.name()),
        }
    }
}

/// A write that is about to be sent, with everything that any program needs to settle it later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The write's id.
    pub operation: OperationId,
    /// What it does.
    pub write: WriteKind,
    /// The attributes it sends, without the constants; empty for a delete.
    pub patch: Attributes,
    /// The constants that it sends, as every write of the mapping does.
    pub constants: Attributes,
    /// The patched attributes before the write; for a delete, all known attributes.
    pub pre_image: Attributes,
    /// CDMS's time of the last change before the write; `None` for a create.
    pub modified_before: Option<Instant>,
    /// The values that the write overwrites although CDMS changed them in the meantime.
    pub conflicts: Attributes,
}

impl Intent {
    /// The patched attributes whose values the write changes. A read of these shows the outcome.
    pub fn evidence(&self) -> impl Iterator<Item = (&str, &cdms_odata::Value)> {
        self.patch.iter().filter(|(name, value)| self.pre_image.get(name) != Some(value))
    }
}

/// An intent in the store, with its lease evaluated by the database's clock.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenIntent {
    /// The intent.
    pub intent: Intent,
    /// Whether its writer may still be at work.
    pub lease: LeaseState,
}

/// The progress of an intent's lease and quiet period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaseState {
    /// The writer may still be at work.
    Active {
        /// Milliseconds until the lease ends.
        left_ms: u64,
    },
    /// The writer is done or gone, but CDMS may still be executing the request.
    Quiet {
        /// Milliseconds until the quiet period ends.
        left_ms: u64,
    },
    /// Nothing can be under way any more.
    Over,
}

/// The outcome of a write, as found by reading.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
#[non_exhaustive]
pub enum Verdict {
    /// It is in CDMS.
    Applied,
    /// CDMS refused it, or it was never sent.
    Rejected {
        /// The reason, CDMS's or the hub's.
        reason: String,
    },
    /// CDMS created the record under another id than the hub chose; it waits in quarantine.
    Orphaned {
        /// The id that CDMS assigned.
        id: Uuid,
    },
    /// It was not in CDMS after the quiet period.
    NotApplied,
    /// Someone changed these attributes in the meantime, so the outcome can no longer be determined.
    Superseded {
        /// The attributes whose values are neither the old nor the new ones; empty if the record is gone.
        attributes: Vec<String>,
    },
    /// A verdict that only a newer program knows.
    #[serde(untagged)]
    Unknown {
        /// The verdict's word.
        verdict: UnknownWord,
    },
}

/// A write that was found not applied. If its values show up later, the history records that.
#[derive(Clone, Debug, PartialEq)]
pub struct SettledPatch {
    /// The write.
    pub operation: OperationId,
    /// What it would have done.
    pub write: WriteKind,
    /// The attributes it would have set, limited to its evidence.
    pub patch: Attributes,
    /// The constants it would have set, which are not evidence by themselves.
    pub constants: Attributes,
}
