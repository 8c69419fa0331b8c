//! The dialect of CRM 2011: the REST endpoint `OrganizationData.svc`, OData v2 in verbose JSON.

mod error;
pub mod json;
mod outcome;
mod reading;
mod root;

use ::url::Url;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use uuid::Uuid;

use crate::dialect::{
    Abilities, AddressError, Carried, Contact, ContactAnswer, Continuation, Dialect, EntityShape, HttpRequest,
    HttpResponse, ListError, ListQuery, PageAnswer, ReadAnswer, SetIs, Write, WriteAnswer, WriteError, WriteRequest,
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

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use http::StatusCode;

    use super::*;
    use crate::dialect::{Direction, Expand, Meaning, Next, Precondition, RowVersion};

    const ID: Uuid = Uuid::from_u128(7);
    const ROOT: &str = "https://crm/ORG/XRMServices/2011/OrganizationData.svc";

    fn crm() -> Crm2011 {
        Crm2011::at("https://crm/ORG").unwrap()
    }

    fn account() -> EntityShape {
        let attributes = vec![("AccountId", Kind::Guid), ("Name", Kind::String)];
        EntityShape { name: "Account", set: "AccountSet", key: "AccountId", attributes, optional: Vec::new() }
    }

    fn shown(request: &HttpRequest) -> String {
        let HttpRequest { about, method, url, headers, body } = request;
        let mut text = format!("{about}: {method} {url}\n");
        for (name, value) in headers {
            text += &format!("{name}: {}\n", value.to_str().unwrap());
        }
        text + std::str::from_utf8(body.as_deref().unwrap_or_default()).unwrap()
    }

    #[test]
    fn a_write_is_sent_to_the_byte_like_this() {
        let entity = account();
        let sent = |write, values: &[(&'static str, Kind, Value)]| {
            let values: Vec<_> =
                values.iter().map(|(name, kind, value)| (*name, *kind, Cow::Borrowed(value))).collect();
            let (entity, operation) = (&entity, Uuid::from_u128(9));
            let request = WriteRequest { entity, id: ID, write, operation, values: &values, precondition: None };
            shown(&crm().write(&request).unwrap())
        };
        let name = [("Name", Kind::String, Value::text("Acme"))];
        let operation = "x-datahub-operation: 00000000-0000-0000-0000-000000000009\n";
        let json = format!("accept: application/json\ncontent-type: application/json; charset=utf-8\n{operation}");
        let record = format!("{ROOT}/AccountSet(guid'{ID}')");
        assert_eq!(
            sent(Write::Create, &name),
            format!("AccountSet: POST {ROOT}/AccountSet\n{json}{{\"Name\":\"Acme\",\"AccountId\":\"{ID}\"}}")
        );
        assert_eq!(
            sent(Write::Update, &name),
            format!("AccountSet: POST {record}\n{json}x-http-method: MERGE\n{{\"Name\":\"Acme\"}}")
        );
        let delete = format!("AccountSet: DELETE {record}\naccept: application/json\n{operation}");
        assert_eq!(sent(Write::Delete, &[]), delete);
    }

    #[test]
    fn what_cannot_be_said_is_not_sent() {
        let (entity, values) = (account(), [("Name", Kind::String, Cow::Owned(Value::Integer(1)))]);
        let request = |precondition| {
            let (write, operation) = (Write::Update, Uuid::nil());
            crm().write(&WriteRequest { entity: &entity, id: ID, write, operation, values: &values, precondition })
        };
        assert!(matches!(request(None), Err(WriteError::Value(error)) if error.attribute == "Name"));
        assert!(!crm().abilities().has_preconditions);
        let version = RowVersion::new("W/\"1\"");
        assert_eq!(request(Some(Precondition::At(version))), Err(WriteError::Precondition));
    }

    #[test]
    fn what_reads_asks_for_json_and_the_schema_is_xml() {
        let (crm, entity) = (crm(), account());
        let json = "accept: application/json\n";
        let select = "$select=AccountId,Name";
        for (request, expected) in [
            (
                crm.contact(Contact::Organisation),
                format!("OrganizationSet: GET {ROOT}/OrganizationSet?$select=OrganizationId\n{json}"),
            ),
            (
                crm.contact(Contact::User("DOM\\ada")),
                format!(
                    "SystemUserSet: GET {ROOT}/SystemUserSet?$select=SystemUserId&$filter=DomainName%20eq%20'DOM%5Cada'\n\
                     {json}"
                ),
            ),
            (crm.read(&entity, ID), format!("AccountSet: GET {ROOT}/AccountSet(guid'{ID}')?{select}\n{json}")),
            (
                crm.page(&entity, &ListQuery::default(), None).unwrap(),
                format!("AccountSet: GET {ROOT}/AccountSet?{select}\n{json}"),
            ),
            (crm.metadata(), format!("$metadata: GET {ROOT}/$metadata\naccept: application/xml\n")),
        ] {
            assert_eq!(shown(&request), expected);
        }
    }

    #[test]
    fn a_list_goes_on_where_it_was_left() {
        let (crm, entity, all) = (crm(), account(), ListQuery::default());
        let link = format!("{ROOT}/AccountSet?$select=AccountId,Name&$skiptoken=1");
        let kept = crm.continuation(&entity, &all, &link).expect("it belongs to this list");
        assert_eq!(kept.as_str(), link);
        assert_eq!(crm.page(&entity, &all, Some(&kept)).unwrap().url, link);
        // A continuation of another CDMS, or of a program that reads other attributes.
        for other in [
            "https://crm2/ORG/XRMServices/2011/OrganizationData.svc/AccountSet?$select=AccountId,Name&$skiptoken=1",
            &format!("{ROOT}/AccountSet?$select=AccountId&$skiptoken=1"),
        ] {
            assert_eq!(crm.continuation(&entity, &all, other), None, "{other}");
        }
    }

    #[test]
    fn a_continuation_belongs_to_one_query() {
        let (crm, entity) = (crm(), account());
        let query = ListQuery {
            filter: Some("bill/Name eq 'a & b+c'".to_owned()),
            order: vec![("ModifiedOn".into(), Direction::Descending)],
            top: Some(120),
            expand: Some(Expand { navigation: "bill".into(), key: "BillId".into() }),
        };
        let first = crm.page(&entity, &query, None).unwrap().url;
        let token = "$skiptoken=1,%27accountid%27";
        let link = first.replace("$top=120", "$top=70") + "&" + token;
        let kept = crm.continuation(&entity, &query, &link).expect("it belongs to this query");
        assert_eq!(kept.as_str(), link, "what is left of the limit is in the link");
        assert_eq!(crm.page(&entity, &query, Some(&kept)).unwrap().url, link);
        for other in [
            ListQuery::default(),
            ListQuery { filter: None, ..query.clone() },
            ListQuery { filter: Some("bill/Name eq 'a & b c'".to_owned()), ..query.clone() },
            ListQuery { order: vec![("ModifiedOn".into(), Direction::Ascending)], ..query.clone() },
            ListQuery { expand: None, ..query.clone() },
        ] {
            assert_eq!(crm.continuation(&entity, &other, &link), None, "{other:?}");
        }
        let too_long = ListQuery { filter: Some("x".repeat(2_000)), ..ListQuery::default() };
        assert_eq!(crm.continuation(&entity, &too_long, &link), None);
    }

    #[test]
    fn the_link_in_a_page_is_followed_only_within_the_query() {
        let (crm, entity) = (crm(), account());
        let query = ListQuery { filter: Some("Name eq 'x'".to_owned()), ..ListQuery::default() };
        let first = crm.page(&entity, &query, None).unwrap().url;
        let next = |link: String| {
            let body = format!(r#"{{"d":{{"results":[],"__next":"{link}"}}}}"#).into_bytes();
            let (url, headers) = (Url::parse(ROOT).unwrap(), HeaderMap::new());
            let response = HttpResponse { url, status: StatusCode::OK, headers, body };
            match crm.page_answer(&entity, &query, &response) {
                PageAnswer::Page(page) => page.next,
                other => panic!("{other:?}"),
            }
        };
        let here = format!("{first}&$skiptoken=1");
        assert_eq!(next(here.clone()), Next::Page { at: Continuation(here), other_host: None });
        let all = first.replace("&$filter=Name%20eq%20%27x%27", "");
        assert!(matches!(next(format!("{all}&$skiptoken=1")), Next::Unusable(why) if why.contains("$filter")));
    }

    #[test]
    fn a_position_says_where_in_a_list_to_go_on_and_nothing_else() {
        let (crm, entity) = (crm(), account());
        let query = ListQuery { filter: Some("Name eq 'a & b'".to_owned()), top: Some(21), ..ListQuery::default() };
        let first = crm.page(&entity, &query, None).unwrap().url;
        let link = format!("{first}&$skiptoken=1,'name','a%20%26%20b','%7BGUID%7D'");
        let at = crm.continuation(&entity, &query, &link).expect("it belongs to this query");
        let position = crm.position(&at).expect("it has one");
        assert_eq!(position, "1,'name','a & b','{GUID}'");
        let back = crm.at_position(&entity, &query, &position).unwrap();
        assert_eq!(back.as_str(), format!("{first}&$skiptoken=1,%27name%27,%27a%20%26%20b%27,%27%7BGUID%7D%27"));
        assert_eq!(crm.position(&back), Some(position));
        assert_eq!(crm.position(&Continuation(first)), None, "the first page has none");
        let hostile = "1&$filter=Name ne null&$skiptoken=2#x";
        let at = crm.at_position(&entity, &query, hostile).unwrap();
        assert_eq!(crm.continuation(&entity, &query, at.as_str()), Some(at.clone()), "{at:?}");
        assert_eq!(crm.position(&at).as_deref(), Some(hostile));
    }

    fn written(write: Write, status: u16, body: &str) -> WriteAnswer<Carried> {
        let response = HttpResponse {
            url: Url::parse(ROOT).unwrap(),
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.as_bytes().to_vec(),
        };
        crm().write_answer(&account(), write, &response)
    }

    #[test]
    fn the_answer_to_a_write_is_read_and_judged() {
        let record = |id: &str, name: &str| format!(r#"{{"d":{{"AccountId":{id},"Name":{name}}}}}"#);
        let id = format!("\"{ID}\"");
        for (body, expected) in [
            (record(&id, "\"Acme\""), Some((Some(ID), true))),
            (record(&id, "5"), Some((Some(ID), false))),
            (record("null", "\"Acme\""), Some((None, true))),
            ("{}".to_owned(), None),
        ] {
            let found = match written(Write::Create, 201, &body) {
                WriteAnswer::Applied(Some(Carried { id, attributes, version: None, .. })) => {
                    Some((id, attributes.is_ok()))
                }
                WriteAnswer::Unknown(what) => {
                    assert_eq!(what, "CDMS answered 201: the response is valid JSON, but not a record");
                    None
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(found, expected, "{body}");
        }
        let refused = r#"{"error":{"code":"-2147220937","message":{"value":"no"}}}"#;
        match written(Write::Create, 500, refused) {
            WriteAnswer::Refused(refusal) => assert_eq!(refusal.meaning, Meaning::DuplicateKey),
            other => panic!("{other:?}"),
        }
        let unknown = |status, body| match written(Write::Update, status, body) {
            WriteAnswer::Unknown(what) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(unknown(200, ""), "CDMS answered 200, which is not a valid answer to the update");
        assert_eq!(unknown(302, ""), "CDMS answered 302: an empty body");
        assert_eq!(unknown(200, "x"), "CDMS answered 200: 1 bytes that are not a record");
        assert_eq!(written(Write::Delete, 204, ""), WriteAnswer::Applied(None));
    }
}
