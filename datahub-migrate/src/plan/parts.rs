//! What a plan executes when: from its changes to steps in up to six parts, so that an older and a newer version of a
//! program can work on the database between them.

mod column;
mod index;
mod table;

use std::collections::BTreeMap;

use datahub_model::schema::Database;

use super::Plan;
use crate::change::TableChange;
use crate::step::Step;
use crate::{Check, Phase};

/// When a part is executed, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartKind {
    /// What older programs can live with.
    Expand,
    /// What takes long and needs no transaction: filling columns in batches, and creating indexes.
    Fill,
    /// What takes long and needs the older programs to be gone: what the engine keeps of a renamed table's rows gets the
    /// new name, in batches.
    Carry,
    /// What two versions of a program cannot share.
    Switch,
    /// What proves that no row breaks a rule, without a long lock.
    Validate,
    /// What older programs cannot live with.
    Contract,
}

/// A part of a plan for one database, which becomes a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// When it is executed.
    pub kind: PartKind,
    /// What is executed.
    pub steps: Vec<Step>,
    /// What must hold before.
    pub checks: Vec<Check>,
    /// The epochs to which tables are raised before.
    pub epochs: BTreeMap<String, u32>,
}

impl PartKind {
    /// Every kind, in the order of execution.
    pub const ALL: [PartKind; 6] =
        [PartKind::Expand, PartKind::Fill, PartKind::Carry, PartKind::Switch, PartKind::Validate, PartKind::Contract];

    /// What is appended to the name of its folder.
    pub const fn suffix(self) -> &'static str {
        match self {
            PartKind::Expand => "",
            PartKind::Fill => "_fill",
            PartKind::Carry => "_carry",
            PartKind::Switch => "_switch",
            PartKind::Validate => "_validate",
            PartKind::Contract => "_contract",
        }
    }

    /// The phase.
    pub const fn phase(self) -> Phase {
        match self {
            PartKind::Expand | PartKind::Fill => Phase::Expand,
            PartKind::Carry | PartKind::Switch | PartKind::Validate | PartKind::Contract => Phase::Contract,
        }
    }

    /// Whether it is executed in one transaction in a database.
    pub fn in_transaction(self, database: Database) -> bool {
        match self {
            PartKind::Carry => false,
            PartKind::Fill | PartKind::Validate => database == Database::Sqlite,
            PartKind::Expand | PartKind::Switch | PartKind::Contract => true,
        }
    }
}

pub(super) fn of(plan: &Plan, database: Database) -> Vec<Part> {
    let mut parts = Parts { database, epochs: &plan.epochs, parts: PartKind::ALL.map(Part::empty) };
    if let Some(from) = plan.changes.engine {
        parts.push(PartKind::Expand, Step::EngineTables { from });
    }
    for change in &plan.changes.tables {
        match change {
            TableChange::New { name, table } => {
                // The first plan may find what `create_tables` has made. Connecting reports how that differs.
                table::create(&mut parts, name, table, plan.changes.engine == Some(0));
            }
            TableChange::Dropped { name, .. } => table::drop(&mut parts, name),
            TableChange::Kept(kept) => table::change(&mut parts, kept),
        }
    }
    parts.ask_before_carrying();
    Vec::from(parts.parts)
}

/// The parts as they grow.
struct Parts<'p> {
    database: Database,
    epochs: &'p BTreeMap<String, u32>,
    parts: [Part; 6],
}

impl Part {
    fn empty(kind: PartKind) -> Self {
        Part { kind, steps: Vec::new(), checks: Vec::new(), epochs: BTreeMap::new() }
    }

    /// Whether it has nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.checks.is_empty()
    }
}

impl Parts<'_> {
    fn is_sqlite(&self) -> bool {
        self.database == Database::Sqlite
    }

    fn push(&mut self, kind: PartKind, step: Step) {
        self.parts[kind as usize].steps.push(step);
    }

    fn check(&mut self, kind: PartKind, description: String, query: String) {
        self.parts[kind as usize].checks.push(Check { description, query });
    }

    /// Asks what the switch asks also before anything is carried over, so that older programs go on if the data is in the
    /// way.
    fn ask_before_carrying(&mut self) {
        let checks = self.parts[PartKind::Switch as usize].checks.clone();
        let carry = &mut self.parts[PartKind::Carry as usize];
        if !carry.is_empty() {
            carry.checks.extend(checks);
        }
    }

    /// Where what takes long is executed: in batches, or with SQLite, which has one writer, in the transaction.
    fn fill(&self) -> PartKind {
        if self.is_sqlite() { PartKind::Expand } else { PartKind::Fill }
    }

    /// Where the last part is prepared and its questions are asked.
    fn validate(&self) -> PartKind {
        if self.is_sqlite() { PartKind::Contract } else { PartKind::Validate }
    }

    /// Raises the epochs of tables with the first part that older programs cannot live with.
    fn raise(&mut self, kind: PartKind, tables: &[&str]) {
        for table in tables {
            let Some(epoch) = self.epochs.get(*table).copied() else { continue };
            let is_raised = self.parts.iter().any(|part| part.epochs.contains_key(*table));
            if !is_raised {
                self.parts[kind as usize].epochs.insert((*table).to_owned(), epoch);
                self.push(kind, Step::RaiseEpoch { table: (*table).to_owned(), epoch });
            }
        }
    }
}
