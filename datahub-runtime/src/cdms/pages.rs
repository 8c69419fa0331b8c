//! Reading the records of a set page by page, as CDMS links them.

use std::sync::atomic::Ordering;

use cdms_odata::Instant;
use cdms_odata::dialect::{Continuation, Direction, HttpResponse, ListError, ListQuery, Next, Page, PageAnswer};
use chrono::{DateTime, Utc};
use datahub_model::ModelDescriptor;
use datahub_protocol::{Reason, ToldTime};
use http::header::DATE;

use super::background::BackgroundTurn;
use super::client::{Client, Unanswered};
use super::shape::{RecordShape, Records};

/// A page of a set.
#[derive(Debug)]
pub(crate) struct PageRead {
    /// The records in CDMS's order, each id once; a record that cannot be read is there with its fault.
    pub(crate) records: Records,
    /// How many records had not even a readable id.
    pub(crate) without_id: usize,
    /// Where the list goes on.
    pub(crate) next: Next,
    /// What the response says about CDMS's clock.
    pub(crate) told: ToldTime,
}

/// Why there is no page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PageFailure {
    /// The list cannot be requested; nothing was sent.
    NotSent(ListError),
    /// CDMS could not be reached or did not answer properly.
    Unavailable(Reason),
    /// CDMS refuses the login.
    LoginRefused(Reason),
    /// CDMS refused the request. For a stored continuation, the list may have changed since.
    Refused(String),
    /// The configuration does not fit what responded.
    Misconfigured(String),
}

/// Who made up the condition of a list. Only a list of the hub's own surely asks for no more than the contract states.
#[derive(Clone, Copy)]
enum Query {
    OurOwn,
    OfCaller,
}

impl Client {
    /// Where an earlier run stopped, if that belongs to the list that this program reads.
    pub(crate) fn remembered(&self, shape: &RecordShape, query: &ListQuery, kept: &str) -> Option<Continuation> {
        self.dialect.continuation(shape.entity(), query, kept)
    }

    /// The address that the first page of a list is read from.
    pub(crate) fn address(&self, shape: &RecordShape, query: &ListQuery) -> Result<String, ListError> {
        self.dialect.page(shape.entity(), query, None).map(|request| request.url)
    }

    /// The part of a continuation that differs from page to page.
    pub(crate) fn position(&self, at: &Continuation) -> Option<String> {
        self.dialect.position(at)
    }

    /// The continuation of a list at a position.
    pub(crate) fn at_position(
        &self,
        shape: &RecordShape,
        query: &ListQuery,
        position: &str,
    ) -> Result<Continuation, ListError> {
        self.dialect.at_position(shape.entity(), query, position)
    }

    /// Reads the first page of a list, or the one at a continuation, when the background has its turn. Dropping the future is
    /// harmless.
    pub(crate) async fn page(
        &self,
        shape: &RecordShape,
        query: &ListQuery,
        at: Option<&Continuation>,
    ) -> Result<PageRead, PageFailure> {
        let _turn = self.background.turn().await;
        self.read_page(shape, query, at, Query::OurOwn).await
    }

    /// Reads a page that a person waits for. Dropping the future is harmless.
    pub(crate) async fn page_at_once(
        &self,
        shape: &RecordShape,
        query: &ListQuery,
        at: Option<&Continuation>,
    ) -> Result<PageRead, PageFailure> {
        self.read_page(shape, query, at, Query::OfCaller).await
    }

    async fn read_page(
        &self,
        shape: &RecordShape,
        query: &ListQuery,
        at: Option<&Continuation>,
        whose: Query,
    ) -> Result<PageRead, PageFailure> {
        let request = self.dialect.page(shape.entity(), query, at).map_err(PageFailure::NotSent)?;
        let begun = self.clock.monotonic();
        let response = self.get(request).await.map_err(|unanswered| match unanswered {
            Unanswered::LoginRefused(reason) => PageFailure::LoginRefused(reason),
            Unanswered::Unavailable(reason) => PageFailure::Unavailable(reason),
        })?;
        let took = self.clock.monotonic().saturating_sub(begun);
        let told = ToldTime { date: date(&response), took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX) };
        let answer = self.dialect.page_answer(shape.entity(), query, &response);
        if let PageAnswer::Refused(_) | PageAnswer::Misconfigured(_) = &answer {
            let (model, said) = (shape.model().name, self.dialect.trial_answer(&response));
            match whose {
                Query::OurOwn if at.is_none() => self.troubles.answered_to_contract(model, said),
                Query::OurOwn | Query::OfCaller => self.troubles.answered(model, said),
            }
        }
        match answer {
            PageAnswer::Page(Page { records, next }) => {
                self.troubles.carried(shape.model().name, records.iter());
                if let Next::Page { other_host: Some(host), .. } = &next {
                    self.met_link_to(host);
                }
                let (records, without_id) = shape.records(records);
                Ok(PageRead { records, without_id, next, told })
            }
            PageAnswer::Refused(reason) => Err(PageFailure::Refused(reason)),
            PageAnswer::Unavailable(reason) => Err(PageFailure::Unavailable(reason.into())),
            PageAnswer::Misconfigured(reason) => Err(PageFailure::Misconfigured(reason)),
        }
    }

    /// Waits until the background may send a request that is no page.
    pub(crate) async fn background_turn(&self) -> BackgroundTurn {
        self.background.turn().await
    }

    /// The newest time at which a record of the entity has changed, if there is a record, and what CDMS's clock shows.
    pub(crate) async fn newest_change(
        &self,
        model: &'static ModelDescriptor,
    ) -> Result<(Option<Instant>, ToldTime), PageFailure> {
        let shape = RecordShape::only(model, &[]);
        let order = vec![(model.entity.modified.into(), Direction::Descending)];
        let query = ListQuery { order, top: Some(1), ..ListQuery::default() };
        let PageRead { records, told, .. } = self.page(&shape, &query, None).await?;
        match records.into_iter().next() {
            Some((_, Ok(record))) => Ok((Some(record.facts.modified), told)),
            Some((id, Err(fault))) => {
                Err(PageFailure::Misconfigured(format!("record {id} of {}: {fault}", model.entity.set)))
            }
            None => Ok((None, told)),
        }
    }

    /// Logs once that CDMS's links name another host.
    fn met_link_to(&self, host: &str) {
        if !self.met_foreign_link.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                host,
                "CDMS's links name another address than the configured one; their queries are sent to the configured one"
            );
        }
    }
}

/// The time at which a response was made, by the clock of the server that made it.
fn date(response: &HttpResponse) -> Option<Instant> {
    let stated = response.headers.get(DATE)?.to_str().ok()?;
    let date = DateTime::parse_from_rfc2822(stated).ok()?;
    Some(Instant::from(date.with_timezone(&Utc)))
}
