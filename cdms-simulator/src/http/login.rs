//! The scripted login: one form, one cookie.

use hyper::http::request::Parts;
use uuid::Uuid;

use super::answer::Answer;
use crate::state::{Expiry, State, lock};

const COOKIE: &str = "MSISAuth";

/// The answer to a request without a valid session, if sessions are required. Requests to log in are exempt.
pub(super) fn refused(state: &State, parts: &Parts) -> Option<Answer> {
    let sessions = lock(&state.sessions);
    let (_, _, expiry) = sessions.login.as_ref()?;
    let cookies = parts.headers.get_all("cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let mut pairs = cookies.flat_map(|cookie| cookie.split(';')).map(str::trim);
    let known = |pair: &str| {
        let value = pair.strip_prefix(COOKIE).and_then(|rest| rest.strip_prefix('='));
        value.is_some_and(|value| sessions.open.iter().any(|open| open == value))
    };
    if pairs.any(known) {
        return None;
    }
    Some(match expiry {
        Expiry::Unauthorized => Answer::empty(401),
        Expiry::Redirect => redirect(),
        Expiry::LoginForm => form(200),
    })
}

/// Checks the form's fields and opens a session.
pub(super) fn enter(state: &State, body: &[u8]) -> Answer {
    let mut sessions = lock(&state.sessions);
    let Some((user, password, _)) = &sessions.login else { return form(200) };
    let field =
        |name: &str| form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    if field("user").as_ref() != Some(user) || field("password").as_ref() != Some(password) {
        return form(200);
    }
    let session = Uuid::new_v4().to_string();
    let cookie = format!("{COOKIE}={session}; path=/; HttpOnly");
    sessions.open.push(session);
    Answer::html(200, "<html><body>Welcome</body></html>").with_header("set-cookie", cookie)
}

/// A redirect to the login page.
pub(super) fn redirect() -> Answer {
    Answer::empty(302).with_header("location", "https://login.example.gov.uk/adfs/ls/?wa=wsignin1.0".to_owned())
}

/// The login page.
pub(super) fn form(status: u16) -> Answer {
    Answer::html(
        status,
        "<html><body><form method=\"post\" action=\"/ORG/login\"><input name=\"user\"/>\
         <input name=\"password\" type=\"password\"/></form></body></html>",
    )
}
