//! A walk through login pages: cookies, forms and redirects by hand, within bounds, and only to hosts that were named.

use std::fmt;
use std::str::FromStr;

use datahub_login::{Cookies, Document, FieldKind, Form};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use secrecy::SecretString;
use url::{Origin, Url};

use super::said::repeated;
use crate::cdms::{CookieSession, LoginError, LoginReply, LoginRequests, Session, encoded, take};

/// The largest page, in bytes.
const PAGE_MAX: usize = 1024 * 1024;

/// The most redirects one after another.
const REDIRECTS_MAX: usize = 10;

/// How much of a title is shown, in characters.
const TITLE_MAX: usize = 80;

/// The most requests of a login.
const REQUESTS_MAX: usize = 60;

/// A host that a login may talk to, with its scheme and port: `sts.example.gov.uk` (https, port 443),
/// `sts.example.gov.uk:8443`, or an address, of which only the beginning matters.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginHost {
    url: Url,
}

impl LoginHost {
    /// The name of the host.
    pub fn name(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether an address is on this host, by its scheme and port also.
    pub fn has(&self, url: &Url) -> bool {
        self.url.origin() == url.origin()
    }

    fn of(url: &Url) -> Self {
        LoginHost { url: url.clone() }
    }

    fn origin(&self) -> Origin {
        self.url.origin()
    }
}

impl FromStr for LoginHost {
    type Err = LoginError;

    fn from_str(text: &str) -> Result<Self, LoginError> {
        let address = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let fault = |reason: &str| LoginError::new(format!("invalid login host {text:?}: {reason}"));
        let url = Url::parse(&address).map_err(|error| fault(&error.to_string()))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(fault("expected https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(fault("it must not contain a user or a password"));
        }
        Ok(LoginHost { url })
    }
}

impl fmt::Display for LoginHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin().ascii_serialization())
    }
}

impl fmt::Debug for LoginHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoginHost({self})")
    }
}

/// A walk through the pages of a login, as a browser without scripts does it. It keeps cookies by host and path, follows
/// redirects, and sends forms; all this only to CDMS and to hosts that were named, and passwords to one of them only. Its
/// pages, redirects, cookies and requests are limited.
///
/// ```no_run
/// use datahub_runtime::login::{LoginError, LoginRequests, Session, secrecy::{ExposeSecret, SecretString}};
///
/// async fn log_in(requests: LoginRequests<'_>, password: &SecretString) -> Result<Box<dyn Session>, LoginError> {
///     let mut pages = requests.pages("login.example.gov.uk".parse()?, &[]);
///     let page = pages.get("https://login.example.gov.uk/").await?;
///     let form = page.filled(&[("user", "hub"), ("password", password.expose_secret())])?;
///     if pages.submit(&page, &form).await?.asks_for_password() {
///         return Err(LoginError::refused("check user and password"));
///     }
///     pages.session()
/// }
/// ```
pub struct Pages<'r> {
    requests: LoginRequests<'r>,
    /// Where passwords may be sent.
    sign_in: LoginHost,
    /// Where anything may be sent.
    hosts: Vec<LoginHost>,
    cookies: Cookies,
    /// The addresses that were asked, each once.
    asked: Vec<Url>,
    /// The passwords that were sent, so that no message repeats one that a page repeats.
    passwords: Vec<SecretString>,
    sent: usize,
}

/// A page of a login.
pub struct Page {
    url: Url,
    status: StatusCode,
    document: Document,
    /// Its title, as a message may repeat it.
    title: String,
    is_redirected: bool,
}

impl<'r> LoginRequests<'r> {
    /// Begins a walk through login pages. Passwords are sent to `sign_in` only, other forms and requests also to CDMS and to
    /// `others`.
    pub fn pages(self, sign_in: LoginHost, others: &[LoginHost]) -> Pages<'r> {
        let mut hosts = vec![LoginHost::of(self.service()), sign_in.clone()];
        hosts.extend_from_slice(others);
        let (cookies, asked, passwords) = (Cookies::default(), Vec::new(), Vec::new());
        Pages { requests: self, sign_in, hosts, cookies, asked, passwords, sent: 0 }
    }
}

impl Pages<'_> {
    /// Gets a page, over redirects.
    ///
    /// Dropping the future breaks the request off.
    ///
    /// # Errors
    ///
    /// The address, or one that it redirects to, is not on one of the hosts; no answer; or more than a login page has.
    pub async fn get(&mut self, address: &str) -> Result<Page, LoginError> {
        let url = Url::parse(address).map_err(|error| LoginError::new(format!("invalid login address: {error}")))?;
        self.allow(&url, "the login begins at")?;
        self.walk(url, None).await
    }

    /// Sends a form of a page, and gets what follows, over redirects.
    ///
    /// Dropping the future breaks the request off; whether the server took the form is not known then.
    ///
    /// # Errors
    ///
    /// As [`Pages::get`]; the form is not posted; or it has a password, or the secret of the login's
    /// [credentials](super::Authenticator::credentials) in whichever field, and is sent to another host than the one that passwords
    /// are for.
    pub async fn submit(&mut self, page: &Page, form: &Form) -> Result<Page, LoginError> {
        let target = self.target(page, form)?;
        self.passwords.extend(form.of_kind(FieldKind::Password).map(|field| SecretString::from(field.value.as_str())));
        self.walk(target, Some(form)).await
    }

    /// The address that a form is sent to.
    ///
    /// # Errors
    ///
    /// As [`Pages::submit`].
    pub fn target(&self, page: &Page, form: &Form) -> Result<Url, LoginError> {
        let from = page.url();
        let wrong = |what: String| LoginError::new(format!("the form of the login page at {}: {what}", host_of(from)));
        if !form.is_posted() {
            return Err(wrong("expected one that is posted, without files".to_owned()));
        }
        let invalid = |error: url::ParseError| wrong(format!("its action is invalid: {error}"));
        let base = match page.document.base() {
            Some(base) => &from.join(base).map_err(invalid)?,
            None => from,
        };
        let mut target = match form.action() {
            Some(action) => base.join(action.trim()).map_err(invalid)?,
            None => from.clone(),
        };
        target.set_fragment(None);
        self.allow(&target, &format!("the form of the login page at {} is sent to", host_of(from)))?;
        // A page may ask for the password in a field that is not called one.
        let has_secret = form.fields().iter().any(|field| self.requests.is_secret(&field.value));
        if (form.has_password() || has_secret) && !self.sign_in.has(&target) {
            return Err(wrong(format!(
                "the password is for {}, and would be sent to {}; it was not sent",
                self.sign_in,
                host_of(&target)
            )));
        }
        Ok(target)
    }

    /// The session of the cookies that are sent to CDMS. It is over when CDMS answers 401 or with a login form, or redirects to
    /// another host of the walk, to an address of CDMS's that the walk has asked, to a page of AD FS on its host, or to one of
    /// the [`login_hosts`](super::Authenticator::login_hosts).
    ///
    /// # Errors
    ///
    /// There are none, or they cannot be sent back.
    pub fn session(&self) -> Result<Box<dyn Session>, LoginError> {
        let service = self.requests.service();
        self.cookie_header(service)?;
        let named = self.hosts.iter().map(|host| &host.url).filter(|url| url.origin() != service.origin());
        let login = self.asked.iter().chain(named).cloned().collect();
        let session = CookieSession::begin(&self.cookies, service, login);
        Ok(session.ok_or_else(|| LoginError::new("the login ended without a cookie for CDMS"))?.boxed())
    }

    /// What a page says, as a message may repeat it.
    pub(super) fn repeated(&self, said: &str, characters: usize) -> String {
        repeated(said, characters, self.requests.presented_values().chain(&self.passwords))
    }

    /// The cookies that the pages have set.
    pub(crate) fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    fn cookie_header(&self, url: &Url) -> Result<Option<HeaderValue>, LoginError> {
        let Some(header) = self.cookies.header(url) else { return Ok(None) };
        let value = HeaderValue::from_str(&header);
        let mut value = value.map_err(|_| wrong_cookie(url, &"they cannot be sent back"))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// Whether anything may be sent to an address; `what` says what leads there.
    fn allow(&self, url: &Url, what: &str) -> Result<(), LoginError> {
        if !self.hosts.iter().any(|host| host.has(url)) {
            let hosts = self.hosts.iter().map(LoginHost::to_string).collect::<Vec<_>>().join(", ");
            return Err(LoginError::new(format!(
                "{what} {}, which is not among the hosts of the login ({hosts}); nothing was sent there; if it belongs to \
                 the login, add it to them",
                host_of(url)
            )));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(LoginError::new(format!("{what} an address with a user at {}", host_of(url))));
        }
        Ok(())
    }

    async fn walk(&mut self, mut url: Url, form: Option<&Form>) -> Result<Page, LoginError> {
        let mut body = form.map(|form| encoded(&form.pairs()));
        for followed in 0..=REDIRECTS_MAX {
            let was_posted = body.is_some();
            let reply = self.exchange(&url, body.take()).await?;
            let location = reply.headers().get(LOCATION).filter(|_| reply.status().is_redirection());
            let Some(location) = location else {
                let document = Document::read(&reply.text()).map_err(|fault| {
                    LoginError::new(format!("the login page at {} is not read: {fault}", host_of(&url)))
                })?;
                let title = self.repeated(&document.title(), TITLE_MAX);
                return Ok(Page { url, status: reply.status(), document, title, is_redirected: followed > 0 });
            };
            let from = host_of(&url);
            if was_posted && [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT].contains(&reply.status())
            {
                return Err(LoginError::new(format!(
                    "the login page at {from} redirects the form that was posted there ({}); it is not sent twice",
                    reply.status()
                )));
            }
            let next = location.to_str().ok().and_then(|location| url.join(location).ok());
            let Some(mut next) = next else {
                return Err(LoginError::new(format!("the login page at {from} redirects to an invalid address")));
            };
            next.set_fragment(None);
            self.allow(&next, &format!("the login page at {from} redirects to"))?;
            url = next;
        }
        let host = host_of(&url);
        Err(LoginError::new(format!(
            "the login pages redirect more than {REDIRECTS_MAX} times, the last one at {host}"
        )))
    }

    /// One request, whose cookies are sent and kept.
    async fn exchange(
        &mut self,
        url: &Url,
        body: Option<zeroize::Zeroizing<String>>,
    ) -> Result<LoginReply, LoginError> {
        if self.sent == REQUESTS_MAX {
            return Err(LoginError::new(format!("the login came to no end after {REQUESTS_MAX} requests")));
        }
        self.sent += 1;
        if !self.asked.contains(url) {
            self.asked.push(url.clone());
        }
        let reply = self.requests.send(url.clone(), body, self.cookie_header(url)?).await;
        let reply = reply.map_err(|error| {
            let words = format!("the login page at {} cannot be reached: {error}", host_of(url));
            LoginError::because(error.reason().clone().in_words(words))
        })?;
        if reply.bytes().len() > PAGE_MAX {
            let host = host_of(url);
            return Err(LoginError::new(format!("the login page at {host} is larger than {PAGE_MAX} bytes")));
        }
        take(&mut self.cookies, url, reply.headers()).map_err(|fault| wrong_cookie(url, &fault))?;
        Ok(reply)
    }
}

fn wrong_cookie(url: &Url, fault: &dyn fmt::Display) -> LoginError {
    LoginError::new(format!("the cookies of the login page at {} are not kept: {fault}", host_of(url)))
}

/// The scheme, host and port of an address, for messages: what follows may contain what must not be shown.
pub(super) fn host_of(url: &Url) -> String {
    match url.host_str() {
        Some(_) => url.origin().ascii_serialization(),
        None => format!("an address of the scheme {:?}", url.scheme()),
    }
}

impl Page {
    /// The address.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Whether the page was reached over a redirect.
    pub fn is_redirected(&self) -> bool {
        self.is_redirected
    }

    /// What the page contains.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The only form of the page.
    ///
    /// # Errors
    ///
    /// The page has another number of forms; it has changed, or is an error.
    pub fn only_form(&self) -> Result<&Form, LoginError> {
        match self.document.forms() {
            [form] => Ok(form),
            forms => Err(LoginError::new(format!("{} has {} forms, expected one", self.in_words(), forms.len()))),
        }
    }

    /// The only form of the page, with these fields filled in.
    ///
    /// # Errors
    ///
    /// As [`Page::only_form`], or the form lacks one of the fields.
    pub fn filled(&self, fields: &[(&str, &str)]) -> Result<Form, LoginError> {
        let mut form = self.only_form()?.clone();
        match fields.iter().find(|(name, value)| !form.fill(name, value)) {
            Some((name, _)) => Err(LoginError::new(format!("the form of {} has no field `{name}`", self.in_words()))),
            None => Ok(form),
        }
    }

    /// Whether the page has a field for a password: after a password was sent, it was refused.
    pub fn asks_for_password(&self) -> bool {
        self.document.forms().iter().any(|form| form.of_kind(FieldKind::Password).next().is_some())
    }

    /// Which page it is, in words for a message.
    pub(super) fn in_words(&self) -> String {
        let title = &self.title;
        let title = if title.is_empty() { String::new() } else { format!(", titled {title:?}") };
        format!("the page at {} ({}{title})", host_of(&self.url), self.status)
    }
}

impl fmt::Debug for Pages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pages { requests, sign_in, hosts, cookies, asked: _, passwords: _, sent } = self;
        let mut shown = f.debug_struct("Pages");
        shown.field("requests", requests).field("sign_in", sign_in).field("hosts", hosts).field("cookies", cookies);
        shown.field("sent", sent).finish()
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Page({}, {})", self.status, host_of(&self.url))
    }
}
