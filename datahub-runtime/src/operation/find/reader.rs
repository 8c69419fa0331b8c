//! Reading a list page by page, and comparing and storing its records.

use std::sync::Arc;

use cdms_odata::Instant;
use cdms_odata::dialect::{Continuation, Next};
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{Failure, Listed, Record, RecordChange, Stored, Values, Version, listed_with_values};
use uuid::Uuid;

use super::request::AskedList;
use crate::cdms::{PageFailure, PageRead, RecordShape};
use crate::crash_points::{Moment, Step, pass};
use crate::engine::clock::ClockReading;
use crate::engine::executor::News;
use crate::engine::known_row::KnownRow;
use crate::engine::mapping::ModelMapping;
use crate::engine::shared_check::{CheckedRow, check};
use crate::engine::{Doubt, Engine};
use crate::freshness::Checked;
use crate::operation::pages::Links;
use crate::store::{ListPart, ListedRecord, StoredRecord};
use crate::{Error, ErrorKind};

/// A list that is read page by page.
pub(super) struct Reader {
    engine: Arc<Engine>,
    model: &'static ModelDescriptor,
    shape: Arc<RecordShape>,
    list: AskedList,
    /// Who waits for it.
    pace: Pace,
    /// Where the next page is; `None` for the first one.
    next: Option<Continuation>,
    links: Links,
    /// The pages read.
    pub(super) pages: u32,
    /// Whether the last page was read.
    pub(super) is_over: bool,
}

/// Who waits for a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// A person.
    AtOnce,
    /// A program, which leaves people their share of the connections.
    Background,
}

/// A page that was read.
pub(super) struct FetchedPage {
    /// Where it is; `None` for the first one.
    at: Option<Continuation>,
    /// The records in CDMS's order, each id once.
    pub(super) records: Vec<RawRecord>,
    /// The number of records without a readable id.
    pub(super) without_id: u64,
    asked: Requested,
}

/// A record as CDMS returned it.
pub(super) type RawRecord = (Uuid, Result<Record, Fault>);

/// When a page was requested.
#[derive(Clone, Copy)]
struct Requested {
    /// The newest version in the database that this program knew of, or the newest of all.
    version: Version,
    is_newest: bool,
    clock: ClockReading,
}

/// What is known of a record on a page.
pub(super) enum Met {
    /// Its row, which is as CDMS has the record, or waits for a write.
    Row(Box<MetRow>),
    /// It was read on its own.
    ReadAlone(Box<CheckedRow>),
    /// It does not belong to the model, or is gone.
    NotOfModel,
    /// Why it cannot be returned.
    Failed(Error),
}

/// A row with what a caller needs to change it.
pub(super) struct MetRow {
    pub(super) row: KnownRow,
    pub(super) snapshot: datahub_protocol::Snapshot,
    pub(super) checked: Checked,
}

fn step(action: &'static str) -> Step {
    Step { operation: "list", action }
}

impl Reader {
    pub(super) fn new(
        engine: &Arc<Engine>,
        model: &'static ModelDescriptor,
        shape: Arc<RecordShape>,
        list: AskedList,
        at: Option<Continuation>,
        pace: Pace,
    ) -> Self {
        let (engine, links) = (Arc::clone(engine), Links::default());
        Reader { engine, model, shape, list, pace, next: at, links, pages: 0, is_over: false }
    }

    /// Where the next page is, in the dialect's form.
    pub(super) fn position(&self) -> Option<String> {
        self.position_of(self.next.as_ref())
    }

    fn position_of(&self, at: Option<&Continuation>) -> Option<String> {
        at.and_then(|at| self.engine.client().ok()?.position(at))
    }

    /// Where a page is, in the dialect's form.
    pub(super) fn position_of_page(&self, page: &FetchedPage) -> Option<String> {
        self.position_of(page.at.as_ref())
    }

    /// Whether a record belongs to the answer, as far as CDMS was not asked for that. One that cannot be read does.
    pub(super) fn is_asked_for(&self, record: &Result<Record, Fault>) -> bool {
        !self.list.has_others || record.as_ref().map_or(true, |record| self.model.includes(&record.attributes))
    }

    /// Reads the next page.
    pub(super) async fn fetch(&mut self) -> Result<FetchedPage, Error> {
        self.engine.admit(self.model)?;
        let asked = self.request(false).await?;
        let at = self.next.take();
        let PageRead { records, without_id, next, .. } = self.read(at.as_ref()).await?;
        self.pages += 1;
        match next {
            Next::End => self.is_over = true,
            Next::Page { at: next, .. } => {
                self.links.follow(self.model, &next)?;
                self.next = Some(next);
            }
            Next::Unusable(reason) => return Err(Error::new(ErrorKind::Misconfigured, reason)),
        }
        let without_id = u64::try_from(without_id).unwrap_or(u64::MAX);
        Ok(FetchedPage { at, records, without_id, asked })
    }

    async fn request(&self, must_be_newest: bool) -> Result<Requested, Error> {
        let known = self.engine.store.newest_known_version().filter(|_| !must_be_newest);
        let (version, is_newest) = match known {
            Some(version) => (version, false),
            None => (self.engine.store.newest_version().await?, true),
        };
        Ok(Requested { version, is_newest, clock: ClockReading::of(&*self.engine.clock) })
    }

    async fn read(&self, at: Option<&Continuation>) -> Result<PageRead, Error> {
        let (client, shape, query) = (self.engine.client()?, &self.shape, &self.list.query);
        pass(step("fetch"), Moment::Before).await;
        let page = match self.pace {
            Pace::AtOnce => client.page_at_once(shape, query, at).await,
            Pace::Background => client.page(shape, query, at).await,
        };
        pass(step("fetch"), Moment::After).await;
        page.map_err(failed)
    }

    /// Compares records of a page with their rows, and stores what differs. Returns them in order.
    pub(super) async fn take(&self, page: &FetchedPage, records: Vec<RawRecord>) -> Result<Vec<(Uuid, Met)>, Error> {
        let mut met = self.store(records, page.asked).await?;
        let again = |met: &[(Uuid, Option<Met>)]| met.iter().filter(|(_, met)| met.is_none()).count();
        // Someone else has stored them since a version that may be older than the request. With the newest version, the
        // same page tells which of the two is newer, at the cost of one request instead of one for each record.
        if again(&met) > 1 && !page.asked.is_newest {
            let asked = self.request(true).await?;
            let mut records = self.read(page.at.as_ref()).await?.records;
            records.retain(|(id, _)| met.iter().any(|(known, met)| known == id && met.is_none()));
            for (id, found) in self.store(records, asked).await? {
                if let Some((_, met)) = met.iter_mut().find(|(known, _)| *known == id) {
                    *met = found;
                }
            }
        }
        let (mut all, mut doubt) = (Vec::with_capacity(met.len()), Doubt::default());
        for (id, met) in met {
            let met = match met {
                Some(met) => met,
                None => read_alone(&self.engine, self.model, id, &mut doubt).await?,
            };
            all.push((id, met));
        }
        Ok(all)
    }

    /// Compares and stores records; `None` for one that must be read again.
    async fn store(&self, records: Vec<RawRecord>, asked: Requested) -> Result<Vec<(Uuid, Option<Met>)>, Error> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let (engine, model) = (&self.engine, self.model);
        let (actor, clock_skew_ms) = (Arc::clone(&engine.program), engine.settings.clock_skew_ms());
        let modified = records.iter().map(|(_, record)| record.as_ref().ok().map(|record| record.facts.modified));
        let modified: Vec<_> = modified.collect();
        let part = ListPart {
            model,
            actor: engine.program.to_string(),
            program: engine.program.to_string(),
            records,
            judge: Box::new(move |id, loaded, record| {
                let mapping = ModelMapping::new(model, id, Arc::clone(&actor));
                listed_with_values(&mapping, loaded, record, asked.version, clock_skew_ms)
            }),
            step: step("store"),
        };
        pass(step("store"), Moment::Before).await;
        let listed = engine.store.store_list(part).await?;
        pass(step("store"), Moment::After).await;
        let met =
            listed.into_iter().zip(modified).map(|(listed, modified)| (listed.id, self.met(listed, modified, asked)));
        Ok(met.collect())
    }

    /// What a caller gets of a record that CDMS has changed last at this time; `None` if it must be read again.
    fn met(&self, listed: ListedRecord, modified: Option<Instant>, asked: Requested) -> Option<Met> {
        let (engine, model) = (&self.engine, self.model);
        let ListedRecord { id, outcome, stored: StoredRecord { loaded, locals, .. }, values, version } = listed;
        if let Some(commit) = outcome.commit() {
            News::of(commit).tell(model, id);
        }
        let failed = |failure| Some(Met::Failed(Error::from_failure(failure, model, id)));
        let row = |snapshot, values: Values, found| {
            engine.checks.times.remember(model, id, asked.clock);
            let checked = Checked::At { time: asked.clock.now.to_utc().unwrap_or_default(), found };
            Some(Met::Row(Box::new(MetRow { row: KnownRow::of(model, values, locals.clone()), snapshot, checked })))
        };
        if !matches!(outcome, Listed::AsIs | Listed::Store(..) | Listed::Pending(_) | Listed::ReadAgain) {
            engine.checks.times.forget(model, id);
        }
        match (outcome, loaded.stored) {
            (Listed::AsIs, Stored::Row(snapshot)) => row(snapshot, values?, datahub_protocol::Finding::InSync),
            (Listed::Store(found, commit), _) => match commit.record {
                RecordChange::Put { row: new, values } => row(new.at(version?, model.mapping_id.0), values, found),
                _ => None,
            },
            (Listed::Pending(operation), Stored::Row(snapshot)) => {
                match KnownRow::stored(model, id, &snapshot, locals) {
                    Ok(row) => {
                        Some(Met::Row(Box::new(MetRow { row, snapshot, checked: Checked::Pending { operation } })))
                    }
                    Err(fault) => failed(Failure::Quarantined(fault)),
                }
            }
            (Listed::Pending(operation), _) => {
                let reason = "it is in progress, and the hub has no row of the record yet".to_owned();
                failed(Failure::Unsettled { operation, in_cdms: false, reason: reason.into() })
            }
            (Listed::Quarantined(commit), _) => match commit.quarantine {
                datahub_protocol::QuarantineChange::Put(fault) => failed(Failure::Quarantined(fault)),
                _ => None,
            },
            (Listed::Left(_) | Listed::Foreign(_), _) => Some(Met::NotOfModel),
            (Listed::LocalNewer, Stored::Row(snapshot)) => {
                failed(Failure::LocalNewer { hub: snapshot.facts.modified, cdms: modified? })
            }
            (Listed::LocalNewer | Listed::ReadAgain | Listed::AsIs, _) => None,
        }
    }
}

/// Reads a record on its own.
pub(super) async fn read_alone(
    engine: &Arc<Engine>,
    model: &'static ModelDescriptor,
    id: Uuid,
    doubt: &mut Doubt,
) -> Result<Met, Error> {
    let error = match check(engine, model, id).await {
        Ok(checked) => return Ok(Met::ReadAlone(Box::new(checked))),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::Gone => Ok(Met::NotOfModel),
        ErrorKind::Quarantined | ErrorKind::Unsettled | ErrorKind::Busy | ErrorKind::LocalNewer => {
            Ok(Met::Failed(error))
        }
        ErrorKind::Unavailable if !doubt.is_outage(engine).await => Ok(Met::Failed(error)),
        // The set is correct, since a page of it was read: CDMS fails on this record alone.
        ErrorKind::Rejected | ErrorKind::Misconfigured => Ok(Met::Failed(error)),
        _ => Err(error),
    }
}

fn failed(failure: PageFailure) -> Error {
    match failure {
        PageFailure::NotSent(error) => Error::new(ErrorKind::Invalid, error.to_string()),
        PageFailure::Unavailable(reason) => {
            let message = format!("CDMS cannot be read: {reason}");
            Error::because(ErrorKind::Unavailable, reason.in_words(message)).advise("try again later")
        }
        PageFailure::LoginRefused(reason) => Error::login_refused(reason),
        PageFailure::Refused(reason) => {
            Error::new(ErrorKind::Misconfigured, reason).advise("compare the contract with $metadata")
        }
        PageFailure::Misconfigured(reason) => Error::new(ErrorKind::Misconfigured, reason),
    }
}
