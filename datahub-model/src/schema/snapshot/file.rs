//! `schema.toml`: the snapshot as text, with one line for each column, so that two branches merge where they can.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use cdms_odata::Kind;
use serde::{Deserialize, Deserializer, de};

use super::{ColumnSource, Rename, SchemaHash, Snapshot, SnapshotColumn, SnapshotIndex, SnapshotTable};

const HEADER: &str = "# The schema after the last migration. Written by `datahub migrate`; do not edit it.\n";

/// Why a text is not a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct FaultySnapshot {
    reason: String,
    place: Option<Range<usize>>,
}

impl FaultySnapshot {
    fn somewhere(reason: String) -> Self {
        FaultySnapshot { reason, place: None }
    }

    /// The bytes at fault; `None` if they are not known.
    pub fn place(&self) -> Option<Range<usize>> {
        self.place.clone()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    parent: Option<SchemaHash>,
    migration: Option<String>,
    engine: i64,
    #[serde(default)]
    tables: BTreeMap<String, FileTable>,
    #[serde(default)]
    log: FileLog,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTable {
    model: String,
    entity: String,
    #[serde(default)]
    epoch: u32,
    columns: Vec<FileColumn>,
    #[serde(default)]
    indexes: Vec<SnapshotIndex>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileColumn {
    name: String,
    field: String,
    #[serde(deserialize_with = "kind")]
    kind: Kind,
    scale: Option<u32>,
    #[serde(default)]
    nullable: bool,
    default: Option<String>,
    attributes: Option<Vec<String>>,
    source: Option<Source>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    Key,
    Engine,
    Local,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileLog {
    renamed: Vec<FileRename>,
    retired: Vec<Retired>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRename {
    table: Option<String>,
    column: Option<String>,
    to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Retired {
    table: String,
    epoch: u32,
}

fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map_err(|_| de::Error::custom(format!("unknown kind `{name}`")))
}

impl Snapshot {
    /// Reads a `schema.toml`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, with the line if it is not TOML of this form.
    pub fn parse(text: &str) -> Result<Self, FaultySnapshot> {
        if let Some(at) = text.lines().position(|line| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ")) {
            let line = at + 1;
            let start: usize = text.split_inclusive('\n').take(at).map(str::len).sum();
            let end = start + text[start..].lines().next().map_or(0, str::len);
            let reason = format!("line {line} is a mark of an unfinished merge: two branches planned migrations");
            return Err(FaultySnapshot { reason, place: Some(start..end) });
        }
        let file: File =
            toml::from_str(text).map_err(|error| FaultySnapshot { place: error.span(), reason: error.to_string() })?;
        let mut tables = BTreeMap::new();
        for (name, table) in file.tables {
            is_named("table", &name).map_err(FaultySnapshot::somewhere)?;
            let read = SnapshotTable::try_from((name.as_str(), table)).map_err(FaultySnapshot::somewhere)?;
            tables.insert(name, read);
        }
        let renamed = file.log.renamed.into_iter().map(Rename::try_from).collect::<Result<_, _>>();
        Ok(Snapshot {
            parent: file.parent,
            migration: file.migration,
            engine: file.engine,
            tables,
            renamed: renamed.map_err(FaultySnapshot::somewhere)?,
            retired: file.log.retired.into_iter().map(|retired| (retired.table, retired.epoch)).collect(),
        })
    }

    /// The text of `schema.toml`, which [`parse`](Snapshot::parse) reads as the same; without what a plan alone needs.
    pub fn print(&self) -> String {
        let mut text = HEADER.to_owned();
        // Writing to a string does not fail.
        let mut put = |line: std::fmt::Arguments<'_>| _ = text.write_fmt(line);
        if let Some(parent) = self.parent {
            put(format_args!("parent = \"{parent}\"\n"));
        }
        if let Some(migration) = &self.migration {
            put(format_args!("migration = {}\n", quoted(migration)));
        }
        put(format_args!("engine = {}\n", self.engine));
        for (name, table) in &self.tables {
            put(format_args!("\n[tables.{}]\n", key(name)));
            put(format_args!("model = {}\nentity = {}\n", quoted(&table.model), quoted(&table.entity)));
            if table.epoch != 0 {
                put(format_args!("epoch = {}\n", table.epoch));
            }
            put(format_args!("columns = {}\n", lines(table.columns.iter().map(column))));
            if !table.indexes.is_empty() {
                let indexes = table.indexes.iter().map(|SnapshotIndex { name, columns }| {
                    format!("name = {}, columns = {}", quoted(name), list(columns))
                });
                put(format_args!("indexes = {}\n", lines(indexes)));
            }
        }
        if !self.renamed.is_empty() || !self.retired.is_empty() {
            put(format_args!("\n[log]\n"));
        }
        if !self.renamed.is_empty() {
            let renamed = self.renamed.iter().map(|rename| match rename {
                Rename::Column { table, from, to } => {
                    format!("column = {}, to = {}", quoted(&format!("{table}.{from}")), quoted(to))
                }
                Rename::Table { from, to } => format!("table = {}, to = {}", quoted(from), quoted(to)),
            });
            put(format_args!("renamed = {}\n", lines(renamed)));
        }
        if !self.retired.is_empty() {
            let retired =
                self.retired.iter().map(|(table, epoch)| format!("table = {}, epoch = {epoch}", quoted(table)));
            put(format_args!("retired = {}\n", lines(retired)));
        }
        text
    }

    /// The hash of its text.
    pub fn hash(&self) -> SchemaHash {
        SchemaHash::of(&self.print())
    }
}

impl TryFrom<(&str, FileTable)> for SnapshotTable {
    type Error = String;

    fn try_from((name, table): (&str, FileTable)) -> Result<Self, String> {
        let columns = table.columns.into_iter().map(|column| SnapshotColumn::try_from((name, column)));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let of_indexes = table.indexes.iter().flat_map(|index| &index.columns);
        of_indexes.map(String::as_str).try_for_each(|column| is_named("column", column))?;
        table.indexes.iter().try_for_each(|index| is_named("index", &index.name))?;
        if columns.iter().filter(|column| column.source == ColumnSource::Key).count() != 1 {
            return Err(format!("table `{name}` must have one column with `source = \"key\"`"));
        }
        Ok(SnapshotTable {
            model: table.model,
            entity: table.entity,
            was: None,
            epoch: table.epoch,
            columns,
            indexes: table.indexes,
        })
    }
}

impl TryFrom<(&str, FileColumn)> for SnapshotColumn {
    type Error = String;

    fn try_from((table, column): (&str, FileColumn)) -> Result<Self, String> {
        let FileColumn { name, field, kind, scale, nullable, default, attributes, source } = column;
        is_named("column", &name)?;
        let source = match (attributes, source) {
            (Some(attributes), None) => ColumnSource::Attributes(attributes),
            (None, Some(Source::Key)) => ColumnSource::Key,
            (None, Some(Source::Engine)) => ColumnSource::Engine,
            (None, Some(Source::Local)) => ColumnSource::Local,
            _ => return Err(format!("column `{table}.{name}` must have either `attributes` or `source`")),
        };
        Ok(SnapshotColumn { name, field, kind, scale, nullable, default, was: None, source })
    }
}

impl TryFrom<FileRename> for Rename {
    type Error = String;

    fn try_from(rename: FileRename) -> Result<Self, String> {
        let FileRename { table, column, to } = rename;
        let of_column = column.as_deref().into_iter().flat_map(|column| column.splitn(2, '.'));
        let names: Vec<_> = table.as_deref().into_iter().chain(of_column).chain([to.as_str()]).collect();
        names.into_iter().try_for_each(|name| is_named("name", name))?;
        match (table, column.as_deref().and_then(|column| column.rsplit_once('.'))) {
            (Some(from), None) if column.is_none() => Ok(Rename::Table { from, to }),
            (None, Some((table, from))) => Ok(Rename::Column { table: table.to_owned(), from: from.to_owned(), to }),
            _ => Err(format!("the rename to `{to}` must have either `table` or `column = \"table.column\"`")),
        }
    }
}

/// Checks that a name is one that a model can have, as far as SQL is concerned: words that are reserved may not always have
/// been. A merge or a person can write anything into the file.
fn is_named(what: &str, name: &str) -> Result<(), String> {
    const NAME_MAX: usize = 63;
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !name.is_empty() && name.len() <= NAME_MAX && name.bytes().all(is_word) {
        return Ok(());
    }
    Err(format!(
        "invalid {what} {name:?}: it must consist of lowercase letters, digits and underscores, {NAME_MAX} at most; restore the \
         file from version control"
    ))
}

/// What a column's line says.
fn column(column: &SnapshotColumn) -> String {
    let SnapshotColumn { name, field, kind, scale, nullable, default, source, was: _ } = column;
    let mut line = format!("name = {}, field = {}, kind = \"{kind}\"", quoted(name), quoted(field));
    // Writing to a string does not fail.
    let mut put = |part: std::fmt::Arguments<'_>| _ = line.write_fmt(part);
    if let Some(scale) = scale {
        put(format_args!(", scale = {scale}"));
    }
    if *nullable {
        put(format_args!(", nullable = true"));
    }
    if let Some(default) = default {
        put(format_args!(", default = {}", quoted(default)));
    }
    match source {
        ColumnSource::Key => put(format_args!(", source = \"key\"")),
        ColumnSource::Engine => put(format_args!(", source = \"engine\"")),
        ColumnSource::Local => put(format_args!(", source = \"local\"")),
        ColumnSource::Attributes(attributes) => put(format_args!(", attributes = {}", list(attributes))),
    }
    line
}

/// An array of inline tables, one on each line.
fn lines(items: impl Iterator<Item = String>) -> String {
    let lines: String = items.map(|item| format!("    {{ {item} }},\n")).collect();
    format!("[\n{lines}]")
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A key as TOML writes it.
fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_bare { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"# The schema after the last migration. Written by `datahub migrate`; do not edit it.
parent = "0d3f6c1e5a7b9824"
migration = "20261130094502_add_fax_contract"
engine = 6

[tables.contacts]
model = "Contact"
entity = "Contact"
epoch = 1
columns = [
    { name = "id", field = "id", kind = "guid", source = "key" },
    { name = "ratio", field = "ratio", kind = "decimal", scale = 3, nullable = true, attributes = ["A", "B"] },
    { name = "note", field = "note", kind = "string", default = '"a \ b"', source = "local" },
    { name = "changed", field = "changed", kind = "datetime", source = "engine" },
]
indexes = [
    { name = "contacts_ratio_idx", columns = ["ratio", "note"] },
]

[tables.odd_name]
model = "Odd"
entity = ""
columns = [
    { name = "id", field = "id", kind = "guid", source = "key" },
]

[log]
renamed = [
    { table = "people", to = "contacts" },
    { column = "contacts.remark", to = "note" },
]
retired = [
    { table = "people", epoch = 1 },
]
"#;

    #[test]
    fn what_is_printed_is_read_as_the_same() {
        let snapshot = Snapshot::parse(WHOLE).unwrap();
        assert_eq!(snapshot.print(), WHOLE);
        assert_eq!(snapshot.hash(), SchemaHash::of(WHOLE));
        assert_eq!((snapshot.epoch("contacts"), snapshot.epoch("people")), (1, 0));
        assert_eq!(Snapshot::parse(&Snapshot::default().print()).unwrap(), Snapshot::default());
    }

    #[test]
    fn a_faulty_file_says_what_is_wrong() {
        for (from, to, expected) in [
            ("kind = \"decimal\"", "kind = \"desimal\"", "unknown kind `desimal`"),
            ("nullable = true", "nulable = true", "unknown field `nulable`"),
            ("source = \"engine\"", "", "column `contacts.changed` must have either `attributes` or `source`"),
            ("kind = \"guid\", source = \"key\"", "kind = \"guid\", source = \"local\"", "must have one column with"),
            ("0d3f", "0D3F", "16 hexadecimal digits"),
            ("{ table = \"people\", to", "{ to", "the rename to `contacts` must have either `table` or"),
            ("odd_name", "\"odd.name\"", "invalid table \"odd.name\""),
            ("name = \"note\"", "name = \"note\\\"; DROP TABLE a\"", "invalid column \"note\\\"; DROP"),
            ("engine = 6\n", "<<<<<<< HEAD\nengine = 6\n", "line 4 is a mark of an unfinished merge"),
        ] {
            let error = Snapshot::parse(&WHOLE.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(expected), "{to}: {error}");
        }
    }
}
