//! Programs that wait for each other's logins, in a time that the test passes.

use std::sync::Arc;
use std::time::Duration;

use datahub_protocol::LoginFailure;
use futures_util::future::BoxFuture;

use super::LoginState;
use crate::cdms::authenticator::{Authenticator, LoginRequests};
use crate::cdms::client::{Client, cdms_at};
use crate::cdms::client_options::ClientOptions;
use crate::cdms::login_error::LoginError;
use crate::cdms::refused_logins::RefusedLogins;
use crate::cdms::session::Session;
use crate::engine::clock::ManualClock;
use crate::engine::cost::Meters;
use crate::login::Credentials;
use crate::store::{Store, StoreOptions};

/// Never answers.
struct Silent;

impl Authenticator for Silent {
    fn credentials(&self) -> Option<Credentials> {
        Some(Credentials::new("hub", &"secret".into()))
    }

    fn login<'a>(&'a self, _: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(std::future::pending())
    }
}

async fn on_database(url: &str, program: &str) -> Client {
    let clock = Arc::new(ManualClock::at(cdms_odata::Instant(0)));
    let store = Store::open(url, clock.clone(), StoreOptions::default(), Meters::default()).await.unwrap();
    store.create_tables(&[]).await.unwrap();
    let cdms = cdms_at("http://127.0.0.1:9/Org", &[]).unwrap();
    let refused = RefusedLogins::in_database(store, program.into(), 1);
    Client::new(cdms, Arc::new(Silent), refused, ClientOptions::default(), clock, Meters::default()).unwrap()
}

#[tokio::test]
async fn who_waits_for_another_program_in_vain_says_so_and_waits_again_after_a_pause() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("hub.db").display());
    let (first, second) = (on_database(&url, "first").await, on_database(&url, "second").await);
    // Time passes as this test says, though nothing else is to be done: a blocking task keeps it from passing by itself.
    let (ends, end) = std::sync::mpsc::channel::<()>();
    let blocking = tokio::task::spawn_blocking(move || _ = end.recv());
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let waits = async {
        // The first one has the turn by then.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let told = second.login().await.unwrap_err();
        (told, begun.elapsed(), second.login().await.unwrap_err(), begun.elapsed())
    };
    let passes = async {
        loop {
            std::thread::sleep(Duration::from_millis(5));
            tokio::time::advance(Duration::from_millis(100)).await;
        }
    };
    let (told, after, again, after_again) = tokio::select! {
        told = waits => told,
        never = passes => never,
        told = first.login() => panic!("the first one came to an end: {told:?}"),
    };
    let (LoginFailure::Failed(told), LoginFailure::Failed(again)) = (told, again) else { panic!("none was refused") };
    assert!((61..70).contains(&after.as_secs()) && after_again == after, "{after:?}, {after_again:?}");
    for part in ["first (process", "is logging in as the same user", "it is not tried again for 10 s"] {
        assert!(told.as_str().contains(part) && again.as_str().contains(part), "{told}; {again}");
    }
    assert!(matches!(second.login_state(), LoginState::Fails { is_refused: false, .. }));
    drop(ends);
    blocking.await.unwrap();
}
