//! NTLM where the server begins to log in in another way under a session: the next login finds out, and no password is refused.

use cdms_simulator::NtlmCounts;
use datahub_runtime::prelude::*;

use crate::login_ntlm::{counts, login, scene, server};
use crate::scene::{failed, says};

#[tokio::test]
async fn a_server_that_changes_its_scheme_or_its_way_is_logged_in_to_anew() {
    let scene = scene(server(), login().connections(2)).await;
    let mut org = scene.get().await.unwrap();
    let ways = [
        server().offering(&["Negotiate"]),
        server().offering(&["NTLM"]),
        server().per_request(),
        server().offering(&["Negotiate"]).per_request(),
        server(),
    ];
    for (at, way) in ways.into_iter().enumerate() {
        scene.kit.simulator.change_ntlm(way.clone());
        assert_eq!(scene.get().await.unwrap().id(), scene.id(), "a read: {way:?}");
        scene.kit.simulator.expire_sessions();
        scene.minute();
        org.name = format!("Acme {at}");
        org.save(&scene.hub).await.unwrap();
        let done = scene.commits().iter().filter(|commit| commit.entity == "Account").count();
        assert_eq!((done, scene.open_intents()), (at + 1, 0), "a write: {way:?}");
    }
    let NtlmCounts { refused, astray, bodies_wasted, .. } = counts(&scene);
    assert_eq!((refused, astray, bodies_wasted, scene.kit.simulator.failed_logins()), (0, 0, 0, 0));
}

#[tokio::test]
async fn a_server_that_offers_no_ntlm_any_more_is_told_in_words_until_it_does() {
    let scene = scene(server(), login()).await;
    scene.get().await.unwrap();
    for offers in [&["Bearer authorization_uri=https://login.example.gov.uk/"][..], &["Basic realm=\"CRM\""], &[]] {
        scene.kit.simulator.change_ntlm(server().offering(offers));
        let error = failed(scene.get().await, ErrorKind::Unavailable);
        says(&error, &["NTLM"]);
        scene.kit.simulator.change_ntlm(server());
        scene.kit.advance(std::time::Duration::from_secs(600));
        scene.get().await.unwrap();
    }
    assert_eq!(scene.kit.simulator.failed_logins(), 0);
}
