//! A refresh token that its token service replaces: the new one is stored before anything is done with the reply.

use std::error::Error as StdError;
use std::future::Future;

use datahub_protocol::Reason;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use oauth2::TokenResponse as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{Mutex, MutexGuard};

use super::endpoint::Tokens;
use crate::login::{LoginError, Secret};

/// A refresh token, and where new ones go.
pub(super) struct Rotation {
    token: Secret,
    store: Box<Store>,
    newest: Mutex<Option<Newest>>,
}

type Store = dyn Fn(SecretString) -> BoxFuture<'static, Result<(), Reason>> + Send + Sync;

/// The newest refresh token of this program.
struct Newest {
    /// The one that it replaced, as `token` returned it.
    given: SecretString,
    token: SecretString,
    is_stored: bool,
}

impl Rotation {
    pub(super) fn new<F, T, E>(token: Secret, store: F) -> Self
    where
        F: Fn(SecretString) -> T + Send + Sync + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let stored = move |token| {
            let stored = store(token).map(|stored| stored.map_err(|error| Reason::from(error.into().to_string())));
            stored.boxed()
        };
        Rotation { token, store: Box::new(stored), newest: Mutex::default() }
    }

    /// The first refresh token, and where it is read from.
    pub(super) fn token(&self) -> &Secret {
        &self.token
    }

    /// Begins a request with the newest refresh token. `given` is what the source of the token returns now: if it is neither
    /// the one that was replaced last nor its successor, someone has set another. One that is not stored yet is stored first.
    pub(super) async fn begin(&self, given: SecretString) -> Result<Turn<'_>, LoginError> {
        let mut newest = self.newest.lock().await;
        if newest.as_ref().is_some_and(|newest| !same(&newest.given, &given) && !same(&newest.token, &given)) {
            *newest = None;
        }
        let token = match newest.as_mut() {
            Some(newest) => {
                self.store(newest).await?;
                newest.token.clone()
            }
            None => given.clone(),
        };
        Ok(Turn { rotation: self, newest, given, token })
    }

    /// Stores the newest refresh token, unless it is.
    async fn store(&self, newest: &mut Newest) -> Result<(), LoginError> {
        if !newest.is_stored {
            (self.store)(newest.token.clone()).await.map_err(|reason| {
                let words = format!(
                    "the token service has replaced the refresh token, and the new one cannot be stored: {reason}; it is \
                     stored before the next try, as long as this program runs"
                );
                LoginError::because(reason.in_words(words))
            })?;
            newest.is_stored = true;
        }
        Ok(())
    }
}

/// One use of the refresh token.
pub(super) struct Turn<'r> {
    rotation: &'r Rotation,
    newest: MutexGuard<'r, Option<Newest>>,
    given: SecretString,
    token: SecretString,
}

impl Turn<'_> {
    /// The refresh token to ask with.
    pub(super) fn token(&self) -> &SecretString {
        &self.token
    }

    /// Stores the refresh token in the reply, if there is a new one. Dropping the future while it is being stored leaves that
    /// to the next turn.
    pub(super) async fn end(self, reply: &Tokens) -> Result<(), LoginError> {
        let Turn { rotation, mut newest, given, token } = self;
        let new = reply.refresh_token().map(|new| SecretString::from(new.secret().as_str()));
        match new.filter(|new| !new.expose_secret().is_empty() && !same(new, &token)) {
            Some(token) => rotation.store(newest.insert(Newest { given, token, is_stored: false })).await,
            None => Ok(()),
        }
    }
}

fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}
