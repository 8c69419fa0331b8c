//! What a plan leaves open: asked on a terminal, or reported with what to write.

use std::io::{self, BufRead, Write};

use datahub_migrate::{Answers, Question, Undecided};
use serde_json::{Value, json};

/// What is open, as text: what it is, and what to write.
pub(super) fn text(undecided: &Undecided) -> String {
    let questions = undecided.questions.iter().map(|question| {
        let name = question.name();
        format!("error: {}\nhelp: {}\n", asked(question), written(question, &name))
    });
    let losses = undecided.losses.iter().map(|loss| {
        let name = &loss.name;
        format!(
            "error: {}\nhelp: if that is intended, run again with `--drop {name}`, which metadata.toml shows to reviewers\n",
            loss.explain()
        )
    });
    let unused = undecided
        .unused
        .iter()
        .map(|(name, reason)| format!("error: {reason}\nhelp: remove the option that names `{name}`\n"));
    let faults = undecided.faults.iter().map(|fault| format!("error: {fault}\n"));
    questions.chain(losses).chain(unused).chain(faults).collect::<Vec<_>>().join("\n")
}

/// The same for machines.
pub(super) fn json(undecided: &Undecided) -> Value {
    let questions = undecided.questions.iter().map(|question| {
        let candidates: Vec<_> = candidates(question).into_iter().map(|(name, _)| name).collect();
        json!({ "vanishes": question.name(), "candidates": candidates })
    });
    let losses = undecided
        .losses
        .iter()
        .map(|loss| json!({ "name": loss.name, "only_in_hub": loss.is_local, "explanation": loss.explain() }));
    json!({
        "questions": questions.collect::<Vec<_>>(),
        "losses": losses.collect::<Vec<_>>(),
        "unused": undecided.unused.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "faults": undecided.faults,
    })
}

/// Asks everything that is open, and adds the answers. `false` if the input ends, or an answer leaves something open.
///
/// # Errors
///
/// The terminal cannot be read or written.
pub(super) fn ask(
    undecided: &Undecided,
    answers: &mut Answers,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> io::Result<bool> {
    for question in &undecided.questions {
        let (name, candidates) = (question.name(), candidates(question));
        writeln!(output, "{}", asked(question))?;
        for (number, (candidate, _)) in candidates.iter().enumerate() {
            writeln!(output, "  {}  it is {candidate} now", number + 1)?;
        }
        writeln!(output, "  d  it is dropped, with its values")?;
        let Some(answer) = answer(input, output)? else { return Ok(false) };
        let chosen = answer.parse::<usize>().ok().and_then(|number| candidates.get(number.checked_sub(1)?));
        match chosen {
            Some((candidate, _)) => drop(answers.rename.insert(name, candidate.clone())),
            None if answer == "d" => drop(answers.drop.insert(name)),
            None => return Ok(false),
        }
    }
    for loss in &undecided.losses {
        writeln!(output, "{}\n  y  that is intended\n  n  stop", loss.explain())?;
        match answer(input, output)? {
            Some(answer) if answer == "y" => drop(answers.drop.insert(loss.name.clone())),
            _ => return Ok(false),
        }
    }
    Ok(undecided.unused.is_empty() && undecided.faults.is_empty())
}

fn answer(input: &mut impl BufRead, output: &mut impl Write) -> io::Result<Option<String>> {
    write!(output, "> ")?;
    output.flush()?;
    let mut line = String::new();
    Ok((input.read_line(&mut line)? > 0).then(|| line.trim().to_lowercase()))
}

/// What vanishes and what appears.
fn asked(question: &Question) -> String {
    let names: Vec<_> = candidates(question).into_iter().map(|(name, _)| name).collect();
    let (what, like) = match question {
        Question::Table { .. } => ("table", "with rows of the same entity or with its columns"),
        Question::Column { .. } => ("column", "of its kind"),
    };
    format!("{what} {} vanishes, and {} {like} appears: was it renamed?", question.name(), names.join(" or "))
}

/// What to write.
fn written(question: &Question, name: &str) -> String {
    let by_option = |candidate: &str| format!("`--rename {name}={candidate}`");
    let renamed: Vec<_> = match question {
        Question::Table { from, candidates } => candidates
            .iter()
            .map(|candidate| {
                format!(
                    "write `was = \"{from}\"` next to `table = \"{candidate}\"`, or run again with {}",
                    by_option(candidate)
                )
            })
            .collect(),
        Question::Column { from, candidates, .. } => candidates
            .iter()
            .map(|(candidate, field)| {
                let option = by_option(candidate);
                // The columns of a group have no annotations of their own.
                if field.contains('.') {
                    format!("run again with {option}")
                } else {
                    format!("write `was = \"{from}\"` on field `{field}`, or run again with {option}")
                }
            })
            .collect(),
    };
    format!("if it was, {}; if its values may be lost, run again with `--drop {name}`", renamed.join("; or "))
}

/// What it may be now: the name, and the field of a column.
fn candidates(question: &Question) -> Vec<(String, Option<String>)> {
    match question {
        Question::Table { candidates, .. } => candidates.iter().map(|name| (name.clone(), None)).collect(),
        Question::Column { candidates, .. } => {
            candidates.iter().map(|(name, field)| (name.clone(), Some(field.clone()))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use datahub_migrate::{Loss, LossKind};

    use super::*;

    fn undecided() -> Undecided {
        let candidates = vec![("telefax".to_owned(), "telefax".to_owned()), ("phone".to_owned(), "phone".to_owned())];
        let question = Question::Column { table: "contacts".to_owned(), from: "fax".to_owned(), candidates };
        let loss = Loss { name: "contacts.rating".to_owned(), kind: LossKind::Column, is_local: true };
        Undecided { questions: vec![question], losses: vec![loss], ..Undecided::default() }
    }

    fn answered(input: &str) -> (bool, Answers, String) {
        let (mut answers, mut output) = (Answers::default(), Vec::new());
        let is_decided = ask(&undecided(), &mut answers, &mut input.as_bytes(), &mut output).unwrap();
        (is_decided, answers, String::from_utf8(output).unwrap())
    }

    #[test]
    fn a_rename_and_a_loss_are_asked_one_after_the_other() {
        let (is_decided, answers, shown) = answered("2\ny\n");
        assert!(is_decided);
        assert_eq!(answers.rename["contacts.fax"], "phone");
        assert!(answers.drop.contains("contacts.rating"));
        assert!(shown.contains("column contacts.fax vanishes, and telefax or phone of its kind appears"), "{shown}");
        assert!(shown.contains("  2  it is phone now"), "{shown}");
        assert!(answered("d\nY\n").1.drop.contains("contacts.fax"));
    }

    #[test]
    fn no_answer_or_another_one_decides_nothing() {
        for input in ["", "3\ny\n", "0\ny\n", "2\n", "2\nn\n", "yes\n"] {
            assert!(!answered(input).0, "{input:?}");
        }
    }
}
