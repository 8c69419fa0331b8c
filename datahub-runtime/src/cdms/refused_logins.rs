//! Which logins CDMS has refused, remembered in the hub's database, so that programs that log in at once, or are started
//! again and again, do not lock their user out.

mod digest;
mod turn;

use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::login::Presented;
use crate::store::{LOGIN_SETTINGS, Store, StoreError};
use digest::Digested;
pub(crate) use digest::ROUNDS;
pub(super) use turn::Turn;

/// The setting with the salt of the digests, a random one for each database.
const SALT: &str = "login_salt";

/// The memory of refused logins.
pub(crate) struct RefusedLogins {
    /// None without a hub's database: nothing is remembered.
    memory: Option<Memory>,
}

/// The settings of logins in a hub's database. Their names begin with [`LOGIN_SETTINGS`].
struct Memory {
    store: Store,
    program: Arc<str>,
    /// How many rounds the digests of refused secrets have that are made now.
    rounds: u32,
    salt: OnceCell<String>,
    /// The digest that was made last, because it is the one that is needed next.
    last: Mutex<Option<Digested>>,
}

/// What the database says about a login before it is tried.
#[derive(Default)]
pub(super) struct Recalled {
    /// Why one with these credentials was refused, if it was.
    pub(super) reason: Option<String>,
    /// Whether anything of the user was refused.
    pub(super) knows_user: bool,
    /// When the user's refusals were last taken back: another mark each time.
    pub(super) mark: String,
}

impl RefusedLogins {
    /// In a hub's database, with so many rounds in each digest.
    pub(crate) fn in_database(store: Store, program: Arc<str>, rounds: u32) -> Self {
        RefusedLogins { memory: Some(Memory { store, program, rounds, salt: OnceCell::new(), last: Mutex::default() }) }
    }

    pub(crate) fn nowhere() -> Self {
        RefusedLogins { memory: None }
    }

    /// Whether there is a hub's database.
    pub(crate) fn have_a_database(&self) -> bool {
        self.memory.is_some()
    }

    /// Waits until no other program logs in as this user. A database that is away does not keep a program from going on.
    ///
    /// # Errors
    ///
    /// Another program still did after a minute: which one.
    pub(super) async fn turn(&self, user: &str) -> Result<Option<Turn>, String> {
        let Some(memory) = &self.memory else { return Ok(None) };
        match memory.name("turn", user).await {
            Ok(setting) => turn::taken(&memory.store, setting, &memory.program).await,
            Err(error) => {
                tracing::warn!(%error, "other programs' logins cannot be waited for");
                Ok(None)
            }
        }
    }

    /// What is known about a login with these credentials.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub(super) async fn recall(&self, presented: Option<&Arc<Presented>>) -> Result<Recalled, StoreError> {
        let (Some(_), Some(presented)) = (&self.memory, presented) else { return Ok(Recalled::default()) };
        let mark = self.mark(presented.user()).await?;
        let (reason, knows_user) = self.refusal(presented).await?;
        Ok(Recalled { reason, knows_user, mark })
    }

    /// Why a login with these credentials was refused, if it was, and whether anything of the user was.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub(super) async fn refusal(&self, presented: &Arc<Presented>) -> Result<(Option<String>, bool), StoreError> {
        let Some(memory) = &self.memory else { return Ok((None, false)) };
        let prefix = memory.name("refused", presented.user()).await?;
        let rows = memory.store.settings_that_begin(&prefix).await?;
        let knows_user = !rows.is_empty();
        for (name, reason) in rows {
            let Some(rounds) = name.strip_prefix(&prefix).and_then(Digested::rounds) else { continue };
            if name == format!("{prefix}{}", memory.digested(presented, rounds).await?) {
                return Ok((Some(reason), knows_user));
            }
        }
        Ok((None, knows_user))
    }

    /// The mark of when the refusals of a user were last taken back.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub(super) async fn mark(&self, user: &str) -> Result<String, StoreError> {
        let Some(memory) = &self.memory else { return Ok(String::new()) };
        Ok(memory.store.setting(&memory.name("taken_back", user).await?).await?.unwrap_or_default())
    }

    /// Remembers why a login with these credentials was refused. A database that is away does not keep a program from going on.
    pub(super) async fn remember(&self, presented: Option<&Arc<Presented>>, reason: &str) {
        let (Some(memory), Some(presented)) = (&self.memory, presented) else { return };
        let kept = async {
            let digested = memory.digested(presented, memory.rounds).await?;
            let name = format!("{}{digested}", memory.name("refused", presented.user()).await?);
            memory.store.put_setting(&name, reason).await
        };
        if let Err(error) = kept.await {
            tracing::warn!(%error, "a refused login cannot be remembered");
        }
    }

    /// Forgets what was refused of a user, and returns whether that is stored.
    pub(super) async fn forget(&self, user: &str) -> bool {
        let Some(memory) = &self.memory else { return true };
        let forgotten = async { memory.store.forget_settings_that_begin(&memory.name("refused", user).await?).await };
        forgotten.await.inspect_err(|error| tracing::warn!(%error, "refused logins cannot be forgotten")).is_ok()
    }

    /// Takes back what was refused of a user, for all programs on the database, and returns whether the database has forgotten
    /// it.
    pub(super) async fn take_back(&self, user: &str) -> bool {
        let Some(memory) = &self.memory else { return true };
        let is_forgotten = self.forget(user).await;
        let mark = Uuid::new_v4().simple().to_string();
        let marked = async { memory.store.put_setting(&memory.name("taken_back", user).await?, &mark).await };
        if let Err(error) = marked.await {
            tracing::warn!(%error, "no other program learns that it may log in again");
        }
        is_forgotten
    }
}

impl Memory {
    /// The salt of the digests, a random one for each database.
    async fn salt(&self) -> Result<&str, StoreError> {
        let new = Uuid::new_v4().simple().to_string();
        let salt = self.salt.get_or_try_init(|| self.store.put_setting_if_absent(SALT, &new)).await?;
        Ok(salt)
    }

    /// The digest of these credentials with so many rounds.
    async fn digested(&self, presented: &Arc<Presented>, rounds: u32) -> Result<Digested, StoreError> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(digested) = last().as_ref().filter(|last| last.is_of(presented, rounds)) {
            return Ok(digested.clone());
        }
        let digested = Digested::of(presented, self.salt().await?, rounds).await;
        *last() = Some(digested.clone());
        Ok(digested)
    }

    /// The setting of this kind for a user, or the beginning of such settings.
    async fn name(&self, kind: &str, user: &str) -> Result<String, StoreError> {
        let user = Sha256::new().chain_update(self.salt().await?).chain_update(user).finalize();
        Ok(format!("{LOGIN_SETTINGS}{kind}:{}:", digest::hexadecimal(&user[..16])))
    }
}
