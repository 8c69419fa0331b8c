//! Plain words for what a mapping says: kinds, conversions, modes, and the pieces of Rust that they depend on.

use cdms_odata::Kind;
use datahub_model::source::{Asked, ContractAttribute, ResolvedSource};
use datahub_model::{EngineAttribute, Mode, Write};

use crate::declared::OF_TYPE;

/// A kind for people who do not program.
pub(super) const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "text",
        Kind::Integer | Kind::BigInt => "whole number",
        Kind::Decimal | Kind::Double => "number",
        Kind::Money => "amount of money",
        Kind::Boolean => "yes or no",
        Kind::DateTime => "date and time",
        Kind::Date => "date",
        Kind::Guid => "id",
        Kind::Choice => "one of several options",
        Kind::State => "state of the record",
        Kind::Status => "reason for the state",
        Kind::Lookup => "reference to a record",
    }
}

/// A mode, as annotations name it.
pub(super) const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Sync => "sync",
        Mode::Mirror => "mirror",
        Mode::Detached => "detached",
    }
}

/// What a mode means.
pub(super) const fn mode_meaning(mode: Mode) -> &'static str {
    match mode {
        Mode::Sync => "Kept in sync: changes go both ways between the hub and CDMS.",
        Mode::Mirror => "Only read: the hub follows CDMS and never writes to it.",
        Mode::Detached => "The hub alone: CDMS is not used for it.",
    }
}

/// Where a value comes from.
pub(super) const fn source(source: &ResolvedSource) -> &'static str {
    match source {
        ResolvedSource::Key => "the record's id",
        ResolvedSource::Engine(_) => "kept by the engine",
        ResolvedSource::Attribute { .. } => "an attribute of CDMS",
        ResolvedSource::Joined { .. } => "computed from attributes of CDMS",
        ResolvedSource::Local => "the hub alone",
    }
}

/// What the engine keeps.
pub(super) const fn engine(attribute: EngineAttribute) -> &'static str {
    match attribute {
        EngineAttribute::Modified => "The time of the record's last change, as CDMS says.",
        EngineAttribute::Created => "The time at which the record was created, as CDMS says.",
        EngineAttribute::ModifiedBy => "The id of the user who last changed the record, as CDMS says.",
    }
}

/// When a column is sent.
pub(super) const fn written(mode: Mode, source: &ResolvedSource) -> &'static str {
    let write = match source {
        ResolvedSource::Attribute { write, .. } | ResolvedSource::Joined { write, .. } => *write,
        ResolvedSource::Local => return "Never sent; it is stored in the hub with each save.",
        ResolvedSource::Key => {
            return match mode {
                Mode::Sync => "With a create: the hub chooses the id.",
                Mode::Mirror => "Never: the model is only read.",
                Mode::Detached => "Never: CDMS is not used.",
            };
        }
        ResolvedSource::Engine(_) => return "Never: CDMS sets it itself.",
    };
    match (mode, write) {
        (Mode::Mirror, _) => "Never: the model is only read.",
        (Mode::Detached, _) => "Never: CDMS is not used.",
        (Mode::Sync, Write::Always) => "With a create, and with each save that changes it.",
        (Mode::Sync, Write::CreateOnly) => "With a create only; later changes are not sent.",
        (Mode::Sync, Write::Never) => "Never: it is read-only.",
    }
}

/// Whether an attribute always has a value.
pub(super) const fn requirement(stated: &ContractAttribute) -> &'static str {
    match (stated.required, stated.asked) {
        (true, _) => "always: CDMS has a value, and a create needs one",
        (false, Some(Asked::OnForms)) => "on forms: people must enter one, programs need not",
        (false, Some(Asked::Recommended)) => "recommended: forms ask for one, and it can be empty",
        (false, None) => "no: it can be empty",
    }
}

/// How the values of an attribute become a field's.
pub(super) fn conversion(
    stated: &ContractAttribute,
    stored: Kind,
    choice: Option<(&str, Option<&str>)>,
    targets: &[String],
) -> String {
    match stated.kind {
        Kind::String => {
            stated.max_length.map_or("Unchanged.".to_owned(), |most| format!("Unchanged; at most {most} characters."))
        }
        Kind::Integer | Kind::BigInt | Kind::Boolean | Kind::Guid => "Unchanged.".to_owned(),
        Kind::Decimal | Kind::Money | Kind::Double => {
            let default = if stated.kind == Kind::Money { Some(4) } else { None };
            let digits = stated.scale.or(default);
            digits.map_or("Unchanged.".to_owned(), |digits| {
                let plural = if digits == 1 { "digit" } else { "digits" };
                format!(
                    "Exact, with {digits} {plural} after the decimal point; a value with more is refused, not rounded."
                )
            })
        }
        Kind::DateTime => "A point in time in whole seconds, in UTC.".to_owned(),
        Kind::Date => format!(
            "The day that people see in CDMS, which stores its midnight in the time zone {}.",
            stated.zone.as_deref().unwrap_or("of the contract")
        ),
        Kind::Choice | Kind::State | Kind::Status => match choice {
            Some((choice, Some(rest))) => {
                format!(
                    "The option's number becomes a variant of `{choice}`; one that the contract does not list becomes `{rest}`."
                )
            }
            Some((choice, None)) => format!(
                "The option's number becomes a variant of `{choice}`; a record with one that the contract does not list waits in \
                 quarantine."
            ),
            None => "The option's number.".to_owned(),
        },
        Kind::Lookup if stored == Kind::Lookup => format!("The id of {}.", a_record_of(targets)),
        Kind::Lookup => format!("The type and the id of {}, as text.", a_record_of(targets)),
    }
}

fn a_record_of(targets: &[String]) -> String {
    match targets {
        [] => "a record".to_owned(),
        targets => format!("a record of {}", either(targets)),
    }
}

/// `` `account` or `contact` ``.
pub(super) fn either(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A default that stands for a null; as the mapping says it.
pub(super) fn default(said: &str) -> String {
    match said {
        OF_TYPE => "the empty value of its type".to_owned(),
        "\"\"" => "an empty text".to_owned(),
        "false" => "no (`false`)".to_owned(),
        "true" => "yes (`true`)".to_owned(),
        said => format!("`{said}`"),
    }
}

/// The zero of a kind, with which a local field begins.
pub(super) const fn zero(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "an empty text",
        Kind::Boolean => "no (`false`)",
        _ => "zero",
    }
}

/// The first sentence of a doc comment, on one line.
pub(super) fn first_sentence(docs: &str) -> String {
    let paragraph = docs.split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.find(". ") {
        Some(end) => line[..=end].to_owned(),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::first_sentence;

    #[test]
    fn the_first_sentence_of_a_doc_comment_is_one_line() {
        assert_eq!(first_sentence("A company\nthat trades. More of it.\n\nAnd more."), "A company that trades.");
        assert_eq!(first_sentence("Without an end"), "Without an end");
    }
}
