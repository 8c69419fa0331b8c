//! Random schemas, and random changes of them of which it is known what became of each table and column.

use std::collections::BTreeMap;

use cdms_odata::Kind;
use datahub_migrate::{Answers, Snapshot};
use datahub_model::schema::{ColumnSource, SnapshotColumn, SnapshotIndex, SnapshotTable};
use fastrand::Rng;

/// A schema, in which every name is unique.
pub(crate) struct World<'r> {
    pub(crate) rng: &'r mut Rng,
    pub(crate) tables: BTreeMap<String, SnapshotTable>,
    names: u32,
}

/// What a change did.
#[derive(Default)]
pub(crate) struct Changed {
    /// The new name of each table that stays, by its former name.
    pub(crate) tables: BTreeMap<String, String>,
    /// The new name of each column that stays, by the former names of table and column.
    pub(crate) columns: BTreeMap<(String, String), String>,
    /// Renames that no `was` states.
    pub(crate) answers: Answers,
}

impl<'r> World<'r> {
    pub(crate) fn new(rng: &'r mut Rng) -> Self {
        let mut world = World { rng, tables: BTreeMap::new(), names: 0 };
        for _ in 0..world.rng.usize(1..3) {
            world.add_table();
        }
        world
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut tables = self.tables.clone();
        for (name, table) in &mut tables {
            let lookups = table.columns.iter().filter(|column| column.kind == Kind::Lookup);
            table.indexes = lookups.map(|column| SnapshotIndex::of_column(name, &column.name)).collect();
        }
        Snapshot { engine: 6, tables, ..Snapshot::default() }
    }

    fn one_in(&mut self, of: u8) -> bool {
        self.rng.u8(..of) == 0
    }

    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        // Some names are as long as a name may be, so that those made from them must be shortened.
        if self.one_in(12) { format!("{prefix}{:_>60}", self.names) } else { format!("{prefix}{}", self.names) }
    }

    fn add_table(&mut self) {
        let mut columns = vec![SnapshotColumn { source: ColumnSource::Key, ..self.column(Kind::Guid, false) }];
        columns[0].default = None;
        for _ in 0..self.rng.usize(..5) {
            let column = self.any_column();
            columns.push(column);
        }
        let name = self.name("t");
        let table = SnapshotTable {
            model: name.clone(),
            entity: name.clone(),
            was: None,
            epoch: 0,
            columns,
            indexes: Vec::new(),
        };
        self.tables.insert(name, table);
    }

    fn any_column(&mut self) -> SnapshotColumn {
        let (kind, nullable) = (Kind::ALL[self.rng.usize(..Kind::ALL.len())], self.rng.bool());
        self.column(kind, nullable)
    }

    fn column(&mut self, kind: Kind, nullable: bool) -> SnapshotColumn {
        let name = self.name("c");
        let source = match self.rng.u8(..5) {
            0 if matches!(kind, Kind::DateTime | Kind::Guid) => ColumnSource::Engine,
            0 | 1 => ColumnSource::Local,
            _ => ColumnSource::Attributes(vec!["Name".to_owned()]),
        };
        let mut column =
            SnapshotColumn { field: name.clone(), name, kind, scale: None, nullable, default: None, was: None, source };
        self.complete(&mut column);
        column
    }

    /// Gives a column a scale and perhaps a default, as its kind allows.
    fn complete(&mut self, column: &mut SnapshotColumn) {
        column.scale = (column.kind == Kind::Decimal).then(|| self.rng.u32(..8));
        let default = match column.kind {
            _ if column.nullable || self.rng.bool() => None,
            Kind::String => Some("\"a 'default'\""),
            Kind::Integer => Some("- 7"),
            Kind::Boolean => Some("true"),
            Kind::Choice => Some("Rating :: Good"),
            Kind::Money | Kind::Double => Some("of the type"),
            _ => None,
        };
        column.default = default.map(str::to_owned);
    }

    /// Changes the schema.
    pub(crate) fn change(&mut self) -> Changed {
        let mut changed = Changed::default();
        let before = std::mem::take(&mut self.tables);
        for (former, mut table) in before {
            if self.one_in(10) {
                continue;
            }
            let name = if self.one_in(6) { self.name("t") } else { former.clone() };
            table.was = None;
            if name != former {
                if self.rng.bool() {
                    table.was = Some(former.clone());
                } else {
                    changed.answers.rename.insert(former.clone(), name.clone());
                }
            }
            self.change_columns(&former, &mut table, &mut changed);
            changed.tables.insert(former, name.clone());
            self.tables.insert(name, table);
        }
        if self.tables.is_empty() || self.one_in(4) {
            self.add_table();
        }
        changed
    }

    fn change_columns(&mut self, former: &str, table: &mut SnapshotTable, changed: &mut Changed) {
        // Changes that exclude an older program are rare, so that most of the others are made beside one.
        let is_calm = !self.one_in(3);
        let mut columns = Vec::new();
        for mut column in std::mem::take(&mut table.columns) {
            let is_key = column.source == ColumnSource::Key;
            if !is_key && self.one_in(7) {
                continue;
            }
            column.was = None;
            let former_column = column.name.clone();
            if self.one_in(if is_key && is_calm { 100 } else { 5 }) {
                column.name = self.name("c");
                if self.rng.bool() || is_key {
                    column.was = Some(former_column.clone());
                } else {
                    let answer = (format!("{former}.{former_column}"), column.name.clone());
                    changed.answers.rename.insert(answer.0, answer.1);
                }
            }
            if !is_key && column.source != ColumnSource::Engine {
                if self.one_in(5) {
                    column.nullable = !column.nullable;
                    self.complete_default(&mut column);
                }
                if !is_calm && self.one_in(3) {
                    column.kind = Kind::ALL[self.rng.usize(..Kind::ALL.len())];
                    self.complete(&mut column);
                } else if self.one_in(8) {
                    // Another kind that is stored in the same way.
                    column.kind = match column.kind {
                        Kind::Integer => Kind::Choice,
                        Kind::Choice => Kind::Status,
                        Kind::Guid => Kind::Lookup,
                        Kind::Lookup => Kind::Guid,
                        kind => kind,
                    };
                    self.complete_default(&mut column);
                }
            }
            changed.columns.insert((former.to_owned(), former_column), column.name.clone());
            columns.push(column);
        }
        for _ in 0..self.rng.usize(..3) {
            let column = self.any_column();
            columns.push(column);
        }
        table.columns = columns;
    }

    fn complete_default(&mut self, column: &mut SnapshotColumn) {
        let scale = column.scale;
        self.complete(column);
        column.scale = scale;
    }
}
