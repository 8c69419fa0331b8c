//! `datahub explain`: the explanation of a code in a message.

use datahub_model::diagnostic::Code;
use datahub_model::source::nearest;
use serde_json::json;

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
    let text = code.explanation();
    output.result(&format!("{code}\n\n{text}"), &json!({"code": code.name(), "explanation": text}));
    Ok(true)
}
