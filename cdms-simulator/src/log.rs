//! The logs of commits and requests.

use std::collections::VecDeque;

use cdms_odata::Attributes;
use serde::Serialize;
use uuid::Uuid;

/// One committed change, as the server itself records it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CommitEntry {
    /// The commit's number, from 1.
    pub sequence: u64,
    /// The server's time of the commit, in ms since 1970 UTC.
    pub at_ms: i64,
    /// What was done.
    pub kind: CommitKind,
    /// The entity of the record.
    pub entity: String,
    /// The id of the record.
    pub id: Uuid,
    /// The client's `X-Datahub-Operation` header.
    pub operation: Option<String>,
    /// The user who did it.
    pub user: Uuid,
    /// The names of the attributes that the client sent.
    pub sent: Vec<String>,
    /// The changed values before the commit; for a delete, all that were not null.
    pub before: Attributes,
    /// The changed values after the commit; for a create, all that are not null; for a delete, empty.
    pub after: Attributes,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CommitKind {
    /// A record was created.
    Create,
    /// Attributes were changed.
    Update,
    /// A record was deleted.
    Delete,
}

/// The number of entries that a log keeps by default.
pub(crate) const LIMIT: usize = 100_000;

/// Entries in order; the oldest are dropped when there are too many.
#[derive(Debug)]
pub(crate) struct Log<T> {
    entries: VecDeque<T>,
    /// The number of entries to keep; `None`: all.
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

    /// The number of entries that were added.
    pub(crate) fn added(&self) -> u64 {
        self.added
    }

    /// The number of them that were dropped.
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
