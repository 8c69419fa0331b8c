//! Canaries: a secret is nowhere at all, neither in logs at their most talkative nor in errors, panics, debug output or the
//! database; and what is personal is in no log, no error, no debug output and no export that did not ask for it.
//!
//! A process of its own, because it listens to everything that is logged.

#![allow(clippy::unwrap_used, reason = "functions next to the tests unwrap what the tests expect")]

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use datahub_runtime::Value;
use datahub_runtime::login::secrecy::{ExposeSecret as _, SecretString};
use datahub_runtime::login::{AdFs, Authenticator, LoginError, Ntlm, OAuth, Secret, StaticHeaders};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{
    AdFsServer, Expiry, Fault, FaultRule, NtlmServer, OAuthServer, Operation, SimulatorBuilder, TokenAnswer,
};
use datahub_runtime::testing::{FormLogin, Kit};
use example_domain::{Contact, Organisation};

use ear::{Told, forms, heard, listen};

#[path = "canaries/ear.rs"]
mod ear;

/// Every table of the engine and of the models as text, and where the database is a file, the bytes of all files beside it.
fn database(kit: &Kit) -> String {
    let mut text = String::new();
    let tables = [
        "organisations",
        "contacts",
        "datahub_records",
        "datahub_intents",
        "datahub_history",
        "datahub_pulls",
        "datahub_quarantine",
        "datahub_settings",
    ];
    tables.iter().for_each(|table| text.push_str(&kit.rows_of(table).join("\n")));
    if let Some(path) = kit.database().strip_prefix("sqlite://") {
        let folder = Path::new(path).parent().unwrap();
        let files: Vec<_> = folder.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.iter().any(|file| file == Path::new(path)), "{path} is not in {files:?}");
        files.iter().for_each(|file| text.push_str(&String::from_utf8_lossy(&std::fs::read(file).unwrap())));
    }
    text
}

/// What is never to be seen anywhere. Its characters survive in a form and in a header.
const SECRET: &str = "canary-7f3a-Secret/9";

/// Works with a login: with the secret that CDMS takes, and with one that it refuses. Returns what was told.
async fn with_login<L: Authenticator + Debug>(
    configure: impl FnOnce(SimulatorBuilder) -> SimulatorBuilder,
    login: impl Fn(&Kit, &str) -> L,
) -> (Told, Kit) {
    let mut told = Told::default();
    let kit = Kit::with(example_domain::METADATA, configure);
    let account = kit.simulator.seed("Account", [("Name", Value::text("Acme"))]);
    let right = login(&kit, SECRET);
    told.shown(&right);
    let hub = kit.hub_with(example_domain::models(), right).connect().await.unwrap();
    told.shown(&hub);
    told.result(&Organisation::get(&hub, account.into()).await);
    kit.advance(std::time::Duration::from_secs(60));
    kit.simulator.expire_sessions();
    let read = Organisation::get(&hub, account.into()).await;
    told.result(&read);
    let mut org = read.unwrap();
    org.name = "Acme Foods".into();
    told.result(&org.save(&hub).await);
    // CDMS says what it was sent, as a server in debug mode does.
    kit.simulator.fault(FaultRule::new(Fault::Html(500)).on(Operation::Read).times(1));
    told.result(&Organisation::get(&hub, account.into()).await);
    told.shown(&hub.health().await);
    told.report(&hub.check_connection().await.unwrap());
    hub.shutdown(std::time::Duration::from_secs(10)).await;

    let wrong = format!("{SECRET}-wrong");
    let refused = login(&kit, &wrong);
    told.shown(&refused);
    let hub = kit.hub_with(example_domain::models(), refused).connect().await.unwrap();
    let error = Organisation::get(&hub, account.into()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::LoginRefused | ErrorKind::Unavailable), "{error}");
    told.shown(&hub.health().await);
    told.report(&hub.check_connection().await.unwrap());
    told.error(&error);
    told.result(&Organisation::get(&hub, account.into()).await);
    told.shown(&hub);
    // The program itself panics with what it has.
    let shown = format!("{hub:?} {error:?}");
    assert!(tokio::spawn(async move { panic!("{shown}") }).await.is_err());
    hub.shutdown(std::time::Duration::from_secs(10)).await;

    told.is_silent_about(SECRET);
    is_not_in_the_database(&kit, SECRET);
    (told, kit)
}

#[track_caller]
fn is_not_in_the_database(kit: &Kit, canary: &str) {
    let database = database(kit);
    assert!(database.contains("Acme"), "records are there");
    forms(canary).iter().for_each(|form| assert!(!database.contains(form), "it is in the database"));
}

#[tokio::test]
async fn a_password_of_a_form_is_nowhere() {
    let _turn = listen().await;
    with_login(|cdms| cdms.login("hub", SECRET, Expiry::Unauthorized), |_, password| FormLogin::new("hub", password))
        .await;
}

#[tokio::test]
async fn a_password_of_ad_fs_is_nowhere() {
    let _turn = listen().await;
    with_login(
        |cdms| cdms.adfs(AdFsServer::new("EXAMPLE\\hub", SECRET)),
        |kit, password| {
            let [service] = &kit.simulator.token_services()[..] else { panic!("expected one token service") };
            AdFs::builder(service).user("EXAMPLE\\hub").password(Secret::new(password)).build().unwrap()
        },
    )
    .await;
}

/// From a last message of NTLM a password can be guessed, so it is as secret as one.
#[tokio::test]
async fn a_password_of_ntlm_and_its_messages_are_nowhere() {
    let _turn = listen().await;
    for per_request in [false, true] {
        let server = NtlmServer::new("CDMS", "hub", SECRET);
        let server = if per_request { server.per_request() } else { server };
        let (told, kit) =
            with_login(|cdms| cdms.ntlm(server), |_, password| Ntlm::new(r"CDMS\hub", Secret::new(password))).await;
        assert!(kit.simulator.ntlm_counts().accepted > 1 && kit.simulator.failed_logins() > 0, "messages were sent");
        for message in ["NTLMSSP", "TlRMTVNTUAAB", "TlRMTVNTUAAD"] {
            told.is_silent_about(message);
        }
    }
}

/// The beginnings of the tokens that the simulator issues; what follows is of 32 digits.
const ISSUED: [&str; 2] = ["token-", "refresh-"];

/// Asserts that no token of the simulator is in a text.
#[track_caller]
fn has_no_token(text: &str) {
    for begin in ISSUED {
        let found = text.match_indices(begin).find(|(at, _)| {
            let rest = &text.as_bytes()[at + begin.len()..];
            rest.len() >= 8 && rest[..8].iter().all(u8::is_ascii_hexdigit)
        });
        assert_eq!(found, None, "a token is told");
    }
}

#[tokio::test]
async fn a_client_secret_and_its_tokens_are_nowhere() {
    let _turn = listen().await;
    let (mut told, kit) = with_login(
        |cdms| cdms.oauth(OAuthServer::new("app", SECRET)),
        |kit, secret| OAuth::client_credentials(&kit.simulator.token_url(), "app", Secret::new(secret)).unwrap(),
    )
    .await;
    // A token that CDMS does not know, one that no header can carry, and replies that cannot be read.
    let token = "canary-2b7e-Token/4";
    for body in [
        format!(r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"{token}"}}"#),
        format!(r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"{token}\u0001"}}"#),
        format!(r#"{{"token_type":"{token}","access_token":["{token}"]}}"#),
        format!(r#"{{"error":{{"{token}":1}},"access_token":"{token}"}}"#),
    ] {
        kit.simulator.answer_token_request(TokenAnswer::Json { status: 200, body });
        let secret = Secret::new(SECRET);
        let login = OAuth::client_credentials(&kit.simulator.token_url(), "app", secret).unwrap();
        let hub = kit.hub_with(example_domain::models(), login).connect().await.unwrap();
        told.error(&Organisation::get(&hub, Id::new()).await.unwrap_err());
        told.shown(&hub);
        hub.shutdown(std::time::Duration::from_secs(10)).await;
    }
    for secret in [SECRET, token] {
        told.is_silent_about(secret);
        is_not_in_the_database(&kit, secret);
    }
    has_no_token(&told.0);
    has_no_token(&heard());
    has_no_token(&database(&kit));
}

#[tokio::test]
async fn a_refresh_token_and_its_successors_are_nowhere() {
    let _turn = listen().await;
    let stored = Arc::new(Mutex::new(Vec::new()));
    let (told, kit) = with_login(
        |cdms| cdms.oauth(OAuthServer::new("app", "another").refresh_token(SECRET).rotating()),
        |kit, token| {
            let current = Arc::new(Mutex::new(token.to_owned()));
            let (kept, stored) = (Arc::clone(&current), Arc::clone(&stored));
            let secret = Secret::from_fn(move || {
                let token = SecretString::from(current.lock().unwrap().clone());
                async move { Ok::<_, io::Error>(token) }
            });
            OAuth::refresh_token(&kit.simulator.token_url(), "app", secret, move |new: SecretString| {
                new.expose_secret().clone_into(&mut kept.lock().unwrap());
                stored.lock().unwrap().push(new.expose_secret().to_owned());
                // The first time the program cannot store it.
                let is_stored = stored.lock().unwrap().len() > 1;
                async move { if is_stored { Ok(()) } else { Err(io::Error::other("the vault is sealed")) } }
            })
            .unwrap()
        },
    )
    .await;
    let stored = stored.lock().unwrap().clone();
    assert!(stored.len() > 1 && stored.last() == kit.simulator.refresh_token().as_ref(), "tokens were replaced");
    assert!(stored.iter().all(|token| token.starts_with(ISSUED[1])), "{stored:?}");
    for token in &stored {
        told.is_silent_about(token);
        is_not_in_the_database(&kit, token);
    }
    has_no_token(&told.0);
    has_no_token(&heard());
    has_no_token(&database(&kit));
}

#[tokio::test]
async fn a_token_in_a_header_is_nowhere() {
    let _turn = listen().await;
    let mut told = Told::default();
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "another", Expiry::Unauthorized));
    let login = StaticHeaders::bearer(Secret::new(SECRET));
    told.shown(&login);
    let hub = kit.hub_with(example_domain::models(), login).connect().await.unwrap();
    for _ in 0..2 {
        told.result(&Organisation::get(&hub, Id::new()).await);
    }
    told.shown(&hub);
    hub.shutdown(std::time::Duration::from_secs(10)).await;
    told.is_silent_about(SECRET);
    assert!(!database(&kit).contains(SECRET), "it is in the database");
    assert!(kit.simulator.requests_met() > 0, "it was sent");
}

#[tokio::test]
async fn a_source_that_fails_tells_where_the_secret_should_be_and_not_what_it_is() {
    let _turn = listen().await;
    let mut told = Told::default();
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", SECRET, Expiry::Unauthorized));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    // A secret that no header can carry.
    std::fs::write(&file, format!("{SECRET}\u{1}")).unwrap();
    let callback = Secret::from_fn(|| async { Err(LoginError::new("the vault is sealed")) });
    for secret in [Secret::file(&file), callback, Secret::env("DATAHUB_CANARY_THAT_IS_NOT_SET")] {
        let hub = kit.hub_with(example_domain::models(), StaticHeaders::bearer(secret)).connect().await.unwrap();
        let error = Organisation::get(&hub, Id::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        told.error(&error);
        hub.shutdown(std::time::Duration::from_secs(10)).await;
    }
    told.is_silent_about(SECRET);
    for word in ["the vault is sealed", "DATAHUB_CANARY_THAT_IS_NOT_SET", "token"] {
        assert!(told.0.contains(word), "{word}: {}", told.0);
    }
}

/// What is about a person.
const PERSONAL: &str = "canary.lovelace@person.example";

#[tokio::test]
async fn what_is_personal_is_in_no_log_no_error_and_no_export() {
    let _turn = listen().await;
    let mut told = Told::default();
    let kit = Kit::new(example_domain::METADATA);
    let hub = kit.hub(example_domain::models()).connect().await.unwrap();
    let ada = Contact { email: Some(PERSONAL.into()), ..Contact::named("Lovelace") };
    let mut ada = Contact::create(&hub, ada).await.unwrap();
    let id = ada.id();
    told.shown(&ada.saved());
    // CDMS repeats what it refuses.
    let refused = Fault::PlugIn(format!("The address 0.{PERSONAL} is taken."));
    for (at, fault) in [refused, Fault::DropAfterCommit, Fault::DropBeforeCommit].into_iter().enumerate() {
        kit.simulator.fault(FaultRule::new(fault).on(Operation::Update).times(1));
        ada.email = Some(format!("{at}.{PERSONAL}"));
        if let Err(error) = ada.save(&hub).await {
            told.shown(&error);
        }
        kit.advance(std::time::Duration::from_secs(240 + 330 + 1));
        told.shown(&hub.settle().await);
        ada = Contact::get(&hub, id).await.unwrap();
    }
    // CDMS returns something else than text, and the record waits in quarantine.
    let json = format!(r#"{{"who":"{PERSONAL}"}}"#);
    let corrupt = Fault::Corrupt { attribute: "EMailAddress1".into(), json };
    kit.simulator.fault(FaultRule::new(corrupt).on(Operation::Read).entity("Contact").times(1));
    kit.simulator.edit("Contact", id.guid(), [("JobTitle", Value::text("Analyst"))]);
    kit.advance(std::time::Duration::from_secs(60));
    let quarantined = Contact::get(&hub, id).await.unwrap_err();
    assert_eq!(quarantined.kind(), ErrorKind::Quarantined, "{quarantined}");
    told.error(&quarantined);
    told.shown(&hub.quarantine(10).await.unwrap());
    let history = Contact::history(&hub, id).await.unwrap();
    for entry in &history {
        told.shown(entry);
        told.0.push_str(&entry.to_string());
        told.0.push_str(&serde_json::to_string(entry).unwrap());
    }
    assert!(history.iter().any(|entry| entry.changes.iter().any(|change| change.field == "email")));
    told.shown(&hub);
    told.shown(&hub.health().await);
    // A question that is asked of CDMS is about a person too.
    let found = Contact::find(&hub).filter(Contact::FIELDS.email.eq(PERSONAL)).limit(5).load().await;
    assert!(found.is_ok(), "{:?}", found.err());
    kit.simulator.fault(FaultRule::new(Fault::Html(500)).times(1));
    told.shown(&Contact::find(&hub).filter(Contact::FIELDS.email.eq(PERSONAL)).limit(5).load().await.err());
    hub.shutdown(std::time::Duration::from_secs(10)).await;
    told.is_silent_about(PERSONAL);
}
