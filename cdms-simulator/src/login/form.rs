//! The simplest login: one form, one cookie.

use hyper::http::request::Parts;
use uuid::Uuid;

use super::{Account, Incoming};
use crate::http::Answer;
use crate::state::Expiry;

const COOKIE: &str = "MSISAuth";

/// The login with its open sessions.
#[derive(Debug)]
pub(crate) struct FormServer {
    pub(crate) account: Account,
    expiry: Expiry,
    open: Vec<String>,
}

impl FormServer {
    pub(crate) fn new(account: Account, expiry: Expiry) -> Self {
        FormServer { account, expiry, open: Vec::new() }
    }

    /// The answer to a request for the form, to its fields, or to a request without an open session.
    pub(super) fn answer(&mut self, incoming: &Incoming<'_>) -> Option<Answer> {
        match (incoming.outside.is_some_and(is_login), incoming.parts.method.as_str()) {
            (true, "POST") => Some(self.enter(incoming.body)),
            (true, _) => Some(form(200)),
            (false, _) => self.refused(incoming.parts),
        }
    }

    /// Opens a session if the fields are right.
    fn enter(&mut self, body: &[u8]) -> Answer {
        let field = |name: &str| {
            let mut fields = form_urlencoded::parse(body);
            fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        if !self.account.admits(&field("user"), &field("password")) {
            return form(200);
        }
        let session = Uuid::new_v4().to_string();
        let cookie = format!("{COOKIE}={session}; path=/; HttpOnly");
        self.open.push(session);
        Answer::html(200, "<html><body>Welcome</body></html>").with_header("set-cookie", cookie)
    }

    /// The answer to a request without an open session.
    fn refused(&self, parts: &Parts) -> Option<Answer> {
        let cookies = parts.headers.get_all("cookie").iter().filter_map(|cookie| cookie.to_str().ok());
        let mut pairs = cookies.flat_map(|cookie| cookie.split(';')).map(str::trim);
        let known = |pair: &str| {
            let value = pair.strip_prefix(COOKIE).and_then(|rest| rest.strip_prefix('='));
            value.is_some_and(|value| self.open.iter().any(|open| open == value))
        };
        if pairs.any(known) {
            return None;
        }
        Some(match self.expiry {
            Expiry::Unauthorized => Answer::empty(401),
            Expiry::Redirect => redirect(),
            Expiry::RedirectHere => Answer::empty(302).with_header("location", "/adfs/ls/?wa=wsignin1.0".to_owned()),
            Expiry::LoginForm => form(200),
        })
    }

    pub(super) fn expire(&mut self) {
        self.open.clear();
    }
}

/// Whether this is the path of the form.
pub(super) fn is_login(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with("/login")
}

/// A redirect to the login page.
pub(crate) fn redirect() -> Answer {
    Answer::empty(302).with_header("location", "https://login.example.gov.uk/adfs/ls/?wa=wsignin1.0".to_owned())
}

/// The login page.
pub(crate) fn form(status: u16) -> Answer {
    Answer::html(
        status,
        "<html><body><form method=\"post\" action=\"/ORG/login\"><input name=\"user\"/>\
         <input name=\"password\" type=\"password\"/></form></body></html>",
    )
}
