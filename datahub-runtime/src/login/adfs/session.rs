//! A session that AD FS has begun: its cookies, how long it is good, and the signs that it is over.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use datahub_login::adfs::{self, part_of};
use datahub_login::{Cookies, Document};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use url::Url;

use super::super::{LoginError, LoginHost, Session, SessionResponse, Standing};
use super::AdFs;
use super::walk::ROLLED_OVER;

/// How long before its end a session is replaced, at most.
const AHEAD_MAX: Duration = Duration::from_secs(300);

/// The session. `Debug` does not show its cookies.
pub(super) struct AdFsSession {
    service: Url,
    /// The token services.
    hosts: Vec<LoginHost>,
    kept: Mutex<Kept>,
    /// How long a token is good.
    lifetime: Option<Duration>,
    /// Whether CDMS has ever accepted the session.
    is_taken: AtomicBool,
}

/// What the answers of CDMS can change.
struct Kept {
    cookies: Cookies,
    header: HeaderValue,
    /// Whether CDMS has taken back a part of the session.
    is_broken: bool,
}

impl AdFsSession {
    /// Begins a session with the cookies of a login.
    ///
    /// # Errors
    ///
    /// CDMS has set no cookie, or not all that belong together.
    pub(super) fn begin(
        login: &AdFs,
        service: Url,
        cookies: Cookies,
        token: Option<Duration>,
    ) -> Result<Self, LoginError> {
        let header = header(&cookies, &service)?;
        let hosts = login.others.iter().chain([&login.sign_in]).cloned().collect();
        let kept = Mutex::new(Kept { cookies, header, is_broken: false });
        Ok(AdFsSession { service, hosts, kept, lifetime: login.lasts.or(token), is_taken: AtomicBool::new(false) })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sign by which a response says that the session is over.
    fn sign_of_loss(&self, response: &SessionResponse<'_>) -> Option<String> {
        if response.status() == StatusCode::UNAUTHORIZED {
            return Some("CDMS answered 401".to_owned());
        }
        if let Some(target) = response.redirect() {
            let is_login = target.path().to_ascii_lowercase().starts_with("/adfs/ls");
            let is_service = self.hosts.iter().any(|host| host.has(&target) && !host.has(&self.service));
            let is_known = is_service || target.origin() == self.service.origin();
            let host = target.host_str().unwrap_or_default();
            return ((is_login && is_known) || is_service).then(|| format!("CDMS sent us to the login at {host}"));
        }
        let page = response.page().filter(|_| response.status() == StatusCode::OK)?;
        let document = Document::read(&page).ok()?;
        match adfs::Page::read(&document, response.url()) {
            adfs::Page::SignIn(_) | adfs::Page::Changed => Some("CDMS answered with a login form".to_owned()),
            adfs::Page::Token(_) => Some("CDMS answered with a page of AD FS".to_owned()),
            adfs::Page::HomeRealm => Some("CDMS asked for the organisation of its user".to_owned()),
            _ => None,
        }
    }

    /// Takes the cookies of a response, and says whether it has changed the session.
    fn is_changed_by(&self, response: &SessionResponse<'_>) -> bool {
        let set = response.headers().get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
        let set: Vec<_> = set.filter(|cookie| cookie.split('=').next().and_then(part_of).is_some()).collect();
        if set.is_empty() {
            return false;
        }
        let mut kept = self.kept();
        let taken = kept.cookies.take(response.url(), set).is_ok();
        match header(&kept.cookies, &self.service) {
            Ok(header) if taken => (kept.header, kept.is_broken) = (header, false),
            _ => kept.is_broken = true,
        }
        true
    }
}

/// Whether no part of the session's cookie is missing.
pub(super) fn whole(cookies: &Cookies, service: &Url) -> Result<(), LoginError> {
    let live = cookies.live(service);
    adfs::is_whole(live.iter().map(|cookie| cookie.name)).map_err(|missing| {
        LoginError::new(format!(
            "CDMS has begun only half a session: the cookie {missing} is missing; a proxy in between may drop headers that are \
             long or many"
        ))
    })
}

/// The cookies of a whole session, as they are sent.
fn header(cookies: &Cookies, service: &Url) -> Result<HeaderValue, LoginError> {
    whole(cookies, service)?;
    let header = cookies.header(service).and_then(|header| HeaderValue::from_str(&header).ok());
    let mut header = header.ok_or_else(|| LoginError::new("CDMS has ended the login without a cookie"))?;
    header.set_sensitive(true);
    Ok(header)
}

impl Session for AdFsSession {
    fn prepare(&self, headers: &mut HeaderMap) {
        headers.insert(COOKIE, self.kept().header.clone());
    }

    fn observe(&self, response: &SessionResponse<'_>) -> Standing {
        if let Some(sign) = self.sign_of_loss(response) {
            let is_news = !self.is_taken.load(Ordering::Relaxed);
            return Standing::Lost(if is_news { format!("{sign}; {ROLLED_OVER}") } else { sign });
        }
        if response.status().is_server_error() {
            return Standing::Unknown;
        }
        self.is_taken.store(true, Ordering::Relaxed);
        if self.is_changed_by(response) { Standing::Renewed } else { Standing::Valid }
    }

    /// The end is fixed at the login, unless CDMS sets its cookies again. A cookie may end before the token.
    fn lasts(&self) -> Option<Duration> {
        let kept = self.kept();
        if kept.is_broken {
            return Some(Duration::ZERO);
        }
        let live = kept.cookies.live(&self.service);
        let parts = live.iter().filter(|cookie| part_of(cookie.name).is_some());
        let end = parts.filter_map(|cookie| cookie.lasts).chain(self.lifetime).min()?;
        Some(end - AHEAD_MAX.min(end / 10))
    }
}

impl fmt::Debug for AdFsSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdFsSession").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}
