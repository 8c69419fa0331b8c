//! The schema after the last migration, as `migrations/schema.toml` keeps it: what the next plan starts from, and what a
//! derive knows of the database.

mod file;
mod known;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use cdms_odata::Kind;
use serde::{Deserialize, Deserializer, de};
use sha2::{Digest as _, Sha256};

use super::{ColumnType, Contents, TableColumn};
use crate::source::{Mapping, ResolvedColumn, ResolvedSource};

pub use file::FaultySnapshot;

/// The tables of all models after a migration, and what must be remembered of earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// The hash of the snapshot before; `None` for the first.
    pub parent: Option<SchemaHash>,
    /// The folder of the last migration.
    pub migration: Option<String>,
    /// The revision of the engine's tables; 0 if they do not exist.
    pub engine: i64,
    /// The tables, by name.
    pub tables: BTreeMap<String, SnapshotTable>,
    /// Every rename, oldest first.
    pub renamed: Vec<Rename>,
    /// The tables that no longer exist, with the epoch at which they went.
    pub retired: BTreeMap<String, u32>,
}

/// A model's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotTable {
    /// The struct's name.
    pub model: String,
    /// The entity's name.
    pub entity: String,
    /// The table's name before it was renamed; only while a plan is made.
    pub was: Option<String>,
    /// Its epoch.
    pub epoch: u32,
    /// Its columns, in the order of the fields.
    pub columns: Vec<SnapshotColumn>,
    /// Its indexes.
    pub indexes: Vec<SnapshotIndex>,
}

/// A column of a model's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotColumn {
    /// Its name.
    pub name: String,
    /// The path of its field, with a dot before a group's member.
    pub field: String,
    /// The kind of its values.
    pub kind: Kind,
    /// For `decimal`: the number of decimal places.
    pub scale: Option<u32>,
    /// Whether it may be null.
    pub nullable: bool,
    /// The default that stands for a null, as written in Rust.
    pub default: Option<String>,
    /// Its name before it was renamed; only while a plan is made.
    pub was: Option<String>,
    /// Where its values come from.
    pub source: ColumnSource,
}

/// Where a column's values come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnSource {
    /// The record's id.
    Key,
    /// The engine.
    Engine,
    /// These attributes of CDMS.
    Attributes(Vec<String>),
    /// The hub alone.
    Local,
}

/// An index of a model's table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotIndex {
    /// Its name.
    pub name: String,
    /// Its columns, in their order.
    pub columns: Vec<String>,
}

/// A rename that a migration made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rename {
    /// Of a column.
    Column {
        /// The table, by its name at that time.
        table: String,
        /// The column before.
        from: String,
        /// The column after.
        to: String,
    },
    /// Of a table.
    Table {
        /// The table before.
        from: String,
        /// The table after.
        to: String,
    },
}

/// The hash of a schema or of another text: the first 8 bytes of its SHA-256, written as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaHash(u64);

/// The length of the longest name that PostgreSQL keeps whole, in bytes.
const NAME_MAX: usize = 63;

impl Snapshot {
    /// The schema that models need, with the engine's tables of a revision. Epochs, renames and parents are those of a
    /// first snapshot; a plan fills them in.
    pub fn of<'m>(models: impl IntoIterator<Item = &'m Mapping>, engine: i64) -> Self {
        let tables = models.into_iter().map(|model| (model.table.clone(), SnapshotTable::of(model)));
        Snapshot { engine, tables: tables.collect(), ..Snapshot::default() }
    }

    /// The epoch of a table: 0 if the snapshot does not know it.
    pub fn epoch(&self, table: &str) -> u32 {
        self.tables.get(table).map_or(0, |table| table.epoch)
    }
}

impl SnapshotTable {
    /// The table of a model.
    pub fn of(model: &Mapping) -> Self {
        let columns: Vec<_> = model.columns.iter().map(SnapshotColumn::of).collect();
        let lookups = columns.iter().filter(|column| column.kind == Kind::Lookup);
        let indexes = lookups.map(|column| SnapshotIndex::of_column(&model.table, &column.name)).collect();
        let entity = model.contract.entity.clone();
        SnapshotTable { model: model.name.clone(), entity, was: model.was.clone(), epoch: 0, columns, indexes }
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&SnapshotColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The key column.
    ///
    /// # Panics
    ///
    /// If it has none, which neither a resolved mapping nor a snapshot that was read allows.
    pub fn key(&self) -> &SnapshotColumn {
        let key = self.columns.iter().find(|column| column.source == ColumnSource::Key);
        key.unwrap_or_else(|| panic!("the table of model {} has no key", self.model))
    }
}

impl SnapshotColumn {
    /// The column as the schema describes it.
    pub fn described(&self) -> TableColumn<'_> {
        let contents = Contents::Values { kind: self.kind, scale: self.scale };
        TableColumn {
            name: &self.name,
            field: &self.field,
            contents,
            nullable: self.nullable,
            was: self.was.as_deref(),
        }
    }

    /// Its type in a database.
    pub fn column_type(&self) -> ColumnType {
        ColumnType::of(self.kind)
    }

    fn of(column: &ResolvedColumn) -> Self {
        let ResolvedColumn { name, field, kind, nullable, scale, was, default, source, .. } = column;
        let source = match source {
            ResolvedSource::Key => ColumnSource::Key,
            ResolvedSource::Engine(_) => ColumnSource::Engine,
            ResolvedSource::Local => ColumnSource::Local,
            attributes => ColumnSource::Attributes(attributes.attributes().into_iter().map(str::to_owned).collect()),
        };
        SnapshotColumn {
            name: name.clone(),
            field: field.clone(),
            kind: *kind,
            scale: scale.filter(|_| *kind == Kind::Decimal),
            nullable: *nullable,
            default: default.clone(),
            was: was.clone(),
            source,
        }
    }
}

impl SnapshotIndex {
    /// The index of a table's column. Its name joins both; if that is too long, a hash replaces its end.
    pub fn of_column(table: &str, column: &str) -> Self {
        let mut name = format!("{table}_{column}_idx");
        if name.len() > NAME_MAX {
            let hash = SchemaHash::of(&name);
            let mut end = NAME_MAX - 17;
            while !name.is_char_boundary(end) {
                end -= 1;
            }
            name.truncate(end);
            name = format!("{name}_{hash}");
        }
        SnapshotIndex { name, columns: vec![column.to_owned()] }
    }
}

impl SchemaHash {
    /// The hash of a text.
    pub fn of(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        SchemaHash(digest.iter().take(8).fold(0, |hash, byte| (hash << 8) | u64::from(*byte)))
    }
}

impl fmt::Display for SchemaHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Why a text is not the hash of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hash of a schema must have 16 hexadecimal digits in lowercase")]
pub struct NotAHash;

impl FromStr for SchemaHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 16 || !text.bytes().all(is_digit) {
            return Err(NotAHash);
        }
        u64::from_str_radix(text, 16).map(SchemaHash).map_err(|_| NotAHash)
    }
}

impl<'de> Deserialize<'de> for SchemaHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_beginning_of_the_sha256() {
        let hash = SchemaHash::of("abc");
        assert_eq!(hash.to_string(), "ba7816bf8f01cfea");
        assert_eq!("ba7816bf8f01cfea".parse(), Ok(hash));
        for text in ["ba7816bf8f01cfe", "BA7816BF8F01CFEA", "+a7816bf8f01cfea", "ba7816bf8f01cfea0"] {
            assert_eq!(text.parse::<SchemaHash>(), Err(NotAHash), "{text}");
        }
    }

    #[test]
    fn the_name_of_an_index_is_never_cut_off_by_postgres() {
        assert_eq!(SnapshotIndex::of_column("contacts", "company_id").name, "contacts_company_id_idx");
        let long = |column: &str| SnapshotIndex::of_column(&"é".repeat(30), column).name;
        assert!(long("company_one").len() <= NAME_MAX);
        assert_ne!(long("company_one"), long("company_two"));
    }
}
