//! An answer to a login's request, and the session of the cookies that it sets.

use std::fmt;

use cdms_odata::dialect::HttpResponse;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use zeroize::Zeroizing;

use super::login_error::LoginError;
use super::session::{HeaderSession, Session};
use super::transport::Received;

/// An answer to a login's request.
#[derive(Clone)]
pub struct LoginReply {
    status: StatusCode,
    headers: HeaderMap,
    /// It may contain a token.
    body: Zeroizing<Vec<u8>>,
    continues: bool,
    stays_open: bool,
    certificate: Option<Vec<u8>>,
}

impl LoginReply {
    pub(super) fn of(Received { response, continues, stays_open, certificate }: Received) -> Self {
        let HttpResponse { status, headers, body, .. } = response;
        LoginReply { status, headers, body: Zeroizing::new(body), continues, stays_open, certificate }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The page as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[cfg(any(feature = "adfs", feature = "oauth"))]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
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

    /// The session of the cookies that this answer sets; those that it deletes do not count.
    ///
    /// # Errors
    ///
    /// It sets none, so the login was refused, or the server is in trouble.
    pub fn session(&self) -> Result<Box<dyn Session>, LoginError> {
        let cookies = self.headers.get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
        let pairs: Vec<_> = cookies.filter_map(set_pair).collect();
        if pairs.is_empty() {
            let reason = format!("CDMS answered the login with {} and no cookie", self.status);
            // What stands in front of CDMS, and a server in trouble, set no cookie either, and say nothing of the password.
            let speaks_of_it = [StatusCode::OK, StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&self.status);
            return Err(if speaks_of_it {
                LoginError::refused(format!("{reason}; check user and password"))
            } else {
                LoginError::new(format!("{reason}; check the login's address, and user and password"))
            });
        }
        let value = HeaderValue::try_from(pairs.join("; "))
            .map_err(|_| LoginError::new("CDMS set a cookie that cannot be sent back"))?;
        Ok(HeaderSession::new(HeaderMap::from_iter([(COOKIE, value)])).boxed())
    }
}

/// The name and value that a `Set-Cookie` sets; `None` where it deletes the cookie.
fn set_pair(cookie: &str) -> Option<&str> {
    let mut parts = cookie.split(';').map(str::trim);
    let pair = parts.next().filter(|pair| pair.split_once('=').is_some_and(|(_, value)| !value.is_empty()))?;
    let mut max_age = None;
    let mut is_past = false;
    for (key, value) in parts.filter_map(|part| part.split_once('=')) {
        if key.eq_ignore_ascii_case("max-age") {
            max_age = value.trim().parse::<i64>().ok();
        } else if key.eq_ignore_ascii_case("expires") {
            let date = chrono::DateTime::parse_from_rfc2822(&value.trim().replace('-', " "));
            is_past = date.is_ok_and(|date| date <= chrono::Utc::now());
        }
    }
    // The age has the say where both are given.
    let is_deleted = max_age.map_or(is_past, |seconds| seconds <= 0);
    (!is_deleted).then_some(pair)
}

impl fmt::Debug for LoginReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoginReply({}, {} bytes)", self.status, self.body.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::session::prepared;
    use super::*;

    fn reply(cookies: &[&'static str]) -> LoginReply {
        let headers = cookies.iter().map(|cookie| (SET_COOKIE, HeaderValue::from_static(cookie))).collect();
        LoginReply {
            status: StatusCode::OK,
            headers,
            body: Zeroizing::default(),
            continues: false,
            stays_open: true,
            certificate: None,
        }
    }

    #[test]
    fn a_session_is_of_the_cookies_that_are_set() {
        let session = reply(&["a=1; Path=/; HttpOnly", "b=x=y; Max-Age=600"]).session().unwrap();
        let headers = prepared(&*session);
        assert_eq!(headers[COOKIE], "a=1; b=x=y");
        assert!(headers[COOKIE].is_sensitive());
    }

    #[test]
    fn what_stands_in_front_says_nothing_of_the_password() {
        for (status, is_refused) in [
            (200, true),
            (401, true),
            (403, true),
            (302, false),
            (404, false),
            (407, false),
            (429, false),
            (503, false),
        ] {
            let mut reply = reply(&[]);
            reply.status = StatusCode::from_u16(status).unwrap();
            assert_eq!(reply.session().unwrap_err().is_refused(), is_refused, "{status}");
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
            assert!(error.to_string().contains("check user and password"), "{cookies:?}: {error}");
        }
    }
}
