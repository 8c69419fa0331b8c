//! A change of many rows of a PostgreSQL table, in batches of their own transactions.

use datahub_model::schema::quoted;

use super::in_dollars;

/// The number of rows of a batch: locked for some tens of milliseconds.
const ROWS: u32 = 5000;

/// An update of all rows that satisfy a condition, in the order of the key, with a commit after each batch. Must be
/// executed on its own, outside of a transaction, and can be executed again.
pub(super) fn update(table: &str, key: &str, set: &str, condition: &str) -> String {
    let (table, key) = (quoted(table), quoted(key));
    let body = format!(
        "
DECLARE
    low UUID := '00000000-0000-0000-0000-000000000000';
    high UUID;
BEGIN
    LOOP
        SELECT batch.{key} INTO high
        FROM (SELECT {key} FROM {table} WHERE {key} >= low ORDER BY {key} LIMIT {ROWS}) AS batch
        ORDER BY batch.{key} DESC LIMIT 1;
        EXIT WHEN high IS NULL;
        UPDATE {table} SET {set}
        WHERE {key} BETWEEN low AND high AND {condition};
        COMMIT;
        EXIT WHEN high = low;
        low := high;
    END LOOP;
END "
    );
    format!("DO {}", in_dollars(&body))
}
