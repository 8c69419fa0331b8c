//! Sessions of one's own: they can end by the clock, be renewed or refused by a response, and own their connections.

use std::future::IntoFuture as _;
use std::time::Duration;

use datahub_runtime::http::{HeaderMap, StatusCode};
use datahub_runtime::login::Credentials;
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Expiry, Fault, FaultRule, Operation};
use datahub_runtime::testing::{FormLogin, Kit};
use datahub_runtime::{Authenticator, Connections, LoginError, LoginRequests, Session, SessionResponse, Standing};
use example_domain::Organisation;
use futures_util::future::{BoxFuture, join_all};

use crate::meddler::{Deed, Meddler};
use crate::scene::{Scene, acme, failed, says};

/// A session of the simulator's login that lasts a minute, and judges by a rule.
struct Judged {
    session: Box<dyn Session>,
    judge: fn(&SessionResponse<'_>) -> Standing,
}

impl Session for Judged {
    fn prepare(&self, headers: &mut HeaderMap) {
        self.session.prepare(headers);
    }

    fn observe(&self, response: &SessionResponse<'_>) -> Standing {
        (self.judge)(response)
    }

    fn lasts(&self) -> Option<Duration> {
        Some(Duration::from_secs(60))
    }
}

/// Logs in by the form, and yields a session that judges by this rule.
#[derive(Clone, Copy)]
struct Judging(fn(&SessionResponse<'_>) -> Standing);

impl Authenticator for Judging {
    fn credentials(&self) -> Option<Credentials> {
        Some(Credentials::new("hub", &"hunter2".into()))
    }

    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move {
            let session = FormLogin::new("hub", "secret").login(requests).await?;
            Ok(Judged { session, judge: self.0 }.boxed())
        })
    }
}

fn guarded() -> Kit {
    Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::Unauthorized))
}

async fn scene(login: Judging) -> Scene {
    let kit = guarded();
    let hub = kit.hub_with(example_domain::models(), login);
    Scene::with_kit(kit, hub).await
}

#[tokio::test]
async fn a_session_that_ends_is_replaced_before_cdms_refuses_it() {
    let scene = scene(Judging(|response| response.standing())).await;
    scene.get().await.unwrap();
    assert_eq!(scene.logins(), 1);
    scene.kit.advance(Duration::from_secs(59));
    scene.get().await.unwrap();
    assert_eq!(scene.logins(), 1);
    scene.kit.advance(Duration::from_secs(1));
    let met = scene.kit.simulator.requests_met();
    scene.get().await.unwrap();
    assert_eq!(scene.logins(), 2);
    assert_eq!(scene.kit.simulator.requests_met() - met, 2, "a login and the read, which was not refused first");
}

#[tokio::test]
async fn a_session_that_a_response_renews_lasts_on() {
    let scene = scene(Judging(|_| Standing::Renewed)).await;
    for _ in 0..3 {
        scene.get().await.unwrap();
        scene.kit.advance(Duration::from_secs(40));
    }
    assert_eq!(scene.logins(), 1);
    scene.kit.advance(Duration::from_secs(20));
    scene.get().await.unwrap();
    assert_eq!(scene.logins(), 2, "nothing renewed it for a minute");
}

/// 401 means that the password is wrong, as after NTLM's last message.
fn refused_by_401(response: &SessionResponse<'_>) -> Standing {
    match response.status() {
        StatusCode::UNAUTHORIZED => Standing::Refused("the password is wrong".to_owned()),
        _ => response.standing(),
    }
}

#[tokio::test]
async fn a_secret_that_a_response_refuses_is_not_tried_again() {
    let scene = scene(Judging(refused_by_401)).await;
    scene.get().await.unwrap();
    scene.kit.simulator.expire_sessions();
    let reads = join_all((0..5).map(|_| Organisation::get(&scene.hub, scene.id()).into_future())).await;
    for read in reads {
        says(&failed(read, ErrorKind::LoginRefused), &["CDMS refuses the login", "the password is wrong"]);
    }
    scene.kit.advance(Duration::from_secs(86_400));
    failed(scene.get().await, ErrorKind::LoginRefused);
    assert_eq!(scene.logins(), 1);
    // A program that is started again does not try it either.
    let again = scene.kit.hub_with(example_domain::models(), Judging(refused_by_401)).connect().await.unwrap();
    failed(Organisation::get(&again, scene.id()).await, ErrorKind::LoginRefused);
    assert_eq!(scene.logins(), 1);
    again.retry_login().await.unwrap();
    Organisation::get(&again, scene.id()).await.unwrap();
    assert_eq!(scene.logins(), 2);
}

#[tokio::test]
async fn a_write_whose_response_refuses_the_secret_is_not_carried_out() {
    let scene = scene(Judging(refused_by_401)).await;
    let mut org = scene.get().await.unwrap();
    let rows = scene.rows();
    org.name = "Acme Foods".into();
    scene.kit.simulator.fault(FaultRule::new(Fault::Unauthorized).on(Operation::Update));
    let error = failed(org.save(&scene.hub).await, ErrorKind::LoginRefused);
    says(&error, &["the password is wrong", "nothing changed on either side"]);
    assert_eq!((scene.rows(), scene.open_intents()), (rows, 0));
    assert_eq!(scene.commits(), []);
}

/// A session whose requests use one connection of its own, as NTLM's must.
struct Owning {
    session: Box<dyn Session>,
    connections: Connections,
}

impl Session for Owning {
    fn prepare(&self, headers: &mut HeaderMap) {
        self.session.prepare(headers);
    }

    fn connections(&self) -> Option<&Connections> {
        Some(&self.connections)
    }
}

/// Logs in over the connection that its session uses.
#[derive(Clone, Copy)]
struct OverItsOwn;

impl Authenticator for OverItsOwn {
    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move {
            let connections = requests.connections(1)?;
            let session = FormLogin::new("hub", "secret").login(requests.over(&connections)).await?;
            Ok(Owning { session, connections }.boxed())
        })
    }
}

#[tokio::test]
async fn a_session_can_have_a_connection_of_its_own() {
    async fn connections_of(login: impl Authenticator + Clone) -> usize {
        let kit = guarded();
        let meddler = Meddler::before(&kit.simulator.root(), |_| Deed::Pass);
        let ids: Vec<_> = (0..8).map(|_| kit.simulator.seed("Account", acme())).collect();
        let hub = kit.hub_with(example_domain::models(), login.clone()).cdms(meddler.root(), login);
        let hub = hub.connect().await.unwrap();
        for read in join_all(ids.iter().map(|id| Organisation::get(&hub, (*id).into()).into_future())).await {
            read.unwrap();
        }
        assert!(meddler.requests().len() > ids.len());
        meddler.connections()
    }
    assert_eq!(connections_of(OverItsOwn).await, 1, "all requests wait for the one connection");
    assert!(connections_of(FormLogin::new("hub", "secret")).await > 1, "others are sent at once");
}
