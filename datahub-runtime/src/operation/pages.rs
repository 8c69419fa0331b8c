//! Reading the pages of a list one after the other, and storing each with the progress, for pulls and for a backfill.

use std::collections::HashMap;
use std::sync::Arc;

use cdms_odata::Instant;
use cdms_odata::dialect::{Continuation, Direction, ListQuery, Next};
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::planted::{Planted, planted};
use datahub_protocol::{AfterPage, Changes, Listed, Loaded, Record, ToldTime, Version, watermark_after_load};
use uuid::Uuid;

use crate::cdms::{PageFailure, PageRead, RecordShape, changed_since, of_model};
use crate::crash_points::{Moment, Step, pass};
use crate::engine::Engine;
use crate::engine::executor::News;
use crate::engine::mapping::ModelMapping;
use crate::store::{Claim, Judge, Page, PageStored, Vouched, Watermark};
use crate::{Error, ErrorKind};

/// What is read of a set, and what is done with each of its records.
pub(super) struct Listing {
    /// The operation's name in points and traces.
    pub(super) operation: &'static str,
    pub(super) claim: Claim,
    pub(super) shape: Arc<RecordShape>,
    pub(super) decide: Decide,
    pub(super) reads: Reads,
}

/// Which records are read, and in what order.
pub(super) enum Reads {
    /// All of them, by key.
    All,
    /// All that belong to the model, by key; at the end, pulls of changes may begin in this scope.
    Load(Arc<str>),
    /// Those that have changed, by the time of it.
    Changes(Changes),
}

/// Decides about a record of a page; `asked_at` is the newest version when the page was requested.
pub(super) type Decide = fn(&ModelMapping, &Loaded, Result<Record, Fault>, Asked) -> Listed<Fault>;

/// The circumstances in which a page was requested.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) at: Version,
    pub(super) clock_skew_ms: i64,
}

/// The pages of a list, from where an earlier run stopped.
pub(super) struct Pages {
    engine: Arc<Engine>,
    listing: Listing,
    at: Watermark,
    next: Option<Continuation>,
    links: Links,
    /// The newest version when the first page is requested, if it is known already.
    pub(super) asked_at: Option<Version>,
    /// When this run began, by the hub's clock.
    begun: std::time::Duration,
    /// The records of the last page that the next one may show again.
    shown: HashMap<Uuid, Instant>,
    newest_met: Option<Instant>,
    /// Whether an earlier run is continued.
    pub(super) resumed: bool,
    /// Whether the last page was read.
    pub(super) is_over: bool,
    /// The pages read.
    pub(super) count: u64,
}

/// A page that was read and stored.
pub(super) struct StoredPage {
    /// What was done with each record, in order; without those that the page before has shown as they are.
    pub(super) outcomes: Vec<(Uuid, Listed<Fault>)>,
    /// The number of records without a readable id.
    pub(super) without_id: u64,
    /// Why the list cannot be followed further, once the records of this page are dealt with.
    pub(super) broken: Option<Error>,
}

/// Where a list goes on.
enum Onward {
    End,
    /// At this link.
    Link(Continuation),
    /// With a query of its own.
    AskAgain,
    /// Nowhere, for this reason.
    Unusable(String),
}

impl Pages {
    /// Continues where the progress says, or begins.
    pub(super) fn begin(engine: &Arc<Engine>, listing: Listing, mut at: Watermark) -> Result<Self, Error> {
        // An address of another CDMS, or of another version of this program, is not resumed from.
        let (client, query) = (engine.client()?, listing.query());
        let next = at.next.as_deref().and_then(|kept| client.remembered(&listing.shape, &query, kept));
        let resumed = next.is_some() || matches!(listing.reads, Reads::Changes(_)) && at.times.since.is_some();
        if !resumed {
            at = beginning(at);
        }
        let (engine, links, begun) = (Arc::clone(engine), Links::default(), engine.clock.monotonic());
        let (asked_at, shown, newest_met) = (None, HashMap::new(), None);
        let (is_over, count) = (false, 0);
        Ok(Pages { engine, listing, at, next, links, asked_at, begun, shown, newest_met, resumed, is_over, count })
    }

    fn step(&self, action: &'static str) -> Step {
        Step { operation: self.listing.operation, action }
    }

    pub(super) fn model(&self) -> &'static ModelDescriptor {
        self.listing.claim.model
    }

    /// The number of pages stored since the beginning, including earlier runs.
    pub(super) fn position(&self) -> i64 {
        self.at.pages
    }

    /// When the list was first asked for, by the database's clock, once it was read to its end.
    pub(super) fn checked_at(&self) -> Option<Instant> {
        self.at.times.checked_at
    }

    /// Reads and stores the next page.
    pub(super) async fn page(&mut self) -> Result<StoredPage, Error> {
        let engine = Arc::clone(&self.engine);
        let (model, client) = (self.listing.claim.model, engine.client()?);
        engine.admit(model)?;
        let asked_at = match self.asked_at.take() {
            Some(version) => version,
            None => engine.store.newest_version().await?,
        };
        pass(self.step("fetch"), Moment::Before).await;
        let (shape, query) = (&self.listing.shape, self.listing.query());
        let PageRead { records, without_id, next, told } = match client.page(shape, &query, self.next.as_ref()).await {
            // The address that an earlier run stored may be stale; one that CDMS has just returned is not.
            Err(PageFailure::Refused(reason)) if self.resumed && self.count == 0 && self.next.is_some() => {
                tracing::info!(model = model.name, reason, "the {} starts over", self.listing.operation);
                (self.at, self.resumed) = (beginning(std::mem::take(&mut self.at)), false);
                client.page(shape, &query, None).await.map_err(failed)?
            }
            page => page.map_err(failed)?,
        };
        pass(self.step("fetch"), Moment::After).await;
        let times: Vec<_> =
            records.iter().filter_map(|(id, record)| Some((*id, record.as_ref().ok()?.facts.modified))).collect();
        let onward = self.onward(next, &times, told)?;
        match &onward {
            Onward::End | Onward::AskAgain => self.at.next = None,
            Onward::Link(next) => self.at.next = Some(next.as_str().to_owned()),
            // The records of this page are good; the next run begins with this page.
            Onward::Unusable(_) => {}
        }
        let vouched = matches!(onward, Onward::End).then(|| self.complete()).flatten();
        self.at.pages += 1;
        self.at.records += i64::try_from(records.len()).unwrap_or(i64::MAX);
        let page = Page {
            claim: self.listing.claim.clone(),
            actor: engine.program.to_string(),
            program: engine.program.to_string(),
            records,
            watermark: self.at.clone(),
            vouched,
            judge: self.judge(asked_at),
            step: self.step("store"),
        };
        pass(self.step("store"), Moment::Before).await;
        let stored = engine.store.store_page(page).await?;
        pass(self.step("store"), Moment::After).await;
        let mut outcomes = match stored {
            PageStored::Done(outcomes) => outcomes,
            PageStored::TakenOver => {
                let message = format!("another {} of {} has taken over", self.listing.operation, model.name);
                return Err(Error::new(ErrorKind::Busy, message).advise("let that one finish; nothing is lost"));
            }
        };
        for (id, outcome) in &outcomes {
            if let Some(commit) = outcome.commit() {
                News::of(commit).tell(model, *id);
            }
        }
        let modified: HashMap<_, _> = times.into_iter().collect();
        outcomes.retain(|(id, outcome)| {
            !matches!(outcome, Listed::AsIs) || self.shown.get(id).is_none_or(|shown| modified.get(id) != Some(shown))
        });
        self.shown = if matches!(onward, Onward::AskAgain) { modified } else { HashMap::new() };
        self.count += 1;
        let mut broken = None;
        self.next = match onward {
            Onward::End => {
                self.is_over = true;
                None
            }
            Onward::AskAgain => {
                self.links = Links::default();
                None
            }
            Onward::Link(next) => {
                broken = self.links.follow(model, &next).err();
                Some(next)
            }
            Onward::Unusable(reason) => {
                broken = Some(Error::new(ErrorKind::Misconfigured, reason));
                None
            }
        };
        Ok(StoredPage { outcomes, without_id: u64::try_from(without_id).unwrap_or(u64::MAX), broken })
    }

    /// Where the list goes on after a page with these times of change.
    fn onward(&mut self, next: Next, times: &[(Uuid, Instant)], told: ToldTime) -> Result<Onward, Error> {
        let modified = || times.iter().map(|(_, modified)| *modified);
        self.newest_met = self.newest_met.max(modified().max());
        let (is_last, linked) = match next {
            Next::End => (true, Onward::End),
            Next::Page { at, .. } => (false, Onward::Link(at)),
            Next::Unusable(reason) => (false, Onward::Unusable(reason)),
        };
        let Reads::Changes(changes) = &mut self.listing.reads else { return Ok(linked) };
        let took = self.engine.clock.monotonic().saturating_sub(self.begun);
        let took_ms = (!self.resumed).then(|| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let after = changes.page(modified(), is_last, told, took_ms);
        let times = &mut self.at.times;
        (times.since, times.begun, times.newest) = (Some(changes.since), changes.begun, changes.newest);
        match after {
            AfterPage::Complete { watermark } => {
                (times.since, times.begun, times.newest) = (None, None, None);
                times.watermark = Some(watermark);
                Ok(Onward::End)
            }
            AfterPage::AskAgain => Ok(Onward::AskAgain),
            AfterPage::Follow => Ok(linked),
            AfterPage::Unordered => {
                let set = self.listing.claim.model.entity.set;
                let message =
                    format!("CDMS's list of {set} is not in the order of the times of change that it was asked for");
                Err(Error::new(ErrorKind::Misconfigured, message).advise("load the model again with `restart()`"))
            }
        }
    }

    /// Notes that the list was read to its end, and returns what a first load vouches for.
    fn complete(&mut self) -> Option<Vouched> {
        let times = &mut self.at.times;
        times.checked_at = times.asked_at;
        match &self.listing.reads {
            Reads::Load(changes) => Some(Vouched {
                changes: Arc::clone(changes),
                watermark: watermark_after_load(times.newest?, self.newest_met),
                asked_at: times.asked_at?,
            }),
            Reads::All | Reads::Changes(_) => None,
        }
    }

    fn judge(&self, at: Version) -> Judge {
        let (model, decide) = (self.listing.claim.model, self.listing.decide);
        let (actor, clock_skew_ms) = (Arc::clone(&self.engine.program), self.engine.settings.clock_skew_ms());
        Box::new(move |id, loaded, record| {
            let mapping = ModelMapping::new(model, id, Arc::clone(&actor));
            decide(&mapping, loaded, record, Asked { at, clock_skew_ms })
        })
    }
}

impl Listing {
    /// What is asked of CDMS. What has changed is asked without the model's condition: a record that has left the model
    /// would not be seen otherwise.
    fn query(&self) -> ListQuery {
        let model = self.claim.model;
        match &self.reads {
            Reads::All => ListQuery::default(),
            Reads::Load(_) => ListQuery { filter: of_model(model), ..ListQuery::default() },
            Reads::Changes(changes) => {
                let mut filter = changed_since(model, changes.since);
                if planted(Planted::ConditionOfChanges)
                    && let (Some(changed), Some(condition)) = (&filter, of_model(model))
                {
                    filter = Some(format!("{changed} and ({condition})"));
                }
                let by = |attribute: &'static str| (attribute.into(), Direction::Ascending);
                let order = vec![by(model.entity.modified), by(model.entity.key)];
                ListQuery { filter, order, ..ListQuery::default() }
            }
        }
    }
}

/// The same work, from its beginning.
fn beginning(at: Watermark) -> Watermark {
    Watermark { attributes: at.attributes, times: at.times, ..Watermark::default() }
}

pub(super) fn failed(failure: PageFailure) -> Error {
    match failure {
        PageFailure::NotSent(error) => Error::new(ErrorKind::Misconfigured, error.to_string()),
        PageFailure::Unavailable(reason) => {
            Error::because(ErrorKind::Unavailable, reason).advise("pull again later; it resumes where it stopped")
        }
        PageFailure::LoginRefused(reason) => Error::login_refused(reason),
        PageFailure::Refused(reason) => Error::new(ErrorKind::Misconfigured, reason)
            .advise("compare the contract with $metadata, or pull with `restart()`"),
        PageFailure::Misconfigured(reason) => Error::new(ErrorKind::Misconfigured, reason),
    }
}

/// Detects a list that leads back to itself, by its links. Remembers one link at a time.
#[derive(Default)]
pub(super) struct Links {
    remembered: Option<Continuation>,
    followed: u64,
}

impl Links {
    pub(super) fn follow(&mut self, model: &ModelDescriptor, next: &Continuation) -> Result<(), Error> {
        if self.remembered.as_ref() == Some(next) {
            let message = format!("CDMS's list of {} leads back to a page that was already read", model.entity.set);
            return Err(
                Error::new(ErrorKind::Misconfigured, message).advise("pull with `restart()` once that is fixed")
            );
        }
        self.followed += 1;
        // At every power of two: a cycle of any length is detected before the next one.
        if self.followed.is_power_of_two() {
            self.remembered = Some(next.clone());
        }
        Ok(())
    }
}
