//! What is kept of a refused login, and for whom it stands: for all programs on a database, until the secret changes or
//! somebody says so.

use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use datahub_runtime::environment;
use datahub_runtime::login::Secret;
use datahub_runtime::login::secrecy::SecretString;
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::Expiry;
use datahub_runtime::testing::{FormLogin, Kit};
use example_domain::Organisation;
use futures_util::FutureExt as _;
use futures_util::future::join_all;

use crate::meddler::{Deed, Meddler};
use crate::scene::failed;

/// A kit whose CDMS asks for a login.
fn guarded() -> Kit {
    Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::Unauthorized))
}

/// A program that logs in with this password.
async fn program(kit: &Kit, password: impl Into<Secret>) -> Hub {
    kit.hub_with(models![Organisation], FormLogin::new("hub", password)).connect().await.unwrap()
}

async fn programs(kit: &Kit, password: &str) -> Vec<Hub> {
    join_all((0..5).map(|_| program(kit, password))).await
}

/// What a read of no record comes to in each program, all at the same time.
async fn all_read(hubs: &[Hub], kind: ErrorKind) {
    let reads = hubs.iter().map(|hub| Organisation::get(hub, Id::new()).into_future());
    for read in join_all(reads).await {
        failed(read, kind);
    }
}

async fn reads(hub: &Hub, kind: ErrorKind) {
    failed(Organisation::get(hub, Id::new()).await, kind);
}

/// What the database keeps about logins.
fn kept(kit: &Kit, what: &str) -> Vec<String> {
    kit.rows_of("datahub_settings").into_iter().filter(|row| row.contains(&format!("name='{what}"))).collect()
}

#[tokio::test]
async fn programs_on_one_database_try_a_password_that_was_changed_once() {
    let kit = guarded();
    let hubs = programs(&kit, "secret").await;
    all_read(&hubs, ErrorKind::NotFound).await;
    kit.simulator.set_password("new");
    kit.simulator.expire_sessions();
    all_read(&hubs, ErrorKind::LoginRefused).await;
    assert_eq!(kit.simulator.failed_logins(), 1, "each program knows what the first one learned");
    // They get the new one one after the other.
    kit.simulator.set_password("secret");
    all_read(&programs(&kit, "new").await, ErrorKind::LoginRefused).await;
    assert_eq!(kit.simulator.failed_logins(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn programs_that_start_together_try_a_wrong_password_once_also_if_the_login_takes_its_time() {
    let kit = guarded();
    let slow = Meddler::before(&kit.simulator.root(), |line| {
        if line.contains("/login ") {
            std::thread::sleep(Duration::from_millis(300));
        }
        Deed::Pass
    });
    let started = (0..5).map(|_| async {
        let login = FormLogin::new("hub", "wrong");
        let hub = kit.hub(models![Organisation]).cdms(slow.root(), login).connect().await.unwrap();
        reads(&hub, ErrorKind::LoginRefused).await;
    });
    join_all(started).await;
    assert_eq!(kit.simulator.failed_logins(), 1);
    assert_eq!(kept(&kit, "login_turn"), [""; 0], "nobody has the turn any more");
}

#[tokio::test]
async fn a_program_that_ends_in_the_middle_of_a_login_gives_its_turn_back() {
    let kit = guarded();
    let hangs =
        Meddler::before(&kit.simulator.root(), |line| if line.contains("/login ") { Deed::Hang } else { Deed::Pass });
    let login = FormLogin::new("hub", "secret");
    let cut = kit.hub(models![Organisation]).cdms(hangs.root(), login).connect().await.unwrap();
    let reading = tokio::spawn(cut.pull::<Organisation>().into_future());
    while !hangs.requests().iter().any(|line| line.contains("/login ")) {
        tokio::task::yield_now().await;
    }
    assert_eq!(kept(&kit, "login_turn").len(), 1);
    reading.abort();
    assert!(reading.await.unwrap_err().is_cancelled());
    drop(cut);
    reads(&program(&kit, "secret").await, ErrorKind::NotFound).await;
}

#[tokio::test]
async fn who_takes_a_refusal_back_does_it_for_all_programs_on_the_database() {
    let kit = guarded();
    let hubs = programs(&kit, "new").await;
    all_read(&hubs, ErrorKind::LoginRefused).await;
    kit.simulator.set_password("new");
    kit.advance(Duration::from_secs(61));
    all_read(&hubs, ErrorKind::LoginRefused).await;
    hubs[0].retry_login().await.unwrap();
    reads(&hubs[0], ErrorKind::NotFound).await;
    kit.advance(Duration::from_secs(61));
    all_read(&hubs, ErrorKind::NotFound).await;
    assert_eq!(kit.simulator.failed_logins(), 1);
}

#[tokio::test]
async fn what_another_program_learns_after_a_refusal_was_taken_back_counts_for_who_took_it_back() {
    let kit = guarded();
    let (one, other) = (program(&kit, "wrong").await, program(&kit, "wrong").await);
    for hub in [&one, &other] {
        reads(hub, ErrorKind::LoginRefused).await;
    }
    one.retry_login().await.unwrap();
    kit.advance(Duration::from_secs(61));
    for hub in [&other, &one] {
        reads(hub, ErrorKind::LoginRefused).await;
    }
    assert_eq!(kit.simulator.failed_logins(), 2);
}

#[tokio::test]
async fn a_refusal_is_taken_back_whole_though_nobody_waits_for_that() {
    let kit = guarded();
    let hub = program(&kit, "new").await;
    reads(&hub, ErrorKind::LoginRefused).await;
    assert!(hub.retry_login().now_or_never().is_none(), "it has begun");
    hub.shutdown(Duration::from_secs(5)).await;
    assert_eq!((kept(&kit, "login_refused").len(), kept(&kit, "login_taken_back").len()), (0, 1));
}

#[tokio::test]
async fn a_refusal_is_taken_back_though_the_secret_cannot_be_read_just_then() {
    let (kit, is_sealed) = (guarded(), Arc::new(AtomicBool::new(false)));
    let vault = {
        let is_sealed = Arc::clone(&is_sealed);
        move || {
            let is_sealed = is_sealed.load(Ordering::Relaxed);
            async move { if is_sealed { Err("the vault is sealed") } else { Ok(SecretString::from("new")) } }
        }
    };
    let hub = program(&kit, Secret::from_fn(vault)).await;
    reads(&hub, ErrorKind::LoginRefused).await;
    kit.simulator.set_password("new");
    is_sealed.store(true, Ordering::Relaxed);
    hub.retry_login().await.unwrap();
    assert_eq!(kept(&kit, "login_refused"), [""; 0]);
    reads(&program(&kit, "new").await, ErrorKind::NotFound).await;
    is_sealed.store(false, Ordering::Relaxed);
    reads(&hub, ErrorKind::NotFound).await;
}

#[tokio::test]
async fn a_login_that_is_taken_leaves_no_digest_of_its_users_secrets_and_has_nobody_try_an_old_one_again() {
    let kit = guarded();
    let old = programs(&kit, "old").await;
    all_read(&old, ErrorKind::LoginRefused).await;
    reads(&program(&kit, "older").await, ErrorKind::LoginRefused).await;
    let refused = kept(&kit, "login_refused");
    assert_eq!(refused.len(), 2);
    assert!(refused.iter().all(|row| row.contains(":1000:") && !row.contains("old")), "{refused:?}");
    reads(&program(&kit, "secret").await, ErrorKind::NotFound).await;
    assert_eq!(kept(&kit, "login_refused"), [""; 0]);
    kit.advance(Duration::from_secs(61));
    all_read(&old, ErrorKind::LoginRefused).await;
    assert_eq!(kit.simulator.failed_logins(), 2);
}

#[tokio::test]
async fn a_copy_of_a_database_keeps_nothing_about_logins() {
    let kit = guarded();
    let hub = program(&kit, "old").await;
    reads(&hub, ErrorKind::LoginRefused).await;
    hub.retry_login().await.unwrap();
    reads(&hub, ErrorKind::LoginRefused).await;
    hub.shutdown(Duration::from_secs(5)).await;
    assert_eq!(kept(&kit, "login_").len(), 3, "a salt, a mark and a digest");
    environment::adopt(kit.database(), "staging").await.unwrap();
    assert_eq!(kept(&kit, "login_"), [""; 0]);
}
