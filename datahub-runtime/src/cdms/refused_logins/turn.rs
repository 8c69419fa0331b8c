//! The turns of programs on one database that log in as the same user: one after the other, so that the next one learns
//! what was refused. A turn is a lease, which ends by itself when its program is killed.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::store::{Lease, Store, Taking};

/// How long a turn lasts unless it is renewed.
const LASTS: Duration = Duration::from_secs(20);

/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(5);

/// How long a program waits for its turn.
const PATIENCE: Duration = Duration::from_secs(60);

/// The first pause between two looks at the lease of another program, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// A program's turn. Dropping this gives it back.
pub(in crate::cdms) struct Turn {
    store: Store,
    /// None when it was given back.
    lease: Option<Lease>,
}

/// Waits for a turn.
///
/// # Errors
///
/// Who has it, after all the patience.
pub(super) async fn taken(store: &Store, setting: String, program: &str) -> Result<Option<Turn>, String> {
    let lease = Lease::new(setting, program, LASTS);
    let (begun, (mut pause, longest)) = (Instant::now(), PAUSES);
    loop {
        match store.take_lease(lease.clone()).await {
            Ok(Taking::Taken | Taking::TakenOver(_)) => {
                return Ok(Some(Turn { store: store.clone(), lease: Some(lease) }));
            }
            Ok(Taking::Held(who, _)) if begun.elapsed() >= PATIENCE => return Err(who),
            Ok(Taking::Held(..)) => {}
            Err(error) => {
                tracing::warn!(%error, "other programs' logins cannot be waited for");
                return Ok(None);
            }
        }
        sleep(pause).await;
        pause = longest.min(pause * 2);
    }
}

impl Turn {
    /// Keeps the turn while this is done.
    pub(in crate::cdms) async fn during<F: Future>(&self, work: F) -> F::Output {
        tokio::select! {
            biased;
            done = work => done,
            never = self.renewed() => match never {},
        }
    }

    async fn renewed(&self) -> Infallible {
        loop {
            sleep(RENEWED).await;
            let Some(lease) = self.lease.clone() else { continue };
            match self.store.renew_lease(lease).await {
                Ok(true) => {}
                Ok(false) => tracing::warn!("the turn to log in has ended before the login"),
                Err(error) => tracing::warn!(%error, "the turn to log in cannot be renewed"),
            }
        }
    }

    /// Gives the turn back.
    pub(in crate::cdms) async fn give_back(mut self) {
        if let Some(lease) = self.lease.take() {
            given_back(self.store.clone(), lease).await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Without a runtime it ends by itself.
        if let (Some(lease), Ok(runtime)) = (self.lease.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(given_back(self.store.clone(), lease));
        }
    }
}

async fn given_back(store: Store, lease: Lease) {
    if let Err(error) = store.release_lease(lease).await {
        tracing::info!(%error, "the turn to log in could not be given back; it ends by itself");
    }
}
