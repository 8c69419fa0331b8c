//! How far a pull or a sweep has come, so that any program goes on with it, and what it vouches for.

use std::collections::{BTreeMap, BTreeSet};

use cdms_odata::Instant;
use datahub_protocol::{MappingTag, Version};
use uuid::Uuid;

use crate::cdms::Place;

/// What a pull or a sweep goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    Load(MappingTag),
    Changes(MappingTag),
    Sweep,
}

/// The progress of a scope.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// Whose it is: the newest claim is valid.
    pub(crate) run: u64,
    /// CDMS's link to the next page.
    pub(crate) next: Option<Place>,
    pub(crate) since: Option<Instant>,
    pub(crate) begun: Option<Instant>,
    pub(crate) newest: Option<Instant>,
    pub(crate) watermark: Option<Instant>,
    /// The length of CDMS's log when the list was first asked for, which only the checks know.
    pub(crate) asked: Option<usize>,
    /// For a sweep: the newest version when it began, what it has listed, and whether that is all.
    pub(crate) version: Option<Version>,
    pub(crate) listed: BTreeSet<Uuid>,
    pub(crate) has_listed: bool,
    /// The records that this pull met under a write, which finds out itself.
    pub(crate) pending: BTreeSet<Uuid>,
    /// The records that CDMS could not give or the hub could not store, with the length of CDMS's log then: what had
    /// happened to them before is reported and not promised.
    pub(crate) not_given: BTreeMap<Uuid, usize>,
}

impl Progress {
    /// Adds what another run of the scope was not given.
    pub(crate) fn join(&mut self, not_given: &BTreeMap<Uuid, usize>) {
        for (id, since) in not_given {
            let mine = self.not_given.entry(*id).or_default();
            *mine = (*since).max(*mine);
        }
    }
}
