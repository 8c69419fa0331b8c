//! A table: its columns, its primary key, what it checks, and its indexes.

use std::borrow::Cow;

use cdms_odata::Kind;

use super::ColumnType;
use crate::{Column, ModelDescriptor};

/// A table, as it is made and as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table<'a> {
    /// Whose table it is.
    pub owner: Owner,
    /// Its name.
    pub name: &'a str,
    /// Its columns, in their order.
    pub columns: Cow<'a, [TableColumn<'a>]>,
    /// What tells its rows apart.
    pub key: PrimaryKey<'a>,
    /// What every row must satisfy besides.
    pub checks: &'a [Check<'a>],
    /// Its indexes, those of keys left out.
    pub indexes: &'a [Index<'a>],
}

/// Whose table it is, which also decides how it is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The engine's, prefixed `datahub_`: made where it is missing, by whichever program comes first. Its names are plain
    /// words, and stand without quotes.
    Engine,
    /// A model's, whose names are the team's own and are quoted.
    Model,
}

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableColumn<'a> {
    /// Its name.
    pub name: &'a str,
    /// The field that it stores, with a dot before a group's member; of the engine's tables the column itself.
    pub field: &'a str,
    /// What it holds.
    pub contents: Contents,
    /// Whether it may be null.
    pub nullable: bool,
    /// Its name before it was renamed.
    pub was: Option<&'a str>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// What its type says.
    Plain(ColumnType),
    /// Values of a kind, of which the type alone does not show what they mean.
    Values {
        /// The kind.
        kind: Kind,
        /// For `decimal`: the digits after the point.
        scale: Option<u32>,
    },
}

/// What tells a table's rows apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrimaryKey<'a> {
    /// These columns together.
    Columns(&'a [&'a str]),
    /// This column, by which the database numbers the rows itself.
    Numbered(&'a str),
}

/// What every row of a table must satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check<'a> {
    /// A column of text holds one of these words.
    OneOf {
        /// The column.
        column: &'a str,
        /// The words.
        words: &'a [&'a str],
    },
}

/// An index of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index<'a> {
    /// Its name.
    pub name: &'a str,
    /// The columns, in their order.
    pub columns: &'a [&'a str],
    /// Whether no two of its rows may be equal in these columns.
    pub unique: bool,
    /// The rows that are in it.
    pub rows: Rows<'a>,
}

/// Which rows of a table are in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows<'a> {
    /// All of them.
    All,
    /// Those in which this column is null.
    Null(&'a str),
    /// Those in which this column is not null.
    NotNull(&'a str),
}

impl Table<'static> {
    /// The table of a model.
    ///
    /// # Panics
    ///
    /// When the model has no key column, which the derive never emits.
    pub fn of(model: &ModelDescriptor) -> Self {
        Table {
            owner: Owner::Model,
            name: model.table,
            columns: model.columns.iter().map(TableColumn::from).collect(),
            key: PrimaryKey::Columns(std::slice::from_ref(&model.columns[model.key_column()].name)),
            checks: &[],
            indexes: &[],
        }
    }
}

impl<'a> TableColumn<'a> {
    /// A column of this type that may not be null.
    pub const fn new(name: &'a str, ty: ColumnType) -> Self {
        TableColumn { name, field: name, contents: Contents::Plain(ty), nullable: false, was: None }
    }

    /// It may be null.
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// What the database sees of it.
    pub const fn column_type(&self) -> ColumnType {
        self.contents.column_type()
    }
}

impl Contents {
    /// What the database sees of it.
    pub const fn column_type(self) -> ColumnType {
        match self {
            Contents::Plain(ty) => ty,
            Contents::Values { kind, .. } => ColumnType::of(kind),
        }
    }

    /// What it is called: the kind, or the type where there is none.
    pub const fn name(self) -> &'static str {
        match self {
            Contents::Plain(ty) => ty.name(),
            Contents::Values { kind, .. } => kind.name(),
        }
    }
}

impl From<&Column> for TableColumn<'static> {
    fn from(column: &Column) -> Self {
        let Column { name, field, kind, scale, nullable, was, .. } = *column;
        TableColumn { name, field, contents: Contents::Values { kind, scale }, nullable, was }
    }
}

impl PrimaryKey<'_> {
    /// The names of its columns.
    pub const fn columns(&self) -> &[&str] {
        match self {
            PrimaryKey::Columns(columns) => columns,
            PrimaryKey::Numbered(column) => std::slice::from_ref(column),
        }
    }

    /// Whether a column of this name is in it.
    pub fn holds(&self, column: &str) -> bool {
        self.columns().contains(&column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entity, MappingId, Mode, Source};

    #[test]
    fn a_models_table_has_a_column_for_each_of_its_columns() {
        const COLUMNS: &[Column] = &[
            Column::new("name", Kind::String, Source::attribute("Name")).nullable().was("title"),
            Column::new("id", Kind::Guid, Source::Key),
            Column::new("office_size", Kind::Decimal, Source::Local).field("office.size").scale(3),
        ];
        let entity = Entity {
            name: "Firm",
            set: "FirmSet",
            key: "FirmId",
            logical: "firm",
            modified: "ModifiedOn",
            created: "CreatedOn",
            modified_by: "ModifiedBy",
        };
        let model = ModelDescriptor {
            name: "Firm",
            table: "firms",
            mode: Mode::Sync,
            entity,
            attributes: &[],
            columns: COLUMNS,
            constants: &[],
            only: None,
            mapping_id: MappingId(0),
        };
        let column = |name, field, kind, scale| TableColumn {
            name,
            field,
            contents: Contents::Values { kind, scale },
            nullable: false,
            was: None,
        };
        let table = Table::of(&model);
        assert_eq!((table.owner, table.name, table.key), (Owner::Model, "firms", PrimaryKey::Columns(&["id"])));
        assert_eq!(
            *table.columns,
            [
                TableColumn { was: Some("title"), ..column("name", "name", Kind::String, None).nullable() },
                column("id", "id", Kind::Guid, None),
                column("office_size", "office.size", Kind::Decimal, Some(3)),
            ]
        );
        let types: Vec<_> = table.columns.iter().map(|column| (column.column_type(), column.contents.name())).collect();
        assert_eq!(types, [(ColumnType::Text, "string"), (ColumnType::Guid, "guid"), (ColumnType::BigInt, "decimal")]);
    }

    #[test]
    fn a_key_holds_its_columns() {
        let together = PrimaryKey::Columns(&["model", "id"]);
        assert!(together.holds("id") && together.holds("model") && !together.holds("version"));
        assert!(PrimaryKey::Numbered("sequence").holds("sequence") && !PrimaryKey::Numbered("sequence").holds("id"));
    }
}
