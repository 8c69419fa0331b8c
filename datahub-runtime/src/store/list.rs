//! Stores the records of a list that a caller asked for, in one transaction with a fixed number of statements. If the rows
//! are as CDMS has the records, it only reads.

use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{Listed, Loaded, Record, Stored, Values, Version};
use uuid::Uuid;

use super::commit::By;
use super::connection::Connection;
use super::epochs::{self, Stage};
use super::failure::Trouble;
use super::load::{StoredRecord, load};
use super::page::{RECORDS_PER_STATEMENT, store_judged};
use super::waiting_fields;
use crate::crash_points::Step;

/// Decides what to do with a record of a list, given what the store has of it; with the model's values of a record whose
/// row is as it is in CDMS.
pub(crate) type ListJudge = Box<dyn Fn(Uuid, &Loaded, Result<Record, Fault>) -> (Listed<Fault>, Option<Values>) + Send>;

/// Records of a list.
pub(crate) struct ListPart {
    pub(crate) model: &'static ModelDescriptor,
    pub(crate) actor: String,
    pub(crate) program: String,
    /// The records, each id once.
    pub(crate) records: Vec<(Uuid, Result<Record, Fault>)>,
    pub(crate) judge: ListJudge,
    /// As crash points name it.
    pub(crate) step: Step,
}

/// What was done with a record of a list.
#[derive(Debug)]
pub(crate) struct ListedRecord {
    pub(crate) id: Uuid,
    pub(crate) outcome: Listed<Fault>,
    /// What the store had of it, but for the local fields, which are as they are now.
    pub(crate) stored: StoredRecord,
    /// The model's values of a record whose row is as it is in CDMS.
    pub(crate) values: Option<Values>,
    /// The version of what was stored.
    pub(crate) version: Option<Version>,
}

impl ListedRecord {
    /// The version that the store had of it.
    pub(super) fn met(&self) -> Option<Version> {
        match &self.stored.loaded.stored {
            Stored::Absent => None,
            Stored::Row(snapshot) | Stored::Tombstone(snapshot, _) => Some(snapshot.version),
        }
    }
}

/// Stores records of a list. Returns them in order.
pub(crate) fn store(connection: &mut Connection, part: &ListPart, quiet_ms: u64) -> Result<Vec<ListedRecord>, Trouble> {
    let has_one_writer = connection.dialect().lock.is_none();
    let stored = match connection.maybe_write(|connection| store_all(connection, part, quiet_ms)) {
        // Another program has written since the rows were read, or is about to.
        Err(Trouble::Unavailable(_)) if has_one_writer => {
            connection.write(|connection| store_all(connection, part, quiet_ms))
        }
        stored => stored,
    };
    stored.map_err(|trouble| epochs::cause(connection, part.model, trouble))
}

fn store_all(connection: &mut Connection, part: &ListPart, quiet_ms: u64) -> Result<Vec<ListedRecord>, Trouble> {
    let ListPart { model, actor, program, records, judge, step } = part;
    let by = By { model, actor, program };
    connection.lock(model.entity.name, records.iter().map(|(id, _)| id.to_string()))?;
    let now = connection.now()?;
    let (mut all, mut writes) = (Vec::with_capacity(records.len()), false);
    for records in records.chunks(RECORDS_PER_STATEMENT) {
        let ids: Vec<_> = records.iter().map(|(id, _)| *id).collect();
        let mut stored = load(connection, model, &ids, quiet_ms, Stage::Begins)?;
        let judged = records.iter().zip(&stored);
        let judged = judged.map(|((id, record), stored)| judge(*id, &stored.loaded, record.clone()));
        let (outcomes, values): (Vec<_>, Vec<_>) = judged.unzip();
        if !writes && outcomes.iter().any(|outcome| outcome.commit().is_some()) {
            writes = true;
            connection.will_write();
        }
        let outcomes = ids.iter().copied().zip(outcomes).collect();
        let (outcomes, version) = store_judged(connection, by, outcomes, &stored, now)?;
        update_locals(connection, part, &outcomes, &mut stored, quiet_ms)?;
        let parts = outcomes.into_iter().zip(stored).zip(values);
        all.extend(parts.map(|(((id, outcome), stored), values)| ListedRecord {
            id,
            outcome,
            stored,
            values,
            version,
        }));
    }
    connection.pass_before_commit(*step)?;
    Ok(all)
}

/// Loads the local fields again of rows that got some which had waited for them.
fn update_locals(
    connection: &mut Connection,
    part: &ListPart,
    outcomes: &[(Uuid, Listed<Fault>)],
    stored: &mut [StoredRecord],
    quiet_ms: u64,
) -> Result<(), Trouble> {
    let waited = outcomes.iter().zip(&*stored).enumerate().filter(|(_, ((_, outcome), stored))| {
        let awaits = |commit| waiting_fields::awaits(commit, stored.loaded.stored != Stored::Absent);
        !stored.row_present && outcome.commit().is_some_and(awaits)
    });
    let waited: Vec<_> = waited.map(|(at, ((id, _), _))| (at, *id)).collect();
    if waited.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = waited.iter().map(|(_, id)| *id).collect();
    for ((at, _), now) in waited.into_iter().zip(load(connection, part.model, &ids, quiet_ms, Stage::Begins)?) {
        stored[at].locals = now.locals;
    }
    Ok(())
}
