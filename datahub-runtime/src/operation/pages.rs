//! Reading the pages of a set one after the other, and storing each with the progress, for a pull and for a backfill.

use std::sync::Arc;

use cdms_odata::dialect::{Continuation, ListQuery, Next};
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{Listed, Loaded, Record, Version};
use uuid::Uuid;

use crate::cdms::{PageFailure, PageRead, RecordShape};
use crate::crash_points::{Moment, Step, pass};
use crate::engine::Engine;
use crate::engine::executor::News;
use crate::engine::mapping::ModelMapping;
use crate::store::{Claim, Judge, Page, PageStored, Watermark};
use crate::{Error, ErrorKind};

/// What is read of a set, and what is done with each of its records.
pub(super) struct Listing {
    /// The operation's name in points and traces.
    pub(super) operation: &'static str,
    pub(super) claim: Claim,
    pub(super) shape: Arc<RecordShape>,
    pub(super) decide: Decide,
}

/// Decides about a record of a page; `asked_at` is the newest version when the page was requested.
pub(super) type Decide = fn(&ModelMapping, &Loaded, Result<Record, Fault>, Asked) -> Listed<Fault>;

/// The circumstances in which a page was requested.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) at: Version,
    pub(super) clock_skew_ms: i64,
}

/// The pages of a set, from where an earlier run stopped.
pub(super) struct Pages {
    engine: Arc<Engine>,
    listing: Listing,
    at: Watermark,
    next: Option<Continuation>,
    links: Links,
    /// Whether an earlier run is continued.
    pub(super) resumed: bool,
    /// Whether the last page was read.
    pub(super) is_over: bool,
    /// The pages read.
    pub(super) count: u64,
}

/// A page that was read and stored.
pub(super) struct StoredPage {
    /// What was done with each record, in order.
    pub(super) outcomes: Vec<(Uuid, Listed<Fault>)>,
    /// The number of records without a readable id.
    pub(super) without_id: u64,
    /// Why the list cannot be followed further, once the records of this page are dealt with.
    pub(super) broken: Option<Error>,
}

impl Pages {
    /// Continues where the progress says, or begins.
    pub(super) fn begin(engine: &Arc<Engine>, listing: Listing, mut at: Watermark) -> Result<Self, Error> {
        // An address of another CDMS, or of another version of this program, is not resumed from.
        let client = engine.client()?;
        let next = at.next.as_deref().and_then(|kept| client.remembered(&listing.shape, &ListQuery::default(), kept));
        let resumed = next.is_some();
        if !resumed {
            at = beginning(at);
        }
        let (engine, links) = (Arc::clone(engine), Links::default());
        Ok(Pages { engine, listing, at, next, links, resumed, is_over: false, count: 0 })
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

    /// Reads and stores the next page.
    pub(super) async fn page(&mut self) -> Result<StoredPage, Error> {
        let engine = Arc::clone(&self.engine);
        let (model, client) = (self.listing.claim.model, engine.client()?);
        engine.admit(model)?;
        let asked_at = engine.store.newest_version().await?;
        pass(self.step("fetch"), Moment::Before).await;
        let (shape, query) = (&self.listing.shape, ListQuery::default());
        let PageRead { records, without_id, next } = match client.page(shape, &query, self.next.as_ref()).await {
            // The address that an earlier run stored may be stale; one that CDMS has just returned is not.
            Err(PageFailure::Refused(reason)) if self.resumed && self.count == 0 => {
                tracing::info!(model = model.name, reason, "the {} starts over", self.listing.operation);
                (self.at, self.resumed) = (beginning(std::mem::take(&mut self.at)), false);
                client.page(shape, &query, None).await.map_err(failed)?
            }
            page => page.map_err(failed)?,
        };
        pass(self.step("fetch"), Moment::After).await;
        match &next {
            Next::End => self.at.next = None,
            Next::Page { at: next, .. } => self.at.next = Some(next.as_str().to_owned()),
            // The records of this page are good; the next run begins with this page.
            Next::Unusable(_) => {}
        }
        self.at.pages += 1;
        self.at.records += i64::try_from(records.len()).unwrap_or(i64::MAX);
        let page = Page {
            claim: self.listing.claim.clone(),
            actor: engine.program.to_string(),
            program: engine.program.to_string(),
            records,
            watermark: self.at.clone(),
            judge: self.judge(asked_at),
            step: self.step("store"),
        };
        pass(self.step("store"), Moment::Before).await;
        let stored = engine.store.store_page(page).await?;
        pass(self.step("store"), Moment::After).await;
        let outcomes = match stored {
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
        self.count += 1;
        let mut broken = None;
        self.next = match next {
            Next::End => {
                self.is_over = true;
                None
            }
            Next::Page { at: next, .. } => {
                broken = self.links.follow(model, &next).err();
                Some(next)
            }
            Next::Unusable(reason) => {
                broken = Some(Error::new(ErrorKind::Misconfigured, reason));
                None
            }
        };
        Ok(StoredPage { outcomes, without_id: u64::try_from(without_id).unwrap_or(u64::MAX), broken })
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

/// The same work, from its beginning.
fn beginning(at: Watermark) -> Watermark {
    Watermark { attributes: at.attributes, ..Watermark::default() }
}

fn failed(failure: PageFailure) -> Error {
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
struct Links {
    remembered: Option<Continuation>,
    followed: u64,
}

impl Links {
    fn follow(&mut self, model: &ModelDescriptor, next: &Continuation) -> Result<(), Error> {
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
