//! The login by AD FS, page by page, as a browser without scripts meets it.

use std::collections::BTreeMap;
use std::time::Duration;

use cdms_simulator::{AdFsServer, AdFsVersion, Expiry};

use crate::scene::{Cdms, Reply, reply};

/// A browser that keeps cookies by name, as all hosts are one here, and follows nothing by itself.
struct Browser<'c> {
    cdms: &'c Cdms,
    cookies: BTreeMap<String, String>,
}

impl<'c> Browser<'c> {
    fn new(cdms: &'c Cdms) -> Self {
        Browser { cdms, cookies: BTreeMap::new() }
    }

    async fn send(&mut self, method: &str, url: &str, fields: &[(&str, &str)]) -> Reply {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let answer = reply(self.cdms.plain(method, url).header("cookie", cookies.join("; ")).body(body)).await;
        for header in answer.headers.get_all("set-cookie") {
            let header = header.to_str().unwrap();
            let (name, value) = header.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    async fn get(&mut self, url: &str) -> Reply {
        self.send("GET", url, &[]).await
    }

    /// Posts the token of a page on.
    async fn pass_on(&mut self, page: &Reply) -> Reply {
        let result = attribute(&page.body, "name=\"wresult\" value");
        let context = attribute(&page.body, "name=\"wctx\" value");
        let action = attribute(&page.body, "name=\"hiddenform\" action");
        self.send("POST", &action, &[("wa", "wsignin1.0"), ("wresult", &result), ("wctx", &context)]).await
    }
}

/// The text between the quotes after a name.
fn attribute(html: &str, name: &str) -> String {
    let value = html.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn behind(adfs: AdFsServer) -> Cdms {
    Cdms::with(|builder| builder.adfs(adfs))
}

fn adfs() -> AdFsServer {
    AdFsServer::new("hub", "secret")
}

fn location(reply: &Reply) -> String {
    assert_eq!(reply.status, 302, "{}", reply.body);
    reply.header("location").unwrap().to_owned()
}

const NEW: [(&str, &str); 3] = [("UserName", "hub"), ("Password", "secret"), ("AuthMethod", "FormsAuthentication")];

#[tokio::test]
async fn a_browser_logs_in_over_the_pages_of_version_three() {
    let cdms = behind(adfs());
    let mut browser = Browser::new(&cdms);
    let to_service = location(&browser.get(&format!("{}/", cdms.simulator.root())).await);
    assert!(to_service.starts_with(&format!("{}/adfs/ls/?wa=wsignin1.0&wtrealm=", cdms.simulator.token_services()[0])));
    let page = browser.get(&to_service).await;
    assert!(page.body.contains("id=\"options\"") && page.body.contains("id=\"loginForm\""), "{}", page.body);
    let after = location(&browser.send("POST", &to_service, &NEW).await);
    assert!(after.contains("client-request-id="), "{after}");
    let token = browser.get(&format!("{}{after}", cdms.simulator.token_services()[0])).await;
    let to_page = location(&browser.pass_on(&token).await);
    let parts: Vec<_> = browser.cookies.keys().filter(|name| name.starts_with("MSISAuth")).collect();
    assert_eq!(parts, ["MSISAuth", "MSISAuth1", "MSISAuth2", "MSISAuthenticated"]);
    assert_eq!(browser.get(&to_page).await.status, 200);
    let again = browser.pass_on(&token).await;
    assert!(location(&again).contains("/adfs/ls/"), "a token is good once");
}

#[tokio::test]
async fn version_two_gives_the_token_at_once_and_wants_its_fields_back() {
    let cdms = behind(adfs().version(AdFsVersion::Two));
    let mut browser = Browser::new(&cdms);
    let to_service = location(&browser.get(&format!("{}/", cdms.simulator.root())).await);
    let page = browser.get(&to_service).await;
    let state = attribute(&page.body, "id=\"__VIEWSTATE\" value");
    let place = |name: &str| format!("ctl00$ContentPlaceHolder1${name}");
    let (user, password, button) = (place("UsernameTextBox"), place("PasswordTextBox"), place("SubmitButton"));
    let fields = [("__VIEWSTATE", state.as_str()), (&user, "hub"), (&password, "secret"), (&button, "Anmelden")];
    let without_button = browser.send("POST", &to_service, &fields[..3]).await;
    assert!(without_button.body.contains(&button), "the form is shown again");
    assert_eq!((cdms.simulator.passwords_tried(), cdms.simulator.failed_logins()), (0, 0));
    let token = browser.send("POST", &to_service, &fields).await;
    assert!(token.body.contains("hiddenform"), "{}", token.body);
    assert_eq!(browser.pass_on(&token).await.status, 302);
}

#[tokio::test]
async fn a_wrong_password_shows_the_form_again_counts_and_locks() {
    let cdms = Cdms::with(|builder| builder.adfs(adfs()).lock_after(2));
    let mut browser = Browser::new(&cdms);
    let to_service = location(&browser.get(&format!("{}/", cdms.simulator.root())).await);
    for _ in 0..2 {
        let page = browser.send("POST", &to_service, &[NEW[0], ("Password", "wrong"), NEW[2]]).await;
        assert_eq!((page.status, page.body.contains("Kennwort ist falsch")), (200, true));
    }
    assert!(cdms.simulator.is_locked());
    let page = browser.send("POST", &to_service, &NEW).await;
    assert!(page.body.contains("Kennwort ist falsch"), "the page does not tell a locked account");
    assert_eq!(cdms.simulator.failed_logins(), 2);
    cdms.simulator.unlock();
    assert_eq!(browser.send("POST", &to_service, &NEW).await.status, 302);
}

#[tokio::test]
async fn the_fifth_token_within_twenty_seconds_is_not_given_to_one_browser() {
    let cdms = behind(adfs());
    let mut browser = Browser::new(&cdms);
    let to_service = location(&browser.get(&format!("{}/", cdms.simulator.root())).await);
    location(&browser.send("POST", &to_service, &NEW).await);
    for token in 1..=4 {
        assert!(browser.get(&to_service).await.body.contains("hiddenform"), "{token}");
    }
    assert!(browser.get(&to_service).await.body.contains("MSIS7042"));
    cdms.simulator.clock().advance_ms(20_000);
    assert!(browser.get(&to_service).await.body.contains("hiddenform"), "time helps");
}

#[tokio::test]
async fn a_session_needs_all_parts_of_its_cookie_and_ends() {
    for (expiry, status) in
        [(Expiry::Unauthorized, 401), (Expiry::Redirect, 302), (Expiry::RedirectHere, 302), (Expiry::LoginForm, 200)]
    {
        let cdms = behind(adfs().expiry(expiry).lifetime(Duration::from_secs(60)));
        let mut browser = Browser::new(&cdms);
        let to_service = location(&browser.get(&format!("{}/", cdms.simulator.root())).await);
        let after = location(&browser.send("POST", &to_service, &NEW).await);
        let token = browser.get(&format!("{}{after}", cdms.simulator.token_services()[0])).await;
        browser.pass_on(&token).await;
        let cookie = |left_out: &str| {
            let parts = browser.cookies.iter().filter(|(name, _)| *name != left_out);
            parts.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
        };
        let ask = async |cookie: String| reply(cdms.ask("GET", "AccountSet").header("cookie", cookie)).await;
        assert_eq!(ask(cookie("none")).await.header("content-type"), Some("application/json;charset=utf-8"));
        for part in ["MSISAuth", "MSISAuth1", "MSISAuth2"] {
            let refused = ask(cookie(part)).await;
            assert_eq!(refused.status, status, "{expiry:?} without {part}");
            assert_ne!(refused.header("content-type"), Some("application/json;charset=utf-8"));
        }
        cdms.simulator.clock().advance_ms(60_000);
        assert_eq!(ask(cookie("none")).await.status, status);
    }
}
