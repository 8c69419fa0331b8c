//! The store's interface to many records at once: lists, pulls and sweeps.

use datahub_model::ModelDescriptor;
use datahub_protocol::Version;
use uuid::Uuid;

use super::{
    Claim, ListPart, ListedRecord, Missing, Page, PageStored, Scopes, Standing, Store, StoreError, Watermark, epochs,
    list, page, sweep, watermark,
};
use crate::crash_points::Step;

impl Store {
    /// Stores records of a list that a caller asked for.
    pub(crate) async fn store_list(&self, part: ListPart) -> Result<Vec<ListedRecord>, StoreError> {
        let quiet_ms = self.quiet_ms;
        let listed = self.write(move |connection| list::store(connection, &part, quiet_ms)).await?;
        listed.iter().filter_map(ListedRecord::met).for_each(|version| self.workers.newest_known.note(version));
        Ok(listed)
    }

    /// Where the pulls of a model stand.
    pub(crate) async fn standing(
        &self,
        model: &'static ModelDescriptor,
        scopes: Scopes,
    ) -> Result<Standing, StoreError> {
        self.read(move |connection| {
            let standing = watermark::standing(connection, model, &scopes);
            standing.map_err(|trouble| epochs::cause(connection, model, trouble))
        })
        .await
    }

    /// Takes over a model's pull and returns its progress.
    pub(crate) async fn claim_pull(
        &self,
        claim: Claim,
        attributes: Vec<String>,
        restart: bool,
    ) -> Result<Watermark, StoreError> {
        self.write(move |connection| {
            connection.write(|connection| watermark::claim(connection, &claim, attributes, restart))
        })
        .await
    }

    /// Stores a page of records and the pull's progress, in one transaction.
    pub(crate) async fn store_page(&self, page: Page) -> Result<PageStored, StoreError> {
        let quiet_ms = self.quiet_ms;
        self.write(move |connection| page::store(connection, page, quiet_ms)).await
    }

    /// Takes over a model's sweep and returns its progress.
    pub(crate) async fn claim_sweep(&self, claim: Claim, restart: bool) -> Result<Watermark, StoreError> {
        self.write(move |connection| sweep::begin(connection, &claim, restart)).await
    }

    /// Stores the progress of a sweep with what it has listed; returns whether the claim is still valid.
    pub(crate) async fn store_listed(
        &self,
        claim: Claim,
        to: Watermark,
        ids: Vec<Uuid>,
        step: Step,
    ) -> Result<bool, StoreError> {
        self.write(move |connection| sweep::list(connection, &claim, &to, &ids, step)).await
    }

    /// Ends a sweep; returns whether the claim is still valid.
    pub(crate) async fn end_sweep(&self, claim: Claim, to: Watermark, step: Step) -> Result<bool, StoreError> {
        self.write(move |connection| sweep::end(connection, &claim, &to, step)).await
    }

    /// Notes that a record which was missing from the list of a sweep was read on its own.
    pub(crate) async fn found_missing(&self, model: &'static ModelDescriptor, id: Uuid) -> Result<(), StoreError> {
        self.write(move |connection| sweep::found(connection, model, id)).await
    }

    /// How many rows are missing from the list of a sweep that began before this version.
    pub(crate) async fn count_missing(
        &self,
        model: &'static ModelDescriptor,
        before: Version,
    ) -> Result<Missing, StoreError> {
        self.read(move |connection| sweep::count(connection, model, before)).await
    }

    /// The next rows that are missing from the list of a sweep, after an id, at most `limit`.
    pub(crate) async fn missing(
        &self,
        model: &'static ModelDescriptor,
        before: Version,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.read(move |connection| sweep::missing(connection, model, before, after, limit)).await
    }

    /// A planted fault: makes tombstones of rows without a look at their records.
    pub(crate) async fn bury_missing(&self, model: &'static ModelDescriptor, ids: Vec<Uuid>) -> Result<(), StoreError> {
        self.write(move |connection| sweep::bury_missing(connection, model, &ids)).await
    }
}
