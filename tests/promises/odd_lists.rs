//! Lists that are not as they should be, and records that change while their page is on its way.

use std::future::IntoFuture;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{FaultRule, Operation, Stage};
use datahub_runtime::{Instant, PullReport, Value};
use example_domain::{Contact, Organisation};

use crate::meddler::{Deed, Meddler, answer};
use crate::pull::crowd;
use crate::scene::{NEW_NAME, Scene, failed, now, says};

#[tokio::test]
async fn what_is_read_once_more_is_counted_as_what_it_is_then() {
    let old = |scene: &Scene| Value::Instant(Instant(now(scene).0 - 3_600_000));
    type Change = fn(&Scene, Value);
    type Count = fn(&PullReport) -> u64;
    let deeds: [(Change, Count); 3] = [
        (|scene, _| scene.person_edits("Name", Value::Null), |report| report.quarantined),
        (|scene, _| scene.kit.simulator.remove("Account", scene.account), |report| report.not_of_model),
        (
            |scene, old| {
                let older = [("ModifiedOn", old), ("Name", Value::text("Old Acme"))];
                scene.kit.simulator.overwrite("Account", scene.account, older);
            },
            |report| report.local_newer,
        ),
    ];
    for (number, (deed, count)) in deeds.into_iter().enumerate() {
        let (scene, mut org) = Scene::read().await;
        let page =
            scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::List).after(1));
        let pulling = tokio::spawn(scene.hub.pull::<Organisation>().into_future());
        page.arrived(1).await;
        org.name = NEW_NAME.into();
        org.save(&scene.hub).await.unwrap();
        let then = old(&scene);
        deed(&scene, then);
        page.open();
        let report = pulling.await.unwrap().unwrap();
        assert_eq!((report.read_again, count(&report)), (1, 1), "{number}: {report:?}");
        let counted = report.in_sync + report.refreshed + report.first_seen + report.pending + report.not_given;
        assert_eq!(counted, 0, "{number}: {report:?}");
    }
}

/// A page with a record whose id cannot be read, and with one that is there twice.
fn with_odd_records(body: Vec<u8>) -> Vec<u8> {
    let mut page: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let records = page["d"]["results"].as_array_mut().unwrap();
    records[0]["AccountId"] = serde_json::Value::Null;
    records.push(records[1].clone());
    serde_json::to_vec(&page).unwrap()
}

#[tokio::test]
async fn a_record_without_an_id_is_counted_and_one_that_comes_twice_is_stored_once() {
    let (scene, _) = crowd(9).await;
    let meddler = Meddler::before(&scene.kit.simulator.root(), |request| {
        match request.contains("AccountSet?") && !request.contains("$top") {
            true => Deed::Body(with_odd_records),
            false => Deed::Pass,
        }
    });
    let hub = scene.program(|hub| hub.cdms(meddler.root(), Anonymous)).await;
    let report = hub.pull::<Organisation>().await.unwrap();
    assert_eq!((report.records, report.without_id, report.first_seen), (10, 1, 9), "{report:?}");
    assert_eq!((scene.dump("organisations").len(), report.complete), (9, true));
}

#[tokio::test]
async fn a_model_of_which_cdms_has_no_record_is_pulled() {
    let scene = Scene::new().await;
    for _ in 0..2 {
        let report = scene.hub.pull::<Contact>().await.unwrap();
        assert_eq!((report.complete, report.pages, report.records), (true, 1, 0));
    }
}

#[tokio::test]
async fn a_list_that_leads_into_a_circle_ends() {
    let (scene, _) = crowd(9).await;
    let root = scene.kit.simulator.service_root();
    let page = AtomicU32::new(0);
    // The links lead over two pages of their own into a circle of three.
    let link = move || match page.fetch_add(1, Ordering::Relaxed) {
        number @ 0..2 => number,
        number => 2 + (number - 2) % 3,
    };
    let meddler = Meddler::before(&scene.kit.simulator.root(), move |request| {
        if !request.contains("AccountSet?") {
            return Deed::Pass;
        }
        let (_, query) = request.split(' ').nth(1).unwrap().split_once('?').unwrap();
        let query = query.split("&$skiptoken=").next().unwrap();
        let next = format!("{root}/AccountSet?{query}&$skiptoken={}", link());
        let body = serde_json::json!({"d": {"results": [], "__next": next}}).to_string();
        Deed::Answer(answer("200 OK", "Content-Type: application/json\r\nConnection: close\r\n", body.as_bytes()))
    });
    let hub = scene.program(|hub| hub.cdms(meddler.root(), Anonymous)).await;
    let pull = tokio::time::timeout(Duration::from_secs(20), hub.pull::<Organisation>().into_future());
    let error = failed(pull.await.expect("it ends"), ErrorKind::Misconfigured);
    says(&error, &["leads back"]);
}

#[tokio::test]
async fn a_list_that_is_refused_for_load_is_asked_for_again_later() {
    let scene = Scene::new().await;
    for (part, status) in [("AccountSet?", "429 Too Many Requests"), ("OrganizationSet?", "408 Request Timeout")] {
        let meddler = Meddler::before(&scene.kit.simulator.root(), move |request| match request.contains(part) {
            true => Deed::Answer(answer(status, "Connection: close\r\n", b"slow down")),
            false => Deed::Pass,
        });
        let hub = scene.program(|hub| hub.cdms(meddler.root(), Anonymous)).await;
        let error = failed(hub.pull::<Organisation>().await, ErrorKind::Unavailable);
        says(&error, &["too busy", status.split(' ').next().unwrap()]);
    }
}
