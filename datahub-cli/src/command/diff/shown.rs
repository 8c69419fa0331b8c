//! A difference as text, Markdown and JSON.

use datahub_docs::{Change, Detail, Meaning};
use serde_json::{Value, json};

use super::database::Database;
use super::{Difference, Form};

/// A heading and its sentences.
type Section = (&'static str, Vec<String>);

/// The difference for people.
pub(super) fn text(difference: &Difference, form: Form) -> String {
    let Difference { before, after, changes, database, unread } = difference;
    let mut text = match form {
        Form::Text => format!("from {before} to {after}\n"),
        Form::Markdown => format!("## Mappings: from `{before}` to {}\n", revision(after)),
    };
    for file in unread {
        let line = format!("not compared, because it has faults: {file}");
        text.push_str(&item(&line, 0, form));
    }
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
            Form::Markdown => format!("\n### {subject} `{name}`: {turn}\n\n"),
        });
        text.push_str(&meant(&change.meaning(), 0, form));
        for detail in &change.details {
            text.push_str(&item(&detail.to_string(), 0, form));
            text.push_str(&meant(&meaning(change, detail), 1, form));
        }
    }
    for (heading, sentences) in of_database(database) {
        text.push_str(&match form {
            Form::Text => format!("\n{heading}\n"),
            Form::Markdown => format!("\n### {heading}\n\n"),
        });
        text.extend(sentences.iter().map(|sentence| item(sentence, 0, form)));
    }
    text.trim_end().to_owned()
}

/// What a detail means; the fields of a model that is new or gone mean what the model means.
fn meaning(change: &Change, detail: &Detail) -> Meaning {
    if change.meaning() == Meaning::default() { detail.meaning(change.subject) } else { Meaning::default() }
}

fn revision(name: &str) -> String {
    if name.contains(' ') { name.to_owned() } else { format!("`{name}`") }
}

fn item(sentence: &str, depth: usize, form: Form) -> String {
    let indent = "  ".repeat(depth);
    match form {
        Form::Text => format!("  {indent}{sentence}\n"),
        Form::Markdown => format!("{indent}- {sentence}\n"),
    }
}

fn meant(meaning: &Meaning, depth: usize, form: Form) -> String {
    let said = [("CDMS", &meaning.cdms), ("callers", &meaning.callers)];
    let said = said.into_iter().filter_map(|(who, what)| Some(format!("{who}: {}", what.as_deref()?)));
    said.map(|sentence| item(&sentence, depth, form)).collect()
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
    let Difference { before, after, changes, database, unread } = difference;
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
        "unread": unread,
    })
}
