//! Pauses of logins at their edges: sources of secrets that take their time, pauses of any length, sessions that end soon.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use datahub_runtime::login::secrecy::SecretString;
use datahub_runtime::login::{Credentials, Secret};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::Expiry;
use datahub_runtime::testing::{FormLogin, Kit};
use datahub_runtime::{Authenticator, LoginError, LoginRequests, Session, SessionResponse, Standing, http};
use example_domain::Organisation;
use futures_util::future::BoxFuture;

use crate::scene::{failed, says};

/// A kit whose CDMS asks for a login.
fn guarded() -> Kit {
    Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::Unauthorized))
}

#[tokio::test]
async fn a_vault_that_hangs_is_left_alone_for_the_pause_after_its_failure() {
    let (kit, asked) = (Arc::new(guarded()), Arc::new(AtomicU32::new(0)));
    let vault = {
        let (kit, asked) = (Arc::downgrade(&kit), Arc::clone(&asked));
        move || {
            asked.fetch_add(1, Ordering::Relaxed);
            let kit = kit.upgrade();
            async move {
                kit.expect("the kit is there").advance(Duration::from_secs(29));
                Err::<SecretString, _>("the vault does not answer")
            }
        }
    };
    let login = FormLogin::new("hub", Secret::from_fn(vault));
    let hub = kit.hub_with(models![Organisation], login).connect().await.unwrap();
    for _ in 0..3 {
        let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
        says(&error, &["the vault does not answer", "not read again for 10 s"]);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    kit.advance(Duration::from_secs(11));
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_pause_beyond_all_bounds_is_a_day() {
    let kit = guarded();
    let trouble = FormLogin::new("hub", Secret::from_fn(|| async { Err::<SecretString, _>("the vault is sealed") }));
    let (fails, lasts) = (Fails::default(), FormLogin::new("hub", "secret"));
    let hub = kit.hub_with(models![Organisation], trouble).login_pause(Duration::MAX).connect().await.unwrap();
    let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
    says(&error, &["the vault is sealed", "not read again for 86400 s"]);
    let hub = kit.hub_with(models![Organisation], fails.clone()).login_pause(Duration::MAX).connect().await.unwrap();
    for (times, seconds) in [(1, 86_400), (2, 6 * 86_400), (3, 53 * 86_400 - 2)] {
        let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
        says(&error, &["the login page is away", &format!("not tried again for {seconds} s")]);
        assert_eq!(fails.0.load(Ordering::Relaxed), times);
        kit.advance(Duration::from_secs(seconds + 1));
    }
    let hub = kit.hub_with(models![Organisation], lasts).login_pause(Duration::MAX).connect().await.unwrap();
    for _ in 0..3 {
        failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
        kit.simulator.expire_sessions();
    }
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
    kit.simulator.expire_sessions();
    let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
    says(&error, &["for a short time only"]);
}

/// Never comes to a login. It counts its attempts.
#[derive(Clone, Default)]
struct Fails(Arc<AtomicU32>);

impl Authenticator for Fails {
    fn login<'a>(&'a self, _: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Err(LoginError::new("the login page is away")) })
    }
}

/// A login whose sessions are over with each answer, as they say.
struct Timed(FormLogin);

struct Over(Box<dyn Session>);

impl Authenticator for Timed {
    fn credentials(&self) -> Option<Credentials> {
        self.0.credentials()
    }

    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move { Ok(Over(self.0.login(requests).await?).boxed()) })
    }
}

impl Session for Over {
    fn prepare(&self, headers: &mut http::HeaderMap) {
        self.0.prepare(headers);
    }

    fn observe(&self, response: &SessionResponse<'_>) -> Standing {
        match response.standing() {
            Standing::Valid => Standing::Renewed,
            other => other,
        }
    }

    fn lasts(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }
}

#[tokio::test]
async fn a_session_that_ends_soon_counts_once_however_often_its_secret_cannot_be_read() {
    let (kit, is_sealed) = (guarded(), Arc::new(AtomicBool::new(false)));
    let vault = {
        let is_sealed = Arc::clone(&is_sealed);
        move || {
            let is_sealed = is_sealed.load(Ordering::Relaxed);
            async move { if is_sealed { Err("the vault is sealed") } else { Ok(SecretString::from("secret")) } }
        }
    };
    let login = Timed(FormLogin::new("hub", Secret::from_fn(vault)));
    let hub = kit.hub_with(models![Organisation], login).connect().await.unwrap();
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
    is_sealed.store(true, Ordering::Relaxed);
    for _ in 0..6 {
        let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
        says(&error, &["the vault is sealed"]);
    }
    is_sealed.store(false, Ordering::Relaxed);
    kit.advance(Duration::from_secs(11));
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
}
