//! The session of the cookies that a login ended with, which knows where that login was: a redirect there is its end.

use cdms_odata::dialect::HttpResponse;
use datahub_login::{CookieFault, Cookies};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use url::Url;

use super::session::{Session, SessionResponse, Standing};

/// Where the pages of AD FS are, on CDMS's own host as well.
const ADFS: &str = "/adfs/ls";

/// A session of cookies for CDMS.
pub(crate) struct CookieSession {
    cookies: HeaderValue,
    service: Url,
    /// The addresses that the login has asked.
    login: Vec<Url>,
}

impl CookieSession {
    /// The session of a login that has asked these addresses; `None` without a cookie for CDMS.
    pub(crate) fn begin(cookies: &Cookies, service: &Url, login: Vec<Url>) -> Option<Self> {
        let mut cookies = HeaderValue::from_str(&cookies.header(service)?).ok()?;
        cookies.set_sensitive(true);
        Some(CookieSession { cookies, service: service.clone(), login })
    }

    /// Whether an address belongs to the login: it is on another host that the login has asked, or at CDMS one of its
    /// addresses, whatever the parameters.
    fn is_of_the_login(&self, target: &Url) -> bool {
        let is_at_cdms = target.origin() == self.service.origin();
        let is_asked = |asked: &Url| {
            asked.origin() == target.origin() && (!is_at_cdms || asked.path().eq_ignore_ascii_case(target.path()))
        };
        let is_of_adfs = || is_at_cdms && target.path().to_ascii_lowercase().starts_with(ADFS);
        self.login.iter().any(is_asked) || is_of_adfs()
    }
}

impl Session for CookieSession {
    fn prepare(&self, headers: &mut HeaderMap) {
        headers.insert(COOKIE, self.cookies.clone());
    }

    fn observe(&self, response: &SessionResponse<'_>) -> Standing {
        match response.redirect().filter(|target| self.is_of_the_login(target)) {
            Some(target) => {
                Standing::Lost(format!("CDMS sent us to the login at {}", target.host_str().unwrap_or_default()))
            }
            None => response.standing(),
        }
    }
}

/// Keeps the cookies that an answer from an address sets.
///
/// # Errors
///
/// They are more or longer than those of a login.
pub(crate) fn take(cookies: &mut Cookies, url: &Url, headers: &HeaderMap) -> Result<(), CookieFault> {
    cookies.take(url, headers.get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok()))
}

/// Whether a page asks for a password.
pub(super) fn asks_for_password(response: &HttpResponse) -> bool {
    let Some(page) = response.page() else { return false };
    let mut page = page.to_ascii_lowercase();
    page.retain(|letter| !matches!(letter, '"' | '\'') && !letter.is_whitespace());
    page.contains("<form") && page.contains("type=password")
}
