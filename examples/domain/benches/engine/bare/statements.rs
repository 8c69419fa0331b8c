//! The floor's four tables and the statements on them, the same text for `rusqlite` and `tokio-postgres`.

use super::record::COLUMNS;

/// The tables: rows, what was seen of their records, what happened to them, and writes under way.
const TABLES: &str = "
    CREATE TABLE bare_records (id uuid NOT NULL PRIMARY KEY, modified bigint NOT NULL, seen text NOT NULL, \
        version bigint NOT NULL, state text NOT NULL);
    CREATE TABLE bare_history (sequence {numbered}, id uuid NOT NULL, at bigint NOT NULL, actor text NOT NULL, \
        kind text NOT NULL, operation uuid, changes text NOT NULL);
    CREATE INDEX bare_history_record ON bare_history (id, sequence);
    CREATE TABLE bare_intents (operation uuid NOT NULL PRIMARY KEY, id uuid NOT NULL, write text NOT NULL, \
        body text NOT NULL, opened_at bigint NOT NULL, closed_at bigint);
    CREATE UNIQUE INDEX bare_intents_open ON bare_intents (id) WHERE closed_at IS NULL;
";

pub(super) const FIND: &str = "SELECT record.modified, record.version, record.seen FROM bare_records AS record \
                    JOIN bare_organisations AS organisation ON organisation.id = record.id WHERE record.id = $1";

/// A note of a write of a record that is as it was loaded; the index refuses a second one.
pub(super) const NOTE: &str = "INSERT INTO bare_intents (operation, id, write, body, opened_at) \
                    SELECT $1, $2, $3, $4, $5 WHERE EXISTS (SELECT 1 FROM bare_records WHERE id = $2 AND version = $6)";

pub(super) const NOTE_OF_NEW: &str =
    "INSERT INTO bare_intents (operation, id, write, body, opened_at) VALUES ($1, $2, $3, $4, $5)";

pub(super) const CLOSE: &str = "UPDATE bare_intents SET closed_at = $1 WHERE operation = $2 AND closed_at IS NULL";

pub(super) const REMOVE: &str = "DELETE FROM bare_organisations WHERE id = $1";

pub(super) const BURY: &str = "UPDATE bare_records SET state = 'gone', version = version + 1 WHERE id = $1";

pub(super) const HISTORY: &str = "SELECT sequence, at, actor, kind, operation, changes FROM bare_history \
                       WHERE id = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT 100";

/// The statements that create the tables.
pub(super) fn tables(is_sqlite: bool) -> String {
    let columns = COLUMNS.iter().map(|(name, sql_type)| format!("{name} {sql_type}")).collect::<Vec<_>>();
    let numbered =
        if is_sqlite { "integer PRIMARY KEY AUTOINCREMENT" } else { "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY" };
    let others = TABLES.replace("{numbered}", numbered);
    format!("CREATE TABLE bare_organisations ({}, PRIMARY KEY (id));{others}", columns.join(", "))
}

/// A statement about several rows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Text {
    Upsert,
    See,
    Append,
}

impl Text {
    /// Its text.
    pub(super) fn of(self, rows: usize) -> String {
        match self {
            Text::Upsert => upsert(rows),
            Text::See => see(rows),
            Text::Append => append(rows),
        }
    }
}

/// A number of groups of placeholders, `($1, $2), ($3, $4)`, with more behind each.
fn groups(rows: usize, columns: usize, more: &str) -> String {
    let group = |row: usize| {
        let placeholders: Vec<_> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({}{more})", placeholders.join(", "))
    };
    (0..rows).map(group).collect::<Vec<_>>().join(", ")
}

/// The statement that stores rows.
fn upsert(rows: usize) -> String {
    let names: Vec<_> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let replaced: Vec<_> = names[1..].iter().map(|name| format!("{name} = excluded.{name}")).collect();
    format!(
        "INSERT INTO bare_organisations ({}) VALUES {} ON CONFLICT (id) DO UPDATE SET {}",
        names.join(", "),
        groups(rows, names.len(), ""),
        replaced.join(", ")
    )
}

/// The statement that stores what was seen.
fn see(rows: usize) -> String {
    format!(
        "INSERT INTO bare_records (id, modified, seen, version, state) VALUES {} ON CONFLICT (id) DO UPDATE SET \
         modified = excluded.modified, seen = excluded.seen, version = bare_records.version + 1, state = excluded.state",
        groups(rows, 3, ", 1, 'row'")
    )
}

/// The statement that appends entries to the history.
fn append(rows: usize) -> String {
    format!("INSERT INTO bare_history (id, at, actor, kind, operation, changes) VALUES {}", groups(rows, 6, ""))
}
