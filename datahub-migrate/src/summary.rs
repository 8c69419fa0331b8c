//! A plan in plain words: what happens to the data, what fills itself and when, and what is left to do by hand.

use datahub_model::schema::{ColumnSource, Database, SnapshotColumn, SnapshotTable};

use crate::change::{ColumnChange, IndexChange, KeptTable, TableChange};
use crate::conversion::Conversion;
use crate::plan::Plan;
use crate::sql::initial;
use crate::{Part, Phase};

/// A plan in plain words. Each line is a sentence without its mark.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Summary {
    /// What happens to tables, columns and values.
    pub changes: Vec<String>,
    /// What is lost, with consent, and what is kept of it.
    pub losses: Vec<String>,
    /// What fills itself, and when.
    pub fills: Vec<String>,
    /// What is left to do by hand.
    pub left: Vec<String>,
}

/// When the parts of a plan are executed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    InParts,
    AtOnce,
}

impl When {
    /// What is said of a change that the last part brings about.
    const fn last(self) -> &'static str {
        match self {
            When::InParts => " by the last part",
            When::AtOnce => "",
        }
    }
}

impl Summary {
    /// The summary of a plan, which is executed part by part while programs are replaced.
    pub fn of(plan: &Plan) -> Self {
        Summary::when(plan, When::InParts)
    }

    /// The summary of a plan of which all parts are executed at once, such as a way back.
    pub fn at_once(plan: &Plan) -> Self {
        Summary::when(plan, When::AtOnce)
    }

    fn when(plan: &Plan, when: When) -> Self {
        let mut summary = Summary::default();
        match plan.changes.engine {
            Some(0) => summary.changes.push(
                "the engine's own tables are created; tables that exist, such as those of create_tables, stay as they are"
                    .to_owned(),
            ),
            Some(from) => {
                summary
                    .changes
                    .push(format!("the engine's own tables of revision {from} get what newer programs need"));
            }
            None => {}
        }
        for change in &plan.changes.tables {
            match change {
                TableChange::New { name, table } => summary.new_table(name, table),
                TableChange::Dropped { name, .. } => {
                    summary.changes.push(format!("table {name} is dropped{}", when.last()));
                }
                TableChange::Kept(table) => summary.table(table, when),
            }
        }
        summary.losses.extend(plan.losses.iter().map(|loss| loss.explain().replace(" would be ", " are ")));
        let switches =
            plan.changes.tables.iter().any(|change| matches!(change, TableChange::Kept(table) if table.is_switched()));
        let parts = [Database::Sqlite, Database::Postgres].map(|database| plan.parts(database));
        let is_contracted = |part: &Part| part.kind.phase() == Phase::Contract && !part.is_empty();
        if switches {
            summary.left.push(
                "older and newer programs cannot share these tables: run `datahub migrate run`, stop the older programs, \
                 run `datahub migrate run --contract`, then start the newer ones"
                    .to_owned(),
            );
        } else if parts.iter().flatten().any(is_contracted) {
            summary.left.push(
                "run `datahub migrate run`, replace the older programs, and when the last of them is gone, run \
                 `datahub migrate run --contract`"
                    .to_owned(),
            );
        }
        summary
    }

    /// Its lines with a heading for each group that is not empty.
    pub fn text(&self) -> String {
        let groups = [
            ("What happens", &self.changes),
            ("What is lost", &self.losses),
            ("What fills itself", &self.fills),
            ("What is left to do", &self.left),
        ];
        let mut text = String::new();
        for (heading, lines) in groups.into_iter().filter(|(_, lines)| !lines.is_empty()) {
            text.push_str(heading);
            text.push_str(":\n");
            for line in lines {
                text.push_str("- ");
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }

    fn new_table(&mut self, name: &str, table: &SnapshotTable) {
        self.changes.push(format!("table {name} is created, without rows"));
        if table.columns.iter().any(|column| matches!(column.source, ColumnSource::Attributes(_))) {
            let model = &table.model;
            self.fills.push(format!("{name} gets its rows from CDMS, when {model} is pulled or a record is read"));
        }
    }

    fn table(&mut self, table: &KeptTable, when: When) {
        let last = when.last();
        let KeptTable { from, to, .. } = table;
        if from != to {
            self.changes.push(format!("table {from} becomes {to}, with its rows, local fields and history"));
            self.changes.push(format!(
                "the history of {from} is rewritten in batches, while no program works on {from}; writes to other tables go on"
            ));
        }
        for column in &table.columns {
            match column {
                ColumnChange::New(column) => self.new_column(to, column, when),
                ColumnChange::Dropped(column) if column.source == ColumnSource::Engine => {
                    let name = &column.name;
                    self.changes.push(format!("{to}.{name} is dropped{last}; the engine keeps its values"));
                }
                ColumnChange::Dropped(column) => {
                    self.changes.push(format!("{to}.{} is dropped{last}", column.name));
                }
                ColumnChange::Kept { from, to: after, conversion } => {
                    self.column(table, (from, after), *conversion, when);
                }
            }
        }
        for index in &table.indexes {
            match index {
                IndexChange::New(index) => {
                    self.changes.push(format!("{to} gets an index on {}", index.columns.join(", ")));
                }
                IndexChange::Dropped(index) => self.changes.push(format!("index {} of {to} is dropped", index.name)),
                IndexChange::Renamed { .. } => {}
            }
        }
    }

    fn new_column(&mut self, table: &str, column: &SnapshotColumn, when: When) {
        let name = format!("{table}.{}", column.name);
        match (&column.source, initial(column)) {
            (ColumnSource::Attributes(attributes), _) => {
                self.changes.push(format!("{name} is added, empty"));
                self.fills.push(format!(
                    "{name} fills itself from {}: from what was kept of each record if its contract captures it, \
                     otherwise by a backfill or when the record is read",
                    attributes.join(" and ")
                ));
            }
            (ColumnSource::Local, _) if column.nullable => self.changes.push(format!("{name} is added, empty")),
            (ColumnSource::Local, Some(value)) => {
                self.changes.push(format!("{name} is added, with {value} in every row"));
            }
            (ColumnSource::Local, None) => {
                self.changes.push(format!("{name} is added, empty"));
                self.left.push(format!(
                    "{name} needs a value in every row before the last part, and its default is no literal: \
                     UPDATE {table} SET {} = … WHERE {} IS NULL",
                    column.name, column.name
                ));
            }
            (ColumnSource::Key | ColumnSource::Engine, _) => {
                self.changes.push(format!("{name} is added, empty"));
                self.fills.push(format!("{name} fills itself when a record is read"));
            }
        }
        if !column.nullable {
            self.changes.push(format!("{name} becomes NOT NULL{}, when every row has a value", when.last()));
        }
    }

    fn column(
        &mut self,
        table: &KeptTable,
        (from, to): (&SnapshotColumn, &SnapshotColumn),
        conversion: Conversion,
        when: When,
    ) {
        let last = when.last();
        let (before, after) = (format!("{}.{}", table.from, from.name), format!("{}.{}", table.to, to.name));
        if from.name != to.name && !table.is_switched() && when == When::InParts {
            self.changes.push(format!(
                "{before} becomes {}; until the last part both exist, and triggers keep them equal",
                to.name
            ));
        } else if from.name != to.name {
            self.changes.push(format!("{before} becomes {}", to.name));
        }
        let kind = |column: &SnapshotColumn| match column.scale {
            Some(scale) => format!("{}({scale})", column.kind),
            None => column.kind.to_string(),
        };
        match conversion {
            Conversion::Same if kind(from) == kind(to) => {}
            Conversion::Same => {
                self.changes.push(format!("{after} is {} instead of {}, stored in the same way", kind(to), kind(from)));
            }
            Conversion::Total => {
                self.changes.push(format!("{after} is converted from {} to {}", kind(from), kind(to)));
            }
            Conversion::Partial => self.changes.push(format!(
                "{after} is converted from {} to {}; the migration refuses if a value cannot be converted. Correct such \
                 values, write a conversion of your own into up.sql, or give all values up with `--drop {before}`",
                kind(from),
                kind(to)
            )),
            Conversion::None => {
                self.changes.push(format!("{after} is {} instead of {}, and begins empty", kind(to), kind(from)));
                if let ColumnSource::Attributes(attributes) = &to.source {
                    self.fills.push(format!("{after} fills itself from {}", attributes.join(" and ")));
                }
            }
        }
        match (from.nullable, to.nullable) {
            (true, false) => match initial(to) {
                Some(value) => {
                    self.changes.push(format!("{after} becomes NOT NULL{last}; a null becomes {value}"));
                }
                None => {
                    self.changes.push(format!("{after} becomes NOT NULL{last}, when no row has null"));
                }
            },
            (false, true) => {
                self.changes.push(format!("{after} may be null; an older program reports such a row as a data fault"));
            }
            (false, false) | (true, true) => {}
        }
    }
}
