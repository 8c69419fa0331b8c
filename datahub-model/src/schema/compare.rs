//! The differences between the columns of a database and those that a table must have.

use super::{Database, Table, TableColumn};

/// A column as a database describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundColumn {
    /// Its name.
    pub name: String,
    /// Its type, as the database declares it.
    pub declared: String,
    /// Whether it is `NOT NULL`.
    pub not_null: bool,
    /// Whether a row that does not set it gets a value.
    pub has_default: bool,
    /// Whether it is part of the primary key.
    pub in_key: bool,
}

/// One way in which a table of the database differs from its description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference<'a> {
    /// The column is missing.
    Missing(&'a TableColumn<'a>),
    /// The column still has its former name.
    Renamed {
        /// The column.
        column: &'a TableColumn<'a>,
        /// Its name in the database.
        from: &'a str,
    },
    /// The column's type cannot hold its values.
    Type {
        /// The column.
        column: &'a TableColumn<'a>,
        /// Its declared type.
        declared: &'a str,
    },
    /// The column is nullable, but the database has it as `NOT NULL`.
    NotNull(&'a TableColumn<'a>),
    /// The column is wrongly part of the primary key, or wrongly not part of it.
    Key(&'a TableColumn<'a>),
    /// The description does not have this column, and a row cannot be stored without a value for it.
    Unknown(&'a str),
    /// The column's values have another meaning.
    Meaning {
        /// The column.
        column: &'a TableColumn<'a>,
        /// The meaning that was noted.
        noted: &'a str,
        /// The meaning that they must have.
        meant: String,
    },
}

impl<'t> Table<'t> {
    /// The columns that a database does not have.
    pub fn missing(&self, found: &[FoundColumn]) -> impl Iterator<Item = &TableColumn<'t>> {
        self.columns.iter().filter(|column| !found.iter().any(|there| there.name == column.name))
    }
}

impl Table<'_> {
    /// Every difference from the columns of a database: first the differences of each column in order, then unknown
    /// columns, then meanings. `noted` returns the noted meaning of a column's values, in the form of
    /// [`meaning`](TableColumn::meaning).
    pub fn differences<'a>(
        &'a self,
        database: Database,
        found: &'a [FoundColumn],
        noted: impl Fn(&TableColumn<'_>) -> Option<&'a str>,
    ) -> Vec<Difference<'a>> {
        let there = |name: &str| found.iter().find(|there| there.name == name);
        let mut differences = Vec::new();
        for column in self.columns.iter() {
            let Some(there) = there(column.name) else {
                differences.push(match column.was.filter(|was| there(was).is_some()) {
                    Some(from) => Difference::Renamed { column, from },
                    None => Difference::Missing(column),
                });
                continue;
            };
            if !database.keeps(&there.declared, column.column_type()) {
                differences.push(Difference::Type { column, declared: &there.declared });
            }
            if column.nullable && there.not_null {
                differences.push(Difference::NotNull(column));
            }
            if self.key.holds(column.name) != there.in_key {
                differences.push(Difference::Key(column));
            }
        }
        let is_unknown = |there: &&FoundColumn| !self.columns.iter().any(|column| column.name == there.name);
        let unknown = found.iter().filter(is_unknown);
        let needed = unknown.filter(|there| there.in_key || (there.not_null && !there.has_default));
        differences.extend(needed.map(|there| Difference::Unknown(&there.name)));
        differences.extend(self.columns.iter().filter_map(|column| {
            let noted = noted(column)?;
            let meant = column.other_meaning(database, there(column.name)?, noted)?;
            Some(Difference::Meaning { column, noted, meant })
        }));
        differences
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use cdms_odata::Kind;

    use super::*;
    use crate::schema::{Contents, Owner, PrimaryKey};

    const fn column(name: &'static str, kind: Kind) -> TableColumn<'static> {
        TableColumn { name, field: name, contents: Contents::Values { kind, scale: None }, nullable: false, was: None }
    }

    const ID: TableColumn<'static> = column("id", Kind::Guid);
    const NAME: TableColumn<'static> = TableColumn { was: Some("title"), ..column("name", Kind::String) };
    const RATIO: TableColumn<'static> = TableColumn {
        contents: Contents::Values { kind: Kind::Decimal, scale: Some(3) },
        nullable: true,
        ..column("ratio", Kind::Decimal)
    };

    const FIRMS: Table<'static> = Table {
        owner: Owner::Model,
        name: "firms",
        columns: Cow::Borrowed(&[ID, NAME, RATIO]),
        key: PrimaryKey::Columns(&["id"]),
        checks: &[],
        indexes: &[],
    };

    /// A column with this name and type; `rules` may contain `not null`, `default` and `key`.
    fn found(name: &str, declared: &str, rules: &str) -> FoundColumn {
        let has = |rule| rules.contains(rule);
        FoundColumn {
            name: name.to_owned(),
            declared: declared.to_owned(),
            not_null: has("not null"),
            has_default: has("default"),
            in_key: has("key"),
        }
    }

    fn as_made() -> Vec<FoundColumn> {
        vec![found("id", "BLOB", "not null key"), found("name", "TEXT", "not null"), found("ratio", "BIGINT", "")]
    }

    /// The differences if this column replaces the one at the position.
    fn with(position: usize, other: FoundColumn) -> Vec<Difference<'static>> {
        let mut columns = as_made();
        columns.splice(position.min(columns.len())..(position + 1).min(columns.len()), [other]);
        // The tests leak their tables.
        let (table, columns) = (Box::leak(Box::new(FIRMS)), columns.leak());
        table.differences(Database::Sqlite, columns, |_| None)
    }

    #[test]
    fn a_table_that_is_as_it_was_made_does_not_differ() {
        assert_eq!(FIRMS.differences(Database::Sqlite, &as_made(), |_| None), []);
        assert_eq!(FIRMS.missing(&as_made()).count(), 0);
    }

    #[test]
    fn every_difference_is_reported() {
        assert_eq!(with(1, found("label", "TEXT", "")), [Difference::Missing(&NAME)]);
        assert_eq!(with(1, found("title", "TEXT", "")), [Difference::Renamed { column: &NAME, from: "title" }]);
        assert_eq!(with(1, found("name", "BLOB", "")), [Difference::Type { column: &NAME, declared: "BLOB" }]);
        assert_eq!(with(2, found("ratio", "BIGINT", "not null")), [Difference::NotNull(&RATIO)]);
        assert_eq!(with(0, found("id", "BLOB", "not null")), [Difference::Key(&ID)]);
        assert_eq!(with(1, found("name", "TEXT", "not null key")), [Difference::Key(&NAME)]);
        assert_eq!(FIRMS.missing(&as_made()[..1]).collect::<Vec<_>>(), [&NAME, &RATIO]);
    }

    #[test]
    fn an_unknown_column_matters_if_it_requires_a_value() {
        assert_eq!(with(3, found("extra", "TEXT", "not null")), [Difference::Unknown("extra")]);
        assert_eq!(with(3, found("extra", "TEXT", "default key")), [Difference::Unknown("extra")]);
        assert_eq!(with(3, found("extra", "TEXT", "not null default")), []);
        assert_eq!(with(3, found("extra", "TEXT", "")), []);
    }

    #[test]
    fn values_with_another_meaning_are_reported_if_the_type_does_not_show_it() {
        let noted = |column: &TableColumn<'_>, noted: &'static str| {
            let name = column.name.to_owned();
            let (table, columns) = (Box::leak(Box::new(FIRMS)), as_made().leak());
            table.differences(Database::Sqlite, columns, move |column| (column.name == name).then_some(noted))
        };
        assert_eq!(noted(&RATIO, "decimal(3) or null"), []);
        for other in ["decimal(4) or null", "money or null", "datetime", "a kind of tomorrow"] {
            let meant = "decimal(3) or null".to_owned();
            assert_eq!(noted(&RATIO, other), [Difference::Meaning { column: &RATIO, noted: other, meant }]);
        }
        // The column's type cannot hold text, so the column was changed since.
        assert_eq!(noted(&RATIO, "string"), []);
        assert_eq!(noted(&NAME, "string or null"), [], "the column is `NOT NULL`");
        assert_eq!(noted(&RATIO, "decimal(3)"), [], "the column is nullable now");
        assert_eq!(noted(&RATIO, "money | decimal(3) or null"), [], "two versions share the column");
        assert_eq!(noted(&RATIO, "money | datetime").len(), 1);
    }
}
