//! The read table row by row, and the records in responses.

use http::header::LOCATION;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::*;

const ID: Uuid = Uuid::from_u128(7);

fn entity() -> EntityShape {
    let attributes = vec![("AccountId", Kind::Guid), ("Name", Kind::String)];
    EntityShape { name: "Account", set: "AccountSet", key: "AccountId", attributes, optional: Vec::new() }
}

#[test]
fn an_optional_attribute_that_cannot_be_read_is_left_out_with_its_reason() {
    let attributes = vec![("AccountId", Kind::Guid), ("Fax", Kind::Integer), ("Name", Kind::String)];
    let entity = EntityShape { attributes, optional: vec!["Fax"], ..entity() };
    let good = format!(r#"{{"AccountId":"{ID}","Fax":1,"Name":"A"}}"#);
    let odd = format!(r#"{{"AccountId":"{ID}","Fax":"one","Name":"A"}}"#);
    let without = format!(r#"{{"AccountId":"{ID}","Name":"A"}}"#);
    let nameless = format!(r#"{{"AccountId":"{ID}","Fax":"one","Name":5}}"#);
    let name = |carried: &Carried| carried.attributes.clone().ok().and_then(|read| read.get("Name").cloned());
    for (json, left_out) in [(&good, 0), (&odd, 1), (&without, 1)] {
        let carried = carried(&entity, format!(r#"{{"d":{json}}}"#).as_bytes()).unwrap();
        assert_eq!((carried.left_out.len(), name(&carried)), (left_out, Some(Value::text("A"))), "{json}");
        assert_eq!(carried.attributes.unwrap().contains("Fax"), left_out == 0);
    }
    let page = format!(r#"{{"d":{{"results":[{odd},{good},{nameless},{without}]}}}}"#);
    let (records, _) = records(&entity, page.as_bytes()).unwrap();
    assert_eq!(records.iter().map(|record| record.left_out.len()).collect::<Vec<_>>(), [1, 0, 1, 1]);
    assert!(matches!(records[2].attributes, Err(ReadError::Value { attribute: "Name", .. })));
    assert!(records.iter().all(|record| record.id == Some(ID)));
    assert_eq!(name(&records[3]), Some(Value::text("A")));
}

fn answer(status: u16, body: &str) -> HttpResponse {
    HttpResponse {
        url: Url::parse("https://crm/ORG/XRMServices/2011/OrganizationData.svc/AccountSet").unwrap(),
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.as_bytes().to_vec(),
    }
}

/// An answer in CDMS's words, with a code or without.
fn stated(status: u16, code: &str) -> HttpResponse {
    answer(status, &format!(r#"{{"error":{{"code":"{code}","message":{{"value":"no"}}}}}}"#))
}

fn redirect(status: u16) -> HttpResponse {
    let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static("https://elsewhere.example/x"))]);
    HttpResponse { headers, ..answer(status, "") }
}

const MISSING: &str = "-2147220969";
const NO_PRIVILEGE: &str = "-2147220960";

fn read(set: SetIs, answer: &HttpResponse) -> ReadAnswer {
    record(&entity(), ID, set, answer)
}

fn list(answer: &HttpResponse) -> PageAnswer {
    page(&entity(), answer, |_| Err(BadLink::AnotherSet))
}

fn asked(answer: &HttpResponse) -> ContactAnswer {
    contact("OrganizationSet", "OrganizationId", answer)
}

#[test]
fn the_read_table_holds_for_a_record() {
    use ReadAnswer::{Gone, Misconfigured, Refused, Unavailable};
    let refused = |status| Refused(format!("no (status {status})"));
    let mistaken = |status| {
        Misconfigured(format!(
            "CDMS refused the read of AccountSet: no (status {status}); compare the contract with $metadata"
        ))
    };
    let away = |status, what: &str| Unavailable(format!("CDMS answered {status}: {what}"));
    let no_set = |said: &str| {
        Misconfigured(format!(
            "CDMS does not know the set AccountSet ({said}); check its address, the organisation and `set` in the \
             contract"
        ))
    };
    for (given, expected) in [
        (stated(404, MISSING), Gone),
        (stated(404, ""), no_set("no")),
        (answer(404, ""), no_set("an empty body")),
        (stated(403, ""), refused(403)),
        (stated(403, NO_PRIVILEGE), refused(403)),
        (answer(403, "x"), away(403, "1 bytes that are not a record")),
        (stated(500, NO_PRIVILEGE), refused(500)),
        (stated(302, NO_PRIVILEGE), refused(302)),
        (stated(400, NO_PRIVILEGE), refused(400)),
        (stated(429, NO_PRIVILEGE), refused(429)),
        (stated(409, NO_PRIVILEGE), refused(409)),
        (stated(408, ""), Unavailable("CDMS is too busy: no (status 408)".to_owned())),
        (answer(429, ""), Unavailable("CDMS is too busy: an empty body (status 429)".to_owned())),
        (stated(400, ""), mistaken(400)),
        (stated(410, MISSING), mistaken(410)),
        (stated(499, ""), mistaken(499)),
        (answer(400, ""), away(400, "an empty body")),
        (answer(499, ""), away(499, "an empty body")),
        (stated(500, MISSING), Unavailable("no (status 500)".to_owned())),
        (stated(302, ""), Unavailable("no (status 302)".to_owned())),
        (
            redirect(302),
            Misconfigured(
                "CDMS answered with a redirect to elsewhere.example, which is not among the login hosts of the \
                 authenticator"
                    .to_owned(),
            ),
        ),
        (answer(502, ""), away(502, "an empty body")),
        (answer(204, ""), away(204, "an empty body")),
        (
            answer(200, ""),
            Unavailable(
                "an empty body (the response is not valid JSON: EOF while parsing a value at line 1 column 0)"
                    .to_owned(),
            ),
        ),
    ] {
        assert_eq!(read(SetIs::Untried, &given), expected, "{given:?}");
        let no_set = matches!(&expected, Misconfigured(what) if what.contains("does not know the set"));
        let known = read(SetIs::Known, &given);
        assert!(if no_set { matches!(known, Unavailable(_)) } else { known == expected }, "{given:?}: {known:?}");
    }
    let known = Unavailable(
        "CDMS answered 404 for the record without saying that it is gone (an empty body), although it has the set \
         AccountSet; check what stands between this program and CDMS"
            .to_owned(),
    );
    assert_eq!(read(SetIs::Known, &answer(404, "")), known);
}

#[test]
fn the_read_table_holds_for_a_list() {
    use PageAnswer::{Misconfigured, Refused, Unavailable};
    let misplaced = |status, what: &str| {
        Misconfigured(format!(
            "CDMS did not return a list of AccountSet: {what} (status {status}); check its address and the rights of \
             its user"
        ))
    };
    let stale = |status| Refused(format!("CDMS refused to list AccountSet: no (status {status})"));
    let away =
        |status, what: &str| Unavailable(format!("CDMS did not return a list of AccountSet: {what} (status {status})"));
    let busy =
        |status, what: &str| Unavailable(format!("CDMS is too busy to list AccountSet: {what} (status {status})"));
    let not_taken = |status| Misconfigured(format!("CDMS did not return a list of AccountSet: no (status {status})"));
    for (given, expected) in [
        (stated(404, MISSING), stale(404)),
        (stated(404, ""), stale(404)),
        (stated(400, ""), stale(400)),
        (stated(400, NO_PRIVILEGE), stale(400)),
        (answer(404, ""), misplaced(404, "an empty body")),
        (answer(400, ""), misplaced(400, "an empty body")),
        (stated(403, NO_PRIVILEGE), not_taken(403)),
        (stated(409, NO_PRIVILEGE), not_taken(409)),
        (stated(499, ""), not_taken(499)),
        (answer(403, ""), misplaced(403, "an empty body")),
        (stated(408, NO_PRIVILEGE), busy(408, "no")),
        (answer(429, ""), busy(429, "an empty body")),
        (redirect(302), misplaced(302, "a redirect to elsewhere.example")),
        (stated(302, NO_PRIVILEGE), misplaced(302, "no")),
        (stated(302, ""), misplaced(302, "no")),
        (stated(500, NO_PRIVILEGE), away(500, "no")),
        (stated(503, ""), away(503, "no")),
        (answer(502, ""), away(502, "an empty body")),
        (answer(204, ""), away(204, "an empty body")),
        (
            answer(200, "5"),
            Unavailable(
                "expected a list of AccountSet, CDMS returned 1 bytes that are not a record (the response is valid JSON, \
                 but not a list)"
                    .to_owned(),
            ),
        ),
    ] {
        assert_eq!(list(&given), expected, "{given:?}");
    }
}

#[test]
fn the_read_table_holds_for_the_first_contact() {
    use ContactAnswer::{Found, Refused, Unavailable, Unreadable};
    let refused = |status, what: &str| Refused(format!("CDMS answered {status} for OrganizationSet: {what}"));
    let away = |status, what: &str| Unavailable(format!("it answered {status}: {what}"));
    let busy = |status, what: &str| Unavailable(format!("it is too busy: {what} (status {status})"));
    let record = |id: &str| format!(r#"{{"d":[{{"OrganizationId":{id}}}]}}"#);
    for (given, expected) in [
        (stated(404, MISSING), refused(404, "no")),
        (answer(404, ""), refused(404, "an empty body")),
        (stated(403, NO_PRIVILEGE), refused(403, "no")),
        (stated(400, NO_PRIVILEGE), refused(400, "no")),
        (stated(409, ""), refused(409, "no")),
        (redirect(302), refused(302, "a redirect to elsewhere.example")),
        (stated(302, NO_PRIVILEGE), refused(302, "no")),
        (answer(408, ""), busy(408, "an empty body")),
        (stated(429, NO_PRIVILEGE), busy(429, "no")),
        (stated(500, NO_PRIVILEGE), away(500, "no")),
        (answer(502, ""), away(502, "an empty body")),
        (answer(204, ""), away(204, "an empty body")),
        (
            answer(200, "5"),
            Unavailable(
                "expected OrganizationSet, CDMS returned 1 bytes that are not a record: the response is valid JSON, but \
                 not a list"
                    .to_owned(),
            ),
        ),
        (answer(200, &record(&format!("\"{ID}\""))), Found(vec![ID])),
        (answer(200, r#"{"d":[]}"#), Found(Vec::new())),
        (
            answer(200, &record("null")),
            Unreadable("CDMS returned a record of OrganizationSet without a readable OrganizationId".to_owned()),
        ),
    ] {
        assert_eq!(asked(&given), expected, "{given:?}");
    }
}

#[test]
fn a_record_is_known_by_its_id_also_where_it_cannot_be_read() {
    let record = |id: &str, name: &str| format!(r#"{{"AccountId":{id},"Name":{name}}}"#);
    let id = format!("\"{ID}\"");
    let other = format!("\"{}\"", Uuid::from_u128(8));
    let one = |record: String| read(SetIs::Known, &answer(200, &format!(r#"{{"d":{record}}}"#)));
    let carried = |answer: ReadAnswer| match answer {
        ReadAnswer::Record(carried) => (carried.id, carried.attributes.is_ok()),
        other => panic!("{other:?}"),
    };
    assert_eq!(carried(one(record(&id, "\"A\""))), (Some(ID), true));
    assert_eq!(carried(one(record(&id, "5"))), (Some(ID), false));
    assert_eq!(carried(one(format!(r#"{{"AccountId":{id}}}"#))), (Some(ID), false), "an attribute is missing");
    assert_eq!(carried(one(record("null", "\"A\""))), (None, true));
    assert_eq!(carried(one(record("5", "\"A\""))), (None, false));
    let answered = "CDMS answered the read of Account 00000000-0000-0000-0000-000000000007 with the record \
                    00000000-0000-0000-0000-000000000008";
    assert_eq!(one(record(&other, "\"A\"")), ReadAnswer::Misconfigured(answered.to_owned()));
    assert_eq!(carried(one(record(&other, "5"))), (Some(Uuid::from_u128(8)), false));

    let records = [record(&id, "\"A\""), record(&other, "5"), record("5", "\"A\""), record("null", "\"A\"")];
    let body = format!(r#"{{"d":{{"results":[{}],"__next":"x"}}}}"#, records.join(","));
    let PageAnswer::Page(Page { records, next }) = list(&answer(200, &body)) else { panic!("no page") };
    let known: Vec<_> = records.iter().map(|carried| (carried.id, carried.attributes.is_ok())).collect();
    assert_eq!(known, [(Some(ID), true), (Some(Uuid::from_u128(8)), false), (None, false), (None, true)]);
    assert!(matches!(next, Next::Unusable(why) if why.contains("it names another set")));
}

#[test]
fn the_table_of_trial_reads_holds() {
    use TrialAnswer::{Forbidden, NoPrivilege, NoSession, NoSet, NotCdms, ProxyLogin, Refused, Served, Unavailable};
    let said = |status: u16| format!("no (status {status})");
    let bare = |status: u16| format!("an empty body (status {status})");
    for (answer, expected) in [
        (answer(200, r#"{"d":{"results":[{"AccountId":"x"}]}}"#), Served { has_record: true }),
        (answer(200, r#"{"d":{"results":[]}}"#), Served { has_record: false }),
        (answer(200, r#"{"d":[]}"#), Served { has_record: false }),
        (answer(200, r#"{"value":[]}"#), NotCdms("12 bytes that are not a record".to_owned())),
        (answer(204, ""), NotCdms(bare(204))),
        (stated(403, NO_PRIVILEGE), NoPrivilege(said(403))),
        (stated(400, NO_PRIVILEGE), NoPrivilege(said(400))),
        (stated(500, NO_PRIVILEGE), NoPrivilege(said(500))),
        (stated(403, ""), NoPrivilege(said(403))),
        (answer(403, ""), Forbidden(bare(403))),
        (stated(404, ""), NoSet(said(404))),
        (answer(404, ""), NotCdms(bare(404))),
        (stated(400, ""), Refused(said(400))),
        (answer(400, ""), NotCdms(bare(400))),
        (answer(401, ""), NoSession(bare(401))),
        (redirect(302), NoSession("a redirect to elsewhere.example (status 302)".to_owned())),
        (answer(407, ""), ProxyLogin(bare(407))),
        (stated(500, ""), Unavailable(said(500))),
        (answer(503, ""), Unavailable(bare(503))),
        (answer(429, ""), Unavailable(bare(429))),
    ] {
        assert_eq!(trial(&answer), expected, "{answer:?}");
    }
}
