//! How often an operation waits for the database's server, once its statements are prepared.

use datahub_runtime::Cost;
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation};
use example_domain::{Contact, Organisation};

use crate::scene::{Scene, ada, failed};

/// A program with one connection, so that the second operation of a kind finds its statements prepared.
async fn program(scene: &Scene) -> Hub {
    scene.program(|hub| hub.connections(1)).await
}

/// Asserts what an operation costs in round trips: none of them on SQLite.
fn costs(scene: &Scene, cost: Cost, round_trips: u64) {
    assert_eq!(cost.round_trips, scene.on(0, round_trips), "{cost}, {cost:?}");
}

#[tokio::test]
async fn operations_wait_for_the_server_as_seldom_as_their_transactions_allow() {
    let scene = Scene::new().await;
    let hub = program(&scene).await;
    for is_prepared in [false, true] {
        let costs = |cost, round_trips| {
            if is_prepared {
                costs(&scene, cost, round_trips);
            }
        };

        let (contact, cost) = Cost::of(Contact::create(&hub, ada(&scene))).await;
        // One to load. The row is tried in a round trip of its own, because the intent is stored only if it fits.
        costs(cost, 1 + 3 + 2);

        let (read, cost) = Cost::of(Contact::get(&hub, contact.unwrap().id())).await;
        costs(cost, 1);

        let mut contact = read.unwrap();
        contact.last_name = if is_prepared { "Byron" } else { "King" }.into();
        let (saved, cost) = Cost::of(contact.save(&hub)).await;
        saved.unwrap();
        costs(cost, 1 + 3 + 2);

        let (deleted, cost) = Cost::of(contact.delete(&hub)).await;
        deleted.unwrap();
        costs(cost, 1 + 3 + 2);
    }
}

#[tokio::test]
async fn a_refused_write_takes_no_more_round_trips() {
    let scene = Scene::new().await;
    let hub = program(&scene).await;
    for is_prepared in [false, true] {
        scene.minute();
        let mut org = Organisation::get(&hub, scene.id()).await.unwrap();
        org.name = "Acme Foods".into();
        scene.fault(Operation::Update, Fault::PlugIn("Not today.".into()));
        let (refused, cost) = Cost::of(org.save(&hub)).await;
        failed(refused, ErrorKind::Rejected);
        if is_prepared {
            costs(&scene, cost, 1 + 3 + 2);
        }
    }
}
