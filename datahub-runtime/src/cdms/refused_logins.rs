//! Which login CDMS has refused, remembered in the hub's database, so that a program that is started again and again does
//! not lock its user out.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::store::Store;

/// The setting that holds the key of the digests, a random one for each database.
const KEY: &str = "login_key";

/// The setting that holds the digest of the refused secret and the reason.
const REFUSED: &str = "login_refused";

/// The memory of a refused login. A database that is away is no reason not to log in, so its failures are only told.
pub(crate) struct RefusedLogins {
    /// None in tests of the login alone, which remember nothing.
    store: Option<Store>,
    /// Whether the database may hold one.
    may_hold: AtomicBool,
}

impl RefusedLogins {
    pub(crate) fn in_database(store: Store) -> Self {
        RefusedLogins { store: Some(store), may_hold: AtomicBool::new(false) }
    }

    #[cfg(test)]
    pub(crate) fn nowhere() -> Self {
        RefusedLogins { store: None, may_hold: AtomicBool::new(false) }
    }

    /// A digest of a secret that only this database can make: the secret itself is not kept. `None` where the authenticator
    /// names no secret.
    pub(crate) async fn digest(&self, secret: Option<String>) -> Option<String> {
        let (store, secret) = (self.store.as_ref()?, secret?);
        let key = store.put_setting_if_absent(KEY, &Uuid::new_v4().simple().to_string()).await;
        let key = key.inspect_err(|error| tracing::warn!(%error, "the key of refused logins cannot be read")).ok()?;
        let mut hash = Sha256::new();
        hash.update(key.as_bytes());
        hash.update(secret.as_bytes());
        let mut digest = String::new();
        for byte in hash.finalize() {
            // Writing to a string cannot fail.
            _ = write!(digest, "{byte:02x}");
        }
        Some(digest)
    }

    /// Why a login with this secret was refused, if it was.
    pub(crate) async fn recall(&self, digest: Option<&str>) -> Option<String> {
        let (store, digest) = (self.store.as_ref()?, digest?);
        let kept = store.setting(REFUSED).await;
        let kept = kept.inspect_err(|error| tracing::warn!(%error, "refused logins cannot be recalled")).ok()??;
        self.may_hold.store(true, Ordering::Relaxed);
        let (refused, reason) = kept.split_once(' ')?;
        (refused == digest).then(|| reason.to_owned())
    }

    pub(crate) async fn remember(&self, digest: Option<&str>, reason: &str) {
        let (Some(store), Some(digest)) = (&self.store, digest) else { return };
        self.may_hold.store(true, Ordering::Relaxed);
        if let Err(error) = store.put_setting(REFUSED, &format!("{digest} {reason}")).await {
            tracing::warn!(%error, "a refused login cannot be remembered");
        }
    }

    pub(crate) async fn forget(&self) {
        let Some(store) = self.store.as_ref().filter(|_| self.may_hold.swap(false, Ordering::Relaxed)) else { return };
        if let Err(error) = store.forget_setting(REFUSED).await {
            tracing::warn!(%error, "a refused login cannot be forgotten");
        }
    }
}
