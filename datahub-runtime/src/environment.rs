//! Environments: which deployment a database belongs to, so that a copy of it never writes to the CDMS of the original.
//!
//! A database keeps the name of its environment, which the first hub that states one gives it. A hub of another
//! environment, or of none, does not connect to it. A copy that was restored elsewhere is taken over with [`adopt`] or
//! with `datahub adopt`: what was open in it is closed and never sent, and from then on its models are only read. A name that
//! was misspelt is corrected with [`rename`] or with `datahub environment rename`.
//!
//! ```no_run
//! # use datahub_runtime::{environment, prelude::*};
//! # async fn example(models: datahub_runtime::Models) -> Result<(), Error> {
//! // Once, after last night's backup of `production` was restored for `staging`:
//! let adopted = environment::adopt("postgres://db.staging/hub", "staging").from("production").await?;
//! println!("closed {} writes that were open", adopted.closed);
//! // The programs of `staging`, which can read now and not write:
//! let hub = Hub::builder()
//!     .environment("staging")
//!     .database("postgres://db.staging/hub")
//!     .cdms("https://crm.example.gov.uk/ORG", Anonymous)
//!     .models(models)
//!     .connect()
//!     .await?;
//! # Ok(()) }
//! ```

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;

use datahub_protocol::Verdict;
use futures_util::future::BoxFuture;

use crate::engine::clock::SystemClock;
use crate::engine::cost::Meters;
use crate::store::{Adoption, Store, StoreError, StoreOptions};
use crate::{Error, ErrorKind};

/// The setting with the name of the environment that a database belongs to.
pub(crate) const ENVIRONMENT: &str = "environment";

/// The setting with the name of the environment that a database is a copy of.
pub(crate) const COPY_OF: &str = "copy_of";

/// What stands for the environment of an original that stated none.
const UNNAMED: &str = "an environment without a name";

/// Takes over a copy of a database for the environment `name`, when it is awaited.
///
/// **Never call it for an original**: its open writes would be closed, although CDMS may have carried them out.
///
/// In one transaction, the database gets the new name, its open writes are closed and will never be sent, and it is marked
/// as a copy: hubs on it read from CDMS as before, and refuse to write to it. Fields that only the hub has, and models that
/// are `detached`, can still be written. Programs that are connected to the copy must be started again.
///
/// Dropping the future ends the wait; the transaction runs to its end or has not begun.
///
/// # Errors
///
/// [`ErrorKind::Misconfigured`] if the database belongs to another environment than [`Adopt::from`] says, or to `name`
/// already, or has no tables of a hub; [`ErrorKind::Store`] if it cannot be used.
pub fn adopt(database: impl Into<String>, name: impl Into<String>) -> Adopt {
    Adopt { database: database.into(), name: name.into(), from: None }
}

/// Takes over a copy of a database; see [`adopt`].
#[must_use = "a copy is adopted when this is awaited"]
pub struct Adopt {
    database: String,
    name: String,
    from: Option<String>,
}

/// What taking over a copy has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adopted {
    /// The environment of the original; `None` if it stated none.
    pub from: Option<String>,
    /// How many writes were open and are closed now.
    pub closed: u64,
}

impl Adopt {
    /// The environment of the original, which the database must name. Default: none, for a database without one.
    pub fn from(mut self, original: impl Into<String>) -> Self {
        self.from = Some(original.into());
        self
    }

    async fn run(self) -> Result<Adopted, Error> {
        let Adopt { database, name, from } = self;
        let name = valid(name)?;
        let clock = Arc::new(SystemClock::default());
        let options = StoreOptions { connections: Some(1), ..StoreOptions::default() };
        let store = Store::open_existing(&database, clock, options, Meters::default()).await?;
        let original = from.as_deref().map_or_else(|| UNNAMED.to_owned(), |from| format!("`{from}`"));
        let reason = format!(
            "this database is a copy of that of {original}, made while the write was open; the copy has not sent it, and the \
             original knows whether CDMS has it"
        );
        let adopted = store.adopt(name.clone(), from.clone(), Verdict::Rejected { reason }).await;
        store.close().await;
        let advice = "check the address; if it is a copy, run `datahub migrate run` on it first";
        match adopted.map_err(|error| without_tables(error, advice))? {
            Adoption::Done { closed } => Ok(Adopted { from, closed }),
            Adoption::Not { found } => Err(not_adopted(found.as_deref(), from.as_deref(), &name)),
        }
    }
}

/// Corrects the name of a database's environment: from `old`, a misspelling perhaps, to `new`. Nothing else changes: what is
/// open stays open, and an original remains one. Programs on the database must state the new name from then on; those that are
/// connected go on until they end.
///
/// **Never call it for a copy that was not [adopted](adopt)**: it would count as an original, and write to CDMS.
///
/// Dropping the future ends the wait; the transaction runs to its end or has not begun.
///
/// # Errors
///
/// [`ErrorKind::Misconfigured`] if the database does not belong to `old` or has no tables of a hub, or `new` is no name or the
/// same one; [`ErrorKind::Store`] if it cannot be used.
pub async fn rename(database: impl Into<String>, old: impl Into<String>, new: impl Into<String>) -> Result<(), Error> {
    let (database, old, new) = (database.into(), old.into(), valid(new.into())?);
    let wrong = |message: String, advice: &str| {
        Err(Error::new(ErrorKind::Misconfigured, message).advise(format!("{advice}; nothing was changed")))
    };
    if old == new {
        return wrong(
            format!("the name is `{new}` already"),
            "say the name that it has, and the one that it is to have",
        );
    }
    let options = StoreOptions { connections: Some(1), ..StoreOptions::default() };
    let store = Store::open_existing(&database, Arc::new(SystemClock::default()), options, Meters::default()).await?;
    let renamed = store.rename_environment(old.clone(), new).await;
    store.close().await;
    match renamed.map_err(|error| without_tables(error, "check the address"))? {
        Ok(()) => Ok(()),
        Err(Some(found)) => wrong(
            format!("the database belongs to the environment `{found}`, not to `{old}`"),
            "check the address and the name",
        ),
        Err(None) => wrong(
            "the database belongs to no environment".to_owned(),
            "call `.environment(…)` on its hub's builder, which names it",
        ),
    }
}

/// The error of a database that may be of something else than a hub, with what to do if it is.
fn without_tables(error: StoreError, advice: &str) -> Error {
    match error {
        StoreError::Schema { database, .. } => {
            let message = format!("the database {database} has no tables of a hub of this version");
            Error::new(ErrorKind::Misconfigured, message).advise(format!("{advice}; nothing was changed"))
        }
        other => other.into(),
    }
}

fn not_adopted(found: Option<&str>, from: Option<&str>, name: &str) -> Error {
    let (message, advice) = match (found, from) {
        (Some(found), _) if found == name => (
            format!("the database belongs to the environment `{name}` already"),
            "check the address: an original is never adopted, and a copy only once".to_owned(),
        ),
        (Some(found), None) => (
            format!("the database belongs to the environment `{found}`"),
            format!("if this is a copy of it, add `--from {found}`, or `.from({found:?})` in a program"),
        ),
        (Some(found), Some(from)) => (
            format!("expected a copy of the database of `{from}`, found one of `{found}`"),
            "check the address, and which environment the copy was made of".to_owned(),
        ),
        (None, _) => (
            "the database belongs to no environment".to_owned(),
            "if this is a copy, leave out `--from`, or `.from(…)` in a program; if it is an original, call `.environment(…)` on its hub's builder"
                .to_owned(),
        ),
    };
    Error::new(ErrorKind::Misconfigured, message).advise(format!("{advice}; nothing was changed"))
}

impl IntoFuture for Adopt {
    type Output = Result<Adopted, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Without the database's address, which may contain a password.
impl fmt::Debug for Adopt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adopt").field("name", &self.name).field("from", &self.from).finish_non_exhaustive()
    }
}

/// A name that can be an environment's.
fn valid(name: String) -> Result<String, Error> {
    if !name.trim().is_empty() && !name.chars().any(char::is_control) {
        return Ok(name);
    }
    Err(Error::new(ErrorKind::Misconfigured, format!("{name:?} is not a name for an environment"))
        .advise("name it as your team calls it, for example `production`"))
}

/// Checks that the database belongs to the environment that the hub states, and says which environment it is a copy of, if
/// it is one. A database that belongs to none gets the stated name.
///
/// # Errors
///
/// It belongs to another environment, or to one while the hub states none.
pub(crate) async fn checked(store: &Store, stated: Option<String>) -> Result<Option<String>, Error> {
    let found = match stated.clone() {
        Some(stated) => Some(store.put_setting_if_absent(ENVIRONMENT, &valid(stated)?).await?),
        None => store.setting(ENVIRONMENT).await?,
    };
    match (found, stated) {
        (None, _) => {}
        (Some(found), Some(stated)) if found == stated => {}
        (Some(found), stated) => {
            let states = stated.map_or_else(|| "states none".to_owned(), |stated| format!("is of `{stated}`"));
            let message = format!("the database belongs to the environment `{found}`, and this hub {states}");
            return Err(Error::new(ErrorKind::Misconfigured, message).advise(format!(
                "if this is the database of `{found}`, call `.environment({found:?})` on the hub's builder; if that name is \
                 only misspelt, run `datahub environment rename {found} NAME`; if this is a copy, run `datahub adopt NAME \
                 --from {found}` on it once, and never on an original: its open writes would be closed unsent, and it could \
                 only read from then on; nothing was read or written"
            )));
        }
    }
    Ok(store.setting(COPY_OF).await?)
}

/// Why a hub on a copy does not write to CDMS.
pub(crate) fn refused(original: &str) -> Error {
    let original = if original.is_empty() { UNNAMED.to_owned() } else { format!("`{original}`") };
    let message = format!("the database is a copy of that of {original}, so CDMS is only read; nothing was changed");
    Error::new(ErrorKind::Misconfigured, message)
        .advise("write through the original, or give this environment a database of its own")
}
