//! The engine of Data Hub Sync: keeps annotated structs and CDMS records in sync.
//!
//! ```no_run
//! use datahub_runtime::prelude::*;
//!
//! #[derive(Clone, Debug, CdmsSynced)]
//! #[cdms(mapping = "account.toml", table = "organisations")]
//! struct Organisation {
//!     #[cdms(key)]
//!     id: Id<Organisation>,
//!     #[cdms("Name")]
//!     name: String,
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let hub = Hub::builder()
//!         .database("sqlite://hub.db")
//!         .cdms("https://crm.example.gov.uk/ORG", Anonymous)
//!         .models(models![Organisation])
//!         .connect()
//!         .await?
//!         .acting_as("ada@example.gov.uk");
//!
//!     let id = "3d1bcbe3-1f5e-e011-9a3d-00505695002d".parse()?;
//!     let mut organisation = Organisation::get(&hub, id).await?; // compared with CDMS, refreshed if CDMS is newer
//!     organisation.name = "Acme Ltd".into();
//!     organisation.save(&hub).await?; // to CDMS and the hub, or to neither
//!
//!     hub.shutdown(std::time::Duration::from_secs(10)).await;
//!     Ok(())
//! }
//! ```
//!
//! A [`Hub`] connects a database and a CDMS. Models derive [`CdmsSynced`], which gives them reads that are checked
//! against CDMS and writes that reach both sides or neither; see [`CdmsSynced::get`], [`Synced::save`],
//! [`Writable::create`], [`Synced::delete`], [`Writable::edit`] and [`CdmsSynced::history`].
//!
//! Write your own queries on the models' tables with Diesel; [`CdmsSynced`](macro@CdmsSynced) explains how and lists the
//! column type of each kind. With the feature `testing`, one line gives tests a simulated CDMS and a database
//! ([`testing`]), and another tests your mappings ([`mapping_tests!`]). With the feature `source`, a third tests that the
//! command line reads your models as they are compiled (`source_test!`).
//!
//! **Invariant: no connection and no transaction is held across a request to CDMS.**
//! What a mapping means is decided in `datahub-model`, what a read or write does in `datahub-protocol`; this crate
//! carries it out.

#[doc(hidden)]
pub mod __v1;
mod cdms;
mod config;
pub mod connection;
#[cfg(feature = "crash-points")]
#[doc(hidden)]
pub mod crash_points;
#[cfg(not(feature = "crash-points"))]
mod crash_points;
mod diesel;
mod engine;
pub mod environment;
mod error;
mod faults;
mod field;
mod freshness;
mod health;
mod history;
mod hub;
mod id;
pub mod login;
#[cfg(feature = "metrics")]
pub mod metrics;
pub mod migration;
mod model;
mod models;
mod one_of;
mod operation;
#[cfg(feature = "progress")]
mod progress;
mod quarantine;
pub mod query;
mod reach;
mod rehearsal;
mod saved;
mod store;
mod synced;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(all(doc, not(feature = "testing")))]
mod testing_in_docs;
mod tls;

pub use crate::diesel::sql_types;
pub use cdms::{
    Anonymous, Authenticator, CdmsDocuments, Connections, HeaderSession, LoginError, LoginReply, LoginRequests, Opened,
    Session, SessionResponse, Standing,
};
pub use cdms_odata::{Attributes, Instant, Kind, Reference, Value};
pub use config::CdmsConfig;
#[doc = include_str!("../docs/cdms_choice.md")]
#[doc = include_str!("../docs/expansion_choice.md")]
pub use datahub_macros::CdmsChoice;
#[doc = include_str!("../docs/cdms_fields.md")]
#[doc = include_str!("../docs/expansion_fields.md")]
pub use datahub_macros::CdmsFields;
#[doc = include_str!("../docs/cdms_synced.md")]
#[doc = include_str!("../docs/expansion_synced.md")]
pub use datahub_macros::CdmsSynced;
/// The migrations of the project, embedded in the program, for [`HubBuilder::migrations`].
///
/// The macro reads the folders of `migrations` in `datahub.toml`, for SQLite and for PostgreSQL, and compilation fails
/// if one of them cannot be read. The program is built again when a plan was written or a file has changed; after a
/// folder was added by hand, build again with `cargo clean -p` or `touch` a source file.
///
/// ```ignore
/// const MIGRATIONS: Migrations = datahub_runtime::migrations!();
/// ```
///
/// `migrations!(crate = path::to::runtime)` names this crate if it was renamed.
pub use datahub_macros::migrations;
pub use datahub_model::{Fault, MappingId};
pub use datahub_protocol::{
    EntryKind, Finding, Note, OnConflict, OperationId, Origin, UnknownWord, Verdict, Version, WriteKind,
};
pub use engine::budget::BudgetUse;
pub use engine::clock::{Clock, ManualClock, SystemClock};
pub use engine::cost::Cost;
pub use engine::settling::{Settling, SettlingReport};
pub use error::{Error, ErrorKind};
pub use faults::FieldFault;
pub use field::{
    CdmsFields, ChoiceOptions, FieldType, GroupReader, GroupWriter, Holds, Member, RowReader, RowWriter, Slot,
};
pub use freshness::{Checked, Freshness};
/// What an [`Authenticator`] returns, and what each operation becomes when it is awaited.
pub use futures_util::future::BoxFuture;
pub use health::{Health, ModelTrouble, OutdatedModel, SideState, TroubleWith};
pub use history::{FieldChange, History, HistoryEntry};
/// The crate with the types of headers and statuses that an [`Authenticator`] uses.
pub use http;
pub use hub::{Hub, HubBuilder, Operation};
pub use id::{Id, InvalidId};
pub use model::{CdmsSynced, Model, Writable};
pub use models::Models;
pub use one_of::{At, OneOf, PointsTo, Targets};
pub use operation::{
    Backfill, BackfillReport, Completeness, Create, CreateFailed, Cursor, Delete, DeleteFailed, Deleted, Edit,
    EnsureFresh, Erase, Explanation, Find, Found, FreshReport, Get, GetMany, InvalidCursor, LeftOut, LoadRelated, Many,
    ManyWritten, ModelFresh, Pull, PullReport, Records, Referring, Related, Resolution, Resolve, ResolvedAll, Revert,
    Save, SaveFailed, Side, Sweep, SweepReport, Watch, WatchBuilder, WatchEvent, WatchReport, WatchState, WatchedModel,
    WriteMany, WriteProgress,
};
#[cfg(feature = "progress")]
pub use progress::progress;
pub use quarantine::RetryReport;
pub use rehearsal::{
    FieldRehearsal, Limits, ModelRehearsal, Refusal, RehearsalFailed, RehearsalReport, Rehearse, Sample, rehearse,
};
pub use saved::{Adjusted, Saved};
#[cfg(feature = "counts")]
#[doc(hidden)]
pub use store::counted;
pub use store::{Erasure, QuarantineEntry};
pub use synced::{InvalidToken, Synced, VersionToken};
#[cfg(all(doc, not(feature = "testing")))]
pub use testing_in_docs::testing;
pub use tls::TlsStack;

/// Everything that a program with models usually needs.
pub mod prelude {
    pub use crate::{
        Anonymous, CdmsChoice, CdmsFields, CdmsSynced, Checked, Error, ErrorKind, Freshness, Hub, Id, OnConflict,
        OneOf, Synced, Writable, models,
    };
}
