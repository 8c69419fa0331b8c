//! The engine's own tables as data. All names begin with `datahub_`.
//!
//! The triggers that protect the history and the sequence of versions are written separately for each database.

use std::borrow::Cow;

use datahub_model::schema::ColumnType::{BigInt, Guid, Instant, Text};
use datahub_model::schema::{Check, ColumnType, Index, Owner, PrimaryKey, Rows, Table, TableColumn};

/// The version of the tables below. A program rejects tables of another version.
pub(super) const SCHEMA_VERSION: &str = "1";

/// The revision of that version. Revisions only add tables, nullable columns and indexes. Therefore programs of
/// different revisions can work side by side, and the first program of a newer one adds what is missing.
///
/// 2: watermarks, erasures, `datahub_history.erased`, `datahub_records.complete_for`.
/// 3: rows of the history cannot be replaced, and an erasure leaves no value in them.
/// 4: `datahub_intents.finished`, and an index of unfinished writes.
/// 5: an index of history entries by their write.
/// 6: `datahub_intents.quiet_until`.
pub(super) const SCHEMA_REVISION: i64 = 6;

/// The tables, in the order of their creation.
pub(super) static TABLES: [Table<'static>; 7] = [
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
        ]),
        key: PrimaryKey::Columns(&["model", "id"]),
        checks: &[Check::OneOf { column: "state", words: &["row", "tombstone"] }],
        indexes: &[],
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
    use crate::store::dialect::Dialect;

    /// Every statement that creates or extends the engine's tables, one per line.
    fn statements(dialect: &Dialect) -> String {
        let database = dialect.database;
        let mut statements: Vec<_> = TABLES.iter().map(|table| database.create_table(table)).collect();
        for table in &TABLES {
            let addable = table.columns.iter().filter(|column| column.nullable);
            statements.extend(addable.map(|column| database.add_column(table, column)));
        }
        for table in &TABLES {
            statements.extend(table.indexes.iter().map(|index| database.create_index(table, index)));
        }
        statements.push(dialect.engine_extras.to_owned());
        statements.into_iter().map(|statement| statement + "\n").collect()
    }

    #[test]
    fn the_engines_tables_are_made_with_the_statements_that_made_them_before() {
        assert_eq!(statements(&crate::store::sqlite::DIALECT), include_str!("tests/statements/engine_sqlite.sql"));
        #[cfg(feature = "postgres")]
        assert_eq!(statements(&crate::store::postgres::DIALECT), include_str!("tests/statements/engine_postgres.sql"));
    }
}
