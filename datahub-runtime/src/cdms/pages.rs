//! Reading the records of a set page by page, as CDMS links them.

use std::sync::atomic::Ordering;

use cdms_odata::client::Refusal;
use datahub_model::ModelDescriptor;
use url::Url;

use super::client::{Client, Unanswered};
use super::shape::{Records, Unreadable};

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

/// Where a list goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nowhere: this was its last page.
    End,
    /// At this address.
    Page(String),
    /// At one that is none of its pages, for this reason.
    Unusable(String),
}

/// Why there is no page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PageFailure {
    /// CDMS could not be reached or did not answer properly.
    Unavailable(String),
    /// CDMS refuses the login.
    LoginRefused(String),
    /// CDMS does not take the address: for a remembered one, the list may have changed since.
    Refused(String),
    /// What answered is not the CDMS that is configured.
    Misconfigured(String),
}

impl Client {
    /// The address of a set's first page, with the attributes that the model reads.
    pub(crate) fn first_page(&self, model: &'static ModelDescriptor) -> String {
        let root = self.transport.root();
        root.select(root.set(model.entity.set), self.shape(model).names()).url
    }

    /// A page that an earlier run has remembered, if it is one of the list that this program reads.
    pub(crate) fn remembered_page(&self, model: &'static ModelDescriptor, url: &str) -> Option<String> {
        let next = self.transport.root().next_page(&self.first_page(model), url);
        next.ok().filter(|next| !next.is_foreign).map(|next| next.url)
    }

    fn next(&self, model: &'static ModelDescriptor, link: Option<&str>) -> Next {
        let Some(link) = link else { return Next::End };
        match self.transport.root().next_page(&self.first_page(model), link) {
            Ok(next) => {
                if next.is_foreign && !self.met_foreign_link.swap(true, Ordering::Relaxed) {
                    let host = Url::parse(link).ok().and_then(|link| link.host_str().map(str::to_owned));
                    tracing::warn!(
                        host,
                        "CDMS's links name another address than the configured one; their queries are sent to the configured one"
                    );
                }
                Next::Page(next.url)
            }
            Err(bad) => Next::Unusable(format!(
                "the list of {} goes on with a link that is not followed: {bad}; check what stands between this program \
                 and CDMS",
                model.entity.set
            )),
        }
    }

    /// Reads a page. Dropping the future is harmless.
    pub(crate) async fn page(&self, model: &'static ModelDescriptor, url: &str) -> Result<PageRead, PageFailure> {
        let set = model.entity.set;
        let answer = self.get(url.to_owned(), set).await.map_err(|unanswered| match unanswered {
            Unanswered::LoginRefused(reason) => PageFailure::LoginRefused(reason),
            Unanswered::Unavailable(reason) => PageFailure::Unavailable(reason),
        })?;
        let status = answer.status.as_u16();
        if status != 200 {
            let refusal = Refusal::read(status, &answer.body);
            let said = match &refusal {
                Some(refusal) => format!("{} (status {status})", refusal.message),
                None => format!("{} (status {status})", answer.in_words()),
            };
            return Err(match (status, refusal) {
                (408 | 429, _) => {
                    PageFailure::Unavailable(format!("CDMS has too much to do for a list of {set}: {said}"))
                }
                (400 | 404, Some(_)) => PageFailure::Refused(format!("CDMS does not take a list of {set}: {said}")),
                (400..=499, Some(_)) => {
                    PageFailure::Misconfigured(format!("CDMS does not give a list of {set}: {said}"))
                }
                (300..=499, _) => PageFailure::Misconfigured(format!(
                    "CDMS does not give a list of {set}: {said}; check its address and the rights of its user"
                )),
                _ => PageFailure::Unavailable(format!("CDMS does not give a list of {set}: {said}")),
            });
        }
        let (records, without_id, link) =
            self.shape(model).read_page(&answer.body).map_err(|unreadable| match unreadable {
                Unreadable::NoRecord(reason) => {
                    PageFailure::Unavailable(format!("{} instead of a list of {set} ({reason})", answer.in_words()))
                }
                Unreadable::Value(_, fault) => PageFailure::Unavailable(format!("a list of {set}: {fault}")),
            })?;
        Ok(PageRead { records, without_id, next: self.next(model, link.as_deref()) })
    }
}
