//! Static headers: a token is read again when CDMS no longer takes it, once for all who wait, and sent to CDMS only.

use std::future::IntoFuture as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use datahub_runtime::login::secrecy::SecretString;
use datahub_runtime::login::{Secret, StaticHeaders};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use example_domain::Organisation;
use futures_util::future::join_all;

use crate::meddler::{Deed, Meddler, answer};
use crate::scene::{Scene, failed};

/// A proxy that wants a token, the store that the program reads it from, and how often it was read.
struct Guard {
    scene: Scene,
    proxy: Meddler,
    /// Whether the proxy answers requests with this method 401, once or always.
    refuses: Arc<Mutex<Option<(&'static str, bool)>>>,
    token: Arc<Mutex<String>>,
    reads: Arc<AtomicUsize>,
}

async fn guard() -> Guard {
    let kit = Kit::new(example_domain::METADATA);
    let refuses: Arc<Mutex<Option<(&'static str, bool)>>> = Arc::default();
    let rule = Arc::clone(&refuses);
    let proxy = Meddler::before(&kit.simulator.root(), move |line| {
        let mut refuses = rule.lock().unwrap();
        match *refuses {
            Some((method, always)) if line.starts_with(method) => {
                if !always {
                    *refuses = None;
                }
                Deed::Answer(answer("401 Unauthorized", "WWW-Authenticate: Bearer\r\nConnection: close\r\n", b""))
            }
            _ => Deed::Pass,
        }
    });
    let (token, reads) = (Arc::new(Mutex::new("first".to_owned())), Arc::new(AtomicUsize::new(0)));
    let (source, count) = (Arc::clone(&token), Arc::clone(&reads));
    let secret = Secret::from_fn(move || {
        count.fetch_add(1, Ordering::Relaxed);
        let token = SecretString::from(source.lock().unwrap().clone());
        async move { Ok::<_, std::io::Error>(token) }
    });
    let hub = kit.hub(example_domain::models()).cdms(proxy.root(), StaticHeaders::bearer(secret));
    let scene = Scene::with_kit(kit, hub).await;
    scene.get().await.unwrap();
    Guard { scene, proxy, refuses, token, reads }
}

impl Guard {
    fn rotate(&self, refuses: (&'static str, bool)) {
        "second".clone_into(&mut self.token.lock().unwrap());
        *self.refuses.lock().unwrap() = Some(refuses);
    }

    /// The tokens that were sent, each change of them once.
    fn sent(&self) -> Vec<String> {
        let mut sent: Vec<_> =
            self.proxy.headers("authorization").into_iter().map(|(_, value)| value.unwrap()).collect();
        sent.dedup();
        sent
    }
}

#[tokio::test]
async fn a_token_that_is_refused_in_the_middle_of_a_read_is_read_again() {
    let guard = guard().await;
    guard.rotate(("GET", false));
    assert_eq!(guard.scene.get().await.unwrap().name, "Acme");
    assert_eq!(guard.sent(), ["Bearer first", "Bearer second"]);
}

#[tokio::test]
async fn a_write_that_meets_a_refused_token_is_carried_out_once() {
    let guard = guard().await;
    let mut org = guard.scene.get().await.unwrap();
    org.name = "Acme Foods".into();
    guard.rotate(("POST", false));
    org.save(&guard.scene.hub).await.unwrap();
    assert_eq!((guard.scene.commits().len(), guard.scene.open_intents()), (1, 0));
    let posts = guard.proxy.requests().iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!(posts, 2, "the 401 proves that the first was not carried out");
    assert_eq!(guard.sent(), ["Bearer first", "Bearer second"]);
}

#[tokio::test]
async fn a_token_is_read_once_for_all_who_wait() {
    let guard = guard().await;
    let before = guard.reads.load(Ordering::Relaxed);
    let read_all = || async {
        let reads = (0..200).map(|_| Organisation::get(&guard.scene.hub, guard.scene.id()).into_future());
        join_all(reads).await
    };
    assert!(read_all().await.iter().all(Result::is_ok));
    assert_eq!(guard.reads.load(Ordering::Relaxed), before, "a good token is not read again");
    guard.rotate(("GET", false));
    assert!(read_all().await.iter().all(Result::is_ok));
    let again = guard.reads.load(Ordering::Relaxed) - before;
    assert!((1..=2).contains(&again), "{again} reads for 200 callers");
}

#[tokio::test]
async fn a_token_that_is_never_taken_is_left_alone() {
    let guard = guard().await;
    *guard.refuses.lock().unwrap() = Some(("", true));
    let before = guard.proxy.requests().len();
    for read in join_all((0..20).map(|_| Organisation::get(&guard.scene.hub, guard.scene.id()).into_future())).await {
        let error = read.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::LoginRefused | ErrorKind::Unavailable), "{error}");
        assert!(!format!("{error} {error:?}").contains("first"), "{error}");
    }
    let first = guard.proxy.requests().len() - before;
    assert!(first <= 60, "{first} requests of 20 callers");
    for _ in 0..20 {
        failed(Organisation::get(&guard.scene.hub, guard.scene.id()).await, ErrorKind::Unavailable);
    }
    let then = guard.proxy.requests().len() - before - first;
    assert!(then <= 20, "{then} requests of 20 callers who came later");
    // The proxy takes it again, and nothing need be started again.
    *guard.refuses.lock().unwrap() = None;
    guard.scene.kit.advance(std::time::Duration::from_secs(600));
    guard.scene.get().await.unwrap();
}
