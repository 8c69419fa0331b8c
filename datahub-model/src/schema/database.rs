//! The supported databases, and which of their column types can hold our values.

use cdms_odata::Kind;

/// A database that a hub can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Database {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// A column's type, independent of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// Text.
    Text,
    /// A 32-bit integer.
    Integer,
    /// A 64-bit integer; also an exact decimal, in units of its last decimal place.
    BigInt,
    /// A 64-bit floating-point number.
    Double,
    /// True or false.
    Bool,
    /// A calendar date.
    Date,
    /// A GUID.
    Guid,
    /// A point in time.
    Instant,
}

impl ColumnType {
    /// The type for values of a kind.
    pub const fn of(kind: Kind) -> Self {
        match kind {
            Kind::String => ColumnType::Text,
            Kind::Integer | Kind::Choice | Kind::State | Kind::Status => ColumnType::Integer,
            Kind::BigInt | Kind::Decimal | Kind::Money => ColumnType::BigInt,
            Kind::Double => ColumnType::Double,
            Kind::Boolean => ColumnType::Bool,
            Kind::DateTime => ColumnType::Instant,
            Kind::Date => ColumnType::Date,
            Kind::Guid | Kind::Lookup => ColumnType::Guid,
        }
    }

    /// The type's name, independent of the database.
    pub const fn name(self) -> &'static str {
        match self {
            ColumnType::Text => "text",
            ColumnType::Integer => "integer",
            ColumnType::BigInt => "bigint",
            ColumnType::Double => "double",
            ColumnType::Bool => "boolean",
            ColumnType::Date => "date",
            ColumnType::Guid => "guid",
            ColumnType::Instant => "instant",
        }
    }
}

impl Database {
    /// The declared type of such a column in a table that we create.
    pub const fn declared(self, ty: ColumnType) -> &'static str {
        match self {
            Database::Sqlite => match ty {
                ColumnType::Text | ColumnType::Date => "TEXT",
                ColumnType::Integer => "INTEGER",
                ColumnType::BigInt | ColumnType::Instant => "BIGINT",
                ColumnType::Double => "DOUBLE",
                ColumnType::Bool => "BOOLEAN",
                ColumnType::Guid => "BLOB",
            },
            Database::Postgres => match ty {
                ColumnType::Text => "TEXT",
                ColumnType::Integer => "INTEGER",
                ColumnType::BigInt => "BIGINT",
                ColumnType::Double => "DOUBLE PRECISION",
                ColumnType::Bool => "BOOLEAN",
                ColumnType::Date => "DATE",
                ColumnType::Guid => "UUID",
                ColumnType::Instant => "TIMESTAMP WITH TIME ZONE",
            },
        }
    }

    /// The declaration of a key column that the database numbers.
    pub(super) const fn numbered_key(self) -> &'static str {
        match self {
            Database::Sqlite => "INTEGER PRIMARY KEY AUTOINCREMENT",
            Database::Postgres => "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        }
    }

    /// Whether a column of the declared type stores values of a type unchanged; for SQLite by its rules of type
    /// affinity.
    pub fn keeps(self, declared: &str, ty: ColumnType) -> bool {
        match self {
            Database::Sqlite => sqlite_keeps(&declared.to_ascii_uppercase(), ty),
            Database::Postgres => {
                declared.eq_ignore_ascii_case(self.declared(ty))
                    || (ty == ColumnType::Text && declared.starts_with("character varying"))
            }
        }
    }
}

fn sqlite_keeps(declared: &str, ty: ColumnType) -> bool {
    let has = |word: &str| declared.contains(word);
    let is_text = || !has("INT") && ["CHAR", "CLOB", "TEXT"].into_iter().any(has);
    match ty {
        ColumnType::Integer | ColumnType::BigInt | ColumnType::Instant | ColumnType::Bool => !is_text() && !has("BLOB"),
        ColumnType::Double => has("REAL") || has("FLOA") || has("DOUB"),
        ColumnType::Text => is_text(),
        ColumnType::Date => is_text() || has("DATE"),
        ColumnType::Guid => has("BLOB") || has("BINARY"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [ColumnType; 8] = [
        ColumnType::Text,
        ColumnType::Integer,
        ColumnType::BigInt,
        ColumnType::Double,
        ColumnType::Bool,
        ColumnType::Date,
        ColumnType::Guid,
        ColumnType::Instant,
    ];

    #[test]
    fn a_column_keeps_the_type_that_it_is_declared_for() {
        for database in [Database::Sqlite, Database::Postgres] {
            for ty in TYPES {
                assert!(database.keeps(database.declared(ty), ty), "{database:?} {ty:?}");
            }
        }
    }

    #[test]
    fn columns_of_sqlite_are_judged_by_what_they_keep() {
        for (declared, ty, kept) in [
            ("BIGINT", ColumnType::Instant, true),
            ("TEXT", ColumnType::BigInt, false),
            ("VARCHAR(160)", ColumnType::Text, true),
            ("BLOB", ColumnType::Guid, true),
            ("TEXT", ColumnType::Guid, false),
            ("DATE", ColumnType::Date, true),
            ("DOUBLE PRECISION", ColumnType::Double, true),
            ("INTEGER", ColumnType::Double, false),
            ("BOOLEAN", ColumnType::Bool, true),
            ("TEXT", ColumnType::Bool, false),
            ("BLOB", ColumnType::Bool, false),
            ("CHARINT", ColumnType::Integer, true),
            ("CLOB", ColumnType::Integer, false),
            ("BINARY(16)", ColumnType::Guid, true),
            ("FLOAT", ColumnType::Double, true),
            ("REAL", ColumnType::Double, true),
            ("BLOB", ColumnType::Date, false),
        ] {
            assert_eq!(Database::Sqlite.keeps(declared, ty), kept, "{declared} for {ty:?}");
        }
    }

    #[test]
    fn columns_of_postgres_are_judged_by_what_they_keep() {
        for (declared, ty, kept) in [
            ("timestamp with time zone", ColumnType::Instant, true),
            ("timestamp without time zone", ColumnType::Instant, false),
            ("bigint", ColumnType::BigInt, true),
            ("integer", ColumnType::BigInt, false),
            ("numeric(12,4)", ColumnType::BigInt, false),
            ("character varying(160)", ColumnType::Text, true),
            ("uuid", ColumnType::Guid, true),
            ("bytea", ColumnType::Guid, false),
        ] {
            assert_eq!(Database::Postgres.keeps(declared, ty), kept, "{declared} for {ty:?}");
        }
    }
}
