//! Intents: the durable notes that a write is under way, and what became of it.

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
    /// What only a newer program does, and settles.
    #[serde(untagged)]
    Unknown(UnknownWord),
}

impl WriteKind {
    /// The write's name in one word; [`WriteKind::Unknown`] has its own.
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

/// A write that is about to be sent, complete enough for any program to find out later what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The write's id.
    pub operation: OperationId,
    /// What it does.
    pub write: WriteKind,
    /// What it sends, without the constants; for a delete nothing.
    pub patch: Attributes,
    /// What it sends along with every write of the mapping.
    pub constants: Attributes,
    /// The patched attributes as they were before; for a delete everything that was seen.
    pub pre_image: Attributes,
    /// CDMS's time of the last change before the write; `None` for a create.
    pub modified_before: Option<Instant>,
    /// Values that the write overwrites although CDMS changed them meanwhile.
    pub conflicts: Attributes,
}

impl Intent {
    /// The patched attributes whose new value differs from the one before: what a read can tell the outcome by.
    pub fn evidence(&self) -> impl Iterator<Item = (&str, &cdms_odata::Value)> {
        self.patch.iter().filter(|(name, value)| self.pre_image.get(name) != Some(value))
    }
}

/// An intent as found in the store, with its lease judged by the database's clock.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenIntent {
    /// The intent.
    pub intent: Intent,
    /// Whether its writer may still be at work.
    pub lease: LeaseState,
}

/// How far an intent's lease and quiet period have run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaseState {
    /// The writer may still be at work for this many milliseconds.
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

/// What became of a write, as found by reading.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
#[non_exhaustive]
pub enum Verdict {
    /// It is in CDMS.
    Applied,
    /// CDMS refused it, or it was never sent.
    Rejected {
        /// CDMS's reason or ours.
        reason: String,
    },
    /// CDMS created the record under another id than the chosen one; it waits in quarantine.
    Orphaned {
        /// The id that CDMS gave.
        id: Uuid,
    },
    /// It was not in CDMS after the quiet period.
    NotApplied,
    /// Somebody changed these attributes meanwhile, so that it can no longer be told.
    Superseded {
        /// The attributes whose values are neither the old nor the new ones; none: the record is gone.
        attributes: Vec<String>,
    },
    /// What a newer program found.
    #[serde(untagged)]
    Unknown {
        /// Its word for it.
        verdict: UnknownWord,
    },
}

/// A write that was found not applied; if its values show up after all, the history says so.
#[derive(Clone, Debug, PartialEq)]
pub struct SettledPatch {
    /// The write.
    pub operation: OperationId,
    /// What it would have done.
    pub write: WriteKind,
    /// What it would have set: its evidence only.
    pub patch: Attributes,
    /// What it would have set along with that; no evidence by itself.
    pub constants: Attributes,
}
