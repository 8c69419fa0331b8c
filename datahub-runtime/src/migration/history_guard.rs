//! The rule that the history is append-only, lifted for one statement that gives entries another table's name.
//!
//! It is lifted and restored within the transaction of the statement, so that no other program ever finds it lifted, also if
//! this one is killed. Meanwhile no column but `model` can be changed.

use datahub_model::schema::Database;
use datahub_model::schema::engine::TABLES;

use crate::store::{PlainConnection as Connection, PlainTrouble as Trouble};

/// The table that the rule protects.
pub(super) const TABLE: &str = "datahub_history";

/// What lifts a rule is the statement that creates the rule in its place.
struct Sql {
    /// Selects the statement that restores the rule.
    found: &'static str,
    /// Removes the rule, if it cannot be replaced.
    remove: Option<&'static str>,
    /// Creates the rule that lets `model` be changed.
    lift: String,
}

const ONLY_MODEL: &str =
    "datahub_history is append-only: a migration gives its rows another model and changes nothing else";

/// Does something while the rule is lifted, within a transaction.
pub(super) fn lifted(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let sql = sql(connection.dialect().database);
    // A rule that was lost is restored at the end of the run.
    let Some(restore) = connection.texts(sql.found)?.into_iter().next() else { return work(connection) };
    let remove = |connection: &mut Connection| sql.remove.map_or(Ok(()), |remove| connection.batch(remove));
    remove(connection)?;
    connection.batch(&sql.lift)?;
    work(connection)?;
    remove(connection)?;
    connection.batch(&restore)
}

fn sql(database: Database) -> Sql {
    match database {
        Database::Sqlite => Sql {
            found: "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = 'datahub_history_no_update'",
            remove: Some("DROP TRIGGER datahub_history_no_update"),
            lift: format!(
                "CREATE TRIGGER datahub_history_no_update BEFORE UPDATE OF {} ON datahub_history \
                 BEGIN SELECT RAISE(ABORT, '{ONLY_MODEL}'); END",
                other_columns().join(", ")
            ),
        },
        // Other sessions go on with the function as it was committed, and none of them waits for a lock of the table.
        Database::Postgres => Sql {
            found: "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE oid = to_regprocedure('datahub_erased_only()')",
            remove: None,
            lift: format!(
                "CREATE OR REPLACE FUNCTION datahub_erased_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 IF to_jsonb(NEW) - 'model' = to_jsonb(OLD) - 'model' THEN RETURN NEW; END IF; \
                 RAISE EXCEPTION '{ONLY_MODEL}'; END $$"
            ),
        },
    }
}

/// The columns of the history that no migration changes.
fn other_columns() -> Vec<&'static str> {
    let history = TABLES.iter().filter(|table| table.name == TABLE);
    let columns = history.flat_map(|table| table.columns.iter().map(|column| column.name));
    columns.filter(|column| *column != "model").collect()
}
