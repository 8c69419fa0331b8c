//! How a project's migrations and its committed documentation stand to its models. What is behind is the next step of a change
//! and no fault of the mapping, so it is shown, and `datahub migrate check` and `datahub docs --check` fail because of it in CI.

use datahub_derive::tree::Fault;
use datahub_docs::{Atlas, Digests, Standing};
use datahub_model::diagnostic::{Code, Diagnostic};
use datahub_model::source::Spot;

use super::checks::{Finding, Level, Outcome, Seen};
use super::report::counted;
use crate::command::{docs, migrate};

/// How many names a summary lists.
const FEW: usize = 3;

/// The models against the last migration, as `datahub migrate check` compares them.
pub(super) fn migrations(seen: &Seen<'_>) -> Outcome {
    let project = seen.project;
    let migrations = match migrate::Migrations::read(project) {
        Err(error) => return unreadable(&project.settings().migrations, error),
        Ok(None) => return skipped("none yet; `datahub migrate new` writes the first", 0),
        Ok(Some(migrations)) => migrations,
    };
    let checked = migrations.count();
    let looked_at = counted(checked, "migration");
    let of_schema = seen.tree.faults.iter().filter(|fault| seen.is_in_schema(fault)).cloned();
    let findings: Vec<_> = of_schema.map(|fault| Finding { level: Level::Error, fault }).collect();
    if !findings.is_empty() {
        let summary = format!("{looked_at}, not compared with the models: {}", counted(findings.len(), "fault"));
        return Outcome { summary, checked, findings, left: Vec::new() };
    }
    if let Some(why) = why_not_compared(seen) {
        return skipped(&format!("{looked_at}, not compared with the models: {why}"), checked);
    }
    let left = migrations.left(project, seen.tree);
    let summary = if left.is_empty() {
        format!("{looked_at}; the models agree with the last one")
    } else {
        format!("{looked_at}; {}", left.join("; "))
    };
    Outcome { summary, checked, findings: Vec::new(), left }
}

/// The committed digests of the documentation against the models and contracts, as `datahub docs --check` compares them.
pub(super) fn docs(seen: &Seen<'_>) -> Outcome {
    let settings = seen.project.settings();
    let digests = Digests::of(&Atlas::new("", seen.tree));
    let committed = match docs::committed(&digests, &seen.project.root().join(&settings.docs)) {
        Err(error) => return unreadable(&settings.docs, error),
        Ok(committed) if committed.is_empty() => {
            return skipped(&format!("no digests in {} yet; `datahub docs` writes them", settings.docs), 0);
        }
        Ok(committed) => committed,
    };
    if let Some(why) = why_not_compared(seen) {
        let looked_at = counted(committed.len(), "digest");
        return skipped(&format!("{looked_at}, not compared with the models: {why}"), committed.len());
    }
    let checked = digests.0.len();
    let found = digests.against(&committed);
    let of = |(_, subject, standing): &(String, String, Standing)| {
        let word = match standing {
            Standing::Missing => "missing",
            Standing::Stale => "stale",
            Standing::Leftover => "left over",
        };
        format!("the documentation of {subject} is {word}")
    };
    let left: Vec<_> = found.iter().map(of).collect();
    let pages = counted(checked, "model or contract").replace("model or contracts", "models and contracts");
    let summary = if found.is_empty() {
        format!("{pages}; the documentation is up to date")
    } else {
        let mut names: Vec<_> = found.iter().take(FEW).map(|(_, subject, _)| subject.clone()).collect();
        if found.len() > FEW {
            names.push(format!("{} more", found.len() - FEW));
        }
        format!("{pages}; the documentation is not up to date for {}; run `datahub docs`", names.join(", "))
    };
    Outcome { summary, checked, findings: Vec::new(), left }
}

/// Why nothing can be compared with the models, if that is so.
fn why_not_compared(seen: &Seen<'_>) -> Option<&'static str> {
    let tree = seen.tree;
    if !(tree.faults.is_empty() && tree.type_faults().is_empty() && tree.program_faults().is_empty()) {
        return Some("there are faults");
    }
    tree.models.is_empty().then_some("there are none")
}

fn skipped(summary: &str, checked: usize) -> Outcome {
    Outcome { summary: summary.to_owned(), checked, findings: Vec::new(), left: Vec::new() }
}

/// The outcome for files that cannot be read.
fn unreadable(place: &str, error: String) -> Outcome {
    let cure = "check that it is a file or a folder, and that you have permission to read it";
    let diagnostic = Diagnostic::of(Code::WrongValue, Spot::default(), error).cure(cure);
    let fault = Fault { file: place.to_owned(), range: 0..0, diagnostic };
    let findings = vec![Finding { level: Level::Error, fault }];
    Outcome { summary: "not compared: a file cannot be read".to_owned(), checked: 0, findings, left: Vec::new() }
}
