//! A session as its requests use it. One more of its connections, which tries its secret again, is opened in the turn of the
//! secret's user among the programs on the database, and after a look at what the others have learned: the secret may be
//! refused by now. Who must open a connection for each request only looks.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use datahub_protocol::Reason;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::attempts::{Attempts, no_turn};
use super::state::Login;
use crate::cdms::authenticator::LoginRequests;
use crate::cdms::connections::Connections;
use crate::cdms::login_error::LoginError;
use crate::cdms::refused_logins::Turn;
use crate::cdms::session::{Opened, Session, SessionResponse, Standing};
use crate::engine::cost::part;

/// The session of a login.
pub(super) struct Opening {
    pub(super) attempts: Arc<Attempts>,
    pub(super) login: Arc<Login>,
    pub(super) tasks: TaskTracker,
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
            // They would come one after the other, over all programs.
            if self.login.opens_for_each.load(Ordering::Acquire) {
                return self.opened(requests, None).await;
            }
            let _alone = self.attempts.opening.lock().await;
            if self.attempts.is_lost(&self.login) {
                return Err(LoginError::new("the session has ended"));
            }
            let Some(presented) = &self.login.presented else { return self.login.session().open(requests).await };
            match self.attempts.refused.turn(presented.user()).await {
                Ok(turn) => self.opened(requests, turn).await,
                Err(who) => {
                    let words = no_turn(&who);
                    self.attempts.lost(&self.login, &words).await;
                    Err(LoginError::new(words))
                }
            }
        })
    }
}

impl Opening {
    /// Opens a connection, in the turn of the user if there is one. What is refused is remembered before the turn is given
    /// back.
    async fn opened(&self, requests: LoginRequests<'_>, turn: Option<Turn>) -> Result<Opened, LoginError> {
        let Some(presented) = &self.login.presented else { return self.login.session().open(requests).await };
        if let Some(reason) = self.attempts.known_refusal(presented).await {
            self.give_back(turn);
            self.attempts.learned(&self.login, &reason).await;
            return Err(LoginError::refused(reason.as_str()));
        }
        let opening = self.login.session().open(requests);
        let opened = match &turn {
            Some(turn) => turn.during(opening).await,
            None => opening.await,
        };
        match &opened {
            Err(error) if error.is_refused() => self.remember(error.reason().clone(), turn).await,
            Ok(Opened::ForNext(_)) => {
                self.login.opens_for_each.store(true, Ordering::Release);
                self.give_back(turn);
            }
            _ => self.give_back(turn),
        }
        opened
    }

    /// Notes that CDMS refuses the secret, whether or not the caller waits for it, and gives the turn back.
    async fn remember(&self, reason: Reason, turn: Option<Turn>) {
        let (attempts, login) = (Arc::clone(&self.attempts), Arc::clone(&self.login));
        let noted = part(async move {
            if let Some(turn) = turn {
                let words = attempts.refusal_in_words(&reason);
                turn.during(attempts.refused.remember(login.presented.as_ref(), &words)).await;
                turn.give_back().await;
            }
            attempts.refused(&login, reason).await;
        });
        // Its result is asked for when the session is told that the connection was not opened.
        _ = self.tasks.spawn(noted.in_current_span()).await;
    }

    /// Gives the turn back, without a wait: the request that the connection was opened for is sent right after.
    fn give_back(&self, turn: Option<Turn>) {
        if let Some(turn) = turn {
            self.tasks.spawn(part(turn.give_back()).in_current_span());
        }
    }
}
