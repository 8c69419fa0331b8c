//! NTLM with many requests at once: all messages of a handshake go over one connection, and many callers share one login.

use std::future::IntoFuture as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use datahub_runtime::login::secrecy::SecretString;
use datahub_runtime::login::{Ntlm, Secret};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Fault, FaultRule};
use example_domain::Organisation;
use futures_util::future::join_all;

use crate::front::Front;
use crate::login_ntlm::{close_connections, counts, kit, login, read_all, scene, server};
use crate::scene::{Scene, acme, failed};

#[tokio::test]
async fn readers_who_lose_their_connections_at_once_share_one_login() {
    let scene = scene(server(), login().connections(3)).await;
    for _ in 0..3 {
        scene.kit.simulator.expire_sessions();
        let before = counts(&scene).begun;
        for read in read_all(&scene, 40).await {
            assert_eq!(read.unwrap().name, "Acme");
        }
        let begun = counts(&scene).begun - before;
        assert!(begun <= 6, "{begun} handshakes for 3 connections");
    }
    assert_eq!(scene.kit.simulator.failed_logins(), 0);
}

/// Sixteen tasks, fifty reads each, over eight connections, which the server forgets after every tenth; with answers in one
/// part and in two, because the HTTP client takes a connection back only after the second.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_handshake_is_spread_over_connections() {
    for halts in [false, true] {
        let kit = kit(server());
        let hub = kit.hub_with(example_domain::models(), login().connections(8));
        let front = halts.then(|| Front::halting(&kit.simulator.root()));
        let hub = match &front {
            Some(front) => hub.cdms(front.root(), login().connections(8)),
            None => hub,
        };
        let scene = Arc::new(Scene::with_kit(kit, hub).await);
        let accounts: Vec<_> = (0..16).map(|_| scene.kit.simulator.seed("Account", acme())).collect();
        for _ in 0..5 {
            let tasks = accounts.iter().map(|account| {
                let (scene, id) = (Arc::clone(&scene), Id::<Organisation>::from(*account));
                tokio::spawn(async move {
                    for _ in 0..10 {
                        assert_eq!(Organisation::get(&scene.hub, id).await.unwrap().name, "Acme");
                    }
                })
            });
            for task in join_all(tasks).await {
                task.unwrap();
            }
            // Between two rounds, because a login that is forgotten at once is one that CDMS does not take; and not within a
            // minute, again and again.
            scene.minute();
            scene.kit.simulator.expire_sessions();
        }
        let counts = counts(&scene);
        assert_eq!((counts.astray, counts.refused), (0, 0), "halts: {halts}: {counts:?}");
        assert_eq!(counts.begun, counts.accepted, "halts: {halts}: {counts:?}");
        assert!(counts.accepted > 8, "halts: {halts}: {counts:?}");
        // Four times the server forgot all connections, and the hub opened eight new ones; at most as many were opened for those
        // who came late to that.
        assert!(counts.accepted <= 8 * 9, "halts: {halts}: {counts:?}");
    }
}

/// Ten tasks that read, while the login and the connections read the password from a vault that takes ever longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_login_and_connections_that_read_the_password_at_once_try_it_once() {
    for round in 0..6 {
        let kit = kit(server());
        let slowness = Arc::new(AtomicU64::new(0));
        let vault = {
            let slowness = Arc::clone(&slowness);
            move || {
                let slow = slowness.load(Ordering::Relaxed);
                if slow > 0 {
                    slowness.store(5 + (slow + 7) % 60, Ordering::Relaxed);
                }
                async move {
                    tokio::time::sleep(Duration::from_millis(slow)).await;
                    Ok::<_, io::Error>(SecretString::from("pass & wörd"))
                }
            }
        };
        let login = Ntlm::new(r"CDMS\datahub", Secret::from_fn(vault)).connections(4);
        let hub = kit.hub_with(example_domain::models(), login);
        let scene = Arc::new(Scene::with_kit(kit, hub).await);
        for read in read_all(&scene, 2).await {
            read.unwrap();
        }
        scene.kit.simulator.set_password("another");
        scene.kit.simulator.expire_sessions();
        slowness.store(5, Ordering::Relaxed);
        all_are_refused(&scene, 10).await;
        assert_eq!(scene.kit.simulator.failed_logins(), 1, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_logs_each_request_in_is_asked_once_with_a_password_that_was_changed() {
    for round in 0..6 {
        let scene = Arc::new(scene(server().per_request(), login()).await);
        scene.get().await.unwrap();
        scene.kit.simulator.set_password("another");
        all_are_refused(&scene, 40).await;
        assert_eq!(scene.kit.simulator.failed_logins(), 1, "round {round}");
    }
}

#[tokio::test]
async fn programs_on_one_database_open_their_connections_once_with_a_password_that_was_changed() {
    let scene = scene(server(), login()).await;
    let program = || async {
        let hub = scene.kit.hub_with(example_domain::models(), login()).connect().await.unwrap();
        failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
        hub
    };
    let hubs = join_all((0..6).map(|_| program())).await;
    scene.kit.simulator.set_password("another");
    // Servers close connections that nobody uses.
    close_connections(&scene).await;
    // So slow that all of them have begun before the first one is refused.
    scene.kit.simulator.fault(FaultRule::new(Fault::Latency(300)));
    for _ in 0..2 {
        let reads = hubs.iter().map(|hub| Organisation::get(hub, Id::new()).into_future());
        for read in join_all(reads).await {
            failed(read, ErrorKind::LoginRefused);
        }
    }
    assert_eq!(scene.kit.simulator.failed_logins(), 1);
}

/// So many tasks read, each a record of its own.
async fn all_are_refused(scene: &Arc<Scene>, tasks: usize) {
    let tasks = (0..tasks).map(|_| {
        let scene = Arc::clone(scene);
        tokio::spawn(async move { Organisation::get(&scene.hub, Id::new()).await })
    });
    for task in join_all(tasks).await {
        failed(task.unwrap(), ErrorKind::LoginRefused);
    }
}

#[tokio::test]
async fn the_vault_is_asked_once_in_a_second_by_one_caller_however_many_connections_are_opened() {
    for server in [server(), server().per_request()] {
        let kit = kit(server);
        let [asked, at_once, most] = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
        let (counted, seen) = (Arc::clone(&asked), Arc::clone(&most));
        let secret = Secret::from_fn(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            let (at_once, seen) = (Arc::clone(&at_once), Arc::clone(&seen));
            async move {
                seen.fetch_max(at_once.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
                at_once.fetch_sub(1, Ordering::Relaxed);
                Ok::<_, io::Error>(SecretString::from("pass & wörd"))
            }
        });
        let hub = kit.hub_with(example_domain::models(), Ntlm::new(r"CDMS\datahub", secret.clone()));
        let scene = Scene::with_kit(kit, hub).await;
        let (begun, before) = (Instant::now(), asked.load(Ordering::Relaxed));
        let callers = join_all((0..3).map(|_| secret.read()));
        let (reads, called) = tokio::join!(read_all(&scene, 20), callers);
        assert!(reads.iter().all(Result::is_ok) && called.iter().all(Result::is_ok));
        let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap();
        let asked = asked.load(Ordering::Relaxed) - before;
        // The hub's login, the three calls of this test, and one for each second that the reads took.
        assert!(asked <= 1 + 3 + seconds + 1, "{asked} times in {seconds} s");
        assert_eq!(most.load(Ordering::Relaxed), 1, "by one caller at a time");
    }
}
