//! What a change of models means for the database: what `datahub migrate new` would plan.

use datahub_derive::tree::Tree;
use datahub_migrate::{Answers, Question, Snapshot, Summary, plan};
use datahub_model::schema::engine::REVISION;

/// What a migration would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Database {
    /// The tables stay as they are.
    Same,
    /// A migration leads from one to the other.
    Planned(Summary),
    /// Something must be decided before a migration can be planned.
    Undecided {
        /// What may be a rename: what vanishes, and what it may be now.
        questions: Vec<(String, Vec<String>)>,
        /// What would be lost, in sentences.
        losses: Vec<String>,
        /// What cannot be done like this.
        faults: Vec<String>,
    },
}

impl Database {
    /// What leads from the tables of one tree's models to those of another's.
    pub(super) fn between(before: &Tree, after: &Tree) -> Self {
        let schema = |tree: &Tree| Snapshot::of(tree.models.iter().map(|model| &model.mapping), REVISION);
        match plan(&schema(before), &schema(after), &Answers::default()) {
            Ok(planned) if planned.is_empty() => Database::Same,
            Ok(planned) => Database::Planned(Summary::of(&planned)),
            Err(undecided) => Database::Undecided {
                questions: undecided.questions.iter().map(|question| (question.name(), candidates(question))).collect(),
                losses: undecided.losses.iter().map(|loss| loss.explain()).collect(),
                faults: undecided.faults,
            },
        }
    }
}

/// What something that vanishes may be now.
fn candidates(question: &Question) -> Vec<String> {
    match question {
        Question::Table { candidates, .. } => candidates.clone(),
        Question::Column { candidates, .. } => candidates.iter().map(|(column, _)| column.clone()).collect(),
    }
}
