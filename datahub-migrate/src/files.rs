//! The files of a plan: a folder for each of its parts and databases, the snapshot, and its hash.

use std::collections::BTreeMap;

use chrono::{NaiveDateTime, TimeDelta};
use datahub_model::schema::{Database, SchemaHash};

use crate::plan::{Answers, LossKind, Part, PartKind, Plan};
use crate::{Metadata, Migration, Summary, sql};

/// The files of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The folders, by database and in the order of execution.
    pub folders: Vec<PlannedFolder>,
    /// The text of `schema.toml`.
    pub schema: String,
    /// The text of `HEAD`.
    pub head: String,
}

/// The folder of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedFolder {
    /// The database.
    pub database: Database,
    /// Its name.
    pub name: String,
    /// The text of `up.sql`.
    pub up: String,
    /// The text of `metadata.toml`.
    pub metadata: String,
}

/// The folder of a database's migrations, in the folder of all migrations.
pub const fn folder_of(database: Database) -> &'static str {
    match database {
        Database::Sqlite => "sqlite",
        Database::Postgres => "postgres",
    }
}

impl Plan {
    /// The files of the plan, for databases of which at least one is given.
    ///
    /// `before` is the hash of the snapshot that was planned from, or `None` for the first plan. The folders are called
    /// after a time, with a second between them, and the name, which must consist of lowercase letters, digits and
    /// underscores.
    pub fn files(
        &self,
        before: Option<SchemaHash>,
        name: &str,
        time: NaiveDateTime,
        databases: &[Database],
        answers: &Answers,
    ) -> Files {
        let parts: Vec<_> = databases.iter().map(|database| (*database, self.parts(*database))).collect();
        let has_work = |kind: PartKind| parts.iter().any(|(_, parts)| !parts[kind as usize].is_empty());
        let mut kinds: Vec<_> = PartKind::ALL.into_iter().filter(|kind| has_work(*kind)).collect();
        if kinds.is_empty() {
            kinds.push(PartKind::Expand);
        }
        let named = |(second, kind): (usize, &PartKind)| {
            // A plan has six parts at most.
            let at = time + TimeDelta::seconds(i64::try_from(second).unwrap_or_default());
            format!("{}_{name}{}", at.format("%Y%m%d%H%M%S"), kind.suffix())
        };
        let names: Vec<String> = kinds.iter().enumerate().map(named).collect();
        let mut snapshot = self.target.clone();
        snapshot.parent = before;
        snapshot.migration = names.last().cloned();
        let schema = snapshot.print();
        let hash = SchemaHash::of(&schema);
        let mut folders = Vec::new();
        for (database, parts) in &parts {
            for (kind, name) in kinds.iter().zip(&names) {
                let part = &parts[*kind as usize];
                let up = sql::up(part, *database);
                let is_first = *kind == kinds[0];
                let metadata = Metadata {
                    run_in_transaction: kind.in_transaction(*database),
                    phase: kind.phase(),
                    plan: Some(names[0].clone()),
                    from: before,
                    to: Some(hash),
                    planned: None,
                    replaces: Vec::new(),
                    drop: self.dropped_by(*kind, is_first),
                    rename: if is_first { rename_answers(answers) } else { Vec::new() },
                    summary: if is_first { Summary::of(self).text() } else { part_of(&names[0], part) },
                    epochs: part.epochs.clone(),
                    checks: part.checks.clone(),
                };
                folders.push(planned(*database, name.clone(), up, metadata));
            }
        }
        Files { folders, schema, head: format!("{hash}\n") }
    }

    /// The folder with which a database begins that joins a project later: the whole plan at once, under the name of the
    /// other database's last migration, and with its place among the plans.
    pub fn joining(&self, database: Database, last: &Migration) -> PlannedFolder {
        let steps = self.parts(database).into_iter().flat_map(|part| part.steps).collect();
        let whole = Part { kind: PartKind::Expand, steps, checks: Vec::new(), epochs: BTreeMap::new() };
        let up = sql::up(&whole, database);
        let Metadata { from, to, .. } = last.metadata;
        let metadata = Metadata {
            plan: Some(last.plan().to_owned()),
            from,
            to,
            summary: Summary::of(self).text(),
            ..Metadata::default()
        };
        planned(database, last.name.clone(), up, metadata)
    }

    /// The losses that a part brings about.
    fn dropped_by(&self, kind: PartKind, is_first: bool) -> Vec<String> {
        let is_of = |loss: LossKind| match loss {
            LossKind::Table | LossKind::Column => kind == PartKind::Contract,
            LossKind::Unconverted => kind == PartKind::Switch,
            LossKind::Overwritten => is_first,
        };
        self.losses.iter().filter(|loss| is_of(loss.kind)).map(|loss| loss.name.clone()).collect()
    }
}

/// Notes in planned folders which ones they replace, of those of an earlier plan that execute the same, in the same order.
pub fn note_replaced<'m>(
    folders: &mut [PlannedFolder],
    database: Database,
    former: impl Iterator<Item = &'m Migration>,
) {
    let mut former = former.collect::<Vec<_>>().into_iter();
    for folder in folders.iter_mut().filter(|folder| folder.database == database) {
        // It was printed from metadata.
        let Ok(metadata) = Metadata::parse(&folder.metadata) else { continue };
        let does_the_same = |one: &&Migration| Some(one.metadata.hash_with(&one.up)) == metadata.planned;
        let rest = former.clone();
        let Some(one) = former.find(does_the_same) else {
            former = rest;
            continue;
        };
        let replaces = [one.name.clone()].into_iter().chain(one.replaces().iter().cloned()).collect();
        folder.metadata = Metadata { replaces, ..metadata }.print();
    }
}

/// The folder of a migration, which notes what was planned.
fn planned(database: Database, name: String, up: String, metadata: Metadata) -> PlannedFolder {
    let metadata = Metadata { planned: Some(metadata.hash_with(&up)), ..metadata };
    PlannedFolder { database, name, up, metadata: metadata.print() }
}

fn rename_answers(answers: &Answers) -> Vec<String> {
    answers.rename.iter().map(|(from, to)| format!("{from} = {to}")).collect()
}

fn part_of(plan: &str, part: &Part) -> String {
    let what = match part.kind {
        PartKind::Expand => "what older programs can live with",
        PartKind::Fill => "fills columns and creates indexes while programs run",
        PartKind::Carry => "gives what the engine keeps of renamed tables their new names, in batches",
        PartKind::Switch => "what two versions of a program cannot share",
        PartKind::Validate => "proves that no row breaks a new rule",
        PartKind::Contract => "what older programs cannot live with",
    };
    format!("Part of {plan}: {what}.\n")
}
