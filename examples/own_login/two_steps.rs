//! A login of one's own, in two steps: a page asks for the user, and the next one for the password.

use datahub_runtime::BoxFuture;
use datahub_runtime::login::secrecy::ExposeSecret as _;
use datahub_runtime::login::{Authenticator, Credentials, LoginError, LoginRequests, Secret, Session};

pub(crate) struct TwoSteps {
    pub(crate) user: String,
    pub(crate) password: Secret,
    /// Where CDMS redirects to when a session is over, besides its own pages.
    pub(crate) login_hosts: Vec<String>,
}

impl Authenticator for TwoSteps {
    fn credentials(&self) -> Option<Credentials> {
        Some(Credentials::new(&self.user, &self.password))
    }

    fn login<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Box<dyn Session>, LoginError>> {
        Box::pin(async move {
            let password = requests.secret(&self.password).await?;
            let begin = format!("{}/begin", requests.organisation());
            // Cookies and redirects are followed, to CDMS only; the password goes nowhere else.
            let mut pages = requests.pages(begin.parse()?, &[]);
            let who = pages.get(&begin).await?;
            let prove = pages.submit(&who, &who.filled(&[("user", &self.user)])?).await?;
            let end = pages.submit(&prove, &prove.filled(&[("password", password.expose_secret())])?).await?;
            if end.asks_for_password() {
                return Err(LoginError::refused("CDMS asks for the password again; check user and password"));
            }
            pages.session()
        })
    }

    fn login_hosts(&self) -> &[String] {
        &self.login_hosts
    }
}
