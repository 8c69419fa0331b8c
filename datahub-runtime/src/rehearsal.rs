//! Rehearsing a mapping on the rows that a database has: what this program's mapping makes of them, without changing
//! anything and without asking CDMS.
//!
//! `trial` runs the mapping on one row, `report` is what comes out, `limits` is what CI accepts, and `markdown` is the
//! report for a pull request.

mod limits;
mod markdown;
mod report;
mod trial;

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;

use datahub_model::ModelDescriptor;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::engine::clock::SystemClock;
use crate::engine::cost::Meters;
use crate::models::ThroughModel;
use crate::store::{RowsToTry, Store, StoreOptions, TableToTry};
use crate::{Error, ErrorKind, Hub, Models};

pub use limits::Limits;
pub use report::{FieldRehearsal, ModelRehearsal, Refusal, RehearsalReport, Sample};
use trial::Trial;

/// A rehearsal of mappings; see [`Hub::rehearse`] and [`rehearse`].
#[must_use = "a rehearsal does nothing until it is awaited"]
pub struct Rehearse {
    on: On,
    models: Models,
    limits: Option<Limits>,
}

/// The database to rehearse on.
enum On {
    Hub(Hub),
    Address(String),
}

/// Rehearses mappings on the database at an address, such as a copy of the real one. The database is only read, and it need
/// not fit the models: its tables may be those of an older program, before the migration of this one.
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
/// use datahub_runtime::{Limits, rehearse};
///
/// #[tokio::test]
/// async fn the_mappings_fit_the_data() {
///     let Ok(copy) = std::env::var("COPY_OF_THE_DATABASE") else { return };
///     let report = rehearse(copy, models![Organisation]).fail_above(Limits::strict()).await.unwrap();
///     println!("{}", report.to_markdown());
/// }
/// ```
///
/// Dropping the future stops it between two batches.
///
/// # Errors
///
/// As [`Hub::rehearse`]; [`ErrorKind::Store`] also when there is no database at the address.
pub fn rehearse(database: impl Into<String>, models: Models) -> Rehearse {
    Rehearse { on: On::Address(database.into()), models, limits: None }
}

impl Rehearse {
    pub(crate) fn on_hub(hub: &Hub, models: Models) -> Self {
        Rehearse { on: On::Hub(hub.clone()), models, limits: None }
    }

    /// Fails if a model exceeds one of these limits; the error names every one that was, and keeps the report.
    pub fn fail_above(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    async fn run(self) -> Result<RehearsalReport, RehearsalFailed> {
        let report = self.report().await?;
        match self.limits.map(|limits| limits.check(&report)) {
            Some(Err(error)) => Err(RehearsalFailed { error, report: Some(Box::new(report)) }),
            _ => Ok(report),
        }
    }

    async fn report(&self) -> Result<RehearsalReport, Error> {
        let store = match &self.on {
            On::Hub(hub) => hub.engine.store.clone(),
            On::Address(database) => {
                let options = StoreOptions { connections: Some(1), ..StoreOptions::default() };
                Store::open_existing(database, Arc::new(SystemClock::new()), options, Meters::default()).await?
            }
        };
        let mut models = Vec::new();
        for (model, through) in self.models.with_through() {
            models.push(tried(&store, model, through).await?);
        }
        if let On::Address(_) = self.on {
            store.close().await;
        }
        Ok(RehearsalReport { models })
    }
}

/// Tries a model's mapping on all of its rows, batch by batch: the next one is read while one is tried.
async fn tried(store: &Store, model: &'static ModelDescriptor, through: ThroughModel) -> Result<ModelRehearsal, Error> {
    let table = Arc::new(store.table_to_try(model).await?);
    let mut trial = Trial::new(model, through, &table);
    let mut rows = next(store, model, &table, Uuid::nil()).await?;
    while let Some(last) = rows.last() {
        let tried = tokio::task::spawn_blocking(move || {
            rows.rows.into_iter().for_each(|row| trial.row(row));
            trial
        });
        let (following, tried) = tokio::join!(next(store, model, &table, last), tried);
        trial = tried.map_err(|error| {
            let message = format!("the rehearsal of {} stopped: {error}", model.name);
            Error::new(ErrorKind::Invalid, message).advise("a function of the mapping panicked; its message says where")
        })?;
        rows = following?;
    }
    Ok(trial.into_report())
}

async fn next(
    store: &Store,
    model: &'static ModelDescriptor,
    table: &Arc<TableToTry>,
    after: Uuid,
) -> Result<RowsToTry, Error> {
    Ok(store.rows_to_try(model, Arc::clone(table), after).await?)
}

/// A rehearsal that could not be carried out, or that exceeded its limits.
#[derive(Clone)]
pub struct RehearsalFailed {
    error: Error,
    report: Option<Box<RehearsalReport>>,
}

impl RehearsalFailed {
    /// Why it failed.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The report, if the rehearsal was carried out.
    pub fn report(&self) -> Option<&RehearsalReport> {
        self.report.as_deref()
    }
}

impl From<Error> for RehearsalFailed {
    fn from(error: Error) -> Self {
        RehearsalFailed { error, report: None }
    }
}

impl From<RehearsalFailed> for Error {
    fn from(failed: RehearsalFailed) -> Self {
        failed.error
    }
}

impl fmt::Display for RehearsalFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for RehearsalFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

impl std::error::Error for RehearsalFailed {}

impl fmt::Debug for Rehearse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address may contain a password.
        f.debug_struct("Rehearse").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl IntoFuture for Rehearse {
    type Output = Result<RehearsalReport, RehearsalFailed>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
