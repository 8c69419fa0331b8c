//! Reading the records of a set page by page, as CDMS links them.

use cdms_odata::client::{Meaning, Refusal};
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::Record;
use url::Url;
use uuid::Uuid;

use super::client::Client;
use super::shape::Unreadable;

/// A page of a set.
#[derive(Debug)]
pub(crate) struct PageRead {
    /// The records in CDMS's order, each id once; a record that cannot be read is there with its fault.
    pub(crate) records: Vec<(Uuid, Result<Record, Fault>)>,
    /// How many records had not even a readable id.
    pub(crate) without_id: usize,
    /// The address of the next page.
    pub(crate) next: Option<String>,
}

/// Why there is no page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PageFailure {
    /// CDMS could not be reached or did not answer properly.
    Unavailable(String),
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

    /// Whether an address is a page of the model's set in this CDMS.
    pub(crate) fn is_page_of(&self, model: &ModelDescriptor, url: &str) -> bool {
        let last = |url: Url| url.path_segments()?.next_back().map(str::to_owned);
        self.transport.root().contains(url) && Url::parse(url).ok().and_then(last).as_deref() == Some(model.entity.set)
    }

    /// Reads a page. Dropping the future is harmless.
    pub(crate) async fn page(&self, model: &'static ModelDescriptor, url: &str) -> Result<PageRead, PageFailure> {
        let set = model.entity.set;
        let answer = self.get(url.to_owned(), set).await.map_err(PageFailure::Unavailable)?;
        let status = answer.status.as_u16();
        if status != 200 {
            let refusal = Refusal::read(status, &answer.body);
            let said = match &refusal {
                Some(refusal) => format!("{} (status {status})", refusal.message),
                None => format!("{} (status {status})", answer.in_words()),
            };
            return Err(match (status, refusal) {
                (400 | 404, Some(_)) => PageFailure::Refused(format!("CDMS does not take a list of {set}: {said}")),
                (400..=499, Some(refusal)) if refusal.meaning() != Meaning::RecordMissing => {
                    PageFailure::Misconfigured(format!("CDMS does not give a list of {set}: {said}"))
                }
                (300..=499, _) => PageFailure::Misconfigured(format!(
                    "CDMS does not give a list of {set}: {said}; check its address and the rights of its user"
                )),
                _ => PageFailure::Unavailable(format!("CDMS does not give a list of {set}: {said}")),
            });
        }
        let page = self.shape(model).read_page(&answer.body).map_err(|unreadable| match unreadable {
            Unreadable::NoRecord(reason) => {
                PageFailure::Unavailable(format!("{} instead of a list of {set} ({reason})", answer.in_words()))
            }
            Unreadable::Value(_, fault) => PageFailure::Unavailable(format!("a list of {set}: {fault}")),
        })?;
        match &page.next {
            Some(next) if !self.is_page_of(model, next) => Err(PageFailure::Misconfigured(format!(
                "the list of {set} goes on at an address that is none of its pages, which is not followed; check what \
                 stands between this program and CDMS"
            ))),
            _ => Ok(page),
        }
    }
}
