//! The store's interface to the history of records, and its erasure.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cdms_odata::Instant;
use datahub_model::ModelDescriptor;
use datahub_protocol::{EntryKind, Version};
use uuid::Uuid;

use super::commit::By;
use super::{Erased, HistoryRow, Store, StoreError, epochs, erasure, history};

impl Store {
    /// A record's history before an entry, newest first, at most `limit`.
    pub(crate) async fn history(
        &self,
        model: &'static ModelDescriptor,
        id: Uuid,
        before: i64,
        limit: i64,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        self.read(move |connection| history::before(connection, model, id, before, limit)).await
    }

    /// The entries after one entry from which a model's row at that entry follows, newest first.
    pub(crate) async fn history_deciding(
        &self,
        model: &'static ModelDescriptor,
        id: Uuid,
        after: i64,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        self.read(move |connection| history::deciding(connection, model, id, after)).await
    }

    /// The last entry of exactly this version of a model's row.
    pub(crate) async fn history_of_version(
        &self,
        model: &'static ModelDescriptor,
        id: Uuid,
        version: Version,
    ) -> Result<Option<HistoryRow>, StoreError> {
        self.read(move |connection| history::of_version(connection, model, id, version)).await
    }

    /// The last entry of a model's row up to a version.
    pub(crate) async fn history_up_to(
        &self,
        model: &'static ModelDescriptor,
        id: Uuid,
        version: Version,
    ) -> Result<Option<i64>, StoreError> {
        self.read(move |connection| history::up_to(connection, model, id, version)).await
    }

    /// The last entry up to a time, and the kind of the last one up to then that changed the model's row.
    pub(crate) async fn history_at(
        &self,
        model: &'static ModelDescriptor,
        id: Uuid,
        time: Instant,
    ) -> Result<Option<(i64, EntryKind)>, StoreError> {
        self.read(move |connection| history::last_at(connection, model, id, time)).await
    }

    /// Erases the values that are kept of a record's past; `models` are those of its entity that this program lists.
    pub(crate) async fn erase(
        &self,
        model: &'static ModelDescriptor,
        models: Vec<&'static ModelDescriptor>,
        id: Uuid,
        actor: String,
        program: String,
        reason: String,
    ) -> Result<Erased, StoreError> {
        let (quiet_ms, keeps_erased) = (self.quiet_ms, Arc::clone(&self.keeps_erased));
        self.write(move |connection| {
            let by = By { model, actor: &actor, program: &program };
            let erased = erasure::erase(connection, by, &models, id, &reason, quiet_ms);
            let erased = erased.map_err(|trouble| epochs::cause(connection, model, trouble))?;
            // The erasure itself is committed, even if this fails.
            if matches!(erased, Erased::Done(_)) && !erasure::forget(connection) {
                keeps_erased.store(true, Ordering::Relaxed);
                tracing::warn!(
                    "a reader keeps erased data in the database's log; the log is emptied with a later settling"
                );
            }
            Ok(erased)
        })
        .await
    }

    /// Removes erased data from the files next to the database, if a reader prevented that before.
    pub(crate) async fn forget_erased(&self) -> Result<(), StoreError> {
        if !self.keeps_erased.load(Ordering::Relaxed) {
            return Ok(());
        }
        let keeps_erased = Arc::clone(&self.keeps_erased);
        self.write(move |connection| {
            if erasure::forget(connection) {
                keeps_erased.store(false, Ordering::Relaxed);
                tracing::info!("the database's log no longer contains erased data");
            }
            Ok(())
        })
        .await
    }
}
