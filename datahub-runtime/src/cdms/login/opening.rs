//! A session as its requests use it. Before it opens one more of its connections, which tries its secret again, the database
//! is asked whether another program has learned meanwhile that the secret is refused.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::HeaderMap;

use super::attempts::Attempts;
use super::state::Login;
use crate::cdms::authenticator::LoginRequests;
use crate::cdms::connections::Connections;
use crate::cdms::login_error::LoginError;
use crate::cdms::session::{Opened, Session, SessionResponse, Standing};

/// The session of a login.
pub(super) struct Opening {
    pub(super) attempts: Arc<Attempts>,
    pub(super) login: Arc<Login>,
}

impl Session for Opening {
    fn prepare(&self, headers: &mut HeaderMap) {
        self.login.session().prepare(headers);
    }

    fn observe(&self, response: &SessionResponse<'_>) -> Standing {
        self.login.session().observe(response)
    }

    fn lasts(&self) -> Option<Duration> {
        self.login.session().lasts()
    }

    fn connections(&self) -> Option<&Connections> {
        self.login.session().connections()
    }

    fn open<'a>(&'a self, requests: LoginRequests<'a>) -> BoxFuture<'a, Result<Opened, LoginError>> {
        Box::pin(async move {
            self.attempts.may_open(&self.login).await?;
            self.login.session().open(requests).await
        })
    }
}
