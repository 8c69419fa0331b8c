//! How often a password is tried: once, however many connections are to be logged in with it.

use std::sync::{Mutex as SyncMutex, PoisonError};
use std::time::Instant;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{Mutex, MutexGuard};

use crate::login::LoginError;

/// The tries of one login and of all its sessions, one at a time.
#[derive(Default)]
pub(super) struct Tries {
    turn: Mutex<()>,
    /// What was refused last, unless a password was accepted since.
    refused: SyncMutex<Option<Refused>>,
}

/// A password that was refused.
struct Refused {
    password: SecretString,
    reason: String,
    at: Instant,
}

/// A try may be under way while this is held.
pub(super) type Turn<'t> = MutexGuard<'t, ()>;

impl Tries {
    /// Waits for the turn of a login. Its password is not tried if it was refused, by whichever connection and however long
    /// ago, unless somebody has said since then that it may be: `hub.retry_login()` was called.
    ///
    /// # Errors
    ///
    /// The password was refused.
    pub(super) async fn turn_of_login(
        &self,
        password: &SecretString,
        may_try_again: impl Fn(Instant) -> bool,
    ) -> Result<Turn<'_>, LoginError> {
        let turn = self.turn.lock().await;
        self.refusal(password, |refused| !may_try_again(refused.at)).map_or(Ok(turn), Err)
    }

    /// Waits for the turn of one more connection of a session.
    ///
    /// # Errors
    ///
    /// The password was refused.
    pub(super) async fn turn_of_session(&self, password: &SecretString) -> Result<Turn<'_>, LoginError> {
        let turn = self.turn.lock().await;
        self.refusal(password, |_| true).map_or(Ok(turn), Err)
    }

    /// Notes what came of a try.
    pub(super) fn note<T>(&self, password: &SecretString, tried: &Result<T, LoginError>) {
        match tried {
            Ok(_) => *self.refused() = None,
            Err(error) if error.is_refused() => self.note_refusal(password, error.to_string()),
            Err(_) => {}
        }
    }

    /// Notes that a password was refused, and why.
    pub(super) fn note_refusal(&self, password: &SecretString, reason: String) {
        *self.refused() = Some(Refused { password: password.clone(), reason, at: Instant::now() });
    }

    /// The refusal of this password, if it stands.
    fn refusal(&self, password: &SecretString, stands: impl Fn(&Refused) -> bool) -> Option<LoginError> {
        let refused = self.refused();
        let refused = refused.as_ref().filter(|last| last.password.expose_secret() == password.expose_secret())?;
        stands(refused).then(|| LoginError::refused(refused.reason.clone()))
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, Option<Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> Result<(), LoginError> {
        Err(LoginError::refused("no"))
    }

    /// Nobody has said that a password may be tried again.
    fn never(_: Instant) -> bool {
        false
    }

    #[tokio::test]
    async fn who_waited_for_a_try_takes_its_refusal() {
        let (tries, password) = (Tries::default(), SecretString::from("wrong"));
        let first = tries.turn_of_login(&password, never).await.expect("nothing was refused yet");
        let (_, login, session) = tokio::join!(
            async {
                tokio::task::yield_now().await;
                tries.note(&password, &refusal());
                drop(first);
            },
            tries.turn_of_login(&password, never),
            tries.turn_of_session(&password)
        );
        assert!(login.is_err_and(|error| error.is_refused()) && session.is_err_and(|error| error.is_refused()));
    }

    #[tokio::test]
    async fn a_refusal_that_came_while_a_secret_was_read_stands_for_the_login_that_reads_it() {
        let (tries, password) = (Tries::default(), SecretString::from("wrong"));
        // A connection of the session that ends just now.
        tries.note(&password, &refusal());
        assert!(tries.turn_of_login(&password, never).await.is_err());
    }

    #[tokio::test]
    async fn a_login_is_tried_again_where_somebody_has_said_so_since_and_a_connection_is_not() {
        let (tries, password) = (Tries::default(), SecretString::from("wrong"));
        let before = Instant::now();
        tries.note(&password, &refusal());
        let after = Instant::now();
        let since = |said: Instant| move |refused: Instant| said > refused;
        assert!(tries.turn_of_session(&password).await.is_err());
        assert!(tries.turn_of_session(&SecretString::from("another")).await.is_ok());
        assert!(tries.turn_of_login(&password, since(before)).await.is_err(), "it was refused after that");
        drop(tries.turn_of_login(&password, since(after)).await.expect("somebody has said so"));
        tries.note(&password, &Ok(()));
        assert!(tries.turn_of_session(&password).await.is_ok(), "it is right now");
    }
}
