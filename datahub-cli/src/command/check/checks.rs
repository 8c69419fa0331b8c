//! The checks, each with its name. A new one is a line in [`CHECKS`] and a function that looks at the tree.

use datahub_derive::project::Project;
use datahub_derive::tree::{Fault, Tree};
use datahub_model::diagnostic::{Code, Diagnostic};
use datahub_model::source::Spot;

use super::report::counted;
use super::standing;

/// A check of a project.
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) run: fn(&Seen<'_>) -> Outcome,
}

/// What the checks look at.
pub(super) struct Seen<'s> {
    pub(super) project: &'s Project,
    pub(super) tree: &'s Tree,
    /// Whether questions are shown that matter to no model yet.
    pub(super) all_questions: bool,
    /// Whether the output is for a person, who would not read a hundred questions that were not asked for.
    pub(super) is_for_a_person: bool,
}

/// What a check found.
pub(super) struct Outcome {
    /// What was looked at, and the result.
    pub(super) summary: String,
    /// How many things were looked at.
    pub(super) checked: usize,
    pub(super) findings: Vec<Finding>,
    /// What is left to do about it, which is no fault of the mapping: each in a sentence.
    pub(super) left: Vec<String>,
}

/// A finding.
pub(super) struct Finding {
    pub(super) level: Level,
    pub(super) fault: Fault,
}

/// Whether a finding is a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Error,
    Note,
}

/// All of them, in the order of their summaries.
pub(super) const CHECKS: [Check; 7] = [
    Check { name: "contracts", run: contracts },
    Check { name: "questions", run: questions },
    Check { name: "models", run: models },
    Check { name: "types", run: types },
    Check { name: "programs", run: programs },
    Check { name: "migrations", run: standing::migrations },
    Check { name: "docs", run: standing::docs },
];

impl Level {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Note => "note",
        }
    }
}

impl Outcome {
    /// What was looked at, and its faults.
    fn of(looked_at: &str, checked: usize, faults: impl IntoIterator<Item = Fault>) -> Self {
        let findings: Vec<_> = faults.into_iter().map(|fault| Finding { level: Level::Error, fault }).collect();
        Outcome {
            summary: format!("{looked_at}: {}", counted(findings.len(), "fault")),
            checked,
            findings,
            left: Vec::new(),
        }
    }

    pub(super) fn faults(&self) -> usize {
        self.findings.iter().filter(|finding| finding.level == Level::Error).count()
    }
}

impl Finding {
    /// Whether a whole file cannot be used.
    pub(super) fn is_about_a_file(&self) -> bool {
        self.level == Level::Error && self.fault.diagnostic.place.line == 0
    }
}

impl Seen<'_> {
    /// Whether a fault is in the schema of the migrations.
    pub(super) fn is_in_schema(&self, fault: &Fault) -> bool {
        fault.file == format!("{}/schema.toml", self.project.settings().migrations)
    }
}

/// Whether a fault is in a file of Rust source.
fn is_in_source(fault: &&Fault) -> bool {
    fault.file.ends_with(".rs")
}

/// The contracts, each by itself and against the `$metadata` snapshot; and the snapshot itself.
fn contracts(seen: &Seen<'_>) -> Outcome {
    let Seen { tree, project, .. } = seen;
    let faults = tree.faults.iter().filter(|fault| !is_in_source(fault) && !seen.is_in_schema(fault)).cloned();
    let against = match (&tree.metadata, &project.settings().metadata) {
        (Some(_), _) => "each by itself and against $metadata",
        (None, Some(_)) => "each by itself, but not against $metadata",
        (None, None) => "each by itself; `metadata` in datahub.toml names a $metadata snapshot to check them against",
    };
    let checked = tree.contracts.len();
    Outcome::of(&format!("{}, {against}", counted(checked, "contract")), checked, faults)
}

/// What the contracts leave to be looked up. It is no fault by itself, so it is shown for attributes that a model maps.
fn questions(seen: &Seen<'_>) -> Outcome {
    let open = seen.tree.questions();
    let checked = open.len();
    let shown = open.into_iter().filter(|question| question.is_mapped || seen.all_questions);
    let shown: Vec<_> = shown.map(|question| Finding { level: Level::Note, fault: question.fault }).collect();
    let hidden = checked - shown.len();
    let mut summary = format!("{} open in the contracts", counted(checked, "question"));
    let is_joined = shown.len() > QUESTIONS_MAX && seen.is_for_a_person && !seen.all_questions;
    let findings = if is_joined { by_contract(shown) } else { shown };
    if is_joined {
        summary.push_str("; `--questions` shows each, with where to look");
    } else if hidden > 0 {
        summary.push_str(&format!("; `--questions` also shows {hidden} about attributes that no model maps"));
    }
    Outcome { summary, checked, findings, left: Vec::new() }
}

/// The most questions that are shown one by one without being asked for.
const QUESTIONS_MAX: usize = 20;

/// A line for each contract, which says how many questions there are.
fn by_contract(questions: Vec<Finding>) -> Vec<Finding> {
    let mut files: Vec<(String, usize)> = Vec::new();
    for Finding { fault, .. } in questions {
        match files.last_mut() {
            Some((file, count)) if *file == fault.file => *count += 1,
            _ => files.push((fault.file, 1)),
        }
    }
    let line = |(file, count): (String, usize)| {
        let message = format!("{file} leaves {} open about attributes that models map", counted(count, "question"));
        let diagnostic =
            Diagnostic::of(Code::OpenQuestion, Spot::default(), message).cure("run `datahub check --questions`");
        Finding { level: Level::Note, fault: Fault { file, range: 0..0, diagnostic } }
    };
    files.into_iter().map(line).collect()
}

/// The models, groups and choices, as the derives check them.
fn models(seen: &Seen<'_>) -> Outcome {
    let Seen { tree, project, .. } = seen;
    let faults: Vec<_> = tree.faults.iter().filter(is_in_source).cloned().collect();
    let checked = tree.items;
    let looked_at = match checked {
        0 => {
            let folders = project.settings().models.join(", ");
            format!("none in {folders}; `models` in datahub.toml names the folders with the structs")
        }
        1 => "1 model, group or choice".to_owned(),
        several => format!("{several} models, groups and choices"),
    };
    Outcome::of(&looked_at, checked, faults)
}

/// The types of fields and groups against the contracts, as far as the source shows what they are.
fn types(seen: &Seen<'_>) -> Outcome {
    let checked = seen.tree.models.iter().map(|model| model.fields.len()).sum();
    let looked_at = format!("{}, as far as the source shows their types", counted(checked, "field"));
    Outcome::of(&looked_at, checked, seen.tree.type_faults())
}

/// The models of each program, which must not share a table, or an entity without saying whose its records are.
fn programs(seen: &Seen<'_>) -> Outcome {
    let checked = seen.tree.lists.len();
    let looked_at = counted(checked, "`models![…]`").replace("`s", "`");
    let mut outcome = Outcome::of(&looked_at, checked, seen.tree.program_faults());
    let unlisted = seen.tree.unlisted();
    if !unlisted.is_empty() {
        let models = counted(unlisted.len(), "model");
        outcome.summary.push_str(&format!("; {models} in none of them"));
    }
    outcome.findings.extend(unlisted.into_iter().map(|fault| Finding { level: Level::Note, fault }));
    outcome
}
