//! An answer to a login's request, and the session of the cookies that it sets.

use std::fmt;

use cdms_odata::dialect::HttpResponse;
use datahub_login::Cookies;
use http::{HeaderMap, StatusCode};
use url::Url;
use zeroize::{Zeroize as _, Zeroizing};

use super::cookie_session::{CookieSession, asks_for_password, take};
use super::login_error::LoginError;
use super::session::Session;
use super::transport::Received;

/// An answer to a login's request.
#[derive(Clone)]
pub struct LoginReply {
    /// The body may contain a token, and is wiped.
    response: HttpResponse,
    /// The address of CDMS's data service, which a session is for.
    service: Url,
    continues: bool,
    stays_open: bool,
    certificate: Option<Vec<u8>>,
}

impl LoginReply {
    pub(super) fn of(Received { response, continues, stays_open, certificate, .. }: Received, service: &Url) -> Self {
        LoginReply { response, service: service.clone(), continues, stays_open, certificate }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.response.headers
    }

    /// The page as text, which is wiped from memory; what is no UTF-8 is replaced.
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(String::from_utf8_lossy(&self.response.body).into_owned())
    }

    #[cfg(any(feature = "adfs", feature = "oauth"))]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.response.body
    }

    /// Whether it came over the same connection as the answer before, where the request went over
    /// [connections](crate::LoginRequests::connections) of the login's own, one at a time.
    pub fn continues(&self) -> bool {
        self.continues
    }

    /// Whether another answer may follow over the same connection: the server has not said that it will close it.
    pub fn stays_open(&self) -> bool {
        self.stays_open
    }

    /// The certificate of the server (DER), where the request went over
    /// [connections](crate::LoginRequests::connections) of the login's own that are protected by TLS.
    pub fn certificate(&self) -> Option<&[u8]> {
        self.certificate.as_deref()
    }

    /// The session of the cookies that this answer sets for CDMS; those that it deletes, and those of another host, do not
    /// count. It is over when CDMS answers 401 or with a login form, or redirects to where this answer came from or to one of
    /// the [`login_hosts`](crate::Authenticator::login_hosts).
    ///
    /// # Errors
    ///
    /// It sets none: with 401, or with a page that asks for a password, the login was [refused](LoginError::refused). Any
    /// other answer may come from something in front of CDMS, or from a server in trouble, and says nothing of the password.
    pub fn session(&self) -> Result<Box<dyn Session>, LoginError> {
        let HttpResponse { url, status, headers, .. } = &self.response;
        let mut cookies = Cookies::default();
        take(&mut cookies, url, headers)
            .map_err(|fault| LoginError::new(format!("the cookies of the login are not kept: {fault}")))?;
        if let Some(session) = CookieSession::begin(&cookies, &self.service, vec![url.clone()]) {
            return Ok(session.boxed());
        }
        let host = url.host_str().unwrap_or_default();
        let reason = format!("{host} answered the login with {status} and no cookie for CDMS");
        let asks = || !status.is_server_error() && asks_for_password(&self.response);
        Err(if *status == StatusCode::UNAUTHORIZED || asks() {
            LoginError::refused(format!("{reason}; check user and password"))
        } else {
            LoginError::new(format!("{reason}; check the login's address, and user and password"))
        })
    }
}

impl Drop for LoginReply {
    fn drop(&mut self) {
        self.response.body.zeroize();
    }
}

impl fmt::Debug for LoginReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoginReply({}, {} bytes)", self.response.status, self.response.body.len())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};

    use super::super::session::prepared;
    use super::*;

    const CDMS: &str = "https://crm.example.gov.uk/ORG";

    fn reply_of(url: &str, cookies: &[&'static str]) -> LoginReply {
        let headers = cookies.iter().map(|cookie| (SET_COOKIE, HeaderValue::from_static(cookie))).collect();
        let (url, body) = (Url::parse(url).unwrap(), Vec::new());
        let response = HttpResponse { url, status: StatusCode::OK, headers, body };
        let service = Url::parse(&format!("{CDMS}/XRMServices/2011/OrganizationData.svc")).unwrap();
        LoginReply { response, service, continues: false, stays_open: true, certificate: None }
    }

    fn reply(cookies: &[&'static str]) -> LoginReply {
        reply_of(&format!("{CDMS}/login"), cookies)
    }

    #[test]
    fn a_session_is_of_the_cookies_that_are_set() {
        let session = reply(&["a=1; Path=/; HttpOnly", "b=x=y; Max-Age=600"]).session().unwrap();
        let headers = prepared(&*session);
        assert_eq!(headers[COOKIE], "b=x=y; a=1");
        assert!(headers[COOKIE].is_sensitive());
    }

    #[test]
    fn cookies_of_another_host_are_not_sent_to_cdms() {
        let elsewhere = |cookies| reply_of("https://sso.example.gov.uk/adfs/ls/", cookies).session();
        for cookies in [&["SSO=host-only; HttpOnly"][..], &["a=1; Path=/"], &["a=1; Domain=crm.example.gov.uk"]] {
            let error = elsewhere(cookies).unwrap_err();
            assert!(error.to_string().contains("no cookie for CDMS") && !error.is_refused(), "{cookies:?}: {error}");
        }
        let session = elsewhere(&["SSO=1; Path=/", "all=2; Path=/; Domain=example.gov.uk"]).unwrap();
        assert_eq!(prepared(&*session)[COOKIE], "all=2");
        assert!(reply(&["a=1; Path=/other"]).session().is_err(), "it is for another address of CDMS");
    }

    #[test]
    fn only_401_and_a_page_that_asks_for_a_password_are_refusals() {
        let form = "<form method=post><input type='password' name=p></form>";
        for (status, page, is_refused) in [
            (200, "<p>Maintenance until 6 pm</p>", false),
            (200, form, true),
            (401, "", true),
            (403, "<p>Blocked by the firewall</p>", false),
            (403, form, true),
            (302, "", false),
            (404, "", false),
            (407, "", false),
            (429, "", false),
            (503, form, false),
        ] {
            let mut reply = reply(&[]);
            reply.response.status = StatusCode::from_u16(status).unwrap();
            reply.response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
            reply.response.body = page.into();
            assert_eq!(reply.session().unwrap_err().is_refused(), is_refused, "{status} {page}");
        }
    }

    #[test]
    fn the_age_of_a_cookie_has_the_say() {
        let both = "a=1; Max-Age=600; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
        assert_eq!(prepared(&*reply(&[both]).session().unwrap())[COOKIE], "a=1");
    }

    #[test]
    fn a_deleted_cookie_is_no_session() {
        for cookies in [
            &[][..],
            &["a=; Path=/"],
            &["a=1; Max-Age=0"],
            &["a=1; max-age=-1"],
            &["a"],
            &["a=1; Path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT"],
            &["a=1; Expires=Thu, 01-Jan-1970 00:00:01 GMT"],
        ] {
            let error = reply(cookies).session().unwrap_err();
            assert!(error.to_string().contains("user and password"), "{cookies:?}: {error}");
        }
    }
}
