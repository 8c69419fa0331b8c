//! The login by AD FS: a chain of token services with servers of their own, and the session that CDMS begins with a token.

mod page;
mod service;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use hyper::http::request::Parts;
use uuid::Uuid;

use super::{Account, Incoming};
use crate::http::Answer;
use crate::state::Expiry;

/// The name of the cookies of a session: `MSISAuth`, `MSISAuth1`, `MSISAuth2`.
const COOKIE: &str = "MSISAuth";

/// The window in which a token service counts the tokens that one browser gets (docs/protocol.md, 7).
const WINDOW_MS: i64 = 20_000;

/// Which pages the token services show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AdFsVersion {
    /// AD FS 2.0 and 2.1: one form, and the token at once.
    Two,
    /// AD FS 3.0 and later: two forms, and a redirect before the token.
    Three,
}

/// What goes wrong with a login by AD FS, until it is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AdFsTrouble {
    /// The page for the password comes without its fields.
    NoFields,
    /// Its fields have other names.
    OtherFields,
    /// Its form is sent to this address.
    ActionAt(String),
    /// The sign-in service redirects to this address.
    RedirectTo(String),
    /// The sign-in service redirects to itself without end.
    RedirectLoop,
    /// The right password is not enough: a new one is asked for.
    NewPassword,
    /// The right password is not enough: another proof is asked for.
    SecondFactor,
    /// The page of a refused password repeats the password.
    EchoedPassword,
    /// The sign-in service answers with an error of this code.
    Error(String),
    /// The sign-in service answers 503.
    Unavailable,
    /// CDMS takes no token, because they are signed with a certificate that it does not know.
    TokensNotTaken,
    /// CDMS begins sessions, and takes none of them.
    SessionsNotTaken,
    /// CDMS leaves out a part of the session's cookie.
    HalfSession,
}

/// AD FS in front of a CDMS, for [`SimulatorBuilder::adfs`](crate::SimulatorBuilder::adfs).
#[derive(Clone, Debug)]
#[must_use]
pub struct AdFsServer {
    user: String,
    password: String,
    version: AdFsVersion,
    token_services: usize,
    home_realm: Option<String>,
    expiry: Expiry,
    tokens_at_once: u64,
    lifetime: Duration,
    parts: usize,
}

impl AdFsServer {
    /// One token service of version 3, whose sessions have cookies in three parts and last an hour; it gives four tokens within
    /// 20 s. CDMS answers 302 when a session is over.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        AdFsServer {
            user: user.into(),
            password: password.into(),
            version: AdFsVersion::Three,
            token_services: 1,
            home_realm: None,
            expiry: Expiry::Redirect,
            tokens_at_once: 4,
            lifetime: Duration::from_secs(3_600),
            parts: 3,
        }
    }

    /// Which pages are shown.
    pub fn version(mut self, version: AdFsVersion) -> Self {
        self.version = version;
        self
    }

    /// How many token services there are, at least one. The first asks for the password, the last one gives CDMS its token.
    pub fn token_services(mut self, count: usize) -> Self {
        self.token_services = count.max(1);
        self
    }

    /// The last token service asks for the organisation, unless it gets this identifier with `whr`.
    pub fn home_realm(mut self, identifier: impl Into<String>) -> Self {
        self.home_realm = Some(identifier.into());
        self
    }

    /// How CDMS answers a request for data without a valid session.
    pub fn expiry(mut self, expiry: Expiry) -> Self {
        self.expiry = expiry;
        self
    }

    /// How many tokens a service gives one browser within 20 s; for the next one it answers `MSIS7042`.
    pub fn tokens_at_once(mut self, count: u64) -> Self {
        self.tokens_at_once = count;
        self
    }

    /// How long tokens, and the sessions that they begin, last.
    pub fn lifetime(mut self, time: Duration) -> Self {
        self.lifetime = time;
        self
    }

    /// In how many parts the cookie of a session comes, at least one.
    pub fn parts(mut self, count: usize) -> Self {
        self.parts = count.max(1);
        self
    }
}

/// The running servers.
#[derive(Debug)]
pub(crate) struct AdFs {
    pub(crate) account: Account,
    server: AdFsServer,
    pub(crate) trouble: Option<AdFsTrouble>,
    /// The addresses of the token services, the sign-in service first.
    services: Vec<SocketAddr>,
    /// Where they listen, until they are served.
    listeners: Vec<TcpListener>,
    /// The tokens that were given and not used, each with its service.
    tokens: HashMap<String, usize>,
    /// The browsers that the sign-in service knows.
    known: Vec<String>,
    /// The open sessions of CDMS, with their ends by the simulator's clock.
    open: HashMap<String, i64>,
    /// How many passwords were asked for and sent, right or wrong.
    pub(crate) passwords: u64,
}

impl AdFs {
    /// Binds the token services to free ports.
    pub(crate) fn start(server: AdFsServer) -> std::io::Result<Self> {
        let bind = |_| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            Ok((listener.local_addr()?, listener))
        };
        let bound = (0..server.token_services).map(bind).collect::<std::io::Result<Vec<_>>>()?;
        let (services, listeners) = bound.into_iter().unzip();
        Ok(AdFs {
            account: Account::new(&server.user, &server.password),
            server,
            trouble: None,
            services,
            listeners,
            tokens: HashMap::new(),
            known: Vec::new(),
            open: HashMap::new(),
            passwords: 0,
        })
    }

    /// The listeners of the token services, the sign-in service first; once.
    pub(crate) fn take_listeners(&mut self) -> Vec<TcpListener> {
        std::mem::take(&mut self.listeners)
    }

    /// The addresses of the token services, the sign-in service first.
    pub(crate) fn addresses(&self) -> Vec<String> {
        (0..self.services.len()).map(|service| self.base(service)).collect()
    }

    fn base(&self, service: usize) -> String {
        format!("http://{}", self.services[service])
    }

    pub(crate) fn expire(&mut self) {
        self.open.clear();
    }

    /// CDMS's answer to a request for a page, to a token, or to a request without an open session.
    pub(super) fn answer(&mut self, incoming: &Incoming<'_>) -> Option<Answer> {
        let is_open = self.is_open(incoming);
        let Some(path) = incoming.outside else {
            return (!is_open).then(|| self.refused(incoming));
        };
        if incoming.parts.method == "POST" {
            return Some(self.begin(incoming));
        }
        let is_page = path.to_ascii_lowercase().ends_with("/main.aspx");
        Some(match (is_open, is_page) {
            (false, _) => self.to_login(incoming),
            (true, true) => Answer::html(200, "<html><head><title>Microsoft Dynamics CRM</title></head></html>"),
            (true, false) => found(format!("{}main.aspx", root(incoming))),
        })
    }

    fn is_open(&self, incoming: &Incoming<'_>) -> bool {
        let cookies = cookies(incoming.parts);
        let part = |number: usize| if number == 0 { COOKIE.to_owned() } else { format!("{COOKIE}{number}") };
        let parts = (0..).map_while(|number| cookies.get(&part(number)));
        let value: String = parts.map(String::as_str).collect();
        self.trouble != Some(AdFsTrouble::SessionsNotTaken)
            && self.open.get(&value).is_some_and(|end| incoming.now_ms < *end)
    }

    /// Begins a session, if the token is one of the last service's.
    fn begin(&mut self, incoming: &Incoming<'_>) -> Answer {
        let token = field(incoming.body, "wresult").and_then(|result| page::id_in(&result));
        let last = self.services.len() - 1;
        let is_taken = token.is_some_and(|token| self.tokens.remove(&token) == Some(last));
        if !is_taken || self.trouble == Some(AdFsTrouble::TokensNotTaken) {
            return self.to_login(incoming);
        }
        let lifetime = i64::try_from(self.server.lifetime.as_millis()).unwrap_or(i64::MAX);
        // As long as a real one, so that it has to be split.
        let value: String = (0..100).map(|_| Uuid::new_v4().simple().to_string()).collect();
        let parts = self.server.parts;
        let length = value.len().div_ceil(parts);
        let chunks = value.as_bytes().chunks(length).map(|chunk| String::from_utf8_lossy(chunk).into_owned());
        let mut answer = found(format!("{}main.aspx", root(incoming)));
        for (number, chunk) in chunks.enumerate() {
            if number + 2 == parts && self.trouble == Some(AdFsTrouble::HalfSession) {
                continue;
            }
            let name = if number == 0 { String::new() } else { number.to_string() };
            answer = answer.with_header("set-cookie", format!("{COOKIE}{name}={chunk}; path=/; HttpOnly"));
        }
        self.open.insert(value, incoming.now_ms.saturating_add(lifetime));
        answer
    }

    /// The answer to a request for data without a session.
    fn refused(&self, incoming: &Incoming<'_>) -> Answer {
        match self.server.expiry {
            Expiry::Unauthorized => Answer::empty(401),
            Expiry::Redirect => self.to_login(incoming),
            Expiry::RedirectHere => found(format!("/adfs/ls/?wa=wsignin1.0&wtrealm={}", encoded(&root(incoming)))),
            Expiry::LoginForm => Answer::html(200, &page::sign_in(self.server.version, "/adfs/ls/", "", None)),
        }
    }

    /// A redirect to the last token service, with the hint that the request has.
    fn to_login(&self, incoming: &Incoming<'_>) -> Answer {
        let query = incoming.parts.uri.query().unwrap_or_default();
        let hint = field(query.as_bytes(), "whr").map(|hint| format!("&whr={}", encoded(&hint))).unwrap_or_default();
        let base = self.base(self.services.len() - 1);
        let realm = encoded(&root(incoming));
        found(format!("{base}/adfs/ls/?wa=wsignin1.0&wtrealm={realm}&wctx=rm%3d1{hint}"))
    }
}

/// The address of the organisation, as the client has it.
fn root(incoming: &Incoming<'_>) -> String {
    let host = incoming.parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    format!("http://{host}/ORG/")
}

fn found(address: String) -> Answer {
    Answer::empty(302).with_header("location", address)
}

/// A field of a form or a query.
fn field(body: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The cookies of a request. Of two with one name the first counts, which has the longer path.
fn cookies(parts: &Parts) -> HashMap<String, String> {
    let headers = parts.headers.get_all("cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let mut cookies = HashMap::new();
    for (name, value) in headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('=')) {
        cookies.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    cookies
}
