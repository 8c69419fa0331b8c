//! The dialect of CRM 2011: the REST endpoint `OrganizationData.svc`, OData v2 in verbose JSON.

mod error;
pub mod json;
mod outcome;
mod position;
mod reading;
mod root;
#[cfg(test)]
mod tests;

use ::url::Url;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use uuid::Uuid;

use crate::dialect::{
    Abilities, AddressError, Carried, Contact, ContactAnswer, Continuation, Dialect, EntityShape, HttpRequest,
    HttpResponse, ListError, ListQuery, PageAnswer, ReadAnswer, SetIs, TrialAnswer, Write, WriteAnswer, WriteError,
    WriteRequest,
};
use crate::{Kind, Value};

pub use error::{read_refusal, refusal, write_is_refused};
pub use outcome::{Body, outcome};
pub use root::{BadLink, MAX_URI, NextPage, Selected, ServiceRoot};

/// A CRM 2011 at one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crm2011 {
    root: ServiceRoot,
}

impl Crm2011 {
    /// The CRM 2011 at the address of an organisation or of its data service.
    ///
    /// # Errors
    ///
    /// See [`ServiceRoot::parse`].
    pub fn at(address: &str) -> Result<Self, AddressError> {
        Ok(Crm2011 { root: ServiceRoot::parse(address)? })
    }

    /// As [`at`](Crm2011::at), with plain http also to the hosts with these names.
    ///
    /// # Errors
    ///
    /// See [`ServiceRoot::parse`].
    pub fn at_with_plain(address: &str, plain_http: &[String]) -> Result<Self, AddressError> {
        Ok(Crm2011 { root: ServiceRoot::parse_with_plain(address, plain_http)? })
    }

    /// The page that a link of CDMS's leads to, if it is one of this list.
    fn next_page(&self, entity: &EntityShape, query: &ListQuery, link: &str) -> Result<NextPage, BadLink> {
        let first = self.root.list(entity.set, names(entity), query)?;
        self.root.next_page(&first, link)
    }
}

/// The set that holds the one organisation, and its key.
const ORGANISATIONS: (&str, &str) = ("OrganizationSet", "OrganizationId");

/// The set of users, its key, and the attribute by which a user is found.
const USERS: (&str, &str, &str) = ("SystemUserSet", "SystemUserId", "DomainName");

/// The set that answers a question, and its key.
fn contact_of(question: Contact<'_>) -> (&'static str, &'static str) {
    match question {
        Contact::Organisation => ORGANISATIONS,
        Contact::User(_) => (USERS.0, USERS.1),
    }
}

fn names(entity: &EntityShape) -> impl Iterator<Item = &'static str> {
    entity.attributes.iter().map(|(name, _)| *name)
}

fn get(about: &'static str, url: String) -> HttpRequest {
    let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    HttpRequest { about, method: Method::GET, url, headers, body: None }
}

impl Dialect for Crm2011 {
    fn abilities(&self) -> Abilities {
        Abilities { has_preconditions: false, carries_created: true, tells_deletions: false }
    }

    fn root(&self) -> &Url {
        self.root.url()
    }

    fn organisation(&self) -> Url {
        self.root.organisation()
    }

    fn contact(&self, question: Contact<'_>) -> HttpRequest {
        let (set, key) = contact_of(question);
        let url = match question {
            Contact::Organisation => format!("{}?$select={key}", self.root.set(set)),
            Contact::User(name) => self.root.find_text(set, USERS.2, name, key),
        };
        get(set, url)
    }

    fn contact_answer(&self, question: Contact<'_>, response: &HttpResponse) -> ContactAnswer {
        let (set, key) = contact_of(question);
        reading::contact(set, key, response)
    }

    fn metadata(&self) -> HttpRequest {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/xml"))]);
        HttpRequest { headers, ..get("$metadata", self.root.set("$metadata")) }
    }

    fn trial(&self, set: &str, key: &str) -> HttpRequest {
        get("a trial read", format!("{}?$select={key}&$top=1", self.root.set(set)))
    }

    fn trial_answer(&self, response: &HttpResponse) -> TrialAnswer {
        reading::trial(response)
    }

    fn read(&self, entity: &EntityShape, id: Uuid) -> HttpRequest {
        get(entity.set, self.root.select(self.root.record(entity.set, id), names(entity)).url)
    }

    fn read_answer(&self, entity: &EntityShape, id: Uuid, set: SetIs, response: &HttpResponse) -> ReadAnswer {
        reading::record(entity, id, set, response)
    }

    fn write(&self, write: &WriteRequest<'_>) -> Result<HttpRequest, WriteError> {
        let WriteRequest { entity, id, write, operation, values, precondition } = write;
        if precondition.is_some() {
            return Err(WriteError::Precondition);
        }
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        if *write != Write::Delete {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        }
        let operation = HeaderValue::try_from(operation.to_string());
        headers.insert("x-datahub-operation", operation.expect("a GUID is written in ASCII"));
        let key = Value::Guid(*id);
        let values = values.iter().map(|(name, kind, value)| (*name, *kind, value.as_ref()));
        let (method, url, body) = match write {
            Write::Create => {
                let body = json::write_record(values.chain([(entity.key, Kind::Guid, &key)]))?;
                (Method::POST, self.root.set(entity.set), Some(body))
            }
            Write::Update => {
                headers.insert("x-http-method", HeaderValue::from_static("MERGE"));
                (Method::POST, self.root.record(entity.set, *id), Some(json::write_record(values)?))
            }
            Write::Delete => (Method::DELETE, self.root.record(entity.set, *id), None),
        };
        Ok(HttpRequest { about: entity.set, method, url, headers, body })
    }

    fn write_answer(&self, entity: &EntityShape, write: Write, response: &HttpResponse) -> WriteAnswer<Carried> {
        let status = response.status.as_u16();
        let body = if (write, status) == (Write::Create, 201) {
            reading::carried(entity, &response.body).map_or_else(|error| Body::Other(error.to_string()), Body::Record)
        } else if let Some(refusal) = read_refusal(status, &response.body) {
            Body::Refusal(refusal)
        } else if response.body.is_empty() && !response.status.is_redirection() {
            Body::Empty
        } else {
            Body::Other(response.in_words())
        };
        outcome(write, status, body)
    }

    fn page(
        &self,
        entity: &EntityShape,
        query: &ListQuery,
        at: Option<&Continuation>,
    ) -> Result<HttpRequest, ListError> {
        let url = match at {
            Some(at) => at.as_str().to_owned(),
            None => self.root.list(entity.set, names(entity), query)?,
        };
        Ok(get(entity.set, url))
    }

    fn page_answer(&self, entity: &EntityShape, query: &ListQuery, response: &HttpResponse) -> PageAnswer {
        reading::page(entity, response, |link| self.next_page(entity, query, link))
    }

    fn continuation(&self, entity: &EntityShape, query: &ListQuery, kept: &str) -> Option<Continuation> {
        let next = self.next_page(entity, query, kept);
        next.ok().filter(|next| !next.is_foreign).map(|next| Continuation(next.url))
    }

    fn position(&self, at: &Continuation) -> Option<String> {
        self.root.skip_token(at.as_str())
    }

    fn at_position(&self, entity: &EntityShape, query: &ListQuery, position: &str) -> Result<Continuation, ListError> {
        self.root.list_at(entity.set, names(entity), query, position).map(Continuation)
    }
}
