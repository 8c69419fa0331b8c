//! `datahub explain`: the explanation of a code in a message, with an example that triggers it.

use std::fmt::Write as _;

use datahub_model::diagnostic::{Code, Example};
use datahub_model::source::nearest;
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use crate::output::Output;

/// Explains one code, or lists all of them with the first sentence of each.
pub(crate) fn run(code: Option<&str>, output: &Output) -> Result<bool, String> {
    let Some(name) = code else {
        for code in Code::ALL {
            let explanation = code.explanation();
            let first = explanation.split(". ").next().unwrap_or(explanation);
            let first = first.split([':', '\n']).next().unwrap_or(first).trim_end_matches('.');
            output.result(
                &format!("{:<20} {first}", code.name()),
                &json!({"code": code.name(), "explanation": explanation}),
            );
        }
        return Ok(true);
    };
    // A code can be given as in a message, with its brackets.
    let name = name.trim_matches(['[', ']']);
    let code = Code::named(name).ok_or_else(|| {
        let near = nearest(name, Code::ALL.iter().map(|code| code.name()));
        let help = near.map_or("`datahub explain` lists them all".to_owned(), |near| format!("did you mean `{near}`?"));
        format!("unknown code `{name}`; {help}")
    })?;
    let (text, example) = (code.explanation(), code.example());
    output.result(
        &format!("{code}\n\n{text}\n{}", shown(&example)),
        &json!({"code": code.name(), "explanation": text, "example": as_json(&example)}),
    );
    Ok(true)
}

/// The files, the message, and the lines that correct it.
fn shown(example: &Example) -> String {
    let (mut text, mut corrected) = ("\nAn example:\n".to_owned(), String::new());
    for (file, stated) in example.files() {
        indented(&mut text, &format!("{file}\n\n{stated}"));
        let right = example.corrected(stated);
        if right != stated {
            corrected.push_str(&format!("{file}\n{}", changed_lines(stated, &right)));
        }
    }
    text.push_str("\nThe message:\n");
    indented(&mut text, example.message);
    text.push_str("\nCorrected:\n");
    indented(&mut text, &corrected);
    text.trim_end().to_owned()
}

fn indented(text: &mut String, what: &str) {
    text.push('\n');
    for line in what.lines() {
        // A line of a string, which is never too long to be written.
        _ = writeln!(text, "{}", format!("    {line}").trim_end());
    }
}

/// The lines that go, after `-`, and those that come, after `+`.
fn changed_lines(before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let changes = diff.iter_all_changes().filter_map(|change| match change.tag() {
        ChangeTag::Delete => Some(format!("- {change}")),
        ChangeTag::Insert => Some(format!("+ {change}")),
        ChangeTag::Equal => None,
    });
    changes.collect()
}

fn as_json(example: &Example) -> Value {
    let files = example.files();
    let texts = |text: &dyn Fn(&str) -> String| -> Value {
        files.iter().map(|(file, stated)| ((*file).to_owned(), Value::from(text(stated)))).collect()
    };
    json!({
        "files": texts(&str::to_owned),
        "message": example.message,
        "corrected": texts(&|stated| example.corrected(stated)),
    })
}
