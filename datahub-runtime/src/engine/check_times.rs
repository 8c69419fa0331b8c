//! When this program last checked which record, kept in memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use datahub_model::ModelDescriptor;
use uuid::Uuid;

use crate::engine::clock::ClockReading;

/// How many check times are remembered; a program that checks more records forgets the older times.
const TIMES_MAX: usize = 100_000;

/// A record of a model: its table and id.
type Key = (&'static str, Uuid);

/// The times of completed checks, each from before its request was sent. A row that is loaded after its time was read
/// here is at least as new as that time.
#[derive(Debug, Default)]
pub(crate) struct CheckTimes(Mutex<HashMap<Key, ClockReading>>);

impl CheckTimes {
    /// When this program last checked a record, by both clocks.
    pub(crate) fn last(&self, model: &'static ModelDescriptor, id: Uuid) -> Option<ClockReading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(model.table, id)).copied()
    }

    /// When this program last checked a record, as callers see it.
    pub(crate) fn last_utc(&self, model: &'static ModelDescriptor, id: Uuid) -> Option<DateTime<Utc>> {
        self.last(model, id)?.now.to_utc()
    }

    /// Notes that the row matches CDMS as of this time; an earlier time than the known one changes nothing.
    pub(crate) fn remember(&self, model: &'static ModelDescriptor, id: Uuid, asked: ClockReading) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if times.len() >= TIMES_MAX && !times.contains_key(&(model.table, id)) {
            times.clear();
        }
        let known = times.entry((model.table, id)).or_insert(asked);
        if known.monotonic < asked.monotonic {
            *known = asked;
        }
    }

    /// Notes that the row is known not to match CDMS, or that it is unknown whether it does.
    pub(crate) fn forget(&self, model: &'static ModelDescriptor, id: Uuid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(model.table, id));
    }
}
