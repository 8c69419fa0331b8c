//! A table: its columns, primary key, checks and indexes.

use std::borrow::Cow;

use cdms_odata::Kind;

use super::ColumnType;
use crate::{Column, ModelDescriptor};

/// The description of a table, by which it is created and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table<'a> {
    /// The table's owner.
    pub owner: Owner,
    /// Its name.
    pub name: &'a str,
    /// Its columns, in their order.
    pub columns: Cow<'a, [TableColumn<'a>]>,
    /// Its primary key.
    pub key: PrimaryKey<'a>,
    /// Conditions that every row must also satisfy.
    pub checks: &'a [Check<'a>],
    /// Its indexes, without those of keys.
    pub indexes: &'a [Index<'a>],
}

/// The owner of a table, which also determines how names are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The engine's table, prefixed `datahub_`. The first program that finds it missing creates it. Its names are plain
    /// words and are not quoted.
    Engine,
    /// A model's table. Its names are chosen by the team and are quoted.
    Model,
}

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableColumn<'a> {
    /// Its name.
    pub name: &'a str,
    /// The path of the field that it stores, with a dot before a group's member; for the engine's tables the column's
    /// own name.
    pub field: &'a str,
    /// Its contents.
    pub contents: Contents,
    /// Whether it is nullable.
    pub nullable: bool,
    /// Its former name.
    pub was: Option<&'a str>,
}

/// The contents of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// A plain type.
    Plain(ColumnType),
    /// Values of a kind, whose meaning the type alone does not show.
    Values {
        /// The kind.
        kind: Kind,
        /// For `decimal`: the number of decimal places.
        scale: Option<u32>,
    },
}

/// A table's primary key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrimaryKey<'a> {
    /// These columns together.
    Columns(&'a [&'a str]),
    /// This column, which the database numbers itself.
    Numbered(&'a str),
}

/// A condition that every row of a table must satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check<'a> {
    /// A text column holds one of these words.
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
    /// Whether no two of its rows may have equal values in these columns.
    pub unique: bool,
    /// The rows that the index contains.
    pub rows: Rows<'a>,
}

/// The rows of a table that an index contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows<'a> {
    /// All of them.
    All,
    /// Rows in which this column is null.
    Null(&'a str),
    /// Rows in which this column is not null.
    NotNull(&'a str),
}

impl Table<'static> {
    /// The table of a model.
    ///
    /// # Panics
    ///
    /// If the model has no key column, which the derive never emits.
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
    /// A non-nullable column of this type.
    pub const fn new(name: &'a str, ty: ColumnType) -> Self {
        TableColumn { name, field: name, contents: Contents::Plain(ty), nullable: false, was: None }
    }

    /// Makes the column nullable.
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// Its type in the database.
    pub const fn column_type(&self) -> ColumnType {
        self.contents.column_type()
    }
}

impl Contents {
    /// Its type in the database.
    pub const fn column_type(self) -> ColumnType {
        match self {
            Contents::Plain(ty) => ty,
            Contents::Values { kind, .. } => ColumnType::of(kind),
        }
    }

    /// The name of its kind, or of its type if it has no kind.
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

    /// Whether a column of this name is part of the key.
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
            captured: &[],
            columns: COLUMNS,
            constants: &[],
            only: None,
            mapping_id: MappingId(0),
            epoch: 0,
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
