//! The login: a request without its cookie gets the configured answer, and sessions can be ended.

use cdms_simulator::Expiry;
use serde_json::json;

use crate::scene::{Cdms, Reply, reply};

fn scene(expiry: Expiry) -> Cdms {
    Cdms::with(|builder| builder.login("hub", "pass & word", expiry))
}

async fn enter(cdms: &Cdms, user: &str, password: &str) -> Reply {
    let fields = form_urlencoded::Serializer::new(String::new())
        .append_pair("user", user)
        .append_pair("password", password)
        .finish();
    let login = format!("{}/login", cdms.simulator.root());
    let content = "application/x-www-form-urlencoded";
    reply(cdms.plain("POST", &login).header("content-type", content).body(fields)).await
}

fn cookie(reply: &Reply) -> String {
    reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn without_a_session_nothing_is_done_and_the_answer_is_the_one_chosen() {
    for (expiry, status) in [(Expiry::Unauthorized, 401), (Expiry::Redirect, 302), (Expiry::LoginForm, 200)] {
        let cdms = scene(expiry);
        for answer in [
            cdms.create("AccountSet", json!({})).await,
            cdms.get("FooSet").await,
            cdms.get("$metadata").await,
            reply(cdms.ask("GET", "AccountSet").header("cookie", "MSISAuth=guessed; MSISAuth=")).await,
        ] {
            assert_eq!(answer.status, status, "{expiry:?}");
            assert_eq!(answer.header("location").is_some(), expiry == Expiry::Redirect);
            assert_eq!(answer.body.contains("<form"), expiry == Expiry::LoginForm);
        }
        assert_eq!(cdms.simulator.log(), []);
    }
}

#[tokio::test]
async fn the_right_fields_open_a_session_and_others_show_the_form_again() {
    let cdms = scene(Expiry::Unauthorized);
    for (user, password) in [("hub", "wrong"), ("other", "pass & word"), ("", "")] {
        let answer = enter(&cdms, user, password).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (200, None), "{user} {password}");
        assert!(answer.body.contains("<form"));
    }
    let session = cookie(&enter(&cdms, "hub", "pass & word").await);
    assert!(session.starts_with("MSISAuth="), "{session}");
    let with_others = format!("a=b; {session}; c=d");
    assert_eq!(reply(cdms.ask("POST", "AccountSet").header("cookie", with_others).body("{}")).await.status, 201);
}

#[tokio::test]
async fn sessions_are_distinguished_and_end_together() {
    let cdms = scene(Expiry::Redirect);
    let (first, second) =
        (cookie(&enter(&cdms, "hub", "pass & word").await), cookie(&enter(&cdms, "hub", "pass & word").await));
    assert_ne!(first, second);
    let status = async |cookie: &str| reply(cdms.ask("GET", "AccountSet").header("cookie", cookie)).await.status;
    assert_eq!((status(&first).await, status(&second).await), (200, 200));
    cdms.simulator.expire_sessions();
    assert_eq!((status(&first).await, status(&second).await), (302, 302));
    let third = cookie(&enter(&cdms, "hub", "pass & word").await);
    assert_eq!((status(&third).await, status(&first).await), (200, 302));
}

#[tokio::test]
async fn the_form_can_be_fetched_and_no_session_is_needed_without_a_login() {
    let cdms = scene(Expiry::Unauthorized);
    let form = reply(cdms.plain("GET", &format!("{}/login", cdms.simulator.root()))).await;
    assert_eq!((form.status, form.body.contains("name=\"user\"")), (200, true));
    assert_eq!(Cdms::start().get("AccountSet").await.status, 200);
}

#[tokio::test]
async fn only_the_login_itself_needs_no_session_however_it_is_written() {
    let cdms = scene(Expiry::Unauthorized);
    for path in ["login", "AccountSet/login", "$metadata/login"] {
        assert_eq!(cdms.get(path).await.status, 401, "{path}");
    }
    let fields = "user=hub&password=pass+%26+word";
    let entered = reply(cdms.plain("POST", &format!("{}/LOGIN", cdms.simulator.root())).body(fields)).await;
    assert_eq!(reply(cdms.ask("GET", "AccountSet").header("cookie", cookie(&entered))).await.status, 200);
}
