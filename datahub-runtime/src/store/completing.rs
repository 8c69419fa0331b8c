//! The rows that another mapping stored: their number, and completing them in batches from what is kept of their records.

use std::collections::BTreeSet;

use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{Listed, Loaded, Stored};
use uuid::Uuid;

use super::commit::By;
use super::connection::Connection;
use super::epochs::Stage;
use super::failure::Trouble;
use super::intents::mapping_datum;
use super::load::load;
use super::page::{RECORDS_PER_STATEMENT, store_some};
use super::statement::Statement;
use crate::crash_points::Step;

/// Decides what to do with a row, given only what the store has of it; `None` if the row lacks something.
pub(crate) type SeenJudge = std::sync::Arc<dyn Fn(Uuid, &Loaded) -> Option<Listed<Fault>> + Send + Sync>;

/// Lists the attributes that a row lacks.
pub(crate) type Lacking = std::sync::Arc<dyn Fn(&Loaded) -> Vec<&'static str> + Send + Sync>;

/// The maximum number of rows in a batch, which is one transaction.
pub(crate) const BATCH: usize = 200;

/// A batch of rows that another mapping stored, as they were found.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// The last row of the batch, after which the next batch begins; `None` if there was none.
    pub(crate) last: Option<Uuid>,
    /// Those that can be completed, or must leave the table, from what is kept of them.
    pub(crate) completable: Vec<Uuid>,
    /// Those that have a write in progress.
    pub(crate) pending: u64,
    /// Those that cannot be converted or stored, and are in quarantine already.
    pub(crate) quarantined: u64,
    /// Those that lack something, with whether they are in quarantine.
    pub(crate) lacking: Vec<(Uuid, bool)>,
    /// The attributes that these lack.
    pub(crate) attributes: BTreeSet<&'static str>,
}

/// The next batch of rows that the model's mapping did not store. Two statements.
pub(crate) fn candidates(
    connection: &mut Connection,
    model: &'static ModelDescriptor,
    after: Uuid,
    (judge, lacking): (&SeenJudge, &Lacking),
    quiet_ms: u64,
) -> Result<Candidates, Trouble> {
    let sql = "SELECT id FROM datahub_records WHERE model = ? AND state = 'row' AND mapping_id <> ? AND id > ? \
               ORDER BY id LIMIT 0 + ?";
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let values = [model.table.into(), mapping_datum(model.mapping_id.0), after.into(), limit.into()];
    let ids: Vec<Uuid> = connection.read(&Statement::new(sql, values))?;
    let mut found = Candidates { last: ids.last().copied(), ..Candidates::default() };
    if ids.is_empty() {
        return Ok(found);
    }
    for (id, stored) in ids.iter().zip(load(connection, model, &ids, quiet_ms, Stage::Begins)?) {
        match judge(*id, &stored.loaded) {
            Some(Listed::Pending(_)) => found.pending += 1,
            Some(Listed::Quarantined(_)) if stored.loaded.quarantined => found.quarantined += 1,
            Some(listed) if listed.commit().is_some() => found.completable.push(*id),
            Some(_) => {}
            None => {
                found.lacking.push((*id, stored.loaded.quarantined));
                found.attributes.extend(lacking(&stored.loaded));
            }
        }
    }
    Ok(found)
}

/// Completes rows from what is kept of their records, in one transaction with a fixed number of statements. Returns what
/// was done with each, in order; a row that has changed since it was found may lack something again.
pub(crate) fn complete(
    connection: &mut Connection,
    by: By<'_>,
    ids: &[Uuid],
    judge: &SeenJudge,
    step: Step,
    quiet_ms: u64,
) -> Result<Vec<(Uuid, Listed<Fault>)>, Trouble> {
    connection.write(|connection| {
        connection.lock(by.model.entity.name, ids.iter().map(Uuid::to_string))?;
        let now = connection.now()?;
        let mut outcomes = Vec::with_capacity(ids.len());
        for some in ids.chunks(RECORDS_PER_STATEMENT) {
            let judge = |id, loaded: &Loaded| judge(id, loaded).unwrap_or(Listed::ReadAgain);
            outcomes.extend(store_some(connection, by, some, judge, now, quiet_ms)?);
        }
        connection.pass_before_commit(step)?;
        Ok(outcomes)
    })
}

/// The condition that a row is noted as complete for a mapping besides the one that stored it: with the row's version, as
/// JSON without blanks. Its value is the mapping's id as text.
macro_rules! complete_for {
    () => {
        "(complete_for IS NOT NULL AND complete_for LIKE '{\"version\":' || version || ',%' \
         AND replace(replace(complete_for, '[', ','), ']', ',') LIKE '%,' || ? || ',%')"
    };
}

pub(crate) use complete_for;

/// The number of the model's rows, and of those among them that are not complete for its mapping. One statement.
pub(crate) fn count(connection: &mut Connection, model: &ModelDescriptor) -> Result<(i64, i64), Trouble> {
    let sql = concat!(
        "SELECT count(*), count(CASE WHEN mapping_id <> ? AND NOT ",
        complete_for!(),
        " THEN 1 END) FROM datahub_records WHERE model = ? AND state = 'row'"
    );
    let tag = model.mapping_id.0;
    let values = [mapping_datum(tag), tag.to_string().into(), model.table.into()];
    let counted = connection.read(&Statement::new(sql, values).once())?.into_iter().next();
    counted.ok_or_else(|| Trouble::Corrupt("the query for counts returned no row".to_owned()))
}

/// The snapshot of a loaded row, if it is one.
pub(crate) fn row_of(loaded: &Loaded) -> Option<&datahub_protocol::Snapshot> {
    match &loaded.stored {
        Stored::Row(snapshot) => Some(snapshot),
        Stored::Absent | Stored::Tombstone(..) => None,
    }
}
