//! The lists of the simulated CDMS: pages of two records, and where each goes on.

use cdms_odata::Instant;
use datahub_protocol::{Mapping as _, Record};
use uuid::Uuid;

use super::Cdms;
use crate::mapping::Model;

/// How many records are on a page.
const PAGE: usize = 2;

/// The records that are asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wanted {
    /// Those that belong to the model, by key.
    OfModel,
    /// Those that have changed at this time or later, by the time of it.
    ChangedSince(Instant),
}

/// Where a list goes on: behind the last record of a page, by what it had in the list's order.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) enum Place {
    Key(Uuid),
    Time(Instant, Uuid),
}

/// A page of a list.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) records: Vec<(Uuid, Record)>,
    /// CDMS's own link to the next page.
    pub(crate) next: Option<Place>,
}

impl Cdms {
    pub(crate) fn page(&self, model: Model, wanted: Wanted, after: Option<Place>) -> Page {
        let place = |id: Uuid, record: &Record| match wanted {
            Wanted::OfModel => Place::Key(id),
            Wanted::ChangedSince(_) => Place::Time(record.facts.modified, id),
        };
        let is_wanted = |record: &Record| match wanted {
            Wanted::OfModel => model.includes(&record.attributes),
            Wanted::ChangedSince(since) => record.facts.modified >= since,
        };
        let ids = self.records.keys().filter_map(|id| Some((*id, self.read(model, *id)?)));
        let mut records: Vec<_> = ids.filter(|(_, record)| is_wanted(record)).collect();
        records.retain(|(id, record)| after.is_none_or(|after| place(*id, record) > after));
        records.sort_by(|(one, first), (other, second)| {
            place(*one, first).partial_cmp(&place(*other, second)).unwrap_or(one.cmp(other))
        });
        let is_last = records.len() <= PAGE;
        records.truncate(PAGE);
        let next = records.last().filter(|_| !is_last).map(|(id, record)| place(*id, record));
        Page { records, next }
    }

    /// The newest time of change of all records.
    pub(crate) fn newest_change(&self) -> Option<Instant> {
        self.records.values().map(|record| record.facts.modified).max()
    }
}
