//! The hub: one program's handle on its database and its CDMS.

mod builder;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use datahub_protocol::{OperationId, Verdict, WriteKind};
use uuid::Uuid;

use crate::engine::Engine;
use crate::engine::cost::Cost;
use crate::engine::settling::SettlingReport;
use crate::health::Health;
use crate::operation::Pull;
use crate::quarantine::RetryReport;
use crate::store::QuarantineEntry;
use crate::{CdmsSynced, Error, ErrorKind};

pub use builder::HubBuilder;
pub(crate) use builder::Settings;

/// A program's handle on the hub. Cheap to clone; clones share everything but the actor.
///
/// A service connects once, when it starts, and takes a handle for each user whose requests it serves:
///
/// ```no_run
/// # use datahub_runtime::prelude::*;
/// # #[derive(Clone, CdmsSynced)]
/// # #[cdms(mapping = "account.toml", table = "organisations")]
/// # struct Organisation {
/// #     #[cdms(key)]
/// #     id: Id<Organisation>,
/// #     #[cdms("Name")]
/// #     name: String,
/// # }
/// # async fn connect() -> Result<(), Error> {
/// let hub = Hub::builder()
///     .database("sqlite://hub.db")
///     .cdms("https://crm.example.gov.uk/ORG", Anonymous)
///     .models(models![Organisation])
///     .program("web") // the actor of what no user asked for
///     .connect()
///     .await?;
///
/// let ada = hub.acting_as("ada@example.gov.uk"); // the history shows who changed what
/// let organisation = Organisation::create(&ada, Organisation { id: Id::new(), name: "Acme".into() }).await?;
/// # _ = organisation;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Hub {
    pub(crate) engine: Arc<Engine>,
    pub(crate) actor: Arc<str>,
}

impl Hub {
    /// Begins to build a hub.
    ///
    /// [`HubBuilder::database`], [`HubBuilder::cdms`] and [`HubBuilder::models`] are needed, the rest has defaults.
    pub fn builder() -> HubBuilder {
        HubBuilder::new()
    }

    /// Another handle on the same hub that acts for this user: the name is kept in the history of what it writes.
    pub fn acting_as(&self, actor: impl Into<String>) -> Hub {
        Hub { engine: Arc::clone(&self.engine), actor: actor.into().into() }
    }

    /// The user for whom this handle acts; the program's name where none was set.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Creates the engine's tables and those of the models where they are missing; for tests and examples.
    ///
    /// Dropping the future leaves the tables either as they were or complete.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] when the database cannot be used, has a table of another shape, or has one of a model under the
    /// name that it had before.
    pub async fn create_tables(&self) -> Result<(), Error> {
        let models: Vec<_> = self.engine.models.iter().collect();
        Ok(self.engine.store.create_tables(&models).await?)
    }

    /// What became of a write, by the id that an error or the history gave. Asks the hub's database only.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when no such write was ever begun, or it ended more than a day ago.
    pub async fn operation(&self, operation: OperationId) -> Result<Operation, Error> {
        let row = self.engine.store.operation(operation).await?;
        let row = row.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("no write {operation} is known")).advise(
                "writes are remembered for a day after they ended; the record's history remembers for good those that \
                 were not refused",
            )
        })?;
        Ok(Operation {
            id: operation,
            write: row.intent.write,
            model: row.model.clone(),
            record: row.id,
            actor: row.actor.clone(),
            verdict: row.verdict.clone(),
        })
    }

    /// Settles now every write whose fate can be told; the background does the same on its own time.
    ///
    /// Dropping the future stops between two steps; what is not settled then is left for the next round.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] when the open writes cannot be listed. Trouble with a single write is in the report.
    pub async fn settle(&self) -> Result<SettlingReport, Error> {
        crate::engine::settling::settle_all(&self.engine).await
    }

    /// The records that wait in quarantine because they cannot be converted or stored: those that wait longest, at most `limit`. Each
    /// leaves it with the first read that succeeds. Asks the hub's database only.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] when the database cannot be read.
    pub async fn quarantine(&self, limit: u32) -> Result<Vec<QuarantineEntry>, Error> {
        Ok(self.engine.store.quarantine(i64::from(limit)).await?)
    }

    /// Reads the records of this hub's models again that wait longest in quarantine, at most `limit`: what was mended in
    /// CDMS, in the contract or in the database leaves it, and so does what CDMS had made under another id than the chosen
    /// one, once it is removed there. What stays waits behind the others from then on. One request for each, one after the
    /// other.
    ///
    /// Dropping the future stops between two records.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`], [`ErrorKind::Overloaded`] and [`ErrorKind::Store`] as for a read, where nothing but that
    /// came of it; it stops at the third such record in a row. What stays is in the report.
    pub async fn retry_quarantined(&self, limit: u32) -> Result<RetryReport, Error> {
        crate::quarantine::retry(self, limit).await
    }

    /// Reads all records of a model, so that a team with existing data can begin: page by page in CDMS's order of keys, each
    /// page compared with the rows and stored in one transaction. A pull that stopped before its end, for whatever reason,
    /// is gone on with by the next one; one that was complete begins anew.
    ///
    /// A page of 50 records costs one request and a fixed number of statements. What somebody stores while a page is on its
    /// way is not overwritten but read again by itself. A record that cannot be converted or stored goes to quarantine and
    /// does not stop the rest. A record that is missing from the list is not taken for gone.
    ///
    /// Dropping the future stops between two steps: a page is stored whole or not at all, and the next pull goes on there.
    ///
    /// # Errors
    ///
    /// `Unavailable` when CDMS goes away, `Busy` when another pull of the model has taken over, `Misconfigured` when what
    /// answers is not the configured CDMS or does not take the list, `Store` when the database cannot be used. Trouble with
    /// single records is in the report.
    pub fn pull<T: CdmsSynced>(&self) -> Pull<T> {
        Pull::new(self)
    }

    /// Has the next request log in again, though CDMS has refused the user and password before, or the login failed just now:
    /// after an account was unlocked, for instance. Other programs on the database that were refused with the same user and
    /// password log in again within a minute. Asks CDMS nothing by itself.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Misconfigured`] when the hub has no CDMS.
    pub async fn retry_login(&self) -> Result<(), Error> {
        self.engine.client()?.retry_login().await;
        Ok(())
    }

    /// How the hub is doing, for readiness probes: one statement, and no request to CDMS. A database that does not answer
    /// within 5 s is one that cannot be used.
    ///
    /// Dropping the future changes nothing.
    pub async fn health(&self) -> Health {
        crate::health::of(self).await
    }

    /// What this hub's operations have cost since it was connected: the sums over all handles.
    pub fn cost(&self) -> Cost {
        self.engine.meters.of_hub()
    }

    /// Ends the hub: waits for the writes under way and for the database's threads, at most as long as given. What is
    /// not done by then is settled by the next program that connects. Later operations of any handle fail.
    ///
    /// Once it has ended within its patience, and no other program has the SQLite file open, the file is all there is: its
    /// log has been taken in.
    ///
    /// Dropping the future ends the waiting, not the shutdown.
    pub async fn shutdown(&self, patience: Duration) {
        self.engine.closing.cancel();
        self.engine.tasks.close();
        let begun = tokio::time::Instant::now();
        let engine = Arc::clone(&self.engine);
        let (refusing, refuses) = tokio::sync::oneshot::channel();
        let ending = tokio::spawn(async move {
            if tokio::time::timeout(patience, engine.tasks.wait()).await.is_err() {
                let open = engine.tasks.len();
                tracing::warn!(open, "shut down with operations under way; they will be settled");
            }
            engine.store.refuse();
            // Nobody waits for it any more where the shutdown's future was dropped.
            _ = refusing.send(());
            engine.store.close().await;
        });
        _ = refuses.await;
        if tokio::time::timeout(patience.saturating_sub(begun.elapsed()), ending).await.is_err() {
            tracing::warn!("the database's threads have not ended yet; they do once their last jobs are done");
        }
    }
}

/// What is known of one write.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Operation {
    /// The write's id.
    pub id: OperationId,
    /// What it does.
    pub write: WriteKind,
    /// The table of the model it was made through.
    pub model: String,
    /// The record.
    pub record: Uuid,
    /// Who asked for it.
    pub actor: String,
    /// What became of it; `None` while that is not known.
    pub verdict: Option<Verdict>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("actor", &self.actor).field("program", &self.engine.program).finish_non_exhaustive()
    }
}
