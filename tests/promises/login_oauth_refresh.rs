//! Refresh tokens of OAuth 2: a new one is stored before anything else is done, also when the program is stopped in between.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datahub_runtime::login::secrecy::{ExposeSecret, SecretString};
use datahub_runtime::login::{OAuth, Secret};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::TokenAnswer;
use example_domain::Organisation;
use tokio::sync::Notify;

use crate::login_oauth::{self, CLIENT, MINUTE, asked, is_for_a_token, kit, read};
use crate::scene::{failed, says};

/// A program's own store of its refresh token.
#[derive(Clone)]
struct Vault {
    token: Arc<Mutex<String>>,
    stored: Arc<AtomicUsize>,
    is_closed: Arc<AtomicBool>,
}

impl Vault {
    fn with(token: &str) -> Self {
        Vault { token: Arc::new(Mutex::new(token.to_owned())), stored: Arc::default(), is_closed: Arc::default() }
    }

    fn token(&self) -> String {
        self.token.lock().unwrap().clone()
    }

    fn login(&self, kit: &Kit) -> OAuth {
        let (reading, writing) = (self.clone(), self.clone());
        let secret = Secret::from_fn(move || {
            let token = reading.token();
            async move { Ok::<_, std::io::Error>(SecretString::from(token)) }
        });
        let store = move |new: SecretString| {
            let vault = writing.clone();
            async move {
                if vault.is_closed.load(Ordering::Relaxed) {
                    return Err(std::io::Error::other("the vault is closed"));
                }
                new.expose_secret().clone_into(&mut vault.token.lock().unwrap());
                vault.stored.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        };
        OAuth::refresh_token(&kit.simulator.token_url(), CLIENT, secret, store).unwrap()
    }
}

#[tokio::test]
async fn a_rotated_refresh_token_is_stored_before_its_access_token_is_used() {
    let kit = kit(|server| server.refresh_token("first").rotating());
    let vault = Vault::with("first");
    let hub = login_oauth::hub(&kit, vault.login(&kit)).await;
    vault.is_closed.store(true, Ordering::Relaxed);
    let error = failed(read(&hub).await, ErrorKind::Unavailable);
    says(&error, &["has replaced the refresh token", "the vault is closed", "before the next try"]);
    let requests = kit.simulator.requests();
    assert!(
        requests.iter().all(is_for_a_token) && requests.len() == 1,
        "the new access token is not used: {requests:?}"
    );
    // The token service refuses `first` from now on; the vault still has it. The program has the new one.
    vault.is_closed.store(false, Ordering::Relaxed);
    kit.advance(MINUTE);
    read(&hub).await.unwrap();
    assert_eq!(vault.stored.load(Ordering::Relaxed), 2, "the one that could not be stored, and its successor");
    assert_eq!(Some(vault.token()), kit.simulator.refresh_token());
    for _ in 0..3 {
        kit.advance(Duration::from_secs(3_600));
        read(&hub).await.unwrap();
        assert_eq!(Some(vault.token()), kit.simulator.refresh_token());
    }
    assert_eq!((asked(&kit).len(), kit.simulator.failed_logins()), (5, 0));
    // A program that is started again goes on with what was stored.
    read(&login_oauth::hub(&kit, vault.login(&kit)).await).await.unwrap();
    assert_eq!(kit.simulator.failed_logins(), 0);
}

#[tokio::test]
async fn a_refresh_token_that_stays_the_same_is_not_stored_and_one_that_a_person_sets_is_used() {
    let kit = kit(|server| server.refresh_token("first"));
    let vault = Vault::with("first");
    let hub = login_oauth::hub(&kit, vault.login(&kit)).await;
    read(&hub).await.unwrap();
    assert_eq!(vault.stored.load(Ordering::Relaxed), 0);
    "other".clone_into(&mut vault.token.lock().unwrap());
    kit.advance(Duration::from_secs(3_600));
    let error = failed(read(&hub).await, ErrorKind::LoginRefused);
    says(&error, &["invalid_grant", "the refresh token has expired; someone must log in again"]);
    assert_eq!(kit.simulator.failed_logins(), 1);
}

/// A program whose store of refresh tokens takes its time.
struct Slow {
    begun: Arc<Notify>,
    goes_on: Arc<Notify>,
    stored: Arc<Mutex<Vec<String>>>,
}

impl Slow {
    fn login(kit: &Kit) -> (Slow, OAuth) {
        let slow = Slow { begun: Arc::default(), goes_on: Arc::default(), stored: Arc::default() };
        let (begun, goes_on, stored) = (Arc::clone(&slow.begun), Arc::clone(&slow.goes_on), Arc::clone(&slow.stored));
        let store = move |new: SecretString| {
            let (begun, goes_on, stored) = (Arc::clone(&begun), Arc::clone(&goes_on), Arc::clone(&stored));
            async move {
                begun.notify_one();
                goes_on.notified().await;
                stored.lock().unwrap().push(new.expose_secret().to_owned());
                Ok::<_, std::io::Error>(())
            }
        };
        let login = OAuth::refresh_token(&kit.simulator.token_url(), CLIENT, Secret::new("first"), store).unwrap();
        (slow, login)
    }

    fn stored(&self) -> Vec<String> {
        self.stored.lock().unwrap().clone()
    }
}

/// A caller of a hub that goes away while a new refresh token is being stored.
async fn goes_away(hub: &Hub, slow: &Slow) {
    let pull = tokio::spawn(hub.pull::<Organisation>().into_future());
    slow.begun.notified().await;
    pull.abort();
    assert!(pull.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn a_new_refresh_token_is_stored_though_nobody_waits_for_the_login_any_more() {
    let kit = kit(|server| server.refresh_token("first").rotating());
    let (slow, login) = Slow::login(&kit);
    let hub = login_oauth::hub(&kit, login).await;
    goes_away(&hub, &slow).await;
    assert_eq!(slow.stored(), [""; 0]);
    slow.goes_on.notify_one();
    read(&hub).await.unwrap();
    assert_eq!(slow.stored(), [kit.simulator.refresh_token().expect("there is one")]);
    assert_eq!(asked(&kit).len(), 1, "the next reader takes the login that was under way");
}

#[tokio::test]
async fn half_a_login_of_a_killed_program_says_what_to_do() {
    let kit = kit(|server| server.refresh_token("first").rotating());
    let (slow, login) = Slow::login(&kit);
    let hub = login_oauth::hub(&kit, login).await;
    goes_away(&hub, &slow).await;
    drop(hub);
    // It has lost the new token, and this service does not accept the old one any more.
    let restarted = login_oauth::hub(&kit, Vault::with("first").login(&kit)).await;
    says(&failed(read(&restarted).await, ErrorKind::LoginRefused), &["someone must log in again"]);
    assert_eq!(slow.stored(), [""; 0]);
}

#[tokio::test]
async fn a_client_secret_that_was_refused_is_tried_again_when_it_was_corrected() {
    let kit = kit(|server| server.refresh_token("first"));
    let login = |secret: &str| Vault::with("first").login(&kit).client_secret(Secret::new(secret));
    let wrong = TokenAnswer::Refused {
        error: "invalid_client".into(),
        code: 7_000_222,
        description: "AADSTS7000222: The provided client secret keys are expired.".into(),
    };
    kit.simulator.answer_token_request(wrong);
    for _ in 0..2 {
        let hub = login_oauth::hub(&kit, login("expired")).await;
        says(&failed(read(&hub).await, ErrorKind::LoginRefused), &["the client secret has expired"]);
        assert_eq!(asked(&kit).len(), 1, "nor does a program that is started again try it");
    }
    let hub = login_oauth::hub(&kit, login(login_oauth::SECRET)).await;
    read(&hub).await.unwrap();
    assert_eq!(asked(&kit).len(), 2);
}
