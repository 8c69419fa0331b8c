//! The store's interface to what keeps a hub in order beside its calls: open writes, quarantine, trying and completing a
//! mapping, health, settings and leases.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cdms_odata::Instant;
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{Listed, OperationId, Verdict};
use uuid::Uuid;

use super::commit::By;
use super::{
    Adoption, Candidates, IntentRow, Lacking, Lease, QuarantineEntry, RowsToTry, SeenJudge, Statement, Store,
    StoreError, TableToTry, Taking, Trouble, adoption, completing, epochs, intents, quarantine, settings, trying,
};
use crate::crash_points::Step;
use crate::health;

impl Store {
    /// The ids of a model's rows after a given one, in ascending order, at most `limit`.
    pub(crate) async fn row_ids(
        &self,
        model: &'static ModelDescriptor,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.read(move |connection| {
            let sql =
                "SELECT id FROM datahub_records WHERE model = ? AND state = 'row' AND id > ? ORDER BY id LIMIT 0 + ?";
            let values = [model.table.into(), after.into(), limit.into()];
            connection.read(&Statement::new(sql, values))
        })
        .await
    }

    /// A write that is open or ended at most a day ago.
    pub(crate) async fn operation(&self, operation: OperationId) -> Result<Option<IntentRow>, StoreError> {
        let quiet_ms = self.quiet_ms;
        self.read(move |connection| intents::by_operation(connection, operation, quiet_ms)).await
    }

    /// The open writes after a given one, oldest first, at most `limit`.
    pub(crate) async fn open_intents(
        &self,
        after: Option<(Instant, OperationId)>,
        limit: i64,
    ) -> Result<Vec<IntentRow>, StoreError> {
        let quiet_ms = self.quiet_ms;
        self.read(move |connection| intents::open_after(connection, after, limit, quiet_ms)).await
    }

    /// Deletes intents of writes that ended more than a day ago. The history keeps their changes.
    pub(crate) async fn forget_old_intents(&self) -> Result<(), StoreError> {
        self.write(|connection| connection.write(intents::forget_old)).await
    }

    /// The records in quarantine, those that have waited longest first, at most `limit`.
    pub(crate) async fn quarantine(&self, limit: i64) -> Result<Vec<QuarantineEntry>, StoreError> {
        self.read(move |connection| quarantine::all(connection, limit)).await
    }

    /// The records of these tables in quarantine, those that have waited longest first, at most `limit`.
    pub(crate) async fn quarantine_of(
        &self,
        tables: Vec<&'static str>,
        limit: i64,
    ) -> Result<Vec<QuarantineEntry>, StoreError> {
        self.read(move |connection| quarantine::of_tables(connection, &tables, limit)).await
    }

    /// Moves a record in quarantine behind the others.
    pub(crate) async fn quarantine_tried(&self, model: &'static ModelDescriptor, id: Uuid) -> Result<(), StoreError> {
        self.write(move |connection| quarantine::tried(connection, model, id)).await
    }

    /// Removes a record from quarantine.
    pub(crate) async fn quarantine_cleared(&self, model: &'static ModelDescriptor, id: Uuid) -> Result<(), StoreError> {
        self.write(move |connection| quarantine::clear(connection, model, &[id])).await
    }

    /// The columns of a table, as far as a model's fields can be compared with them.
    pub(crate) async fn table_to_try(&self, model: &'static ModelDescriptor) -> Result<TableToTry, StoreError> {
        self.read(move |connection| trying::table(connection, model)).await
    }

    /// The next batch of a model's rows, as they are.
    pub(crate) async fn rows_to_try(
        &self,
        model: &'static ModelDescriptor,
        table: Arc<TableToTry>,
        after: Uuid,
    ) -> Result<RowsToTry, StoreError> {
        self.read(move |connection| trying::rows(connection, model, &table, after)).await
    }

    /// The next batch of rows that the model's mapping did not store.
    pub(crate) async fn completing_candidates(
        &self,
        model: &'static ModelDescriptor,
        after: Uuid,
        judge: SeenJudge,
        lacking: Lacking,
    ) -> Result<Candidates, StoreError> {
        let quiet_ms = self.quiet_ms;
        self.read(move |connection| {
            let found = completing::candidates(connection, model, after, (&judge, &lacking), quiet_ms);
            found.map_err(|trouble| epochs::cause(connection, model, trouble))
        })
        .await
    }

    /// Completes a batch of rows from what is kept of their records, in one transaction.
    pub(crate) async fn complete(
        &self,
        model: &'static ModelDescriptor,
        program: String,
        ids: Vec<Uuid>,
        judge: SeenJudge,
        step: Step,
    ) -> Result<Vec<(Uuid, Listed<Fault>)>, StoreError> {
        let quiet_ms = self.quiet_ms;
        self.write(move |connection| {
            let by = By { model, actor: &program, program: &program };
            let completed = completing::complete(connection, by, &ids, &judge, step, quiet_ms);
            completed.map_err(|trouble| epochs::cause(connection, model, trouble))
        })
        .await
    }

    /// The number of a model's rows, and of those among them that are not complete for its mapping.
    pub(crate) async fn completeness(&self, model: &'static ModelDescriptor) -> Result<(i64, i64), StoreError> {
        self.read(move |connection| completing::count(connection, model)).await
    }

    /// How many writes are open and how many records are in quarantine, and for which of the models this program is too
    /// old, in one statement.
    pub(crate) async fn health(&self, models: Vec<&'static ModelDescriptor>) -> Result<health::Stored, StoreError> {
        self.read(move |connection| {
            let sql = "SELECT (SELECT count(*) FROM datahub_intents WHERE verdict IS NULL), \
                       (SELECT min(opened_at) FROM datahub_intents WHERE verdict IS NULL), \
                       (SELECT count(*) FROM datahub_quarantine), epoch.name, epoch.value FROM (SELECT 1) AS one \
                       LEFT JOIN datahub_settings AS epoch ON epoch.name LIKE 'epoch:%'";
            type Row = (i64, Option<Instant>, i64, Option<String>, Option<String>);
            let rows = connection.read::<Row>(&Statement::new(sql, []))?;
            let first =
                rows.first().map(|(open_writes, oldest, quarantined, ..)| (*open_writes, *oldest, *quarantined));
            let (open_writes, oldest, quarantined) =
                first.ok_or_else(|| Trouble::Corrupt("the query for the hub's health returned no row".to_owned()))?;
            let epochs: BTreeMap<_, _> = rows.into_iter().filter_map(|(.., name, value)| name.zip(value)).collect();
            let outdated = epochs::outdated_of(&models, &epochs)?;
            let now = connection.now()?;
            let age = |since: Instant| Duration::from_millis(u64::try_from(now.0.saturating_sub(since.0)).unwrap_or(0));
            Ok(health::Stored { open_writes, oldest_open_for: oldest.map(age), quarantined, outdated })
        })
        .await
    }

    /// Sets a setting unless it has a value, and returns the value that it has then.
    pub(crate) async fn put_setting_if_absent(&self, name: &'static str, value: &str) -> Result<String, StoreError> {
        let value = value.to_owned();
        self.write(move |connection| connection.write(|connection| settings::put_if_absent(connection, name, &value)))
            .await
    }

    /// A setting's value, if it has one.
    pub(crate) async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let name = name.to_owned();
        self.read(move |connection| settings::get(connection, &name)).await
    }

    /// Makes a copy of another environment's database that of the environment `name`, if it belongs to `from`: its open
    /// writes are closed with this verdict, and it is marked as a copy.
    pub(crate) async fn adopt(
        &self,
        name: String,
        from: Option<String>,
        verdict: Verdict,
    ) -> Result<Adoption, StoreError> {
        self.write(move |connection| {
            connection.write(|connection| adoption::adopt(connection, &name, from.as_deref(), &verdict))
        })
        .await
    }

    /// Corrects the name of the environment that the database belongs to. If it does not belong to `old`, returns the one that
    /// it belongs to.
    pub(crate) async fn rename_environment(
        &self,
        old: String,
        new: String,
    ) -> Result<Result<(), Option<String>>, StoreError> {
        self.write(move |connection| connection.write(|connection| adoption::rename(connection, &old, &new))).await
    }

    /// Sets a setting, and replaces its previous value.
    pub(crate) async fn put_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.write(move |connection| connection.write(|connection| settings::put(connection, &name, &value))).await
    }

    /// The settings whose names begin with this, with their values.
    pub(crate) async fn settings_that_begin(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreError> {
        let prefix = prefix.to_owned();
        self.read(move |connection| settings::that_begin(connection, &prefix)).await
    }

    /// Deletes the settings whose names begin with this.
    pub(crate) async fn forget_settings_that_begin(&self, prefix: &str) -> Result<(), StoreError> {
        let prefix = prefix.to_owned();
        self.write(move |connection| connection.write(|connection| settings::forget_that_begin(connection, &prefix)))
            .await
    }

    /// Takes a lease, unless another program has it.
    pub(crate) async fn take_lease(&self, lease: Lease) -> Result<Taking, StoreError> {
        self.write(move |connection| lease.take(connection)).await
    }

    /// Renews a lease, and returns whether its holder still has it.
    pub(crate) async fn renew_lease(&self, lease: Lease) -> Result<bool, StoreError> {
        self.write(move |connection| connection.write(|connection| lease.renew(connection))).await
    }

    /// Gives a lease back.
    pub(crate) async fn release_lease(&self, lease: Lease) -> Result<(), StoreError> {
        self.write(move |connection| connection.write(|connection| lease.release(connection))).await
    }
}
