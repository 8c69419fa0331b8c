//! The token endpoint, and what CDMS answers without a good token.

use std::time::Duration;

use cdms_simulator::{OAuthServer, TokenAnswer};
use serde_json::Value;

use crate::scene::{Cdms, Reply, reply};

fn scene(configure: impl FnOnce(OAuthServer) -> OAuthServer) -> Cdms {
    Cdms::with(|builder| builder.oauth(configure(OAuthServer::new("app", "secret"))))
}

async fn ask(cdms: &Cdms, fields: &[(&str, &str)]) -> Reply {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = cdms.plain("POST", &cdms.simulator.token_url());
    reply(request.header("content-type", "application/x-www-form-urlencoded").body(form)).await
}

const GOOD: [(&str, &str); 4] =
    [("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", "secret"), ("scope", "x")];

fn json(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

async fn status(cdms: &Cdms, token: &str) -> u16 {
    reply(cdms.ask("GET", "AccountSet").header("authorization", format!("Bearer {token}"))).await.status
}

#[tokio::test]
async fn a_token_opens_cdms_until_its_time_is_over() {
    let cdms = scene(|server| server.lifetime(Duration::from_secs(60)));
    let answer = cdms.get("AccountSet").await;
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer authorization_uri="));
    assert_eq!(status(&cdms, "guessed").await, 401);
    let token = json(&ask(&cdms, &GOOD).await);
    assert_eq!((token["token_type"].as_str(), token["expires_in"].as_u64()), (Some("Bearer"), Some(60)));
    let token = token["access_token"].as_str().unwrap();
    assert_eq!(status(&cdms, token).await, 200);
    cdms.simulator.clock().advance_ms(59_999);
    assert_eq!(status(&cdms, token).await, 200);
    cdms.simulator.clock().advance_ms(1);
    assert_eq!(status(&cdms, token).await, 401);
    let other = json(&ask(&cdms, &GOOD).await);
    let other = other["access_token"].as_str().unwrap();
    cdms.simulator.without_application_user(Some(403));
    assert_eq!(status(&cdms, other).await, 403);
    cdms.simulator.without_application_user(None);
    cdms.simulator.expire_sessions();
    assert_eq!(status(&cdms, other).await, 401);
}

#[tokio::test]
async fn what_is_wrong_is_refused_as_entra_does_and_wrong_secrets_are_counted() {
    let cdms = scene(|server| server);
    for (changed, status, error, code) in [
        (("client_secret", "wrong"), 401, "invalid_client", 7_000_215),
        (("client_secret", ""), 401, "invalid_client", 7_000_215),
        (("client_id", "other"), 400, "unauthorized_client", 700_016),
        (("grant_type", "password"), 400, "unsupported_grant_type", 70_003),
        (("scope", ""), 400, "invalid_request", 900_144),
    ] {
        let fields = GOOD.map(|(name, value)| if name == changed.0 { changed } else { (name, value) });
        let answer = ask(&cdms, &fields).await;
        let said = json(&answer);
        assert_eq!((answer.status, said["error"].as_str()), (status, Some(error)), "{changed:?}");
        assert_eq!(said["error_codes"][0].as_u64(), Some(code));
        assert!(said["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{code}: ")));
    }
    assert_eq!(cdms.simulator.failed_logins(), 2);
    let bare = reply(cdms.plain("POST", &cdms.simulator.token_url()).body("{}")).await;
    assert_eq!((bare.status, json(&bare)["error"].as_str()), (400, Some("invalid_request")));
}

#[tokio::test]
async fn a_refresh_token_is_good_once_if_it_rotates() {
    let cdms = scene(|server| server.refresh_token("first").rotating());
    let refresh = |token: String| {
        let cdms = &cdms;
        async move {
            let fields =
                [("grant_type", "refresh_token"), ("client_id", "app"), ("refresh_token", &*token), ("scope", "x")];
            ask(cdms, &fields).await
        }
    };
    let answer = json(&refresh("first".into()).await);
    let second = answer["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(cdms.simulator.refresh_token().as_ref(), Some(&second));
    assert_eq!(status(&cdms, answer["access_token"].as_str().unwrap()).await, 200);
    let refused = refresh("first".into()).await;
    assert_eq!((refused.status, json(&refused)["error"].as_str()), (400, Some("invalid_grant")));
    assert_eq!(refresh(second).await.status, 200);
    assert_eq!(cdms.simulator.failed_logins(), 1);
}

#[tokio::test]
async fn ordered_answers_come_once_each() {
    let cdms = scene(|server| server);
    cdms.simulator.answer_token_request(TokenAnswer::Busy { status: 429, retry_after: Some("7".into()) });
    cdms.simulator.answer_token_request(TokenAnswer::Page(404));
    cdms.simulator.answer_token_request(TokenAnswer::Redirect("http://127.0.0.1:1/".into()));
    let busy = ask(&cdms, &GOOD).await;
    assert_eq!((busy.status, busy.header("retry-after")), (429, Some("7")));
    assert_eq!(ask(&cdms, &GOOD).await.status, 404);
    assert_eq!(ask(&cdms, &GOOD).await.header("location"), Some("http://127.0.0.1:1/"));
    assert_eq!(ask(&cdms, &GOOD).await.status, 200);
}
