//! The statements that create a table and its indexes, for each database.

use super::{Check, Database, Index, Owner, PrimaryKey, Rows, Table, TableColumn};

impl Database {
    /// The statement that creates a table, without its indexes. For the engine's tables it does nothing if the table
    /// exists.
    pub fn create_table(self, table: &Table<'_>) -> String {
        format!("{} ({})", table.create(), self.definitions(table).join(", "))
    }

    /// The same statement with a line for each part.
    pub fn create_table_in_lines(self, table: &Table<'_>) -> String {
        format!("{} (\n    {}\n)", table.create(), self.definitions(table).join(",\n    "))
    }

    /// What stands between the parentheses of the statement that creates a table: its columns, its key and its checks.
    fn definitions(self, table: &Table<'_>) -> Vec<String> {
        let columns = table.columns.iter().map(|column| self.column(table, column));
        let key = match (table.owner, table.key) {
            (Owner::Engine, PrimaryKey::Columns(columns)) => Some(format!("PRIMARY KEY ({})", columns.join(", "))),
            // It is part of the definition of its only column.
            (Owner::Model, PrimaryKey::Columns(_)) | (_, PrimaryKey::Numbered(_)) => None,
        };
        columns.chain(key).chain(table.checks.iter().map(check)).collect()
    }

    /// The statement that adds a column to an existing table. The new column is nullable.
    pub fn add_column(self, table: &Table<'_>, column: &TableColumn<'_>) -> String {
        let (name, declared) = (table.spelled(column.name), self.declared(column.column_type()));
        format!("ALTER TABLE {} ADD COLUMN {name} {declared}", table.spelled(table.name))
    }

    /// The statement that creates an index if it does not exist.
    pub fn create_index(self, table: &Table<'_>, index: &Index<'_>) -> String {
        let unique = if index.unique { "UNIQUE " } else { "" };
        let columns: Vec<_> = index.columns.iter().map(|column| table.spelled(column)).collect();
        let rows = match index.rows {
            Rows::All => String::new(),
            Rows::Null(column) => format!(" WHERE {} IS NULL", table.spelled(column)),
            Rows::NotNull(column) => format!(" WHERE {} IS NOT NULL", table.spelled(column)),
        };
        let (name, table, columns) = (table.spelled(index.name), table.spelled(table.name), columns.join(", "));
        format!("CREATE {unique}INDEX IF NOT EXISTS {name} ON {table} ({columns}){rows}")
    }

    /// A column's definition in the statement that creates its table.
    fn column(self, table: &Table<'_>, column: &TableColumn<'_>) -> String {
        let name = table.spelled(column.name);
        let is_key = table.key.holds(column.name);
        if is_key && matches!(table.key, PrimaryKey::Numbered(_)) {
            return format!("{name} {}", self.numbered_key());
        }
        let rule = match (table.owner, is_key, column.nullable) {
            (Owner::Model, true, _) => " NOT NULL PRIMARY KEY",
            (_, _, false) => " NOT NULL",
            (_, _, true) => "",
        };
        format!("{name} {}{rule}", self.declared(column.column_type()))
    }
}

fn check(check: &Check<'_>) -> String {
    match check {
        Check::OneOf { column, words } => {
            let words: Vec<_> = words.iter().map(|word| format!("'{}'", word.replace('\'', "''"))).collect();
            format!("CHECK ({column} IN ({}))", words.join(", "))
        }
    }
}

impl Table<'_> {
    /// The beginning of the statement that creates it.
    fn create(&self) -> String {
        let if_missing = match self.owner {
            Owner::Engine => "IF NOT EXISTS ",
            Owner::Model => "",
        };
        format!("CREATE TABLE {if_missing}{}", self.spelled(self.name))
    }

    /// A name in a statement about the table.
    fn spelled(&self, name: &str) -> String {
        match self.owner {
            Owner::Engine => name.to_owned(),
            Owner::Model => quoted(name),
        }
    }
}

/// A quoted name, with quotes in it escaped.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::schema::ColumnType;

    const EVENTS: Table<'static> = Table {
        owner: Owner::Engine,
        name: "datahub_events",
        columns: Cow::Borrowed(&[
            TableColumn::new("sequence", ColumnType::BigInt),
            TableColumn::new("state", ColumnType::Text),
            TableColumn::new("at", ColumnType::Instant).nullable(),
        ]),
        key: PrimaryKey::Numbered("sequence"),
        checks: &[Check::OneOf { column: "state", words: &["open", "it's over"] }],
        indexes: &[
            Index { name: "datahub_events_open", columns: &["state", "at"], unique: true, rows: Rows::Null("at") },
            Index { name: "datahub_events_age", columns: &["at"], unique: false, rows: Rows::NotNull("at") },
            Index { name: "datahub_events_state", columns: &["state"], unique: false, rows: Rows::All },
        ],
    };

    #[test]
    fn a_table_is_made_of_its_columns_its_key_and_its_checks() {
        assert_eq!(
            Database::Sqlite.create_table(&EVENTS),
            "CREATE TABLE IF NOT EXISTS datahub_events (sequence INTEGER PRIMARY KEY AUTOINCREMENT, state TEXT NOT NULL, \
             at BIGINT, CHECK (state IN ('open', 'it''s over')))"
        );
        let keyed = Table { key: PrimaryKey::Columns(&["sequence", "state"]), checks: &[], ..EVENTS };
        assert_eq!(
            Database::Postgres.create_table(&keyed),
            "CREATE TABLE IF NOT EXISTS datahub_events (sequence BIGINT NOT NULL, state TEXT NOT NULL, \
             at TIMESTAMP WITH TIME ZONE, PRIMARY KEY (sequence, state))"
        );
    }

    #[test]
    fn a_models_names_are_quoted_and_its_key_stands_beside_its_column() {
        let table = Table { owner: Owner::Model, name: "a\"b", key: PrimaryKey::Columns(&["state"]), ..EVENTS };
        let table = Table { checks: &[], ..table };
        assert_eq!(
            Database::Postgres.create_table(&table),
            "CREATE TABLE \"a\"\"b\" (\"sequence\" BIGINT NOT NULL, \"state\" TEXT NOT NULL PRIMARY KEY, \
             \"at\" TIMESTAMP WITH TIME ZONE)"
        );
        assert_eq!(
            Database::Sqlite.add_column(&table, &table.columns[2]),
            "ALTER TABLE \"a\"\"b\" ADD COLUMN \"at\" BIGINT"
        );
    }

    #[test]
    fn an_index_says_which_rows_are_in_it() {
        let made = EVENTS.indexes.iter().map(|index| Database::Sqlite.create_index(&EVENTS, index));
        assert_eq!(
            made.collect::<Vec<_>>(),
            [
                "CREATE UNIQUE INDEX IF NOT EXISTS datahub_events_open ON datahub_events (state, at) WHERE at IS NULL",
                "CREATE INDEX IF NOT EXISTS datahub_events_age ON datahub_events (at) WHERE at IS NOT NULL",
                "CREATE INDEX IF NOT EXISTS datahub_events_state ON datahub_events (state)",
            ]
        );
    }
}
