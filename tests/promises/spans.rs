//! What operations tell to `tracing`: enough to find a write again and to see what it cost, and no value of a record.

use std::io;
use std::sync::{Mutex, Once};
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Expiry, Fault, Operation};
use example_domain::{Contact, Organisation};
use serde_json::Value as Json;
use tracing_subscriber::fmt::format::FmtSpan;
use uuid::Uuid;

use crate::scene::{PAST_QUIET, Scene, ada, failed};

/// Everything that this process traces, as lines of JSON. There is one for all tests, because `tracing` asks only one
/// subscriber whether a span is of interest.
static TRACED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Traced;

impl io::Write for Traced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        TRACED.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins to trace, at the first test that asks for it.
pub(crate) fn trace() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::DEBUG)
            .with_span_events(FmtSpan::CLOSE)
            .with_writer(|| Traced)
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("nothing else traces in this process");
    });
}

/// The lines that speak of a record.
pub(crate) fn lines_about(id: Uuid) -> Vec<String> {
    let text = String::from_utf8(TRACED.lock().unwrap().clone()).unwrap();
    text.lines().filter(|line| line.contains(&id.to_string())).map(str::to_owned).collect()
}

#[tokio::test]
async fn each_operation_is_a_span_with_its_cost_and_no_values() {
    trace();
    let scene = Scene::new().await;
    let contact = Contact { email: Some("ada@example.com".into()), ..ada(&scene) };
    let mut contact = Contact::create(&scene.hub, contact).await.unwrap();
    contact.job_title = Some("Countess".into());
    scene.fault(Operation::Update, Fault::PlugIn("Not today.".into()));
    failed(contact.save(&scene.hub).await, ErrorKind::Rejected);
    Contact::get(&scene.hub, contact.id()).await.unwrap();
    // Spans end when their tasks have ended.
    scene.hub.shutdown(Duration::from_secs(60)).await;

    let lines = lines_about(contact.id().guid());
    let ended = lines.iter().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let operations: Vec<_> = ended
        .filter(|line| line["fields"]["message"] == "close")
        .map(|line| line["span"].clone())
        .filter(|span| span["name"] == "datahub_operation")
        .collect();
    let [create, update, read] = &operations[..] else { panic!("{lines:#?}") };
    assert_eq!((&create["kind"], &create["outcome"]), (&"create".into(), &"ok".into()));
    assert_eq!(create["model"], "Contact");
    assert_eq!((&create["requests"], &create["transactions"]), (&1.into(), &2.into()));
    let sent = scene.commits()[0].operation.clone().unwrap();
    assert_eq!(create["operation"], Json::from(sent), "the id that CDMS was told");
    assert_eq!((&update["kind"], &update["outcome"]), (&"update".into(), &"rejected".into()));
    assert_eq!((&update["requests"], &update["statements"]), (&2.into(), &scene.on(6, 8).into()));
    assert!(update["ms"].is_u64());
    assert_eq!((&read["kind"], &read["requests"], &read["statements"]), (&"read".into(), &1.into(), &1.into()));
    // The caller's operations, with where they were called.
    let calls: Vec<_> = lines.iter().map(|line| serde_json::from_str::<Json>(line).unwrap()["span"].clone()).collect();
    let calls: Vec<_> = calls.iter().filter(|span| span["name"] == "datahub_call" && !span["ms"].is_null()).collect();
    let kinds = calls.iter().map(|call| (call["kind"].as_str().unwrap(), call["outcome"].as_str().unwrap()));
    assert_eq!(kinds.collect::<Vec<_>>(), [("create", "ok"), ("save", "rejected"), ("get", "ok")]);
    for (call, part) in calls.iter().zip([create, update, read]) {
        let counts = ["requests", "bytes_sent", "bytes_received", "statements", "transactions", "model"];
        assert_eq!(counts.map(|count| &call[count]), counts.map(|count| &part[count]));
        assert!(call["at"].as_str().unwrap().starts_with("tests/promises/spans.rs:"), "{call}");
    }
    for value in ["ada@example.com", "Lovelace", "Countess"] {
        assert!(!lines.iter().any(|line| line.contains(value)), "{value} is in the trace: {lines:#?}");
    }
}

/// The events that speak of a record or of this scene's CDMS: level and message.
fn events(lines: &[String]) -> Vec<(String, String)> {
    let parsed = lines.iter().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let ours = parsed.filter(|line| line["target"].as_str().is_some_and(|target| target.starts_with("datahub_")));
    let told = ours.map(|line| (line["level"].clone(), line["fields"]["message"].clone()));
    let told = told.map(|(level, message)| (level.as_str().unwrap().to_owned(), message.as_str().unwrap().to_owned()));
    told.filter(|(_, message)| message != "close").collect()
}

fn lines_with(text: &str) -> Vec<String> {
    let all = String::from_utf8(TRACED.lock().unwrap().clone()).unwrap();
    all.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}

#[tokio::test]
async fn whoever_runs_the_hub_hears_of_what_matters_once() {
    trace();
    let scene = Scene::with_login(Expiry::Unauthorized).await;
    let organisation = scene.kit.simulator.organisation().to_string();
    let met = events(&lines_with(&organisation));
    // Other tests of this process meet CDMS too.
    assert!(!met.is_empty() && met.iter().all(|event| *event == ("INFO".to_owned(), "met CDMS".to_owned())));
    assert!(events(&lines_with("\"host\"")).contains(&("INFO".to_owned(), "logged in to CDMS".to_owned())));

    // A record that does not fit, a write that is settled, and one that shows up late.
    let unfit = scene.unfit();
    failed(Organisation::get(&scene.hub, unfit.into()).await, ErrorKind::Quarantined);
    let told = events(&lines_about(unfit));
    assert_eq!(told, [("WARN".to_owned(), "a record went to quarantine".to_owned())], "once");
    let mut org = scene.get().await.unwrap();
    scene.minute();
    scene.fault(Operation::Update, Fault::CommitLate);
    org.name = "Acme Foods".into();
    let operation = failed(org.save(&scene.hub).await, ErrorKind::Unsettled).operation_id().unwrap();
    scene.kit.advance(PAST_QUIET);
    scene.settle().await;
    scene.kit.simulator.commit_late();
    scene.get().await.unwrap();
    let told = events(&lines_with(&operation.to_string()));
    let late = ("WARN".to_owned(), "a write that had been found not applied has shown up".to_owned());
    assert_eq!(told, [("INFO".to_owned(), "settled".to_owned()), late]);

    // An outage and its end, each once however often it is met.
    let outages = || {
        let of_record = lines_about(scene.account).into_iter().filter(|line| line.contains("\"side\":\"CDMS\""));
        events(&of_record.collect::<Vec<_>>())
    };
    let away = ("WARN".to_owned(), "cannot be reached".to_owned());
    let back = ("INFO".to_owned(), "can be reached again".to_owned());
    for times in 1..3 {
        scene.kit.simulator.go_away();
        for _ in 0..3 {
            failed(scene.get().await, ErrorKind::Unavailable);
        }
        scene.kit.simulator.come_back();
        for _ in 0..3 {
            scene.get().await.unwrap();
        }
        assert_eq!(outages(), vec![[away.clone(), back.clone()]; times].concat());
    }
}
