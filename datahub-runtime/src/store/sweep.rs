//! The records that CDMS has listed for a sweep, and the rows that are missing among them.

use datahub_model::ModelDescriptor;
use datahub_protocol::Version;
use uuid::Uuid;

use super::connection::Connection;
use super::failure::Trouble;
use super::page::bury;
use super::statement::{Datum, Statement};
use super::watermark::{self, Claim, Watermark};
use crate::crash_points::Step;

/// What is missing from CDMS's list among the rows that were stored before the sweep began and have no open write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The number of the model's rows that were stored before.
    pub(crate) rows: i64,
    /// How many of them are missing.
    pub(crate) missing: i64,
}

/// Takes over the sweep of a model, as a pull is taken over. A sweep that begins forgets what another one has listed.
pub(crate) fn begin(connection: &mut Connection, claim: &Claim, restart: bool) -> Result<Watermark, Trouble> {
    connection.write(|connection| {
        let at = watermark::claim(connection, claim, Vec::new(), restart)?;
        if at.next.is_none() {
            forget(connection, claim.model)?;
        }
        Ok(at)
    })
}

/// Stores the progress of a sweep with what it has listed; returns whether the claim is still valid.
pub(crate) fn list(
    connection: &mut Connection,
    claim: &Claim,
    to: &Watermark,
    ids: &[Uuid],
    step: Step,
) -> Result<bool, Trouble> {
    connection.write(|connection| {
        let is_valid = watermark::advance(connection, claim, to)?;
        if is_valid {
            put(connection, claim.model, ids)?;
        }
        connection.pass_before_commit(step)?;
        Ok(is_valid)
    })
}

/// Ends a sweep; returns whether the claim is still valid.
pub(crate) fn end(connection: &mut Connection, claim: &Claim, to: &Watermark, step: Step) -> Result<bool, Trouble> {
    connection.write(|connection| {
        let is_valid = watermark::advance(connection, claim, to)?;
        if is_valid {
            forget(connection, claim.model)?;
        }
        connection.pass_before_commit(step)?;
        Ok(is_valid)
    })
}

/// Notes that a missing record was read on its own.
pub(crate) fn found(connection: &mut Connection, model: &'static ModelDescriptor, id: Uuid) -> Result<(), Trouble> {
    connection.write(|connection| put(connection, model, &[id]))
}

/// Counts the rows that are missing. One statement.
pub(crate) fn count(
    connection: &mut Connection,
    model: &'static ModelDescriptor,
    before: Version,
) -> Result<Missing, Trouble> {
    let mut statement = Statement::default();
    statement.push("SELECT count(*), count(CASE WHEN ", []);
    is_missing(&mut statement, model);
    statement.push(
        " THEN 1 END) FROM datahub_records AS stored WHERE stored.model = ? AND stored.state = 'row' \
         AND stored.version <= ?",
        [model.table.into(), before.0.into()],
    );
    let counted = connection.read::<(i64, i64)>(&statement.once())?.into_iter().next();
    let (rows, missing) =
        counted.ok_or_else(|| Trouble::Corrupt("the query for missing rows returned no row".to_owned()))?;
    Ok(Missing { rows, missing })
}

/// The next rows that are missing, after an id, at most `limit`. One statement.
pub(crate) fn missing(
    connection: &mut Connection,
    model: &'static ModelDescriptor,
    before: Version,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Uuid>, Trouble> {
    let mut statement = Statement::default();
    statement.push(
        "SELECT stored.id FROM datahub_records AS stored WHERE stored.model = ? AND stored.state = 'row' \
         AND stored.version <= ? AND stored.id > ? AND ",
        [model.table.into(), before.0.into(), after.into()],
    );
    is_missing(&mut statement, model);
    statement.push(" ORDER BY stored.id LIMIT 0 + ?", [limit.into()]);
    connection.read(&statement)
}

/// A planted fault: makes tombstones of rows that were not listed.
pub(crate) fn bury_missing(
    connection: &mut Connection,
    model: &'static ModelDescriptor,
    ids: &[Uuid],
) -> Result<(), Trouble> {
    connection.write(|connection| bury(connection, model, ids))
}

/// Appends the condition that a row was not listed and has no open write.
fn is_missing(statement: &mut Statement, model: &ModelDescriptor) {
    statement.push(
        "(NOT EXISTS (SELECT 1 FROM datahub_swept AS swept WHERE swept.model = stored.model AND swept.id = stored.id) \
         AND NOT EXISTS (SELECT 1 FROM datahub_intents AS intent WHERE intent.entity = ? AND intent.id = stored.id \
         AND intent.verdict IS NULL))",
        [model.entity.name.into()],
    );
}

fn put(connection: &mut Connection, model: &ModelDescriptor, ids: &[Uuid]) -> Result<(), Trouble> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut statement = Statement::default();
    statement.sql("INSERT INTO datahub_swept (model, id) ");
    statement.inserted(ids.iter().map(|id| [model.table.into(), Datum::from(*id)]));
    statement.sql(" ON CONFLICT (model, id) DO NOTHING");
    connection.send(statement)
}

fn forget(connection: &mut Connection, model: &ModelDescriptor) -> Result<(), Trouble> {
    let sql = "DELETE FROM datahub_swept WHERE model = ?";
    connection.send(Statement::new(sql, [model.table.into()]))
}
