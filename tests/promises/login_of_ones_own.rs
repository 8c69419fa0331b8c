//! A login of a team's own, of two steps, with the helpers for cookies, forms and redirects.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use datahub_runtime::login::secrecy::ExposeSecret as _;
use datahub_runtime::login::{Authenticator, Credentials, LoginError, LoginRequests, Secret, Session, StaticHeaders};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::Expiry;
use datahub_runtime::{BoxFuture, http};
use example_domain::Organisation;

use self::two_steps::TwoSteps;
use crate::meddler::{Deed, Meddler, answer};
use crate::scene::{failed, says};

#[path = "../../examples/own_login/two_steps.rs"]
mod two_steps;

/// A CDMS whose login asks for the user on one page and for the password on the next.
fn in_two_steps(kit: &Kit) -> Meddler {
    Meddler::before(&kit.simulator.root(), |line| {
        let page = |cookie: &str, html: &str| {
            let headers = format!("Content-Type: text/html\r\nConnection: close\r\n{cookie}");
            Deed::Answer(answer("200 OK", &headers, html.as_bytes()))
        };
        if line.starts_with("GET /ORG/begin ") {
            let headers = "Location: who\r\nSet-Cookie: step=0; path=/ORG\r\nConnection: close\r\n";
            Deed::Answer(answer("302 Found", headers, b""))
        } else if line.starts_with("GET /ORG/who ") {
            page(
                "",
                "<form method=post action='prove?a=1&amp;b=2'><input name=user><input type=hidden name=x value=1></form>",
            )
        } else if line.starts_with("POST /ORG/prove?a=1&b=2 ") {
            page(
                "Set-Cookie: step=1; path=/ORG\r\n",
                "<form method=post action=login><input type=hidden name=user value=hub><input type=password name=password></form>",
            )
        } else {
            Deed::Pass
        }
    })
}

fn guarded() -> Kit {
    guarded_with(Expiry::LoginForm)
}

fn guarded_with(expiry: Expiry) -> Kit {
    Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", expiry))
}

async fn hub(kit: &Kit, cdms: &Meddler, login: impl Authenticator) -> Hub {
    kit.hub(example_domain::models()).cdms(cdms.root(), login).connect().await.unwrap()
}

fn two_steps(password: &str) -> TwoSteps {
    let login_hosts = vec!["login.example.gov.uk".to_owned()];
    TwoSteps { user: "hub".to_owned(), password: password.into(), login_hosts }
}

#[tokio::test]
async fn a_login_of_two_steps_keeps_its_cookies_and_follows_its_redirects() {
    let kit = guarded();
    let cdms = in_two_steps(&kit);
    let hub = hub(&kit, &cdms, two_steps("secret")).await;
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
    let steps: Vec<_> =
        cdms.headers("cookie").into_iter().map(|(_, cookie)| cookie.unwrap_or_default()).take(4).collect();
    assert_eq!(steps, ["", "step=0", "step=0", "step=1"], "begin, who, prove, login");
    kit.simulator.expire_sessions();
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
    assert_eq!(kit.simulator.failed_logins(), 0);
}

/// How many forms with a password were sent.
fn passwords_sent(cdms: &Meddler) -> usize {
    cdms.requests().iter().filter(|line| line.starts_with("POST /ORG/login ")).count()
}

#[tokio::test]
async fn a_session_of_ones_own_login_that_is_over_is_replaced_whatever_its_sign() {
    for expiry in [Expiry::Unauthorized, Expiry::Redirect, Expiry::RedirectHere, Expiry::LoginForm] {
        let kit = guarded_with(expiry);
        let cdms = in_two_steps(&kit);
        let hub = hub(&kit, &cdms, two_steps("secret")).await;
        for _ in 0..3 {
            failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
            kit.simulator.expire_sessions();
        }
        assert_eq!((passwords_sent(&cdms), kit.simulator.failed_logins()), (3, 0), "{expiry:?}");
    }
}

/// A login that names no hosts of its own: by pages, by one form, or by a form at a service that was named for the walk.
enum Plain {
    Pages,
    Form,
}

impl Authenticator for Plain {
    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move {
            let login = format!("{}/login", requests.organisation());
            let fields = [("user", "hub"), ("password", "secret")];
            match self {
                Plain::Pages => {
                    let others = ["login.example.gov.uk".parse()?];
                    let mut pages = requests.pages(login.parse()?, &others);
                    let page = pages.get(&login).await?;
                    pages.submit(&page, &page.filled(&fields)?).await?;
                    pages.session()
                }
                Plain::Form => requests.post_form(&login, &fields).await?.session(),
            }
        })
    }
}

#[tokio::test]
async fn a_redirect_to_where_the_login_was_ends_its_session() {
    for (login, locations) in [
        (Plain::Pages, &["/ORG/login?returnUrl=x", "https://login.example.gov.uk/other"][..]),
        (Plain::Form, &["/ORG/Login?returnUrl=x", "/adfs/ls/?wa=wsignin1.0"]),
    ] {
        let kit = guarded();
        let next = Arc::new(Mutex::new(None));
        let redirects = Arc::clone(&next);
        let cdms = Meddler::before(&kit.simulator.root(), move |line| {
            let location: Option<&str> = if line.contains("(guid'") { redirects.lock().unwrap().take() } else { None };
            match location {
                Some(to) => Deed::Answer(answer("302 Found", &format!("Location: {to}\r\nConnection: close\r\n"), b"")),
                None => Deed::Pass,
            }
        });
        let hub = hub(&kit, &cdms, login).await;
        failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
        for (passwords, location) in (2..).zip(locations) {
            *next.lock().unwrap() = Some(*location);
            failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
            assert_eq!(passwords_sent(&cdms), passwords, "{location}");
        }
        *next.lock().unwrap() = Some("https://elsewhere.example/");
        let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Misconfigured);
        says(&error, &["a redirect to elsewhere.example"]);
    }
}

#[tokio::test]
async fn a_login_of_two_steps_tries_a_wrong_password_once() {
    let kit = guarded();
    let cdms = in_two_steps(&kit);
    let hub = hub(&kit, &cdms, two_steps("wrong")).await;
    for _ in 0..3 {
        let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::LoginRefused);
        says(&error, &["asks for the password again"]);
    }
    assert_eq!(kit.simulator.failed_logins(), 1);
}

#[tokio::test]
async fn a_form_without_the_fields_of_the_login_ends_it() {
    let kit = guarded();
    let page = "<title>Changed</title><form method=post action=login><input name=name></form>";
    let changed = Meddler::before(&kit.simulator.root(), move |line| {
        let headers = "Content-Type: text/html\r\nConnection: close\r\n";
        if line.contains("/begin") { Deed::Answer(answer("200 OK", headers, page.as_bytes())) } else { Deed::Pass }
    });
    let hub = hub(&kit, &changed, two_steps("secret")).await;
    let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
    says(&error, &["titled \"Changed\"", "no field `user`"]);
}

/// Walks to a page, and sends its form.
struct Walk(fn(&str) -> String);

impl Authenticator for Walk {
    fn credentials(&self) -> Option<Credentials> {
        None
    }

    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move {
            let root = requests.organisation();
            let mut pages = requests.pages("https://sts.example.gov.uk".parse()?, &[]);
            let page = pages.get(&(self.0)(&root)).await?;
            let form = page.filled(&[("password", "secret")])?;
            pages.submit(&page, &form).await?;
            pages.session()
        })
    }
}

/// Fills its secret into whatever field is called `password`.
struct Credulous(Secret);

impl Authenticator for Credulous {
    fn credentials(&self) -> Option<Credentials> {
        Some(Credentials::new("hub", &self.0))
    }

    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move {
            let root = requests.organisation();
            let password = requests.secret(&self.0).await?;
            let mut pages = requests.pages("https://sts.example.gov.uk".parse()?, &[]);
            let page = pages.get(&format!("{root}/begin")).await?;
            let form = page.filled(&[("password", password.expose_secret())])?;
            pages.submit(&page, &form).await?;
            pages.session()
        })
    }
}

#[tokio::test]
async fn a_password_in_another_kind_of_field_goes_to_its_host_only() {
    let kit = guarded();
    let page = "<form method=post action=login><input type=text name=password></form>";
    let disguised = Meddler::before(&kit.simulator.root(), move |line| {
        let headers = "Content-Type: text/html\r\nConnection: close\r\n";
        if line.contains("/begin") { Deed::Answer(answer("200 OK", headers, page.as_bytes())) } else { Deed::Pass }
    });
    let hub = hub(&kit, &disguised, Credulous("secret".into())).await;
    let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
    says(&error, &["the password is for", "sts.example.gov.uk", "it was not sent"]);
    assert_eq!(kit.simulator.passwords_tried(), 0);
}

#[tokio::test]
async fn the_walk_keeps_its_bounds() {
    let cases: [(&str, &[&str]); 7] = [
        // The password is for another host.
        (
            "<form method=post action=/ORG/login><input type=password name=password></form>",
            &["the password is for", "it was not sent"],
        ),
        ("<form action=/ORG/login><input name=password></form>", &["expected one that is posted"]),
        ("<form method=post action='http://[::1'><input name=password></form>", &["its action is invalid"]),
        (
            "<form method=post action='https://evil.example/'><input name=password></form>",
            &["https://evil.example,", "not among the hosts"],
        ),
        (
            "<base href='https://evil.example/'><form method=post action=x><input name=password></form>",
            &["https://evil.example,"],
        ),
        ("<form method=post action='http://hub:x@127.0.0.1/'><input name=password></form>", &["http://127.0.0.1,"]),
        ("<p>none</p>", &["has 0 forms, expected one"]),
    ];
    for (html, words) in cases {
        let kit = guarded();
        let page = Meddler::before(&kit.simulator.root(), move |line| {
            let headers = "Content-Type: text/html\r\nConnection: close\r\n";
            if line.contains("/begin") { Deed::Answer(answer("200 OK", headers, html.as_bytes())) } else { Deed::Pass }
        });
        let hub = hub(&kit, &page, Walk(|root| format!("{root}/begin"))).await;
        says(&failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable), words);
        assert_eq!(page.requests().len(), 1, "{html}");
    }
}

#[tokio::test]
async fn a_server_cannot_make_a_walk_cost_much() {
    let large = format!("<p>{}</p>", "x".repeat(1024 * 1024));
    let cookies: String = (0..101).map(|number| format!("Set-Cookie: c{number}=x\r\n")).collect();
    let long = format!("Connection: close\r\nSet-Cookie: long={}\r\n", "x".repeat(16 * 1024));
    let cases = [
        (answer("200 OK", "Connection: close\r\n", large.as_bytes()), "larger than 1048576 bytes"),
        (answer("200 OK", &format!("Connection: close\r\n{cookies}"), b""), "more than 100 headers"),
        (answer("200 OK", &long, b""), "a cookie of more than 16384 bytes"),
        (answer("302 Found", "Location: begin\r\nConnection: close\r\n", b""), "redirect more than 10 times"),
        (answer("302 Found", "Location: http://[\r\nConnection: close\r\n", b""), "redirects to an invalid address"),
        (answer("200 OK", "Connection: close\r\n", "<form></form>".repeat(101).as_bytes()), "more than 100 forms"),
    ];
    for (bytes, words) in cases {
        let kit = guarded();
        let hostile = Meddler::before(&kit.simulator.root(), move |_| Deed::Answer(bytes.clone()));
        let hub = hub(&kit, &hostile, Walk(|root| format!("{root}/begin"))).await;
        says(&failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable), &[words]);
        assert!(hostile.requests().len() <= 11);
    }
}

#[tokio::test]
async fn a_form_that_was_posted_is_not_posted_on() {
    let kit = guarded();
    let page = "<form method=post action=login><input name=password></form>";
    let moved = Meddler::before(&kit.simulator.root(), move |line| {
        let headers = "Content-Type: text/html\r\nConnection: close\r\n";
        if line.starts_with("GET") {
            return Deed::Answer(answer("200 OK", headers, page.as_bytes()));
        }
        Deed::Answer(answer("307 Temporary Redirect", "Location: /ORG/other\r\nConnection: close\r\n", b""))
    });
    let hub = hub(&kit, &moved, Walk(|root| format!("{root}/begin"))).await;
    let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
    says(&error, &["redirects the form that was posted there", "not sent twice"]);
    assert_eq!(moved.requests().len(), 2);
}

#[tokio::test]
async fn a_static_header_is_sent_with_every_request_and_read_again_when_it_is_refused() {
    let kit = Kit::new(example_domain::METADATA);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "first-token\n").unwrap();
    let is_rotated = Arc::new(AtomicBool::new(false));
    let refuses = Arc::clone(&is_rotated);
    let proxy = Meddler::before(&kit.simulator.root(), move |_| {
        if refuses.swap(false, Ordering::Relaxed) {
            return Deed::Answer(answer("401 Unauthorized", "Connection: close\r\n", b""));
        }
        Deed::Pass
    });
    let login = StaticHeaders::bearer(datahub_runtime::login::Secret::file(&file));
    assert!(!format!("{login:?}").contains("first-token"));
    let hub = hub(&kit, &proxy, login).await;
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
    std::fs::write(&file, "second-token\n").unwrap();
    is_rotated.store(true, Ordering::Relaxed);
    failed(Organisation::get(&hub, Id::new()).await, ErrorKind::NotFound);
    let mut sent: Vec<_> = proxy.headers("authorization").into_iter().map(|(_, value)| value.unwrap()).collect();
    sent.dedup();
    assert_eq!(sent, ["Bearer first-token", "Bearer second-token"]);

    let odd = StaticHeaders::header(http::HeaderName::from_static("x-user"), "a\nb");
    let hub = kit.hub_with(example_domain::models(), odd).connect().await.unwrap();
    let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
    says(&error, &["`x-user`", "letters that no header can have"]);
}

/// Posts its secret to an address, and may have named the host.
struct Posting {
    address: String,
    hosts: Vec<String>,
}

impl Authenticator for Posting {
    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move {
            requests.get(&self.address).await?;
            requests.post_form(&self.address, &[("password", "secret")]).await?.session()
        })
    }

    fn login_hosts(&self) -> &[String] {
        &self.hosts
    }
}

#[tokio::test]
async fn a_single_request_of_a_login_goes_to_no_host_that_was_not_named() {
    let kit = guarded();
    let elsewhere = TcpListener::bind("127.0.0.2:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let address = format!("https://{}/login", elsewhere.local_addr().unwrap());
    for hosts in [vec![], vec!["127.0.0.3".to_owned()]] {
        let login = Posting { address: address.clone(), hosts };
        let hub = kit.hub_with(example_domain::models(), login).connect().await.unwrap();
        let error = failed(Organisation::get(&hub, Id::new()).await, ErrorKind::Unavailable);
        says(
            &error,
            &["at 127.0.0.2, which is neither CDMS's host nor one of the login hosts", "nothing was sent there"],
        );
        assert!(elsewhere.accept().is_err(), "not even a connection");
    }
    let login = Posting { address, hosts: vec!["127.0.0.2".to_owned()] };
    let hub = kit.hub_with(example_domain::models(), login).connect().await.unwrap();
    let read = tokio::spawn(async move { Organisation::get(&hub, Id::new()).await });
    let accepted = async {
        while elsewhere.accept().is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), accepted).await.unwrap();
    failed(read.await.unwrap(), ErrorKind::Unavailable);
}
