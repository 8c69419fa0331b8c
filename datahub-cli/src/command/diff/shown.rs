//! A difference as text, Markdown and JSON.

use datahub_docs::{Change, Detail, Meaning, markdown};
use serde_json::{Value, json};

use super::database::Database;
use super::{Difference, Form, NOW};

/// A heading and its sentences.
type Section = (&'static str, Vec<String>);

/// The difference for people.
pub(super) fn text(difference: &Difference, form: Form) -> String {
    let Difference { before, after, changes, database } = difference;
    let mut text = match form {
        Form::Text => format!("from {before} to {after}\n"),
        Form::Markdown => format!("## Mappings: from {} to {}\n", markdown::span(before), revision(after)),
    };
    if changes.is_empty() {
        text.push_str(match form {
            Form::Text => "no mapping differs\n",
            Form::Markdown => "\nNo mapping differs.\n",
        });
    }
    for change in &changes.0 {
        let (subject, name, turn) = (change.subject_word(), &change.name, change.turn_word());
        text.push_str(&match form {
            Form::Text => format!("\n{subject} {name}: {turn}\n"),
            Form::Markdown => format!("\n### {subject} {}: {turn}\n\n", markdown::span(name)),
        });
        text.push_str(&meant(&change.meaning(), 0, form));
        for detail in &change.details {
            text.push_str(&match form {
                Form::Text => item(&detail.to_string(), 0),
                Form::Markdown => listed(&markdown::detail(detail), 0),
            });
            text.push_str(&meant(&meaning(change, detail), 1, form));
        }
    }
    for (heading, sentences) in of_database(database) {
        text.push_str(&match form {
            Form::Text => format!("\n{heading}\n"),
            Form::Markdown => format!("\n### {heading}\n\n"),
        });
        text.extend(sentences.iter().map(|sentence| said(sentence, 0, form)));
    }
    text.trim_end().to_owned()
}

/// What a detail means; the fields of a model that is new or gone mean what the model means.
fn meaning(change: &Change, detail: &Detail) -> Meaning {
    if change.meaning() == Meaning::default() { detail.meaning(change.subject) } else { Meaning::default() }
}

fn revision(name: &str) -> String {
    if name == NOW { name.to_owned() } else { markdown::span(name) }
}

/// A sentence with code in backticks, in a form of output.
fn said(sentence: &str, depth: usize, form: Form) -> String {
    match form {
        Form::Text => item(sentence, depth),
        Form::Markdown => listed(&markdown::sentence(sentence), depth),
    }
}

/// A line of text.
fn item(sentence: &str, depth: usize) -> String {
    format!("  {}{sentence}\n", "  ".repeat(depth))
}

/// An item of a list in Markdown.
fn listed(markdown: &str, depth: usize) -> String {
    format!("{}- {markdown}\n", "  ".repeat(depth))
}

fn meant(meaning: &Meaning, depth: usize, form: Form) -> String {
    let parties = [("CDMS", &meaning.cdms), ("callers", &meaning.callers)];
    let sentences = parties.into_iter().filter_map(|(who, what)| Some(format!("{who}: {}", what.as_deref()?)));
    sentences.map(|sentence| said(&sentence, depth, form)).collect()
}

/// What the change means for the database, in sentences.
fn of_database(database: &Database) -> Vec<Section> {
    let sections = match database {
        Database::Same => vec![("Database", vec!["its tables stay as they are".to_owned()])],
        Database::Planned(summary) => vec![
            ("Database: what happens", summary.changes.clone()),
            ("Database: what is lost", summary.losses.clone()),
            ("Database: what fills itself", summary.fills.clone()),
            ("Database: what is left to do", summary.left.clone()),
        ],
        Database::Undecided { questions, losses, faults } => vec![
            (
                "Database: what must be decided",
                questions
                    .iter()
                    .map(|(name, now)| format!("is {name} dropped, or is it now {}?", now.join(" or ")))
                    .collect(),
            ),
            ("Database: what would be lost", losses.clone()),
            ("Database: what cannot be done", faults.clone()),
        ],
    };
    sections.into_iter().filter(|(_, sentences)| !sentences.is_empty()).collect()
}

/// The difference for machines.
pub(super) fn json(difference: &Difference) -> Value {
    let Difference { before, after, changes, database } = difference;
    let changes = changes.0.iter().map(|change| {
        let details = change.details.iter().map(|detail| {
            let meaning = meaning(change, detail);
            json!({
                "part": detail.part,
                "aspect": detail.aspect.words(),
                "before": detail.before,
                "after": detail.after,
                "cdms": meaning.cdms,
                "callers": meaning.callers,
            })
        });
        let meaning = change.meaning();
        json!({
            "subject": change.subject_word(),
            "name": change.name,
            "turn": change.turn_word(),
            "cdms": meaning.cdms,
            "callers": meaning.callers,
            "details": details.collect::<Vec<_>>(),
        })
    });
    let database = match database {
        Database::Same => json!({"migration": "none"}),
        Database::Planned(summary) => json!({
            "migration": "planned",
            "changes": summary.changes,
            "losses": summary.losses,
            "fills": summary.fills,
            "left": summary.left,
        }),
        Database::Undecided { questions, losses, faults } => json!({
            "migration": "undecided",
            "questions": questions.iter().map(|(name, now)| json!({"of": name, "candidates": now})).collect::<Vec<_>>(),
            "losses": losses,
            "faults": faults,
        }),
    };
    json!({
        "before": before,
        "after": after,
        "changes": changes.collect::<Vec<_>>(),
        "database": database,
    })
}
