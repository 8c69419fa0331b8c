//! How often a password is tried: once, however many connections are to be logged in with it.

use std::sync::{Mutex as SyncMutex, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{Mutex, MutexGuard};

use crate::login::LoginError;

/// The tries of one login and of all its sessions, one at a time.
#[derive(Default)]
pub(super) struct Tries {
    turn: Mutex<()>,
    refused: SyncMutex<Refused>,
}

/// What was refused last, unless a password was accepted since.
#[derive(Default)]
struct Refused {
    /// How often one was.
    times: u64,
    last: Option<(SecretString, String)>,
}

impl Refused {
    /// The refusal of this password.
    fn of(&self, password: &SecretString) -> Option<LoginError> {
        let (refused, reason) = self.last.as_ref()?;
        (refused.expose_secret() == password.expose_secret()).then(|| LoginError::refused(reason.clone()))
    }
}

/// A try may be under way while this is held.
pub(super) type Turn<'t> = MutexGuard<'t, ()>;

impl Tries {
    /// Waits for the turn of a login. It is tried even if its password was refused before, because `hub.retry_login()` was
    /// called; but not if it was refused while this one waited.
    ///
    /// # Errors
    ///
    /// The password was refused meanwhile.
    pub(super) async fn turn_of_login(&self, password: &SecretString) -> Result<Turn<'_>, LoginError> {
        let times = self.refused().times;
        let turn = self.turn.lock().await;
        let refused = self.refused();
        match refused.of(password) {
            Some(refusal) if refused.times > times => Err(refusal),
            _ => Ok(turn),
        }
    }

    /// Waits for the turn of one more connection of a session.
    ///
    /// # Errors
    ///
    /// The password was refused.
    pub(super) async fn turn_of_session(&self, password: &SecretString) -> Result<Turn<'_>, LoginError> {
        let turn = self.turn.lock().await;
        self.refused().of(password).map_or(Ok(turn), Err)
    }

    /// Notes what came of a try.
    pub(super) fn note<T>(&self, password: &SecretString, tried: &Result<T, LoginError>) {
        match tried {
            Ok(_) => self.refused().last = None,
            Err(error) if error.is_refused() => self.note_refusal(password, error.to_string()),
            Err(_) => {}
        }
    }

    /// Notes that a password was refused, and why.
    pub(super) fn note_refusal(&self, password: &SecretString, reason: String) {
        let mut refused = self.refused();
        refused.times += 1;
        refused.last = Some((password.clone(), reason));
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, Refused> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> Result<(), LoginError> {
        Err(LoginError::refused("no"))
    }

    #[tokio::test]
    async fn who_waited_for_a_try_takes_its_refusal() {
        let (tries, password) = (Tries::default(), SecretString::from("wrong"));
        let first = tries.turn_of_login(&password).await.expect("nothing was refused yet");
        let (_, login, session) = tokio::join!(
            async {
                tokio::task::yield_now().await;
                tries.note(&password, &refusal());
                drop(first);
            },
            tries.turn_of_login(&password),
            tries.turn_of_session(&password)
        );
        assert!(login.is_err_and(|error| error.is_refused()) && session.is_err_and(|error| error.is_refused()));
    }

    #[tokio::test]
    async fn a_login_is_tried_again_where_somebody_says_so_and_a_connection_is_not() {
        let (tries, password) = (Tries::default(), SecretString::from("wrong"));
        tries.note(&password, &refusal());
        assert!(tries.turn_of_session(&password).await.is_err());
        assert!(tries.turn_of_session(&SecretString::from("another")).await.is_ok());
        drop(tries.turn_of_login(&password).await.expect("it is a new login"));
        tries.note(&password, &Ok(()));
        assert!(tries.turn_of_session(&password).await.is_ok(), "it is right now");
    }
}
