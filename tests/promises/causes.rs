//! What is behind an error: it keeps the error of the connection as its source, down to the system's own.

use std::error::Error as _;
use std::io;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation};
use example_domain::Organisation;

use crate::scene::{Scene, failed};

/// All errors behind one.
fn behind(error: &Error) -> Vec<&(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&error| error.source()).collect()
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_keeps_how() {
    let scene = Scene::new().await;
    let mut org = scene.get().await.unwrap();
    org.name = "Acme Foods".into();
    scene.fault(Operation::Update, Fault::DropAfterCommit);
    let error = failed(org.save(&scene.hub).await, ErrorKind::Unsettled);
    let behind = behind(&error);
    assert!(behind.len() > 1, "{error:?}");
    assert!(error.to_string().contains(&behind[0].to_string()), "{error} does not tell {}", behind[0]);
}

#[tokio::test]
async fn a_cdms_that_takes_no_connection_is_so_by_the_systems_own_word() {
    let scene = Scene::new().await;
    let known = scene.get().await.unwrap().id;
    let hub = scene.kit.hub(example_domain::models()).cdms("http://127.0.0.1:9/ORG", Anonymous);
    let hub = hub.connect().await.unwrap();
    let error = failed(Organisation::get(&hub, known).await, ErrorKind::Unavailable);
    let mut behind = behind(&error).into_iter();
    let is_refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    assert!(behind.any(|error| error.downcast_ref().is_some_and(is_refused)), "{error:?}");
}

#[tokio::test]
async fn an_error_that_cdms_has_told_has_nothing_behind_it() {
    let scene = Scene::new().await;
    let error = failed(Organisation::get(&scene.hub, Id::new()).await, ErrorKind::NotFound);
    assert!(error.source().is_none(), "{error:?}");
}
