//! Answers that no CDMS should give: too large, broken, about something else. None of them harms a row, holds memory
//! or makes the hub send a write twice.

use std::io::Write as _;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::{Value, Verdict};
use example_domain::{Contact, Organisation};

use crate::meddler::{Deed, Meddler, answer};
use crate::scene::{PAST_QUIET, Scene, Write, failed, says};

/// A scene whose hub talks to CDMS through a meddler, and has met CDMS.
async fn through(rule: impl Fn(&str) -> Deed + Send + Sync + 'static) -> (Scene, Meddler) {
    let scene = Scene::new().await;
    let meddler = Meddler::before(&scene.kit.simulator.root(), rule);
    scene.get().await.unwrap();
    let hub = scene.program(|hub| hub.cdms(meddler.root(), Anonymous).time_limit(Duration::from_secs(20))).await;
    (Scene { hub, ..scene }, meddler)
}

fn is_read_of_a_record(request: &str) -> bool {
    request.starts_with("GET ") && request.contains("(guid'")
}

fn is_write(request: &str) -> bool {
    request.starts_with("POST ") || request.starts_with("DELETE ")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const JSON: &str = "Content-Type: application/json\r\n";
const GZIP: &str = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";

fn many_headers() -> String {
    (0..1_000).map(|number| format!("X-{number}: a\r\n")).collect()
}

fn large_headers() -> String {
    (0..9).map(|number| format!("X-{number}: {}\r\n", "a".repeat(8 * 1024))).collect()
}

fn chunked(bytes: usize) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n");
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    [head.into_bytes(), chunk.repeat(bytes / 0x10000), b"0\r\n\r\n".to_vec()].concat()
}

#[tokio::test]
async fn reads_that_bring_nothing_usable_leave_the_row() {
    let nine_mib = 9 * 1024 * 1024;
    let bomb = gzip(&vec![b' '; 64 * 1024 * 1024]);
    assert!(bomb.len() < 128 * 1024, "small on the wire");
    let whole = gzip(br#"{"d":{}}"#);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("too large", answer("200 OK", JSON, &vec![b' '; nine_mib]), "larger than"),
        ("too large, in chunks", chunked(nine_mib), "larger than"),
        ("a bomb", answer("200 OK", GZIP, &bomb), "larger than"),
        ("broken off", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"d\":{".to_vec(), "broke off"),
        ("broken gzip", answer("200 OK", GZIP, &whole[..whole.len() - 9]), "broke off"),
        ("no gzip at all", answer("200 OK", GZIP, b"{\"d\":{}}"), "broke off"),
        ("no HTTP at all", b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), ""),
        ("no answer at all", Vec::new(), ""),
        ("a thousand headers", answer("200 OK", &many_headers(), b"{\"d\":{}}"), "more than 100 headers"),
        ("large headers", answer("200 OK", &large_headers(), b"{\"d\":{}}"), "more than 64 KiB of them"),
        ("no UTF-8", answer("200 OK", JSON, b"{\"d\":{\"Name\":\"\xff\xfe\"}}"), ""),
        ("deep nesting", answer("200 OK", JSON, "[".repeat(200_000).as_bytes()), ""),
        ("no d", answer("200 OK", JSON, b"{}"), ""),
        ("d is null", answer("200 OK", JSON, b"{\"d\":null}"), ""),
        ("d is a list", answer("200 OK", JSON, b"{\"d\":[]}"), ""),
        ("an HTML page", answer("200 OK", "Content-Type: text/html\r\n", b"<html>Welcome</html>"), "HTML"),
        ("nothing", answer("204 No Content", "", b""), "204"),
        ("too many requests", answer("429 Too Many Requests", "Retry-After: 1\r\n", b""), "429"),
        ("away for a while", answer("503 Service Unavailable", "", b"<html>busy</html>"), "503"),
        ("a bad gateway", answer("502 Bad Gateway", "", b""), "502"),
    ];
    for (name, bytes, says_so) in cases {
        let (scene, _meddler) = through(move |request| match is_read_of_a_record(request) {
            true => Deed::Answer(bytes.clone()),
            false => Deed::Pass,
        })
        .await;
        let rows = scene.rows();
        let (read, cost) = scene.cost_of(scene.get()).await;
        let error = failed(read, ErrorKind::Unavailable);
        says(&error, &["Organisation", &scene.account.to_string(), says_so, "or_local()"]);
        assert!(error.to_string().len() < 500, "{name}: {error}");
        let cap_and_first_contact = 8 * 1024 * 1024 + 1024;
        assert!(cost.bytes_received <= cap_and_first_contact, "{name}: no more than the cap is held");
        assert_eq!(scene.rows(), rows, "{name}");
        assert_eq!(scene.quarantine().await, [], "{name}");
    }
}

#[tokio::test]
async fn a_read_that_brings_another_record_is_a_misconfiguration() {
    let (scene, _meddler) = through(|request| match is_read_of_a_record(request) {
        true => Deed::Body(|body| {
            let text = String::from_utf8(body).unwrap();
            let key = text.split("\"AccountId\":\"").nth(1).unwrap()[..36].to_owned();
            text.replace(&key, "00000000-0000-4000-8000-000000000bad").into_bytes()
        }),
        false => Deed::Pass,
    })
    .await;
    let rows = scene.rows();
    says(&failed(scene.get().await, ErrorKind::Misconfigured), &["00000000-0000-4000-8000-000000000bad"]);
    assert_eq!(scene.rows(), rows);
}

#[tokio::test]
async fn an_attribute_that_was_asked_for_and_is_missing_is_no_null() {
    let (scene, _meddler) = through(|request| match is_read_of_a_record(request) {
        true => {
            Deed::Body(|body| String::from_utf8(body).unwrap().replace("\"Description\":", "\"Other\":").into_bytes())
        }
        false => Deed::Pass,
    })
    .await;
    let rows = scene.rows();
    says(&failed(scene.get().await, ErrorKind::Quarantined), &["Description", "not in CDMS's answer"]);
    assert_eq!(scene.rows(), rows);
}

#[tokio::test]
async fn a_read_without_an_answer_ends_in_time() {
    let scene = Scene::new().await;
    let meddler = Meddler::before(&scene.kit.simulator.root(), |request| match is_read_of_a_record(request) {
        true => Deed::Hang,
        false => Deed::Pass,
    });
    scene.get().await.unwrap();
    let hub = scene.program(|hub| hub.cdms(meddler.root(), Anonymous).time_limit(Duration::from_millis(200))).await;
    says(&failed(Organisation::get(&hub, scene.id()).await, ErrorKind::Unavailable), &["no answer in time"]);
    assert_eq!(Organisation::get(&hub, scene.id()).or_local().await.unwrap().name, "Acme");
}

#[tokio::test]
async fn writes_with_odd_answers_are_settled_and_never_sent_again() {
    type Bytes = fn() -> Vec<u8>;
    let odd: Vec<(&str, Bytes)> = vec![
        ("201 without a record", || answer("201 Created", JSON, b"{}")),
        ("201 broken off", || b"HTTP/1.1 201 Created\r\nContent-Length: 900\r\n\r\n{\"d\":{".to_vec()),
        ("201 with a page", || answer("201 Created", "Content-Type: text/html\r\n", b"<html></html>")),
        ("200", || answer("200 OK", JSON, b"{\"d\":{}}")),
        ("202", || answer("202 Accepted", "", b"")),
        ("409 of a stranger", || answer("409 Conflict", "", b"<html></html>")),
        ("a bomb", || answer("500 Internal Server Error", GZIP, &gzip(&vec![b' '; 16 * 1024 * 1024]))),
        ("a thousand headers", || answer("204 No Content", &many_headers(), b"")),
        ("large headers", || answer("204 No Content", &large_headers(), b"")),
        ("no HTTP", || b"\0\0\0".to_vec()),
        ("no answer", Vec::new),
    ];
    for write in Write::ALL {
        for (name, bytes) in &odd {
            let bytes = *bytes;
            let (scene, meddler) = through(move |request| match is_write(request) {
                true => Deed::Instead(bytes()),
                false => Deed::Pass,
            })
            .await;
            let attempt = write.prepare(&scene).await;
            let rows = scene.rows();
            let error = failed(attempt.run(&scene).await, ErrorKind::Unsettled);
            assert_eq!(scene.rows(), rows, "{write:?} {name}");
            assert_eq!(meddler.requests().iter().filter(|request| is_write(request)).count(), 1, "{write:?} {name}");
            scene.kit.advance(PAST_QUIET);
            let report = scene.settle().await;
            assert_eq!(report.settled, [(error.operation_id().unwrap(), Verdict::Applied)], "{write:?} {name}");
            attempt.agrees(&scene).await;
        }
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_does_not_double_a_write() {
    // The server closes every connection after its answer without saying so, as front ends do after a while.
    let (scene, meddler) = through(|_| Deed::PassAndClose).await;
    // A read may meet a closing connection too.
    let mut first = scene.get().await;
    for _ in 0..20 {
        let Err(error) = &first else { break };
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        first = scene.get().await;
    }
    let mut org = first.unwrap();
    let mut done = 0;
    for round in 0..20 {
        scene.minute();
        org.name = format!("Acme {round}");
        match org.save(&scene.hub).await {
            Ok(_) => done += 1,
            // What was written into a closing connection cannot be told.
            Err(error) if error.kind() == ErrorKind::Unsettled => {
                scene.kit.advance(PAST_QUIET);
                assert_eq!(scene.settle().await.settled.len(), 1);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
        }
    }
    let arrived = meddler.requests().iter().filter(|request| is_write(request)).count();
    let commits = scene.commits();
    assert_eq!(commits.len(), arrived);
    let mut operations: Vec<_> = commits.iter().map(|commit| commit.operation.clone()).collect();
    operations.dedup();
    assert_eq!(operations.len(), commits.len(), "each operation arrived once");
    assert!(done > 0 && commits.len() >= done);
}

#[tokio::test]
async fn a_host_that_does_not_exist_is_unavailable() {
    let scene = Scene::new().await;
    scene.get().await.unwrap();
    let hub = scene.program(|hub| hub.cdms("https://crm.datahub.invalid/ORG", Anonymous)).await;
    let error = failed(Organisation::get(&hub, scene.id()).await, ErrorKind::Unavailable);
    says(&error, &["or_local()"]);
    failed(Contact::create(&hub, Contact::named("Lovelace")).await, ErrorKind::Unavailable);
    assert_eq!(scene.open_intents(), 0);
    assert_eq!(scene.record().get("Name"), Some(&Value::text("Acme")));
}

#[tokio::test]
async fn the_name_of_a_record_that_is_referred_to_is_in_no_error() {
    let (scene, _meddler) = through(|request| match is_read_of_a_record(request) {
        true => Deed::Body(|body| {
            let mut record: serde_json::Value = serde_json::from_slice(&body).unwrap();
            record["d"]["ParentAccountId"] =
                serde_json::json!({"Id": "no id", "LogicalName": "account", "Name": "Ada's Bakery"});
            serde_json::to_vec(&record).unwrap()
        }),
        false => Deed::Pass,
    })
    .await;
    let error = failed(scene.get().await, ErrorKind::Quarantined);
    says(&error, &["ParentAccountId"]);
    let waiting = scene.quarantine().await.remove(0);
    for told in [error.to_string(), format!("{error:?}"), waiting.reason] {
        assert!(!told.contains("Bakery"), "{told}");
    }
}
