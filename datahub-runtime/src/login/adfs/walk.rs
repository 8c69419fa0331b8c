//! One login by AD FS, page by page, and why it can end early.

use std::time::Duration;

use datahub_login::Form;
use datahub_login::adfs::{self, SignIn, TOO_MANY_TOKENS};
use http::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::super::pages::host_of;
use super::super::{LoginError, LoginRequests, Page, Pages};
use super::session::whole;
use super::{AdFs, AdFsSession};

/// The most tokens of a login: a chain of as many token services.
const TOKENS_MAX: usize = 6;

/// How much of what AD FS says is shown, in characters.
const SAID_MAX: usize = 200;

/// How often CDMS may get a token. It can ask for another one for another of its hosts; who asks for a third takes none.
const TOKENS_FOR_CDMS_MAX: usize = 2;

/// What there is to say where CDMS does not take a token that AD FS has just given.
pub(super) const ROLLED_OVER: &str = "if this is so after every login, AD FS probably signs with a new certificate that CDMS \
     does not know yet: ask the administrator of CDMS to update its federation metadata (the wizard \"Configure Claims-Based \
     Authentication\" of the Deployment Manager) and to restart IIS";

/// How far a login has come.
#[derive(Default)]
struct Progress {
    is_password_sent: bool,
    /// Whether the password was the last that was sent.
    is_password_last: bool,
    tokens: usize,
    tokens_for_cdms: usize,
    /// How long the last token for CDMS is good.
    lifetime: Option<Duration>,
}

impl AdFs {
    /// Logs in.
    pub(super) async fn log_in(&self, requests: LoginRequests<'_>) -> Result<AdFsSession, LoginError> {
        let password = requests.secret(&self.password).await?;
        let service = requests.service().clone();
        let begin = self.beginning(&requests)?;
        let mut pages = requests.pages(self.sign_in.clone(), &self.others);
        let mut page = pages.get(begin.as_str()).await?;
        let mut progress = Progress::default();
        loop {
            if progress.tokens_for_cdms > 0 && !is_at_cdms(page.url(), &service) {
                // CDMS asks again because it cannot read what it has set.
                whole(pages.cookies(), &service)?;
            }
            let form = match adfs::Page::read(page.document(), page.url()) {
                adfs::Page::SignIn(sign_in) => self.sign_in(&pages, &page, &sign_in, &password, &mut progress)?,
                adfs::Page::Token(form) => take_token(&pages, &page, form, &service, &mut progress)?,
                adfs::Page::Other if is_at_cdms(page.url(), &service) => {
                    arrived(&page, &progress)?;
                    return AdFsSession::begin(self, service, pages.cookies().clone(), progress.lifetime);
                }
                end => return Err(self.ended_by(&end, &pages, &page, &progress)),
            };
            page = pages.submit(&page, &form).await?;
        }
    }

    /// The address at which the login begins: the organisation, with the hint that CDMS passes on.
    fn beginning(&self, requests: &LoginRequests<'_>) -> Result<Url, LoginError> {
        let address = format!("{}/", requests.organisation());
        let mut url = Url::parse(&address).map_err(|error| LoginError::new(format!("invalid address: {error}")))?;
        if let Some(home_realm) = &self.home_realm {
            url.query_pairs_mut().append_pair("whr", home_realm);
        }
        Ok(url)
    }

    /// The filled-in form of a page that asks for the password, which is sent once.
    fn sign_in(
        &self,
        pages: &Pages<'_>,
        page: &Page,
        sign_in: &SignIn,
        password: &SecretString,
        progress: &mut Progress,
    ) -> Result<Form, LoginError> {
        let host = host_of(page.url());
        if progress.is_password_last {
            return Err(self.refused(pages, page));
        }
        if progress.tokens_for_cdms > 0 {
            return Err(not_taken(&format!("{host} asks for the password again, although CDMS was given a token")));
        }
        if progress.is_password_sent {
            return Err(LoginError::new(format!("{} asks for a second password", page.in_words())));
        }
        if !self.sign_in.has(page.url()) {
            return Err(LoginError::new(format!(
                "the password is for {}, and {host} asks for it; it was not sent; if {host} is the right one, begin the login \
                 with it",
                self.sign_in
            )));
        }
        (progress.is_password_sent, progress.is_password_last) = (true, true);
        Ok(sign_in.filled(&self.user, password.expose_secret()))
    }

    /// AD FS has asked for a password again right after it was sent, in its form or in one that is not known. What else may be the cause it says only in words, and those
    /// are for people.
    fn refused(&self, pages: &Pages<'_>, page: &Page) -> LoginError {
        let said = adfs::said(page.document()).map(|said| pages.repeated(&said, SAID_MAX));
        let said = said.map(|said| format!(", in its words `{said}`")).unwrap_or_default();
        LoginError::refused(format!(
            "AD FS at {} refuses the user `{}` or its password{said}; the page is the same if the account is locked, disabled \
             or expired: check user and password, then ask the administrator",
            host_of(page.url()),
            self.user
        ))
    }

    /// Why a login ends with this page.
    fn ended_by(&self, end: &adfs::Page, pages: &Pages<'_>, page: &Page, progress: &Progress) -> LoginError {
        let (at, host) = (page.in_words(), host_of(page.url()));
        match end {
            adfs::Page::NewPassword => LoginError::refused(format!(
                "AD FS at {host} asks for a new password: the one of `{}` has expired; set a new one, and give it to the hub",
                self.user
            )),
            adfs::Page::SecondFactor(way) => LoginError::refused(format!(
                "AD FS at {host} asks for a second factor (`{}`), which a program does not have; ask the administrator to \
                 exempt `{}`, then call `hub.retry_login()`",
                pages.repeated(way, SAID_MAX),
                self.user
            )),
            adfs::Page::HomeRealm => LoginError::new(format!(
                "{host} asks which organisation the user belongs to; give the identifier of its token service with \
                 `home_realm`"
            )),
            adfs::Page::Error(code) if code == TOO_MANY_TOKENS => LoginError::new(format!(
                "AD FS at {host} gives no more tokens for now ({code}: several within 20 s); this is trouble between AD FS and \
                 CDMS and not with the password, and time helps{}",
                if progress.tokens_for_cdms > 0 { format!("; {ROLLED_OVER}") } else { String::new() }
            )),
            adfs::Page::Error(code) => LoginError::new(format!(
                "AD FS at {host} answers with its error {code} ({}); ask its administrator, whose event log has more",
                page.status()
            )),
            adfs::Page::Changed if progress.is_password_last => self.refused(pages, page),
            adfs::Page::Changed => LoginError::new(format!(
                "{at} asks for a password in fields that are not those of AD FS{}; its pages may have been changed",
                if progress.is_password_sent { ", after the password was sent" } else { ", so nothing was sent" }
            )),
            _ if page.status() == StatusCode::UNAUTHORIZED => LoginError::new(format!(
                "{at} asks for another kind of login than by AD FS's page; if it is Windows authentication, log in by NTLM, \
                 or have the administrator switch on forms for this client"
            )),
            _ => LoginError::new(format!(
                "{at} has no fields for user and password and no token; it may be an error, or its pages may have been changed"
            )),
        }
    }
}

/// A form with a token, if it may be passed on.
fn take_token(
    pages: &Pages<'_>,
    page: &Page,
    form: Form,
    service: &Url,
    progress: &mut Progress,
) -> Result<Form, LoginError> {
    let is_for_cdms = is_at_cdms(&pages.target(page, &form)?, service);
    let host = host_of(page.url());
    if is_for_cdms && progress.tokens_for_cdms == TOKENS_FOR_CDMS_MAX {
        return Err(not_taken(&format!("CDMS has asked for a token {TOKENS_FOR_CDMS_MAX} times, and asks again")));
    }
    if progress.tokens == TOKENS_MAX {
        let many = format!("the token services have given {TOKENS_MAX} tokens, the last one {host}");
        return Err(if progress.tokens_for_cdms > 0 {
            not_taken(&many)
        } else {
            LoginError::new(format!("{many}, and none of them for CDMS"))
        });
    }
    progress.tokens += 1;
    progress.is_password_last = false;
    if is_for_cdms {
        progress.tokens_for_cdms += 1;
        progress.lifetime = form.value("wresult").and_then(adfs::lifetime);
    }
    Ok(form)
}

/// CDMS does not take the tokens of AD FS.
fn not_taken(what: &str) -> LoginError {
    LoginError::new(format!("CDMS does not take the token that AD FS has just given ({what}); {ROLLED_OVER}"))
}

fn is_at_cdms(url: &Url, service: &Url) -> bool {
    url.origin() == service.origin()
}

/// Whether a page of CDMS is where a login ends.
fn arrived(page: &Page, progress: &Progress) -> Result<(), LoginError> {
    let at = page.in_words();
    if page.status().is_server_error() {
        return Err(LoginError::new(format!("CDMS is in trouble at the end of the login: {at}")));
    }
    if progress.tokens_for_cdms == 0 {
        return Err(LoginError::new(format!(
            "CDMS did not send us to AD FS ({at}); check the address of CDMS, and whether its users log in by AD FS"
        )));
    }
    if !page.status().is_success() {
        return Err(LoginError::new(format!(
            "CDMS takes the token, and does not show its first page ({at}); check that the user exists in CDMS and has a role"
        )));
    }
    Ok(())
}
