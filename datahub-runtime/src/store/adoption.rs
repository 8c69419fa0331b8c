//! The environment of a database: taking over a copy for another one, and correcting its name, each in one transaction.

use datahub_protocol::Verdict;

use super::connection::Connection;
use super::failure::Trouble;
use super::row::to_json;
use super::settings;
use super::statement::Statement;
use crate::environment::{COPY_OF, ENVIRONMENT};

/// What taking over a copy came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Adoption {
    /// It is taken over.
    Done {
        /// How many open writes were closed.
        closed: u64,
    },
    /// It does not belong to the expected environment, or is taken over already.
    Not {
        /// The environment that it belongs to, if it states one.
        found: Option<String>,
    },
}

/// What the names of the settings begin with that logins have: those of refused secrets, for instance.
pub(crate) const LOGIN_SETTINGS: &str = "login_";

/// Gives the database the environment `name`, if it belongs to `from`, closes its open writes, marks it as a copy, and
/// forgets what it knows about logins.
pub(super) fn adopt(
    connection: &mut Connection,
    name: &str,
    from: Option<&str>,
    verdict: &Verdict,
) -> Result<Adoption, Trouble> {
    let found = settings::get(connection, ENVIRONMENT)?;
    if found.as_deref() != from || found.as_deref() == Some(name) {
        return Ok(Adoption::Not { found });
    }
    let now = connection.now()?;
    let sql = "UPDATE datahub_intents SET verdict = ?, closed_at = ?, finished = 1 WHERE verdict IS NULL";
    let closed = connection.execute(&Statement::new(sql, [to_json(verdict)?, now.into()]))?;
    // Others have a copy, and other secrets. They are not to try guesses on what was refused.
    settings::forget_that_begin(connection, LOGIN_SETTINGS)?;
    settings::put(connection, ENVIRONMENT, name)?;
    settings::put(connection, COPY_OF, from.unwrap_or_default())?;
    Ok(Adoption::Done { closed: u64::try_from(closed).unwrap_or(u64::MAX) })
}

/// Gives the database the environment `to` in place of `from`, and changes nothing else. If it does not belong to `from`, returns
/// the environment that it belongs to.
pub(super) fn rename(connection: &mut Connection, from: &str, to: &str) -> Result<Result<(), Option<String>>, Trouble> {
    let found = settings::get(connection, ENVIRONMENT)?;
    if found.as_deref() != Some(from) {
        return Ok(Err(found));
    }
    settings::put(connection, ENVIRONMENT, to)?;
    Ok(Ok(()))
}
