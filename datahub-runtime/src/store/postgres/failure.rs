//! The meaning of PostgreSQL's error codes: a violated rule, a mismatch with the tables, or a problem of the server.

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::store::failure::{Rule, Trouble, changed_tables};

/// Why a statement failed.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The server or the connection reported an error, about rows of this table of a model if there is one.
    Told(Error, Option<&'static str>),
    /// A value cannot be sent.
    Value(String),
    /// A row does not have the expected contents.
    Row(Trouble),
    /// The transaction had failed before.
    Failed,
}

impl Problem {
    /// Converts to the store's error, and returns whether the connection must be closed.
    pub(crate) fn trouble(self) -> (Trouble, bool) {
        match self {
            Problem::Told(error, _) if is_forgotten(&error) => {
                let reason = format!("{error}: its tables have just been changed", error = causes(&error));
                (Trouble::Forgotten(reason), false)
            }
            Problem::Told(error, table) => {
                let (trouble, hangs_up) = trouble(&error);
                let trouble = match table {
                    Some(table) => trouble.in_table(table),
                    None => trouble,
                };
                (trouble, hangs_up)
            }
            Problem::Value(reason) => (Trouble::Refused(reason), false),
            Problem::Row(trouble) => (trouble, false),
            Problem::Failed => {
                let reason = "a transaction continued after an error and was rolled back; this is a bug";
                (Trouble::Other(reason.to_owned()), false)
            }
        }
    }
}

/// The meaning of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// A constraint forbids the row.
    Rule(Rule),
    /// The row is rejected with a message of the database's own: about a value that does not fit its column, or from a
    /// trigger.
    Words,
    /// The tables do not match the statement.
    Schema,
    /// The hub's user lacks a right.
    Rights,
    /// The server, the connection or the transaction is unavailable at the moment.
    Outage,
    /// The same, and the connection must be closed: the server has another role now, or will have.
    HangUp,
}

/// The meaning of an error, and whether its connection must be closed.
pub(super) fn trouble(error: &Error) -> (Trouble, bool) {
    // The error does not come from the server, but from the connection itself.
    let Some(db_error) = error.as_db_error() else { return (Trouble::Unavailable(causes(error)), true) };
    let message = db_error.message();
    let trouble = match meaning(db_error.code()) {
        Meaning::Rule(rule) => Trouble::Refused(rule.broken(&subject(db_error))),
        Meaning::Words => Trouble::Other(message.to_owned()),
        Meaning::Schema => changed_tables(message),
        Meaning::Rights => Trouble::Rights(message.to_owned()),
        Meaning::Outage => Trouble::Unavailable(message.to_owned()),
        Meaning::HangUp => return (Trouble::Unavailable(message.to_owned()), true),
    };
    (trouble, false)
}

/// Whether the server no longer knows a prepared statement, or not in this form: the tables have changed, or a pooler
/// has passed the statement to another session.
pub(super) fn is_forgotten(error: &Error) -> bool {
    let Some(db_error) = error.as_db_error() else { return false };
    match db_error.code() {
        // There is no specific code for a plan whose result type has changed, and a team's trigger may raise this one.
        // The routine in the server that reported the error decides instead, because it is the same in every language.
        code if *code == SqlState::FEATURE_NOT_SUPPORTED => db_error.routine() == Some("RevalidateCachedQuery"),
        code => [SqlState::INVALID_SQL_STATEMENT_NAME, SqlState::DUPLICATE_PSTATEMENT].contains(code),
    }
}

/// Whether something between the hub and the server rejects session parameters.
pub(super) fn takes_no_parameters(error: &Error) -> bool {
    error.code() == Some(&SqlState::PROTOCOL_VIOLATION) || error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED)
}

/// An error with its causes, because the outermost error alone says little.
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

/// The subject of a violated rule: the constraint or the column.
fn subject(db_error: &DbError) -> String {
    match (db_error.constraint(), db_error.table(), db_error.column()) {
        (Some(constraint), ..) => constraint.to_owned(),
        (None, Some(table), Some(column)) => format!("{table}.{column}"),
        _ => db_error.message().to_owned(),
    }
}

fn meaning(code: &SqlState) -> Meaning {
    match code.code() {
        "23505" => Meaning::Rule(Rule::Unique),
        "23502" => Meaning::Rule(Rule::NotNull),
        "23514" => Meaning::Rule(Rule::Check),
        "23P01" => Meaning::Rule(Rule::Exclusion),
        "23503" | "23001" => Meaning::Rule(Rule::ForeignKey),
        // A read-only server has become a standby or is under maintenance; one that is shutting down will be replaced.
        "25006" | "25P03" | "57P01" | "57P02" | "57P03" | "57P05" => Meaning::HangUp,
        "42501" => Meaning::Rights,
        // For example, a view that does not accept rows.
        "55000" => Meaning::Schema,
        // For example, a row that is too large for its index.
        "54000" => Meaning::Words,
        code => match code.get(..2).unwrap_or(code) {
            "08" => Meaning::HangUp,
            "42" | "3D" | "3F" => Meaning::Schema,
            "0A" | "25" | "26" | "28" | "2D" | "34" | "40" | "53" | "54" | "55" | "57" | "58" | "72" | "F0" | "XX" => {
                Meaning::Outage
            }
            // A value that does not fit its column, a rule of a domain or a view, and exceptions of triggers, with any
            // code.
            _ => Meaning::Words,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_distinguish_rules_tables_and_outages() {
        for (code, meant) in [
            ("23505", Meaning::Rule(Rule::Unique)),
            ("23503", Meaning::Rule(Rule::ForeignKey)),
            ("22001", Meaning::Words),
            ("44000", Meaning::Words),
            // Exceptions of a trigger, with the default code and with a code of its own.
            ("P0001", Meaning::Words),
            ("ACC01", Meaning::Words),
            ("42703", Meaning::Schema),
            ("42P01", Meaning::Schema),
            ("42804", Meaning::Schema),
            ("3F000", Meaning::Schema),
            ("42501", Meaning::Rights),
            // Disk full, out of memory, too many connections, a deadlock, a cancelled statement, an I/O error, a lock
            // timeout.
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
