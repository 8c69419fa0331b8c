//! What is recorded of migrations: Diesel's table of applied ones, and which one is half done.

use std::collections::{BTreeMap, BTreeSet};

use datahub_model::schema::engine::TABLES;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Migration;
use crate::store::settings;
use crate::store::{PlainConnection as Connection, PlainTrouble as Trouble, Statement};

/// Diesel's table, as Diesel creates it.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
                      run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";

const TABLE: &str = "__diesel_schema_migrations";

/// The engine's table of settings, which holds the lease and the epochs.
pub(super) const SETTINGS: &str = "datahub_settings";

/// Creates the tables that a run needs, if they do not exist.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), Trouble> {
    if !exists(connection, TABLE)? {
        connection.batch(CREATE)?;
    }
    if !exists(connection, SETTINGS)? {
        let table = TABLES.iter().find(|table| table.name == SETTINGS);
        // The first migration creates it in the same way, if it does not exist.
        table.map_or(Ok(()), |table| connection.batch(&connection.dialect().database.create_table(table)))?;
    }
    Ok(())
}

/// Whether a table exists.
pub(super) fn exists(connection: &mut Connection, table: &str) -> Result<bool, Trouble> {
    Ok(!connection.columns_of(table)?.is_empty())
}

/// The applied versions, each with the time at which it was applied, as the database writes it.
pub(super) fn applied(connection: &mut Connection) -> Result<BTreeMap<String, String>, Trouble> {
    if !exists(connection, TABLE)? {
        return Ok(BTreeMap::new());
    }
    let sql = "SELECT version, CAST(run_on AS TEXT) FROM __diesel_schema_migrations";
    Ok(connection.read::<(String, String)>(&Statement::new(sql, []))?.into_iter().collect())
}

/// Whether no program can have worked on the database yet: it has no applied migration and none of the engine's tables
/// of records.
pub(crate) fn is_empty(connection: &mut Connection) -> Result<bool, Trouble> {
    Ok(applied(connection)?.is_empty() && !exists(connection, "datahub_records")?)
}

/// The applied versions.
pub(crate) fn applied_versions(connection: &mut Connection) -> Result<BTreeSet<String>, Trouble> {
    Ok(applied(connection)?.into_keys().collect())
}

/// Records that a migration is applied, and that it is no longer half done.
pub(super) fn done(connection: &mut Connection, migration: &Migration) -> Result<(), Trouble> {
    let version = migration.version();
    let sql = "INSERT INTO __diesel_schema_migrations (version) VALUES (?)";
    connection.execute(&Statement::new(sql, [version.as_str().into()]))?;
    settings::forget(connection, &setting(&version))
}

/// Records a migration as applied in the place of one that it replaces, with the time of that one.
pub(super) fn replaced(connection: &mut Connection, former: &str, migration: &Migration) -> Result<(), Trouble> {
    let version = migration.version();
    let sql = "UPDATE __diesel_schema_migrations SET version = ? WHERE version = ?";
    connection.execute(&Statement::new(sql, [version.as_str().into(), former.into()]))?;
    settings::forget(connection, &setting(former))
}

/// Forgets that a version is applied, or half done.
pub(super) fn undone(connection: &mut Connection, version: &str) -> Result<(), Trouble> {
    let sql = "DELETE FROM __diesel_schema_migrations WHERE version = ?";
    connection.execute(&Statement::new(sql, [version.into()]))?;
    settings::forget(connection, &setting(version))
}

/// A migration that was begun and is not applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HalfDone {
    /// How many of its statements are done. The next one may be done too.
    pub(super) done: usize,
    /// Whether a statement that is not part of a transaction was begun, also of an earlier text of the migration.
    #[serde(default)]
    is_begun: bool,
    /// How many statements it has.
    of: usize,
    /// The hash of its statements.
    sql: String,
    /// The epochs of its tables before it raised them.
    pub(super) epochs: Vec<(String, Option<String>)>,
}

impl HalfDone {
    /// A migration that begins, with the epochs of its tables before.
    pub(super) fn begins(migration: &Migration, epochs: Vec<(String, Option<String>)>) -> Self {
        HalfDone { done: 0, is_begun: false, of: migration.statements.len(), sql: hash(migration), epochs }
    }

    /// What is known of a migration that was begun. If its statements were changed since, none of them counts as done,
    /// because each can be repeated.
    pub(super) fn of(connection: &mut Connection, migration: &Migration) -> Result<Option<Self>, Trouble> {
        let name = setting(&migration.version());
        let Some(text) = settings::get(connection, &name)? else { return Ok(None) };
        let corrupt = |error| Trouble::Corrupt(format!("invalid setting {name}: {error}"));
        let known: HalfDone = serde_json::from_str(&text).map_err(corrupt)?;
        let (is_same, is_begun) = (known.sql == hash(migration), known.changed_something());
        let begins_again = |known: Self| HalfDone { is_begun, ..HalfDone::begins(migration, known.epochs) };
        Ok(Some(if is_same { known } else { begins_again(known) }))
    }

    /// Whether a statement of it may have changed something, so that older programs must not work on its tables again.
    pub(super) fn changed_something(&self) -> bool {
        self.is_begun || self.done > 0
    }

    /// Records that a statement begins that is not part of a transaction.
    pub(super) fn note_statement(&mut self, connection: &mut Connection, migration: &Migration) -> Result<(), Trouble> {
        self.is_begun = true;
        self.note(connection, migration)
    }

    /// Records it.
    pub(super) fn note(&self, connection: &mut Connection, migration: &Migration) -> Result<(), Trouble> {
        let text = serde_json::to_string(self).map_err(|error| Trouble::Other(error.to_string()))?;
        settings::put(connection, &setting(&migration.version()), &text)
    }
}

/// Forgets that a migration was begun.
pub(super) fn not_begun(connection: &mut Connection, migration: &Migration) -> Result<(), Trouble> {
    settings::forget(connection, &setting(&migration.version()))
}

fn setting(version: &str) -> String {
    format!("migration:{version}")
}

fn hash(migration: &Migration) -> String {
    let mut hasher = Sha256::new();
    for statement in migration.statements.iter() {
        hasher.update(statement.as_bytes());
        hasher.update([0]);
    }
    hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
