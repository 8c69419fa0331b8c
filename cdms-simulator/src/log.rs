//! The logs of commits and requests.

use std::collections::VecDeque;

use cdms_odata::Attributes;
use serde::Serialize;
use uuid::Uuid;

/// One committed change: what the server itself says happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CommitEntry {
    /// The commit's number, from 1.
    pub sequence: u64,
    /// The server's time of the commit, in ms since 1970 UTC.
    pub at_ms: i64,
    /// What was done.
    pub kind: CommitKind,
    /// To a record of which entity.
    pub entity: String,
    /// The record.
    pub id: Uuid,
    /// The client's `X-Datahub-Operation` header.
    pub operation: Option<String>,
    /// The user who did it.
    pub user: Uuid,
    /// The names of the attributes that the client sent.
    pub sent: Vec<String>,
    /// The values that changed, before; for a delete what was not null.
    pub before: Attributes,
    /// The values that changed, after; for a create what is not null, for a delete empty.
    pub after: Attributes,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CommitKind {
    /// A record was made.
    Create,
    /// Attributes were changed.
    Update,
    /// A record was removed.
    Delete,
}

/// How many entries a log keeps where nothing else is asked for.
pub(crate) const LIMIT: usize = 100_000;

/// Entries in order, of which the oldest are dropped where there are too many.
#[derive(Debug)]
pub(crate) struct Log<T> {
    entries: VecDeque<T>,
    /// How many entries are kept; `None`: all.
    limit: Option<usize>,
    added: u64,
    dropped: u64,
}

impl<T> Log<T> {
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Log { entries: VecDeque::new(), limit, added: 0, dropped: 0 }
    }

    pub(crate) fn push(&mut self, entry: T) {
        self.entries.push_back(entry);
        self.added += 1;
        if self.limit.is_some_and(|limit| self.entries.len() > limit) {
            self.entries.pop_front();
            self.dropped += 1;
        }
    }

    /// How many entries there were.
    pub(crate) fn added(&self) -> u64 {
        self.added
    }

    /// How many of them were dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter()
    }

    /// Takes all entries out.
    pub(crate) fn take(&mut self) -> Vec<T> {
        std::mem::take(&mut self.entries).into()
    }
}
