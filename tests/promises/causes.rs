//! An error keeps what caused it as its source, down to the error of the operating system.

use std::error::Error as _;
use std::io;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, Operation};
use example_domain::Organisation;

use crate::scene::{Scene, failed};

/// The chain of an error's sources.
fn behind(error: &Error) -> Vec<&(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&error| error.source()).collect()
}

#[tokio::test]
async fn a_lost_write_keeps_the_error_of_its_connection() {
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
async fn an_unreachable_cdms_keeps_the_error_of_the_operating_system() {
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
async fn an_answer_of_cdms_is_no_error_of_the_connection() {
    let scene = Scene::new().await;
    let error = failed(Organisation::get(&scene.hub, Id::new()).await, ErrorKind::NotFound);
    assert!(error.source().is_none(), "{error:?}");
}
