//! Reading the records of a set page by page, as CDMS links them.

use std::sync::atomic::Ordering;

use cdms_odata::dialect::{Continuation, ListError, ListQuery, Next, Page, PageAnswer};
use datahub_protocol::Reason;

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

impl Client {
    /// Where an earlier run stopped, if that belongs to the list that this program reads.
    pub(crate) fn remembered(&self, shape: &RecordShape, query: &ListQuery, kept: &str) -> Option<Continuation> {
        self.dialect.continuation(shape.entity(), query, kept)
    }

    /// Reads the first page of a list, or the one at a continuation. Dropping the future is harmless.
    pub(crate) async fn page(
        &self,
        shape: &RecordShape,
        query: &ListQuery,
        at: Option<&Continuation>,
    ) -> Result<PageRead, PageFailure> {
        let request = self.dialect.page(shape.entity(), query, at).map_err(PageFailure::NotSent)?;
        let response = self.get(request).await.map_err(|unanswered| match unanswered {
            Unanswered::LoginRefused(reason) => PageFailure::LoginRefused(reason),
            Unanswered::Unavailable(reason) => PageFailure::Unavailable(reason),
        })?;
        match self.dialect.page_answer(shape.entity(), query, &response) {
            PageAnswer::Page(Page { records, next }) => {
                if let Next::Page { other_host: Some(host), .. } = &next {
                    self.met_link_to(host);
                }
                let (records, without_id) = shape.records(records);
                Ok(PageRead { records, without_id, next })
            }
            PageAnswer::Refused(reason) => Err(PageFailure::Refused(reason)),
            PageAnswer::Unavailable(reason) => Err(PageFailure::Unavailable(reason.into())),
            PageAnswer::Misconfigured(reason) => Err(PageFailure::Misconfigured(reason)),
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
