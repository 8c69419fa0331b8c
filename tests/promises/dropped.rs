//! Any future of the hub, dropped at any await, leaves no lock, no open transaction and no half write.
//!
//! Each is polled once, twice and so on up to its end, and dropped after that.

use std::fmt::Debug;
use std::future::{IntoFuture, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{self, Expiry, Fault};
use datahub_runtime::{Instant, OperationId, Resolution, Value};
use example_domain::{Contact, Organisation};
use uuid::Uuid;

use crate::scene::{PAST_QUIET, Scene, acme, ada, failed, now};

/// Polls a future so often, each time when it was woken, and drops it. Whether it came to its end.
pub(crate) async fn polled<F: IntoFuture>(times: usize, future: F) -> bool {
    let mut future = pin!(future.into_future());
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// The same with one that must not fail.
async fn polled_well<F: IntoFuture<Output = Result<T, E>>, T, E: Debug>(times: usize, future: F) -> bool {
    polled(times, async { future.await.unwrap() }).await
}

/// How often a future is polled at most before it must have come to its end.
const POLLS_MAX: usize = 200;

/// What is dropped: given a scene, a record that its hub has read and has no open write, and how often to poll.
type Operation = for<'s> fn(&'s Scene, Uuid, usize) -> futures_util::future::BoxFuture<'s, bool>;

macro_rules! operations {
    ($($name:literal: |$scene:ident, $id:ident, $times:ident| $body:expr;)*) => {
        [$(($name, (|$scene, $id, $times| Box::pin(async move { $body })) as Operation)),*]
    };
}

/// The record as its hub has it.
async fn row(scene: &Scene, id: Uuid) -> Synced<Organisation> {
    Organisation::get(&scene.hub, id.into()).freshness(Freshness::LocalOnly).await.unwrap()
}

/// Changes the record, so that there is something to go back to.
async fn change(scene: &Scene, id: Uuid, times: usize) {
    let mut org = row(scene, id).await;
    org.name = format!("Acme {times}");
    org.save(&scene.hub).await.unwrap();
}

/// CDMS has the record as it was hours ago, each time longer, so that the row is newer.
fn restore(scene: &Scene, id: Uuid, times: usize) {
    let hours = i64::try_from(times).unwrap() + 1;
    let then = Value::Instant(Instant(now(scene).0 - hours * 3_600_000));
    scene.kit.simulator.overwrite("Account", id, [("ModifiedOn", then), ("Name", Value::text(format!("Old {times}")))]);
}

/// A write without an answer, whose lease and quiet period are over.
async fn lose_a_write(scene: &Scene, id: Uuid, times: usize) {
    scene.hub.settle().await.unwrap();
    scene.fault(simulator::Operation::Update, Fault::DropAfterCommit);
    let mut org = row(scene, id).await;
    org.name = format!("Acme {times}");
    failed(org.save(&scene.hub).await, ErrorKind::Unsettled);
    scene.kit.advance(PAST_QUIET);
}

/// The id of the contact that is made at a try.
fn contact(times: usize) -> Id<Contact> {
    Uuid::from_u128(0xC0_0000 + times as u128).into()
}

/// On a record that its hub has read, another one each time.
const ON_A_RECORD: [(&str, Operation); 15] = operations! {
    "get": |scene, id, times| polled_well(times, Organisation::get(&scene.hub, id.into())).await;
    "get of what only CDMS has": |scene, _id, times| {
        let id = scene.kit.simulator.seed("Account", acme());
        polled_well(times, Organisation::get(&scene.hub, id.into())).await
    };
    "get of the row": |scene, id, times| {
        polled_well(times, Organisation::get(&scene.hub, id.into()).freshness(Freshness::LocalOnly)).await
    };
    "save": |scene, id, times| {
        let mut org = row(scene, id).await;
        (org.name, org.archived_reason) = (format!("Acme {times}"), Some(format!("moved {times} times")));
        polled_well(times, org.save(&scene.hub)).await
    };
    "save of local fields": |scene, id, times| {
        let mut org = row(scene, id).await;
        org.archived_reason = Some(format!("moved {times} times"));
        polled_well(times, org.save(&scene.hub)).await
    };
    "create": |scene, _id, times| {
        let contact = Contact { id: contact(times), ..ada(scene) };
        polled_well(times, Contact::create(&scene.hub, contact)).await
    };
    "delete": |scene, id, times| {
        let org = row(scene, id).await;
        polled_well(times, org.delete(&scene.hub)).await
    };
    "edit": |scene, id, times| {
        let token = row(scene, id).await.version_token();
        polled_well(times, Organisation::edit(&scene.hub, id.into(), token)).await
    };
    "history": |scene, id, times| polled_well(times, Organisation::history(&scene.hub, id.into())).await;
    "as of": |scene, id, times| {
        let time = now(scene).to_utc().unwrap();
        polled_well(times, Organisation::as_of(&scene.hub, id.into(), time)).await
    };
    "revert": |scene, id, times| {
        let first = Organisation::history(&scene.hub, id.into()).await.unwrap()[0].version;
        change(scene, id, times).await;
        polled_well(times, Organisation::revert(&scene.hub, id.into(), first)).await
    };
    "revert of a deleted record": |scene, id, times| {
        let first = Organisation::history(&scene.hub, id.into()).await.unwrap()[0].version;
        row(scene, id).await.delete(&scene.hub).await.unwrap();
        polled_well(times, Organisation::revert(&scene.hub, id.into(), first)).await
    };
    "resolve for CDMS": |scene, id, times| {
        restore(scene, id, times);
        polled_well(times, Organisation::resolve(&scene.hub, id.into(), Resolution::TakeCdms)).await
    };
    "resolve for the hub": |scene, id, times| {
        restore(scene, id, times);
        polled_well(times, Organisation::resolve(&scene.hub, id.into(), Resolution::PushHub)).await
    };
    "erase": |scene, id, times| polled_well(times, Organisation::erase(&scene.hub, id.into(), "asked for")).await;
};

/// On all that there is, which is one record.
const ON_EVERYTHING: [(&str, Operation); 8] = operations! {
    "resolve all": |scene, id, times| {
        restore(scene, id, times);
        polled_well(times, Organisation::resolve_all(&scene.hub, Resolution::TakeCdms)).await
    };
    "resolve all for the hub": |scene, id, times| {
        restore(scene, id, times);
        polled_well(times, Organisation::resolve_all(&scene.hub, Resolution::PushHub)).await
    };
    "tables that are made": |scene, _id, times| {
        scene.sql("DROP TABLE IF EXISTS contact_roles");
        // By the user who may: hubs on a server can be restricted to rows.
        let owner = scene.kit.hub(example_domain::models()).program("another").database(scene.kit.database());
        let hub = owner.create_tables();
        polled_well(times, hub.connect()).await
    };
    "pull": |scene, _id, times| polled_well(times, scene.hub.pull::<Organisation>()).await;
    "settle": |scene, id, times| {
        lose_a_write(scene, id, times).await;
        polled_well(times, scene.hub.settle()).await
    };
    "quarantine": |scene, id, times| {
        // It does not fit when it is read, and does when it is tried again.
        scene.kit.simulator.overwrite("Account", id, [("Name", Value::Null)]);
        failed(Organisation::get(&scene.hub, id.into()).await, ErrorKind::Quarantined);
        scene.kit.simulator.overwrite("Account", id, [("Name", Value::text(format!("Acme {times}")))]);
        polled_well(times, scene.hub.quarantine(10)).await && polled_well(times, scene.hub.retry_quarantined(10)).await
    };
    "operation and health": |scene, _id, times| {
        polled(times, scene.hub.operation(OperationId(Uuid::nil()))).await && polled(times, scene.hub.health()).await
    };
    "connect and shutdown": |scene, _id, times| {
        let hub = scene.kit.hub(example_domain::models()).program("another");
        if !polled_well(times, hub.connect()).await {
            return false;
        }
        let other = scene.another_program().await;
        polled(times, other.shutdown(Duration::from_secs(60))).await
    };
};

/// Another program finds every record in order, or puts it in order, and can write it.
async fn is_in_order(scene: &Scene, what: &str, records: &[Uuid], tries: usize) {
    scene.nobody_holds_a_transaction();
    scene.hub.shutdown(Duration::from_secs(60)).await;
    scene.kit.advance(PAST_QUIET);
    let hub = scene.another_program().await;
    let report = hub.settle().await.unwrap();
    assert!(report.failed.is_empty() && report.waiting.is_empty(), "{what}: {report:?}");
    assert_eq!(scene.open_intents(), 0, "{what}");
    Organisation::resolve_all(&hub, Resolution::TakeCdms).await.unwrap();
    for made in (0..=tries).map(contact) {
        let is_there = scene.kit.simulator.record("Contact", made.guid()).is_some();
        let found = Contact::get(&hub, made).await;
        assert_eq!(found.is_ok(), is_there, "{what}: {:?}", found.err());
        assert_eq!(Contact::history(&hub, made).await.unwrap().is_empty(), !is_there, "{what}");
    }
    for id in records {
        let in_cdms = scene.kit.simulator.record("Account", *id);
        let Some(record) = in_cdms else {
            let gone = Organisation::get(&hub, (*id).into()).await.unwrap_err();
            assert!([ErrorKind::Gone, ErrorKind::NotFound].contains(&gone.kind()), "{what}: {gone}");
            continue;
        };
        let mut org = Organisation::get(&hub, (*id).into()).await.unwrap();
        assert_eq!(Some(&Value::text(org.name.as_str())), record.get("Name"), "{what}");
        org.website = Some("https://after.example".into());
        org.save(&hub).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    }
}

/// Drops an operation ever later, up to its end.
async fn drop_ever_later(what: &str, operation: Operation, on_new_records: bool) {
    let scene = Scene::read().await.0;
    let mut records = vec![scene.account];
    let mut times = 0;
    while !operation(&scene, records[records.len() - 1], times).await {
        times += 1;
        assert!(times < POLLS_MAX, "{what} does not come to its end");
        if on_new_records {
            let id = scene.kit.simulator.seed("Account", acme());
            Organisation::get(&scene.hub, id.into()).await.unwrap();
            records.push(id);
        }
    }
    is_in_order(&scene, what, &records, times).await;
}

#[tokio::test]
async fn an_operation_on_a_record_can_be_dropped_at_any_await() {
    for (what, operation) in ON_A_RECORD {
        drop_ever_later(what, operation, true).await;
    }
}

#[tokio::test]
async fn an_operation_on_everything_can_be_dropped_at_any_await() {
    for (what, operation) in ON_EVERYTHING {
        drop_ever_later(what, operation, false).await;
    }
}

#[tokio::test]
async fn a_login_can_be_dropped_at_any_await() {
    let mut ended = false;
    for times in 0..POLLS_MAX {
        let scene = Scene::with_login(Expiry::Redirect).await;
        scene.kit.simulator.expire_sessions();
        ended = polled_well(times, scene.get()).await;
        // Whoever comes next logs in.
        assert_eq!(scene.get().await.unwrap().name, "Acme", "after {times} polls");
        if ended {
            break;
        }
    }
    assert!(ended, "it does not come to its end");
}
