//! Requests and answers, to the byte.

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
        let values: Vec<_> = values.iter().map(|(name, kind, value)| (*name, *kind, Cow::Borrowed(value))).collect();
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
            WriteAnswer::Applied(Some(Carried { id, attributes, version: None, .. })) => Some((id, attributes.is_ok())),
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
