//! Logging in with tokens of OAuth 2: what is asked, how often, and what every refusal means.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datahub_runtime::login::secrecy::SecretString;
use datahub_runtime::login::{OAuth, Secret};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{Fault, FaultRule, OAuthServer, Operation, RequestEntry, TokenAnswer};
use example_domain::Organisation;
use futures_util::future::join_all;

use crate::meddler::{Deed, Meddler, answer};
use crate::scene::{NEW_NAME, Scene, failed, says};

pub(crate) const CLIENT: &str = "7b1e1c6a-0d6f-4b0e-8e0a-8a7a3d8f1f10";
pub(crate) const SECRET: &str = "s3cret & more";
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn kit(configure: impl FnOnce(OAuthServer) -> OAuthServer) -> Kit {
    Kit::with(example_domain::METADATA, |cdms| cdms.oauth(configure(OAuthServer::new(CLIENT, SECRET))))
}

pub(crate) fn login(kit: &Kit, secret: impl Into<Secret>) -> OAuth {
    OAuth::client_credentials(&kit.simulator.token_url(), CLIENT, secret.into()).unwrap()
}

async fn scene(kit: Kit) -> Scene {
    let hub = kit.hub_with(example_domain::models(), login(&kit, SECRET));
    Scene::with_kit(kit, hub).await
}

pub(crate) async fn hub(kit: &Kit, login: OAuth) -> Hub {
    kit.hub_with(example_domain::models(), login).connect().await.unwrap()
}

pub(crate) async fn read(hub: &Hub) -> Result<(), Error> {
    match Organisation::get(hub, Id::new()).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        read => read.map(drop),
    }
}

pub(crate) fn is_for_a_token(request: &RequestEntry) -> bool {
    request.target.ends_with("/oauth2/token")
}

/// The bodies of all requests for a token.
pub(crate) fn asked(kit: &Kit) -> Vec<String> {
    kit.simulator.requests().into_iter().filter(is_for_a_token).map(|request| request.body).collect()
}

#[tokio::test]
async fn a_token_is_asked_for_once_however_many_wait_and_sent_to_cdms_only() {
    let kit = kit(|server| server);
    let meddler = Meddler::before(&kit.simulator.root(), |_| Deed::Pass);
    let hub = kit.hub_with(example_domain::models(), login(&kit, SECRET)).cdms(meddler.root(), login(&kit, SECRET));
    let hub = hub.connect().await.unwrap();
    for read in join_all((0..200).map(|_| read(&hub))).await {
        read.unwrap();
    }
    let origin = meddler.root().replace("/ORG", "/").replace(':', "%3A").replace('/', "%2F");
    let expected =
        format!("grant_type=client_credentials&client_id={CLIENT}&resource={origin}&client_secret=s3cret+%26+more");
    assert_eq!(asked(&kit), [expected]);
    let tokens: Vec<_> = meddler.headers("authorization").into_iter().map(|(_, value)| value.unwrap()).collect();
    assert!(tokens.len() >= 200 && tokens.iter().all(|token| token.starts_with("Bearer token-")), "{tokens:?}");
}

#[tokio::test]
async fn a_token_is_for_what_the_program_says() {
    let kit = kit(|server| server);
    let url = kit.simulator.token_url().replace("/token", "/v2.0/token");
    let entra = || OAuth::client_credentials(&url, CLIENT, Secret::new(SECRET)).unwrap();
    for login in [entra(), entra().scope("api://hub/.default"), entra().resource("urn:crm")] {
        read(&hub(&kit, login).await).await.unwrap();
    }
    let bodies: Vec<_> =
        kit.simulator.requests().into_iter().filter(|request| request.target.contains("oauth2")).collect();
    let origin = kit.simulator.root().replace("/ORG", "").replace(':', "%3A").replace('/', "%2F");
    for (request, part) in bodies.iter().zip([
        format!("scope={origin}%2F.default"),
        "scope=api%3A%2F%2Fhub%2F.default".to_owned(),
        "resource=urn%3Acrm".to_owned(),
    ]) {
        assert!(request.body.contains(&part), "{part}: {}", request.body);
    }
    assert_eq!(bodies.len(), 3);
}

#[tokio::test]
async fn a_wrong_client_secret_is_tried_once_also_after_a_restart() {
    let kit = kit(|server| server);
    let wrong = || login(&kit, "canary");
    let first = hub(&kit, wrong()).await;
    for read in join_all((0..20).map(|_| read(&first))).await {
        let error = failed(read, ErrorKind::LoginRefused);
        says(
            &error,
            &["invalid_client", "AADSTS7000215: Invalid client secret provided.", "set its value, not its id"],
        );
        assert!(!format!("{error} {error:?} {:?} {first:?}", wrong()).contains("canary"), "{error}");
        assert!(!error.to_string().contains("Trace ID"), "{error}");
        assert!(error.to_string().contains("or its client id, and the secret"), "{error}");
    }
    kit.advance(Duration::from_secs(86_400));
    failed(read(&first).await, ErrorKind::LoginRefused);
    let again = hub(&kit, wrong()).await;
    failed(read(&again).await, ErrorKind::LoginRefused);
    assert_eq!((kit.simulator.failed_logins(), asked(&kit).len()), (1, 1));
    // Another application is another matter, and the right secret, too.
    let other = OAuth::client_credentials(&kit.simulator.token_url(), "other", Secret::new("canary")).unwrap();
    says(
        &failed(read(&hub(&kit, other).await).await, ErrorKind::LoginRefused),
        &["AADSTS700016", "check the client id"],
    );
    read(&hub(&kit, login(&kit, SECRET)).await).await.unwrap();
    assert_eq!(asked(&kit).len(), 3);
}

#[tokio::test]
async fn a_token_endpoint_that_cannot_be_reached_is_named() {
    let kit = kit(|server| server);
    let login = OAuth::client_credentials("https://sts.datahub.invalid/token", CLIENT, Secret::new(SECRET)).unwrap();
    let error = failed(read(&hub(&kit, login).await).await, ErrorKind::Unavailable);
    says(&error, &["the token endpoint at sts.datahub.invalid gave no answer: ", "dns error"]);
}

#[tokio::test]
async fn an_expired_client_secret_is_tried_again_when_it_was_replaced() {
    let kit = kit(|server| server);
    let current = Arc::new(Mutex::new("old".to_owned()));
    let source = Arc::clone(&current);
    let secret = Secret::from_fn(move || {
        let secret = source.lock().unwrap().clone();
        async move { Ok::<_, std::io::Error>(SecretString::from(secret)) }
    });
    let hub = hub(&kit, login(&kit, secret)).await;
    kit.simulator.answer_token_request(TokenAnswer::Refused {
        error: "invalid_client".into(),
        code: 7_000_222,
        description: "The provided client secret keys are expired.".into(),
    });
    says(&failed(read(&hub).await, ErrorKind::LoginRefused), &["AADSTS7000222", "create a new one"]);
    kit.advance(MINUTE);
    failed(read(&hub).await, ErrorKind::LoginRefused);
    assert_eq!(asked(&kit).len(), 1);
    SECRET.clone_into(&mut current.lock().unwrap());
    kit.advance(MINUTE);
    read(&hub).await.unwrap();
}

#[tokio::test]
async fn a_token_is_replaced_ahead_of_its_end() {
    for (lifetime, good_for) in [(3_600, 3_300), (600, 540)] {
        let scene = scene(kit(|server| server.lifetime(Duration::from_secs(lifetime)))).await;
        scene.kit.advance(Duration::from_secs(good_for - 1));
        scene.get().await.unwrap();
        assert_eq!(asked(&scene.kit).len(), 1);
        scene.kit.advance(Duration::from_secs(1));
        for read in join_all((0..20).map(|_| Organisation::get(&scene.hub, scene.id()).into_future())).await {
            read.unwrap();
        }
        assert_eq!(asked(&scene.kit).len(), 2);
        assert!(scene.kit.simulator.requests().iter().all(|request| request.status != Some(401)));
    }
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_of_reads_is_replaced_once() {
    let scene = scene(kit(|server| server)).await;
    scene.kit.simulator.expire_sessions();
    for read in join_all((0..20).map(|_| Organisation::get(&scene.hub, scene.id()).into_future())).await {
        assert_eq!(read.unwrap().name, "Acme");
    }
    assert_eq!(asked(&scene.kit).len(), 2);
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_of_a_write_does_not_send_it_twice() {
    let scene = scene(kit(|server| server)).await;
    let mut org = scene.get().await.unwrap();
    org.name = NEW_NAME.into();
    scene.kit.simulator.fault(FaultRule::new(Fault::Unauthorized).on(Operation::Update).times(1));
    org.save(&scene.hub).await.unwrap();
    assert_eq!(scene.commits().len(), 1, "CDMS carried out one write");
    assert_eq!(
        scene.requests("MERGE").iter().map(|request| request.status).collect::<Vec<_>>(),
        [Some(401), Some(204)]
    );
    assert_eq!(asked(&scene.kit).len(), 2);
}

#[tokio::test]
async fn half_a_login_and_a_crash_leave_nothing_to_stumble_over() {
    let kit = kit(|server| server);
    // The program ends after its secret was sent and before it has the token.
    let endpoint = Meddler::before(&kit.simulator.root(), |_| Deed::Hang);
    let url = endpoint.root().replace("/ORG", "/adfs/oauth2/token");
    let login_there = OAuth::client_credentials(&url, CLIENT, Secret::new(SECRET)).unwrap();
    let cut = hub(&kit, login_there).await;
    let pull = tokio::spawn(cut.pull::<Organisation>().into_future());
    while endpoint.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    pull.abort();
    assert!(pull.await.unwrap_err().is_cancelled());
    drop(cut);
    read(&hub(&kit, login(&kit, SECRET)).await).await.unwrap();
    assert_eq!((asked(&kit).len(), kit.simulator.failed_logins()), (1, 0));
}

#[tokio::test]
async fn a_busy_token_endpoint_is_left_alone_for_as_long_as_it_asks() {
    for (status, retry_after, seconds) in [
        (429, Some("120"), 120),
        (503, Some("7"), 10),
        (503, None, 10),
        (500, Some("soon"), 10),
        (429, Some("999999999"), 3_600),
    ] {
        let kit = kit(|server| server);
        let hub = hub(&kit, login(&kit, SECRET)).await;
        let retry_after = retry_after.map(str::to_owned);
        kit.simulator.answer_token_request(TokenAnswer::Busy { status, retry_after });
        for read in join_all((0..5).map(|_| read(&hub))).await {
            let pause = format!("not tried again for {seconds} s");
            says(&failed(read, ErrorKind::Unavailable), &[&format!("answered {status}"), &pause]);
        }
        kit.advance(Duration::from_secs(seconds - 1));
        failed(read(&hub).await, ErrorKind::Unavailable);
        assert_eq!(asked(&kit).len(), 1);
        kit.advance(Duration::from_secs(1));
        read(&hub).await.unwrap();
        assert_eq!((asked(&kit).len(), kit.simulator.failed_logins()), (2, 0));
    }
}

#[tokio::test]
async fn a_good_token_without_an_application_user_says_so() {
    for status in [401, 403] {
        let kit = kit(|server| server);
        let hub = hub(&kit, login(&kit, SECRET)).await;
        kit.simulator.without_application_user(Some(status));
        let error = failed(read(&hub).await, ErrorKind::Unavailable);
        let answered = format!("CDMS answered {status} to a token that 127.0.0.1 has just issued");
        says(&error, &[&answered, "no application user with the client id", CLIENT, "ask the CDMS administrator"]);
        assert_eq!(asked(&kit).len(), 1, "another token would not change it");
        // Somebody creates the user. Nothing need be restarted.
        kit.simulator.without_application_user(None);
        kit.advance(MINUTE);
        read(&hub).await.unwrap();
    }
}

#[tokio::test]
async fn a_right_that_the_user_lacks_is_not_taken_for_a_missing_user() {
    let scene = scene(kit(|server| server)).await;
    let another = scene.kit.hub_with(example_domain::models(), login(&scene.kit, SECRET)).connect().await.unwrap();
    scene.kit.simulator.fault(FaultRule::new(Fault::NoPrivilege).on(Operation::Read));
    let error = failed(Organisation::get(&another, scene.id()).await, ErrorKind::Rejected);
    assert!(!error.to_string().contains("application user"), "{error}");
}

#[tokio::test]
async fn a_403_that_is_not_of_cdms_says_nothing_of_the_application_user() {
    for (kind, body) in [
        ("text/html", "<p>Blocked by the firewall</p>"),
        ("application/json", r#"{"error":{"code":"blocked","message":"by the gateway"}}"#),
        ("application/json", r#"{"error":{"code":"0x80040265","message":"of a plug-in"}}"#),
    ] {
        let kit = kit(|server| server);
        let is_first = AtomicBool::new(true);
        let front = Meddler::before(&kit.simulator.root(), move |line| {
            if line.contains("(guid'") && is_first.swap(false, Ordering::Relaxed) {
                let headers = format!("Content-Type: {kind}\r\nConnection: close\r\n");
                return Deed::Answer(answer("403 Forbidden", &headers, body.as_bytes()));
            }
            Deed::Pass
        });
        let hub = kit.hub_with(example_domain::models(), login(&kit, SECRET)).cdms(front.root(), login(&kit, SECRET));
        let hub = hub.connect().await.unwrap();
        let error = read(&hub).await.unwrap_err();
        assert!(!error.to_string().contains("application user"), "{error}");
        read(&hub).await.unwrap();
        assert_eq!(asked(&kit).len(), 1, "the token is good");
    }
}

#[tokio::test]
async fn an_endpoint_that_answers_something_else_is_an_error_and_not_a_refusal() {
    let json = |body: &str| TokenAnswer::Json { status: 200, body: body.to_owned() };
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let address = format!("http://{}/oauth2/token", elsewhere.local_addr().unwrap());
    for (answer, part) in [
        (TokenAnswer::Page(200), "answered 200 without JSON; check its address"),
        (TokenAnswer::Page(404), "answered 404 without JSON"),
        (TokenAnswer::Redirect(address), "answered 302 without JSON"),
        (json("not JSON canary"), "JSON that is not a reply of OAuth 2"),
        (json(r#"{"token_type":"Bearer","access_token":["canary"]}"#), "JSON that is not a reply of OAuth 2"),
        (json(r#"{"token_type":"Bearer","access_token":"canary","expires_in":"canary"}"#), "not a reply of OAuth 2"),
        (json(r#"{"token_type":"MAC","access_token":"canary","expires_in":60}"#), "type \"mac\", expected Bearer"),
        (json(r#"{"token_type":"Bearer","access_token":"canary\r\nX: y"}"#), "cannot be sent in a header"),
        (TokenAnswer::Json { status: 400, body: r#"{"canary":1}"#.into() }, "not a reply of OAuth 2"),
        (
            TokenAnswer::Json { status: 400, body: r#"{"error":"invalid_scope"}"#.into() },
            "invalid_scope); check the scope",
        ),
    ] {
        let kit = kit(|server| server);
        let hub = hub(&kit, login(&kit, SECRET)).await;
        kit.simulator.answer_token_request(answer);
        let error = failed(read(&hub).await, ErrorKind::Unavailable);
        says(&error, &[part, "not tried again for 10 s"]);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("canary") && !shown.contains(SECRET), "{shown}");
        kit.advance(MINUTE);
        read(&hub).await.unwrap();
    }
    assert!(elsewhere.accept().is_err(), "no redirect is followed, and the secret goes to no other host");
}

#[tokio::test]
async fn a_token_that_lasts_no_time_does_not_ask_for_ever() {
    let kit = kit(|server| server.lifetime(Duration::ZERO));
    let hub = hub(&kit, login(&kit, SECRET)).await;
    failed(read(&hub).await, ErrorKind::Unavailable);
    assert!(asked(&kit).len() <= 2, "{}", asked(&kit).len());
}

#[test]
fn a_secret_goes_only_where_it_is_protected() {
    for (url, part) in [
        ("http://login.example.gov.uk/adfs/oauth2/token", "plain http is for this machine only"),
        ("https://hub:canary@login.example.gov.uk/token", "must not contain a user or password"),
        ("login.example.gov.uk", "not a valid URL"),
    ] {
        let error = OAuth::client_credentials(url, CLIENT, Secret::new(SECRET)).unwrap_err();
        assert!(error.to_string().contains(part) && !error.to_string().contains("canary"), "{url}: {error}");
    }
    for tenant in ["", "a/b", "a?b", "a b"] {
        let error = OAuth::entra(tenant, CLIENT, Secret::new(SECRET)).unwrap_err();
        says(&error, &["is not a tenant of Entra ID"]);
    }
    let login = OAuth::entra("example.onmicrosoft.com", CLIENT, "canary").unwrap();
    let shown = format!("{:?}", login.clone());
    assert!(shown.contains("https://login.microsoftonline.com/example.onmicrosoft.com/oauth2/v2.0/token"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
}
