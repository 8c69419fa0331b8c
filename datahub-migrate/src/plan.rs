//! A plan: what leads from the schema after the last migration to the schema that the models need.
//!
//! First it is decided which tables and columns are the same under new names ([`matching`]), then what that changes
//! ([`Changes`]), then what is executed when ([`parts`]).

mod losses;
mod matching;
mod parts;
mod target;

use std::collections::{BTreeMap, BTreeSet};

use datahub_model::schema::{Database, Snapshot};

use crate::Changes;
pub use losses::{Loss, LossKind};
pub use matching::{Answers, Question};
pub use parts::{Part, PartKind};

/// A plan whose questions are answered and whose losses are agreed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What changes.
    pub changes: Changes,
    /// What is lost, with consent.
    pub losses: Vec<Loss>,
    /// The schema afterwards, with epochs and the log, but without the parent and the migration.
    pub target: Snapshot,
    /// Tables that are renamed or dropped, and tables in which something changes after the expand parts: the epoch to which
    /// each is raised, by its name before and after.
    pub(crate) epochs: BTreeMap<String, u32>,
}

/// What a plan lacks before it can be made.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Undecided {
    /// What may be a rename.
    pub questions: Vec<Question>,
    /// What would be lost, without consent.
    pub losses: Vec<Loss>,
    /// Answers that fit nothing: what they name, and why.
    pub unused: Vec<(String, String)>,
    /// What cannot be done in one plan.
    pub faults: Vec<String>,
}

/// Plans what leads from one schema to another.
///
/// `to` is what models need ([`Snapshot::of`]); `from` is the snapshot of the last migration, or the default of
/// [`Snapshot`] for the first plan.
///
/// # Errors
///
/// Questions that are open, losses without consent, answers that fit nothing, and what cannot be done in one plan.
pub fn plan(from: &Snapshot, to: &Snapshot, answers: &Answers) -> Result<Plan, Undecided> {
    let matched = matching::matched(from, to, answers);
    let changes = matching::changes(from, to, &matched, answers);
    let (mut agreed, mut losses) = (Vec::new(), Vec::new());
    let mut asked: BTreeSet<_> = answers.drop.iter().map(String::as_str).collect();
    for loss in losses::of(&changes) {
        let has_consent = asked.remove(loss.name.as_str());
        let is_in_question = matched.questions.iter().any(|question| question.name() == loss.name);
        if has_consent {
            agreed.push(loss);
        } else if !is_in_question {
            losses.push(loss);
        }
    }
    let lost = |name: &str| (name.to_owned(), format!("nothing is lost of `{name}`"));
    let unused = asked.into_iter().map(lost).chain(matched.unused);
    let unused = unused.map(|(name, why)| (name.clone(), unknown(from, &name).unwrap_or(why)));
    let unused: Vec<_> = unused.collect();
    let undecided = Undecided { questions: matched.questions, losses, unused, faults: matching::clashes(&changes) };
    if undecided != Undecided::default() {
        return Err(undecided);
    }
    let (target, epochs) = target::of(from, to, &changes);
    Ok(Plan { changes, losses: agreed, target, epochs })
}

/// That the schema has no table or column of a name; `None` if it has.
fn unknown(from: &Snapshot, name: &str) -> Option<String> {
    let (table, column) = name.split_once('.').map_or((name, None), |(table, column)| (table, Some(column)));
    let Some(known) = from.tables.get(table) else {
        return Some(format!("the last migration has no table `{table}`"));
    };
    let lacks = column.filter(|column| known.column(column).is_none());
    lacks.map(|column| format!("the last migration has no column `{column}` in table `{table}`"))
}

impl Plan {
    /// Whether nothing must be done in a database.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// What is executed in a database, in this order. Every kind of part is present, also if it has nothing to do.
    pub fn parts(&self, database: Database) -> Vec<Part> {
        parts::of(self, database)
    }
}
