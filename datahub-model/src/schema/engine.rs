//! The engine's own tables as data. All names begin with `datahub_`.
//!
//! The triggers that protect the history and the sequence of versions are [`rules`], in each database's language.

use std::borrow::Cow;

use super::ColumnType::{BigInt, Guid, Instant, Text};
use super::{Check, ColumnType, Database, Index, Owner, PrimaryKey, Rows, Table, TableColumn};

/// The version of the tables below, in a database where they are created. A program rejects tables of a version that it
/// does not know.
pub const VERSION: &str = VERSION_IN_SHORT;

/// The version of tables that older programs may have created: what was seen of a record is stored by name only, which
/// they can read.
pub const VERSION_BY_NAME: &str = "1";

/// The version of tables in which what was seen of a record may also be stored in short, as values of a list of names.
pub const VERSION_IN_SHORT: &str = "2";

/// The revision of that version. Revisions only add tables, nullable columns and indexes. Therefore programs of
/// different revisions can work side by side, and the first program of a newer one adds what is missing.
///
/// 2: watermarks, erasures, `datahub_history.erased`, `datahub_records.complete_for`.
/// 3: rows of the history cannot be replaced, and an erasure leaves no value in them.
/// 4: `datahub_intents.finished`, and an index of unfinished writes.
/// 5: an index of history entries by their write.
/// 6: `datahub_intents.quiet_until`.
/// 7: `datahub_records.outdated`, and `datahub_pulls`, which has taken the place of `datahub_watermarks`.
/// 8: the times and the version of `datahub_pulls`, `datahub_swept`, and an index of rows by the mapping that stored them.
pub const REVISION: i64 = 8;

/// The setting that holds the version of the tables.
pub const VERSION_SETTING: &str = "schema_version";

/// The setting that holds their revision.
pub const REVISION_SETTING: &str = "schema_revision";

/// The columns that a revision added to an existing table: revision, table and column.
const ADDED: [(i64, &str, &str); 13] = [
    (2, "datahub_history", "erased"),
    (2, "datahub_records", "complete_for"),
    (4, "datahub_intents", "finished"),
    (6, "datahub_intents", "quiet_until"),
    (7, "datahub_records", "outdated"),
    (7, "datahub_records", "outdated_at"),
    (8, "datahub_pulls", "watermark"),
    (8, "datahub_pulls", "since"),
    (8, "datahub_pulls", "begun"),
    (8, "datahub_pulls", "newest"),
    (8, "datahub_pulls", "asked_at"),
    (8, "datahub_pulls", "checked_at"),
    (8, "datahub_pulls", "version"),
];

/// The columns that a database with tables of this revision lacks, each with its table.
pub fn added_since(revision: i64) -> impl Iterator<Item = (&'static Table<'static>, &'static TableColumn<'static>)> {
    let since = ADDED.iter().filter(move |(added, ..)| *added > revision);
    since.filter_map(|(_, table, column)| {
        let table = TABLES.iter().find(|known| known.name == *table)?;
        Some((table, table.columns.iter().find(|known| known.name == *column)?))
    })
}

/// Statements that create the sequence of versions and the triggers that protect the history: its rows are never deleted,
/// and only an erasure of their record changes them, once, by removing their values. They may be executed again.
pub const fn rules(database: Database) -> &'static str {
    match database {
        Database::Sqlite => include_str!("engine/rules_sqlite.sql"),
        Database::Postgres => include_str!("engine/rules_postgres.sql"),
    }
}

/// The prefix of the setting that names what a table is being renamed to, after the table's former name, while what the engine
/// keeps of its rows is carried over.
pub const CARRIED_SETTING: &str = "carried:";

/// The comment before an `UPDATE` that a run of migrations executes in batches, each a transaction of its own:
/// `-- in batches by id`. It ends with a column by which the rows that the statement changes are told apart.
pub const IN_BATCHES: &str = "-- in batches by ";

/// The tables, in the order of their creation.
pub static TABLES: [Table<'static>; 9] = [
    Table {
        owner: Owner::Engine,
        name: "datahub_records",
        columns: Cow::Borrowed(&[
            needed("model", Text),
            needed("id", Guid),
            needed("modified", Instant),
            optional("created", Instant),
            optional("modified_by", Guid),
            needed("seen", Text),
            needed("mapping_id", BigInt),
            needed("version", BigInt),
            needed("state", Text),
            optional("reason", Text),
            optional("complete_for", Text),
            // The attributes that are older than the record's facts, as of this version of it.
            optional("outdated", Text),
            optional("outdated_at", BigInt),
        ]),
        key: PrimaryKey::Columns(&["model", "id"]),
        checks: &[Check::OneOf { column: "state", words: &["row", "tombstone"] }],
        // To count the rows that another mapping stored without reading the others.
        indexes: &[index("datahub_records_mapping", &["model", "mapping_id"], Rows::All)],
    },
    Table {
        owner: Owner::Engine,
        name: "datahub_intents",
        columns: Cow::Borrowed(&[
            needed("operation", Guid),
            needed("entity", Text),
            needed("id", Guid),
            needed("model", Text),
            needed("write", Text),
            needed("body", Text),
            optional("local", Text),
            needed("actor", Text),
            needed("program", Text),
            needed("lease_holder", Guid),
            needed("lease_until", Instant),
            needed("opened_at", Instant),
            optional("closed_at", Instant),
            optional("verdict", Text),
            needed("mapping_id", BigInt),
            optional("finished", BigInt),
            optional("quiet_until", Instant),
        ]),
        key: PrimaryKey::Columns(&["operation"]),
        checks: &[],
        indexes: &[
            // The lock between programs: at most one open write per record.
            Index {
                name: "datahub_intents_open",
                columns: &["entity", "id"],
                unique: true,
                rows: Rows::Null("verdict"),
            },
            index("datahub_intents_record", &["entity", "id"], Rows::All),
            index("datahub_intents_unfinished", &["entity", "id"], Rows::Null("finished")),
            index("datahub_intents_age", &["closed_at"], Rows::All),
        ],
    },
    Table {
        owner: Owner::Engine,
        name: "datahub_history",
        columns: Cow::Borrowed(&[
            needed("sequence", BigInt),
            needed("entity", Text),
            needed("id", Guid),
            needed("model", Text),
            needed("version", BigInt),
            needed("at", Instant),
            needed("actor", Text),
            needed("program", Text),
            needed("origin", Text),
            needed("kind", Text),
            optional("operation", Guid),
            needed("changes", Text),
            needed("constants", Text),
            needed("local", Text),
            needed("mapping_id", BigInt),
            optional("modified", Instant),
            optional("modified_by", Guid),
            optional("skew_ms", BigInt),
            optional("erased", BigInt),
        ]),
        key: PrimaryKey::Numbered("sequence"),
        checks: &[],
        indexes: &[
            index("datahub_history_record", &["entity", "id", "sequence"], Rows::All),
            index("datahub_history_operation", &["operation"], Rows::NotNull("operation")),
        ],
    },
    Table {
        owner: Owner::Engine,
        name: "datahub_erasures",
        columns: Cow::Borrowed(&[
            needed("sequence", BigInt),
            needed("entity", Text),
            needed("id", Guid),
            needed("at", Instant),
            needed("actor", Text),
            needed("program", Text),
            needed("reason", Text),
        ]),
        key: PrimaryKey::Numbered("sequence"),
        checks: &[],
        indexes: &[],
    },
    Table {
        owner: Owner::Engine,
        name: "datahub_watermarks",
        columns: Cow::Borrowed(&[
            needed("model", Text),
            needed("mapping_id", BigInt),
            needed("run", Guid),
            optional("next", Text),
            needed("pages", BigInt),
            needed("records", BigInt),
            needed("stored_at", Instant),
        ]),
        key: PrimaryKey::Columns(&["model"]),
        checks: &[],
        indexes: &[],
    },
    Table {
        owner: Owner::Engine,
        name: "datahub_pulls",
        columns: Cow::Borrowed(&[
            needed("model", Text),
            needed("scope", Text),
            needed("run", Guid),
            needed("attributes", Text),
            optional("next", Text),
            needed("pages", BigInt),
            needed("records", BigInt),
            needed("stored_at", Instant),
            // By CDMS's clock: what had changed before was read; where an unfinished pull of changes goes on, when it
            // began, and the newest change that it met, or for a first load the newest change before it began.
            optional("watermark", Instant),
            optional("since", Instant),
            optional("begun", Instant),
            optional("newest", Instant),
            // By the database's clock: when the last pull began, and when the last complete one did.
            optional("asked_at", Instant),
            optional("checked_at", Instant),
            // For a sweep: the newest version when it began.
            optional("version", BigInt),
        ]),
        key: PrimaryKey::Columns(&["model", "scope"]),
        checks: &[],
        indexes: &[],
    },
    // The records that CDMS has listed for a sweep in progress.
    Table {
        owner: Owner::Engine,
        name: "datahub_swept",
        columns: Cow::Borrowed(&[needed("model", Text), needed("id", Guid)]),
        key: PrimaryKey::Columns(&["model", "id"]),
        checks: &[],
        indexes: &[],
    },
    Table {
        owner: Owner::Engine,
        name: "datahub_quarantine",
        columns: Cow::Borrowed(&[
            needed("entity", Text),
            needed("id", Guid),
            needed("model", Text),
            needed("reason", Text),
            needed("at", Instant),
            optional("operation", Guid),
            optional("orphan_of", Guid),
        ]),
        key: PrimaryKey::Columns(&["model", "id"]),
        checks: &[],
        indexes: &[],
    },
    Table {
        owner: Owner::Engine,
        name: "datahub_settings",
        columns: Cow::Borrowed(&[needed("name", Text), needed("value", Text)]),
        key: PrimaryKey::Columns(&["name"]),
        checks: &[],
        indexes: &[],
    },
];

const fn needed(name: &'static str, ty: ColumnType) -> TableColumn<'static> {
    TableColumn::new(name, ty)
}

const fn optional(name: &'static str, ty: ColumnType) -> TableColumn<'static> {
    TableColumn::new(name, ty).nullable()
}

const fn index(name: &'static str, columns: &'static [&'static str], rows: Rows<'static>) -> Index<'static> {
    Index { name, columns, unique: false, rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every statement that creates or extends the engine's tables, one per line.
    fn statements(database: Database) -> String {
        let mut statements: Vec<_> = TABLES.iter().map(|table| database.create_table(table)).collect();
        for table in &TABLES {
            let addable = table.columns.iter().filter(|column| column.nullable);
            statements.extend(addable.map(|column| database.add_column(table, column)));
        }
        for table in &TABLES {
            statements.extend(table.indexes.iter().map(|index| database.create_index(table, index)));
        }
        statements.push(format!("\n{}", rules(database)));
        statements.into_iter().map(|statement| statement + "\n").collect()
    }

    #[test]
    fn the_engines_tables_are_made_with_the_statements_that_made_them_before() {
        assert_eq!(statements(Database::Sqlite), include_str!("engine/made_sqlite.sql"));
        assert_eq!(statements(Database::Postgres), include_str!("engine/made_postgres.sql"));
    }

    #[test]
    fn a_column_that_a_revision_added_exists_and_is_nullable() {
        assert_eq!(added_since(0).count(), ADDED.len());
        assert!(added_since(0).all(|(_, column)| column.nullable));
        let since: Vec<_> = added_since(4).map(|(table, column)| (table.name, column.name)).collect();
        assert_eq!(since[0], ("datahub_intents", "quiet_until"));
        assert_eq!(added_since(REVISION).count(), 0);
        assert!(ADDED.iter().all(|(revision, ..)| *revision <= REVISION));
    }
}
