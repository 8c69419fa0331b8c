//! Which logins CDMS has refused, remembered in the hub's database, so that a program that is started again and again does
//! not lock its user out.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::login::Presented;
use crate::store::{Store, StoreError};

/// The setting that holds the salt of the digests, a random one for each database.
const SALT: &str = "login_salt";

/// What the settings of refused secrets begin with; their digest follows, and their value is the reason.
const REFUSED: &str = "login_refused:";

/// How often a digest is digested again, so that a guess costs some milliseconds.
const ROUNDS: u32 = 50_000;

/// The memory of refused logins.
pub(crate) struct RefusedLogins {
    /// None without a hub's database: nothing is remembered.
    store: Option<Store>,
    salt: OnceCell<String>,
}

impl RefusedLogins {
    pub(crate) fn in_database(store: Store) -> Self {
        RefusedLogins { store: Some(store), salt: OnceCell::new() }
    }

    pub(crate) fn nowhere() -> Self {
        RefusedLogins { store: None, salt: OnceCell::new() }
    }

    /// Whether there is a hub's database.
    pub(crate) fn have_a_database(&self) -> bool {
        self.store.is_some()
    }

    /// Why a login with these credentials was refused, if it was.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub(crate) async fn recall(&self, presented: Option<&Presented>) -> Result<Option<String>, StoreError> {
        let (Some(store), Some(presented)) = (&self.store, presented) else { return Ok(None) };
        store.setting(&self.name(store, presented).await?).await
    }

    /// Remembers why a login with these credentials was refused, and says whether it does. A database that is away does not keep a
    /// program from going on.
    pub(crate) async fn remember(&self, presented: Option<&Presented>, reason: &str) -> bool {
        let (Some(store), Some(presented)) = (&self.store, presented) else { return false };
        let kept = async { store.put_setting(&self.name(store, presented).await?, reason).await };
        let kept = kept.await;
        if let Err(error) = &kept {
            tracing::warn!(%error, "a refused login cannot be remembered");
        }
        kept.is_ok()
    }

    /// Forgets that a login with these credentials was refused.
    pub(crate) async fn forget(&self, presented: Option<&Presented>) {
        let (Some(store), Some(presented)) = (&self.store, presented) else { return };
        let forgotten = async { store.forget_setting(&self.name(store, presented).await?).await };
        if let Err(error) = forgotten.await {
            tracing::warn!(%error, "a refused login cannot be forgotten");
        }
    }

    /// The setting that remembers these credentials.
    async fn name(&self, store: &Store, presented: &Presented) -> Result<String, StoreError> {
        let new = Uuid::new_v4().simple().to_string();
        let salt = self.salt.get_or_try_init(|| store.put_setting_if_absent(SALT, &new)).await?;
        let salted = |parts: &[&[u8]]| {
            parts.iter().fold(Sha256::new().chain_update(salt), |digest, part| digest.chain_update(part)).finalize()
        };
        let digest = (0..ROUNDS).fold(salted(&presented.parts()), |digest, _| salted(&[&digest]));
        let mut name = REFUSED.to_owned();
        for byte in digest {
            // Writing to a string cannot fail.
            _ = write!(name, "{byte:02x}");
        }
        Ok(name)
    }
}
