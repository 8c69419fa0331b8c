//! What PostgreSQL's codes mean: what a record broke, what is wrong with the tables, and what is wrong with the server.

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::store::failure::{Rule, Trouble, changed_tables};

/// What a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// A constraint forbids the row.
    Rule(Rule),
    /// The row is refused in words of the database's own: a value that its column does not hold, or a trigger's words.
    Words,
    /// The tables are not those that the statement is about.
    Schema,
    /// The hub's user may not do it.
    Rights,
    /// The server, the connection or the transaction cannot be used now.
    Outage,
    /// The same, and the connection is of no use any more: the server is another one now, or will be.
    HangUp,
}

/// What an error means, and whether its connection is to be given up.
pub(super) fn trouble(error: &Error) -> (Trouble, bool) {
    // What the server has not said, the connection itself has met.
    let Some(told) = error.as_db_error() else { return (Trouble::Unavailable(causes(error)), true) };
    let message = told.message();
    let trouble = match meaning(told.code()) {
        Meaning::Rule(rule) => Trouble::Refused(rule.broken(&subject(told))),
        Meaning::Words => Trouble::Other(message.to_owned()),
        Meaning::Schema => changed_tables(message),
        Meaning::Rights => Trouble::Rights(message.to_owned()),
        Meaning::Outage => Trouble::Unavailable(message.to_owned()),
        Meaning::HangUp => return (Trouble::Unavailable(message.to_owned()), true),
    };
    (trouble, false)
}

/// Whether a statement is none that the server knows prepared, or not in this form any more: the tables have changed, or
/// something in between has passed it on to another session.
pub(super) fn is_forgotten(error: &Error) -> bool {
    let Some(told) = error.as_db_error() else { return false };
    match told.code() {
        // The server has no code of its own for a plan whose result has changed, and a team's trigger may raise this one; so
        // the place in the server that said it decides, which is the same in every language.
        code if *code == SqlState::FEATURE_NOT_SUPPORTED => told.routine() == Some("RevalidateCachedQuery"),
        code => [SqlState::INVALID_SQL_STATEMENT_NAME, SqlState::DUPLICATE_PSTATEMENT].contains(code),
    }
}

/// Whether what is between the hub and the server takes no parameters of a session.
pub(super) fn takes_no_parameters(error: &Error) -> bool {
    error.code() == Some(&SqlState::PROTOCOL_VIOLATION) || error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED)
}

/// An error with its causes: the outermost alone says little.
pub(super) fn causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// What a constraint is about.
fn subject(told: &DbError) -> String {
    match (told.constraint(), told.table(), told.column()) {
        (Some(constraint), ..) => constraint.to_owned(),
        (None, Some(table), Some(column)) => format!("{table}.{column}"),
        _ => told.message().to_owned(),
    }
}

fn meaning(code: &SqlState) -> Meaning {
    match code.code() {
        "23505" => Meaning::Rule(Rule::Unique),
        "23502" => Meaning::Rule(Rule::NotNull),
        "23514" => Meaning::Rule(Rule::Check),
        "23P01" => Meaning::Rule(Rule::Exclusion),
        "23503" | "23001" => Meaning::Rule(Rule::ForeignKey),
        // A server that only reads is a standby now, or is being looked after; one that shuts down will be another.
        "25006" | "25P03" | "57P01" | "57P02" | "57P03" | "57P05" => Meaning::HangUp,
        "42501" => Meaning::Rights,
        // A view that takes no rows, for instance.
        "55000" => Meaning::Schema,
        // A row that is too large for its index.
        "54000" => Meaning::Words,
        code => match code.get(..2).unwrap_or(code) {
            "08" => Meaning::HangUp,
            "42" | "3D" | "3F" => Meaning::Schema,
            "0A" | "25" | "26" | "28" | "2D" | "34" | "40" | "53" | "54" | "55" | "57" | "58" | "72" | "F0" | "XX" => {
                Meaning::Outage
            }
            // A value that its column does not hold, a rule of a domain or a view, and what triggers raise, with whatever
            // code they choose.
            _ => Meaning::Words,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_rules_from_tables_and_both_from_outages() {
        for (code, meant) in [
            ("23505", Meaning::Rule(Rule::Unique)),
            ("23503", Meaning::Rule(Rule::ForeignKey)),
            ("22001", Meaning::Words),
            ("44000", Meaning::Words),
            // What a trigger raises, and with a code of its own.
            ("P0001", Meaning::Words),
            ("ACC01", Meaning::Words),
            ("42703", Meaning::Schema),
            ("42P01", Meaning::Schema),
            ("42804", Meaning::Schema),
            ("3F000", Meaning::Schema),
            ("42501", Meaning::Rights),
            // Disk full, out of memory, too many connections, a deadlock, a statement cancelled, an I/O error.
            ("53100", Meaning::Outage),
            ("53200", Meaning::Outage),
            ("53300", Meaning::Outage),
            ("40P01", Meaning::Outage),
            ("57014", Meaning::Outage),
            ("58030", Meaning::Outage),
            ("55P03", Meaning::Outage),
            ("25006", Meaning::HangUp),
            ("57P01", Meaning::HangUp),
            ("08006", Meaning::HangUp),
        ] {
            assert_eq!(meaning(&SqlState::from_code(code)), meant, "{code}");
        }
    }
}
