//! What CDMS has refused or returned otherwise than stated, model by model, until a request of the same kind works again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cdms_odata::Instant;
use cdms_odata::dialect::{Carried, ReadError, TrialAnswer};

use crate::engine::clock::Clock;
use crate::health::{ModelTrouble, TroubleWith};
use crate::{Error, ErrorKind};

/// Where a trouble was seen. It ends where it began: a record without some attribute says nothing about `$metadata`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Seen {
    Reading,
    Writing,
    InRecords,
    InMetadata,
}

/// The troubles with models that a client knows of.
pub(crate) struct Troubles {
    clock: Arc<dyn Clock>,
    known: Mutex<BTreeMap<(String, Seen), (Instant, String)>>,
    /// How many there are: most requests work, and need not look.
    count: AtomicUsize,
}

impl Troubles {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Troubles { clock, known: Mutex::default(), count: AtomicUsize::new(0) }
    }

    /// Notes a trouble with a model. One that is known stays since it began, with the newest reason.
    pub(super) fn began(&self, model: &str, seen: Seen, reason: String) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        known.entry((model.to_owned(), seen)).or_insert_with(|| (now, String::new())).1 = reason;
        self.count.store(known.len(), Ordering::Relaxed);
    }

    /// Notes that a request worked.
    pub(super) fn ended(&self, model: &str, seen: Seen) {
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(&(model.to_owned(), seen));
        self.count.store(known.len(), Ordering::Relaxed);
    }

    /// Notes what the response to a request that asks for no more than the contract states says about rights and schema.
    pub(super) fn answered_to_contract(&self, model: &str, answer: TrialAnswer) {
        match answer {
            TrialAnswer::Refused(words) => {
                self.began(model, Seen::InRecords, format!("CDMS does not accept what its contract says: {words}"));
            }
            answer => self.answered(model, answer),
        }
    }

    /// Notes what a response to a read says about rights and schema. Most say nothing about either.
    pub(super) fn answered(&self, model: &str, answer: TrialAnswer) {
        match answer {
            TrialAnswer::Served { .. } => self.ended(model, Seen::Reading),
            TrialAnswer::NoPrivilege(words) | TrialAnswer::Forbidden(words) => {
                self.began(model, Seen::Reading, format!("CDMS refuses to show its records: {words}"));
            }
            TrialAnswer::NoSet(words) => {
                self.ended(model, Seen::Reading);
                self.began(model, Seen::InRecords, format!("CDMS does not know its set: {words}"));
            }
            TrialAnswer::Refused(_)
            | TrialAnswer::NoSession(_)
            | TrialAnswer::ProxyLogin(_)
            | TrialAnswer::NotCdms(_)
            | TrialAnswer::Unavailable(_) => {}
        }
    }

    /// Notes whether records have the attributes that were asked for, of the stated kinds.
    pub(super) fn carried<'c>(&self, model: &str, mut records: impl Iterator<Item = &'c Carried>) {
        self.ended(model, Seen::Reading);
        let mut is_any = false;
        let misfit = records.find_map(|record| {
            is_any = true;
            match &record.attributes {
                Err(error @ (ReadError::Missing { .. } | ReadError::Value { .. })) => Some(error.to_string()),
                _ => None,
            }
        });
        match misfit {
            Some(misfit) => self.began(model, Seen::InRecords, misfit),
            None if is_any => self.ended(model, Seen::InRecords),
            None => {}
        }
    }

    /// The troubles with rights, and those with the schema.
    pub(crate) fn known(&self) -> (Vec<ModelTrouble>, Vec<ModelTrouble>) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let troubles = known.iter().map(|((model, seen), (since, reason))| {
            let (with, advice) = match seen {
                Seen::Reading => (TroubleWith::Read, GIVE_RIGHTS),
                Seen::Writing => (TroubleWith::Write, GIVE_RIGHTS),
                Seen::InRecords | Seen::InMetadata => (TroubleWith::Schema, COMPARE),
            };
            let error = Error::new(ErrorKind::Misconfigured, reason.clone()).advise(advice);
            ModelTrouble { model: model.clone(), with, since: *since, error }
        });
        troubles.partition(|trouble| trouble.with != TroubleWith::Schema)
    }
}

const GIVE_RIGHTS: &str = "give the CDMS user a role with the privilege that CDMS's text names; `hub.check_connection()` tries \
                           what it may read";

const COMPARE: &str =
    "`hub.check_connection()` and `datahub check --live` say what differs; correct the contract after a new snapshot";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::clock::ManualClock;

    #[test]
    fn a_trouble_lasts_from_its_first_sight_to_the_next_request_that_works() {
        let clock = ManualClock::at(Instant(1_000));
        let troubles = Troubles::new(Arc::new(clock.clone()));
        let no = || TrialAnswer::NoPrivilege("no".to_owned());
        troubles.answered("Contact", no());
        clock.advance(std::time::Duration::from_secs(9));
        troubles.answered("Contact", no());
        troubles.answered("Contact", TrialAnswer::Unavailable("busy".to_owned()));
        troubles.began("Contact", Seen::InMetadata, "it has no `Fax`".to_owned());
        let (rights, drift) = troubles.known();
        assert_eq!((rights[0].with, rights[0].since, rights.len()), (TroubleWith::Read, Instant(1_000), 1));
        assert_eq!((drift[0].with, drift[0].since, drift.len()), (TroubleWith::Schema, Instant(10_000), 1));
        let record = |attributes| Carried { id: None, attributes, left_out: Vec::new(), version: None };
        let (good, odd) = (record(Ok(Default::default())), record(Err(ReadError::Missing { attribute: "Fax" })));
        troubles.carried("Contact", [&good, &odd].into_iter());
        assert_eq!((troubles.known().0.len(), troubles.known().1.len()), (0, 2), "it may be read");
        troubles.carried("Contact", std::iter::empty());
        assert_eq!(troubles.known().1.len(), 2, "no record shows nothing");
        troubles.carried("Contact", [&good].into_iter());
        assert_eq!(troubles.known().1.len(), 1, "$metadata was not looked at");
        troubles.ended("Contact", Seen::InMetadata);
        assert!(troubles.known().1.is_empty());
    }
}
