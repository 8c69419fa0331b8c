//! Logging in: once for all who need it, with no storm of tries when it fails, and never in clear text.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use datahub_runtime::login::Credentials;
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Expiry, Fault, FaultRule, Operation, Stage};
use datahub_runtime::testing::{FormLogin, Kit};
use datahub_runtime::{Authenticator, HeaderSession, LoginError, LoginRequests, Session, http};
use example_domain::Organisation;
use futures_util::future::{BoxFuture, join_all};
use tokio::sync::Notify;

use crate::meddler::{Deed, Meddler, answer};
use crate::scene::{Scene, acme, failed, says};

#[tokio::test]
async fn requests_that_lose_their_session_at_once_share_one_login() {
    for expiry in [Expiry::Unauthorized, Expiry::Redirect, Expiry::LoginForm] {
        let scene = Scene::with_login(expiry).await;
        let accounts: Vec<_> = (0..20).map(|_| scene.kit.simulator.seed("Account", acme())).collect();
        let logins = scene.logins();
        scene.kit.simulator.expire_sessions();
        let reads = accounts.iter().map(|account| Organisation::get(&scene.hub, (*account).into()).into_future());
        for read in join_all(reads).await {
            assert_eq!(read.unwrap().name, "Acme");
        }
        assert_eq!(scene.logins() - logins, 1, "{expiry:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_told_without_the_password() {
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::Unauthorized));
    let login = FormLogin::new("hub", "not-the-password");
    assert!(!format!("{login:?}").contains("not-the-password"));
    let hub = kit.hub_with(example_domain::models(), login).connect().await.unwrap();
    let logins = || kit.simulator.requests().iter().filter(|request| request.target.ends_with("/login")).count();
    for read in join_all((0..20).map(|_| Organisation::get(&hub, Id::new()).into_future())).await {
        let error = failed(read, ErrorKind::LoginRefused);
        says(&error, &["login", "check user and password", "`hub.retry_login()`"]);
        let told = format!("{error} {error:?} {hub:?}");
        assert!(!told.contains("not-the-password"), "{told}");
    }
    assert_eq!(logins(), 1, "each try brings the user nearer to being locked out");
    kit.advance(Duration::from_secs(86_400));
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::LoginRefused);
    let ada = Organisation { id: Id::new(), ..Organisation::named("Ada's") };
    failed(Organisation::create(&hub, ada).await, ErrorKind::LoginRefused);
    failed(hub.pull::<Organisation>().await, ErrorKind::LoginRefused);
    assert_eq!(logins(), 1, "time does not make it right");
    // A program that is started again does not try it either.
    let again = kit.hub_with(example_domain::models(), FormLogin::new("hub", "not-the-password"));
    let again = again.connect().await.unwrap();
    failed(Organisation::get(&again, Id::new()).await, ErrorKind::LoginRefused);
    assert_eq!(logins(), 1);
    // An operator says so.
    again.retry_login().await.unwrap();
    failed(Organisation::get(&again, Id::new()).await, ErrorKind::LoginRefused);
    failed(Organisation::get(&again, Id::new()).await, ErrorKind::LoginRefused);
    assert_eq!(logins(), 2);
    // The password changes.
    let right = kit.hub_with(example_domain::models(), FormLogin::new("hub", "secret")).connect().await.unwrap();
    failed(Organisation::get(&right, Id::new()).await, ErrorKind::NotFound);
    assert_eq!(logins(), 3);
}

#[tokio::test]
async fn a_login_whose_caller_goes_away_is_not_begun_again() {
    let scene = Scene::with_login(Expiry::Unauthorized).await;
    let logins = scene.logins();
    scene.kit.simulator.expire_sessions();
    // The first GET meets 401, and its reader goes away while the login is under way.
    let gate = scene.kit.simulator.hold(Stage::AfterCommit, |hold| FaultRule::new(hold).on(Operation::Other).times(1));
    let pull = tokio::spawn(scene.hub.pull::<Organisation>().into_future());
    gate.arrived(1).await;
    pull.abort();
    assert!(pull.await.unwrap_err().is_cancelled());
    gate.open();
    assert_eq!(scene.get().await.unwrap().name, "Acme");
    assert_eq!(scene.logins() - logins, 1, "the next reader takes the login that is under way");
}

/// A CDMS that takes its time for a login, and a hub whose callers have less patience.
async fn slow(password: &str) -> (Kit, Meddler, Hub) {
    let kit = guarded();
    let meddler = Meddler::before(&kit.simulator.root(), |line| {
        if line.contains("/login ") {
            std::thread::sleep(Duration::from_millis(200));
        }
        Deed::Pass
    });
    let hub = kit.hub(models![Organisation]).cdms(meddler.root(), FormLogin::new("hub", password));
    let hub = hub.connect().await.unwrap();
    (kit, meddler, hub)
}

async fn impatient(hub: &Hub) {
    _ = tokio::time::timeout(Duration::from_millis(50), hub.pull::<Organisation>().into_future()).await;
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_for_callers_that_do_not_wait_for_a_slow_login() {
    let (kit, _meddler, hub) = slow("wrong").await;
    for _ in 0..3 {
        for _ in 0..6 {
            impatient(&hub).await;
        }
        kit.advance(Duration::from_secs(601));
    }
    failed(hub.pull::<Organisation>().await, ErrorKind::LoginRefused);
    assert_eq!(kit.simulator.failed_logins(), 1);
}

#[tokio::test]
async fn a_slow_login_comes_to_its_end_for_callers_that_do_not_wait_for_it() {
    let (kit, _meddler, hub) = slow("secret").await;
    for _ in 0..6 {
        impatient(&hub).await;
    }
    hub.pull::<Organisation>().await.unwrap();
    assert_eq!(logins_of(&kit), 1);
}

/// Never answers. It counts how often it was asked, and how often nobody asks it any more.
#[derive(Clone, Default)]
struct Endless {
    begun: Arc<AtomicU32>,
    ended: Arc<AtomicU32>,
}

struct Ends(Arc<AtomicU32>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Authenticator for Endless {
    fn login<'a>(&'a self, _: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async {
            let _ends = Ends(Arc::clone(&self.ended));
            self.begun.fetch_add(1, Ordering::Relaxed);
            std::future::pending().await
        })
    }
}

#[tokio::test]
async fn a_login_under_way_is_the_only_one_and_ends_with_its_hub() {
    let (kit, login) = (guarded(), Endless::default());
    let hub = kit.hub_with(models![Organisation], login.clone()).connect().await.unwrap();
    while login.begun.load(Ordering::Relaxed) == 0 {
        impatient(&hub).await;
    }
    for _ in 0..5 {
        impatient(&hub).await;
        kit.advance(Duration::from_secs(601));
    }
    assert_eq!((login.begun.load(Ordering::Relaxed), login.ended.load(Ordering::Relaxed)), (1, 0));
    drop(hub);
    let ended = async {
        while login.ended.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ended).await.unwrap();
}

/// Panics with its secret.
struct Panics(Arc<AtomicU32>);

impl Authenticator for Panics {
    fn login<'a>(&'a self, _: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { panic!("a panic of the authenticator, as the test wants it: hunter2") })
    }
}

#[tokio::test]
async fn logins_that_panic_are_not_begun_without_end() {
    let (kit, begun) = (guarded(), Arc::new(AtomicU32::new(0)));
    let hub = kit.hub_with(models![Organisation], Panics(Arc::clone(&begun))).connect().await.unwrap();
    for _ in 0..3 {
        let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
        says(&error, &["the authenticator panicked"]);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    kit.advance(Duration::from_secs(100));
    let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
    says(&error, &["the login was tried 3 times and came to nothing", "not tried again for 500 s"]);
    assert_eq!(begun.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_pause_of_nothing_is_no_trouble() {
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::Unauthorized));
    let hub = kit.hub_with(example_domain::models(), Stubborn).login_pause(Duration::ZERO).connect().await.unwrap();
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
}

/// Sends the same header whatever CDMS says, and does not ask whether it is right.
struct Stubborn;

impl Authenticator for Stubborn {
    fn login<'a>(&'a self, _: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async {
            let header = (http::header::AUTHORIZATION, http::HeaderValue::from_static("Basic aHViOndyb25n"));
            Ok(HeaderSession::new(http::HeaderMap::from_iter([header])).boxed())
        })
    }
}

#[tokio::test]
async fn a_login_that_cdms_never_takes_is_left_alone_for_growing_pauses() {
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::Unauthorized));
    let hub = kit.hub_with(example_domain::models(), Stubborn).connect().await.unwrap();
    let sent = || kit.simulator.requests_met();
    let read = || async { failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable) };
    for read in join_all((0..20).map(|_| Organisation::get(&hub, Id::new()).into_future())).await {
        says(&failed(read, ErrorKind::Unavailable), &["right after a login", "401", "not tried again for 10 s"]);
    }
    assert_eq!(sent(), 1);
    kit.advance(Duration::from_secs(9));
    read().await;
    assert_eq!(sent(), 1);
    kit.advance(Duration::from_secs(2));
    says(&read().await, &["not tried again for 60 s"]);
    assert_eq!(sent(), 2);
    kit.advance(Duration::from_secs(61));
    says(&read().await, &["not tried again for 528 s"]);
    assert_eq!(sent(), 3);
    // Three within ten minutes are enough.
    kit.advance(Duration::from_secs(500));
    read().await;
    assert_eq!(sent(), 3);
    kit.advance(Duration::from_secs(100));
    read().await;
    assert_eq!(sent(), 4);
}

/// A CDMS of two servers, one of which knows no session: every second read meets it.
async fn with_a_stale_server() -> (Kit, Meddler, Hub) {
    let (kit, count) = (guarded(), AtomicU32::new(0));
    let meddler = Meddler::before(&kit.simulator.root(), move |request| {
        let is_stale = request.contains("(guid'") && count.fetch_add(1, Ordering::Relaxed) % 2 == 1;
        if is_stale { Deed::Answer(answer("401 Unauthorized", "Connection: close\r\n", b"")) } else { Deed::Pass }
    });
    let hub = kit.hub(models![Organisation]).cdms(meddler.root(), FormLogin::new("hub", "secret"));
    let hub = hub.connect().await.unwrap();
    (kit, meddler, hub)
}

fn logins_of(kit: &Kit) -> usize {
    kit.simulator.requests().iter().filter(|request| request.target.ends_with("/login")).count()
}

#[tokio::test]
async fn a_login_that_holds_for_a_short_time_only_is_no_storm() {
    let (kit, _meddler, hub) = with_a_stale_server().await;
    let mut told = String::new();
    for _ in 0..100 {
        told = Organisation::get(&hub, Id::new()).await.unwrap_err().to_string();
    }
    assert!(told.contains("for a short time only") && told.contains("not tried again for 20 s"), "{told}");
    assert_eq!(logins_of(&kit), 4, "AD FS takes five within twenty seconds for a loop");
    for _ in 0..600 {
        kit.advance(Duration::from_secs(1));
        _ = Organisation::get(&hub, Id::new()).await;
    }
    assert!((6..=12).contains(&logins_of(&kit)), "{} logins in ten minutes", logins_of(&kit));
}

#[tokio::test]
async fn a_session_that_ends_twice_in_a_minute_is_begun_again_at_once() {
    let scene = Scene::with_login(Expiry::Unauthorized).await;
    for _ in 0..40 {
        for _ in 0..2 {
            scene.kit.simulator.expire_sessions();
            assert_eq!(scene.get().await.unwrap().name, "Acme");
        }
        scene.kit.advance(Duration::from_secs(600));
    }
}

/// A token that is over when it comes.
struct Momentary(FormLogin);

impl Authenticator for Momentary {
    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move { Ok(Over(self.0.login(requests).await?).boxed()) })
    }
}

struct Over(Box<dyn Session>);

impl Session for Over {
    fn prepare(&self, headers: &mut http::HeaderMap) {
        self.0.prepare(headers);
    }

    fn lasts(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }
}

#[tokio::test]
async fn a_session_is_used_for_a_while_though_its_login_says_that_it_is_over() {
    let kit = guarded();
    let login = Momentary(FormLogin::new("hub", "secret"));
    let hub = kit.hub_with(models![Organisation], login).connect().await.unwrap();
    for _ in 0..60 {
        failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
        kit.advance(Duration::from_secs(1));
    }
    assert_eq!(logins_of(&kit), 3);
}

#[tokio::test]
async fn a_session_that_cdms_never_takes_costs_one_login_per_read() {
    let scene = Scene::with_login(Expiry::Unauthorized).await;
    scene.kit.simulator.fault(FaultRule::new(Fault::Unauthorized).on(Operation::Read));
    let logins = scene.logins();
    says(&failed(scene.get().await, ErrorKind::Unavailable), &["right after a login", "401"]);
    assert_eq!(scene.logins() - logins, 1);
}

/// A scene with a login, whose hub gets this answer to its second request.
async fn lost_by(sign: &'static [u8], hosts: &'static [&'static str]) -> (Scene, Meddler) {
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::Unauthorized));
    let count = AtomicU32::new(0);
    let meddler = Meddler::before(&kit.simulator.root(), move |request| {
        let lost = request.contains("(guid'") && count.fetch_add(1, Ordering::Relaxed) == 1;
        if lost { Deed::Answer(sign.to_vec()) } else { Deed::Pass }
    });
    let login =
        Pinned { login: FormLogin::new("hub", "secret"), hosts: hosts.iter().map(ToString::to_string).collect() };
    let hub = kit.hub_with(example_domain::models(), login.clone()).cdms(meddler.root(), login);
    (Scene::with_kit(kit, hub).await, meddler)
}

#[derive(Clone)]
struct Pinned {
    login: FormLogin,
    hosts: Arc<[String]>,
}

impl Authenticator for Pinned {
    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        self.login.login(requests)
    }

    fn login_hosts(&self) -> &[String] {
        &self.hosts
    }
}

#[tokio::test]
async fn the_login_form_is_known_however_it_is_written() {
    let pages = [
        ("text/html", r#"<form method="post"><input name="p" type="password"></form>"#),
        ("Text/HTML; charset=utf-8", "<FORM><INPUT TYPE='Password'></FORM>"),
        ("application/xhtml+xml", "<form><input type = password /></form>"),
    ];
    for (kind, page) in pages {
        let bytes = answer("200 OK", &format!("Content-Type: {kind}\r\nConnection: close\r\n"), page.as_bytes());
        let (scene, _meddler) = lost_by(bytes.leak(), &[]).await;
        let logins = scene.logins();
        assert_eq!(scene.get().await.unwrap().name, "Acme", "{kind}");
        assert_eq!(scene.logins() - logins, 1, "{kind}");
    }
}

#[tokio::test]
async fn a_redirect_without_a_host_leads_to_cdms_itself() {
    let to_another_page =
        b"HTTP/1.1 302 Found\r\nLocation: /ORG/main.aspx?x=1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (scene, _meddler) = lost_by(to_another_page, &["127.0.0.1"]).await;
    assert_eq!(scene.get().await.unwrap().name, "Acme");
    let (scene, _meddler) = lost_by(to_another_page, &["login.example.gov.uk"]).await;
    says(&failed(scene.get().await, ErrorKind::Misconfigured), &["a redirect to 127.0.0.1", "login hosts"]);
}

#[tokio::test]
async fn what_stands_in_front_of_cdms_is_no_refusal() {
    for (status, page) in [
        ("200 OK", "<p>Maintenance until 6 pm</p>"),
        ("403 Forbidden", "<p>Blocked by the firewall</p>"),
        ("200 OK", ""),
    ] {
        let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::Unauthorized));
        let is_closed = Arc::new(AtomicBool::new(true));
        let closed = Arc::clone(&is_closed);
        let front = Meddler::before(&kit.simulator.root(), move |line| {
            if line.contains("/login ") && closed.load(Ordering::Relaxed) {
                let headers = "Content-Type: text/html\r\nConnection: close\r\n";
                return Deed::Answer(answer(status, headers, page.as_bytes()));
            }
            Deed::Pass
        });
        let login = FormLogin::new("hub", "secret");
        let hub = kit.hub_with(example_domain::models(), login.clone()).cdms(front.root(), login);
        let hub = hub.connect().await.unwrap();
        let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
        says(&error, &["no cookie for CDMS", "not tried again for 10 s"]);
        is_closed.store(false, Ordering::Relaxed);
        kit.advance(Duration::from_secs(10));
        failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn every_request_says_what_it_sends_and_what_it_takes() {
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::Unauthorized));
    let meddler = Meddler::before(&kit.simulator.root(), |_| Deed::Pass);
    let login = FormLogin::new("hub", "secret");
    let hub = kit.hub_with(example_domain::models(), login.clone()).cdms(meddler.root(), login);
    let scene = Scene::with_kit(kit, hub).await;
    let mut org = scene.get().await.unwrap();
    org.name = "Acme Foods".into();
    org.save(&scene.hub).await.unwrap();
    Organisation::create(&scene.hub, Organisation::named("Beta")).await.unwrap().delete(&scene.hub).await.unwrap();
    scene.hub.pull::<Organisation>().await.unwrap();

    let login_form = "application/x-www-form-urlencoded";
    let is_login: Vec<_> = meddler.requests().iter().map(|line| line.contains("/login ")).collect();
    for ((method, kind), is_login) in meddler.headers("content-type").into_iter().zip(&is_login) {
        let expected = match (method.as_str(), is_login) {
            ("POST", true) => Some(login_form),
            ("POST", false) => Some("application/json; charset=utf-8"),
            _ => None,
        };
        assert_eq!(kind.as_deref(), expected, "{method}");
    }
    for ((method, accept), is_login) in meddler.headers("accept").into_iter().zip(&is_login) {
        assert!(*is_login || accept.as_deref() == Some("application/json"), "{method}: {accept:?}");
    }
    let tunnelled =
        meddler.headers("x-http-method").into_iter().filter(|(_, method)| method.as_deref() == Some("MERGE"));
    assert_eq!(tunnelled.count(), 1, "the update was among them");
    assert_eq!(is_login.iter().filter(|is_login| **is_login).count(), 1, "and so was the login");
}

/// Sends a password where nothing protects it.
struct Careless;

impl Authenticator for Careless {
    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move {
            let plain = format!("{}/login", requests.organisation()).replace("https://", "http://");
            requests.post_form(&plain, &[("password", "secret")]).await?.session()
        })
    }
}

#[tokio::test]
async fn a_password_is_not_sent_in_clear_text() {
    let kit = Kit::new(example_domain::METADATA);
    let hub = kit.hub(example_domain::models()).cdms("https://crm.datahub.invalid/ORG", Careless);
    let hub = hub.connect().await.unwrap();
    let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
    says(&error, &["crm.datahub.invalid", "not protected by https"]);
}

/// Logs in at another address.
struct Elsewhere(&'static str);

impl Authenticator for Elsewhere {
    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move { requests.post_form(self.0, &[("password", "secret")]).await?.session() })
    }
}

#[tokio::test]
async fn a_password_leaves_this_machine_in_no_clear_text_though_cdms_is_on_it() {
    let kit = Kit::new(example_domain::METADATA);
    for url in ["http://127.0.0.1.example.invalid/login", "http://localhost.example.invalid/", "http://10.255.255.1/"] {
        let hub = kit.hub_with(example_domain::models(), Elsewhere(url)).connect().await.unwrap();
        let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
        says(&error, &["not protected by https"]);
    }
}

#[tokio::test]
async fn a_redirect_to_any_of_the_login_hosts_says_that_the_session_is_over() {
    let to_login = b"HTTP/1.1 302 Found\r\nLocation: https://Login.Example.gov.uk/adfs\r\nContent-Length: 0\r\n\
        Connection: close\r\n\r\n";
    for hosts in [&["first.example", "login.example.gov.uk"][..], &["LOGIN.EXAMPLE.GOV.UK"]] {
        let (scene, _meddler) = lost_by(to_login, hosts).await;
        let logins = scene.logins();
        assert_eq!(scene.get().await.unwrap().name, "Acme", "{hosts:?}");
        assert_eq!(scene.logins() - logins, 1, "{hosts:?}");
    }
    let (scene, _meddler) = lost_by(to_login, &["example.gov.uk", "gin.example.gov.uk"]).await;
    failed(scene.get().await, ErrorKind::Misconfigured);
}

#[tokio::test]
async fn a_form_on_the_page_of_an_error_is_no_sign_that_the_session_is_over() {
    let page = "<form><input type=password></form>";
    let headers = "Content-Type: text/html\r\nConnection: close\r\n";
    let (scene, _meddler) = lost_by(answer("503 Service Unavailable", headers, page.as_bytes()).leak(), &[]).await;
    let logins = scene.logins();
    failed(scene.get().await, ErrorKind::Unavailable);
    assert_eq!(scene.logins(), logins);
}

/// What a login comes to, and which secret is sent, decided by the test.
#[derive(Clone, Default)]
struct Decided {
    end: Arc<AtomicU32>,
    secret: Arc<AtomicU32>,
}

const TAKEN: u32 = 0;
const REFUSED: u32 = 1;
const IN_TROUBLE: u32 = 2;

impl Decided {
    fn comes_to(&self, what: u32) {
        self.end.store(what, Ordering::Relaxed);
    }

    fn changes_its_secret(&self) {
        self.secret.fetch_add(1, Ordering::Relaxed);
    }
}

impl Authenticator for Decided {
    fn credentials(&self) -> Option<Credentials> {
        let secret = format!("hunter2{}", self.secret.load(Ordering::Relaxed));
        Some(Credentials::new("hub", &secret.into()))
    }

    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move {
            match self.end.load(Ordering::Relaxed) {
                TAKEN => FormLogin::new("hub", "secret").login(requests).await,
                REFUSED => Err(LoginError::refused("the password is wrong")),
                _ => Err(LoginError::new("the login page is away")),
            }
        })
    }
}

/// A kit whose CDMS asks for a login.
fn guarded() -> Kit {
    Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::Unauthorized))
}

/// A login that CDMS always refuses. It counts its attempts, and reports each.
#[derive(Clone, Default)]
struct AlwaysRefused(Arc<AtomicU32>, Arc<Notify>);

impl Authenticator for AlwaysRefused {
    fn credentials(&self) -> Option<Credentials> {
        Some(Credentials::new("hub", &"hunter2".into()))
    }

    fn login<'a>(&'a self, _: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move {
            self.0.fetch_add(1, Ordering::Relaxed);
            self.1.notify_one();
            Err(LoginError::refused("the password is wrong"))
        })
    }
}

#[tokio::test]
async fn a_refused_secret_is_not_tried_again_and_again_for_callers_that_go_away() {
    let (kit, login) = (guarded(), AlwaysRefused::default());
    let hub = kit.hub_with(models![Organisation], login.clone()).connect().await.unwrap();
    for _ in 0..6 {
        tokio::select! {
            biased;
            pulled = hub.pull::<Organisation>() => assert!(pulled.is_err()),
            // The refusal is being stored.
            () = login.1.notified() => {}
        }
    }
    assert_eq!(login.0.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_secret_that_is_taken_again_is_no_longer_remembered_as_refused() {
    let (kit, login) = (guarded(), Decided::default());
    login.comes_to(REFUSED);
    let hub = kit.hub_with(example_domain::models(), login.clone()).connect().await.unwrap();
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::LoginRefused);
    // It was locked, and is not any more.
    login.comes_to(TAKEN);
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::LoginRefused);
    hub.retry_login().await.unwrap();
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
    let again = kit.hub_with(example_domain::models(), login).connect().await.unwrap();
    failed(Organisation::get(&again, Id::new()).await, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_secret_that_changes_under_a_running_program_is_tried() {
    let (kit, login) = (guarded(), Decided::default());
    login.comes_to(REFUSED);
    let hub = kit.hub_with(example_domain::models(), login.clone()).connect().await.unwrap();
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::LoginRefused);
    login.comes_to(TAKEN);
    login.changes_its_secret();
    // A refused secret is read again once in a second, however many ask.
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::LoginRefused);
    kit.advance(Duration::from_secs(1));
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
}

#[tokio::test]
async fn what_is_kept_of_a_refused_secret_is_of_this_database_alone() {
    let mut kept = Vec::new();
    for kit in [guarded(), guarded()] {
        let login = Decided::default();
        login.comes_to(REFUSED);
        let hub = kit.hub_with(example_domain::models(), login).connect().await.unwrap();
        failed(Organisation::get(&hub, Id::new()).await, ErrorKind::LoginRefused);
        let settings = kit.rows_of("datahub_settings");
        assert!(!settings.iter().any(|row| row.contains("hunter2")), "{settings:?}");
        kept.push(settings.into_iter().find(|row| row.contains("login_refused")).expect("it is remembered"));
    }
    assert_ne!(kept[0], kept[1], "who reads one of them cannot try secrets on it that fit the other");
}

#[tokio::test]
async fn a_login_that_was_taken_makes_earlier_failures_forgotten() {
    let (kit, login) = (guarded(), Decided::default());
    let hub = kit.hub_with(example_domain::models(), login.clone()).connect().await.unwrap();
    for _ in 0..3 {
        login.comes_to(IN_TROUBLE);
        kit.simulator.expire_sessions();
        let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
        says(&error, &["the login page is away", "not tried again for 10 s"]);
        kit.advance(Duration::from_secs(11));
        login.comes_to(TAKEN);
        failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn an_error_of_the_server_does_not_say_that_a_login_was_taken() {
    let kit = guarded();
    let count = AtomicU32::new(0);
    let meddler = Meddler::before(&kit.simulator.root(), move |request| {
        let status = match count.fetch_add(u32::from(request.contains("OrganizationSet")), Ordering::Relaxed) {
            _ if !request.contains("OrganizationSet") => return Deed::Pass,
            0 => "503 Service Unavailable",
            _ => "401 Unauthorized",
        };
        Deed::Answer(answer(status, "Connection: close\r\n", b""))
    });
    let hub = kit.hub_with(example_domain::models(), FormLogin::new("hub", "secret"));
    let hub = hub.cdms(meddler.root(), FormLogin::new("hub", "secret")).connect().await.unwrap();
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
    let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
    says(&error, &["right after a login", "not tried again"]);
    assert_eq!(meddler.requests().iter().filter(|line| line.contains("/login ")).count(), 1);
}
