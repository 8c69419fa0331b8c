//! Completing the rows that another version of the mapping stored, from what the hub keeps of their records.

use std::collections::BTreeSet;
use std::sync::Arc;

use cdms_odata::Value;
use datahub_model::{Mode, ModelDescriptor};
use datahub_protocol::{Listed, Loaded, Stored, from_seen, lacking};
use uuid::Uuid;

use super::backfill::Completeness;
use crate::Error;
use crate::crash_points::{Moment, Step, pass};
use crate::engine::Engine;
use crate::engine::executor::News;
use crate::engine::mapping::ModelMapping;
use crate::store::{Candidates, Lacking, SeenJudge, row_of};

/// The step that stores a batch.
const STEP: Step = Step { operation: "backfill", action: "complete" };

/// What was found and done.
#[derive(Debug, Default)]
pub(super) struct FromSeen {
    /// Rows that were completed.
    pub(super) rows: u64,
    /// Rows whose record does not satisfy the model's condition.
    pub(super) not_of_model: u64,
    /// Rows that cannot be converted or stored as this mapping says.
    pub(super) quarantined: u64,
    /// Rows that lack something.
    pub(super) lacking: u64,
    /// What they lack.
    pub(super) attributes: BTreeSet<&'static str>,
}

/// The rows of a model that its mapping did not store, batch by batch.
pub(super) struct Incomplete {
    engine: Arc<Engine>,
    model: &'static ModelDescriptor,
    judge: SeenJudge,
    lacking: Lacking,
    after: Uuid,
}

impl Incomplete {
    pub(super) fn of(engine: &Arc<Engine>, model: &'static ModelDescriptor) -> Self {
        let (actor, others_actor) = (Arc::clone(&engine.program), Arc::clone(&engine.program));
        let judge = move |id: Uuid, loaded: &Loaded| {
            let mapping = ModelMapping::new(model, id, Arc::clone(&actor));
            match model.mode {
                Mode::Detached => from_seen(&mapping, &all_there_is(model, loaded)),
                Mode::Sync | Mode::Mirror => from_seen(&mapping, loaded),
            }
        };
        let lacking = move |loaded: &Loaded| {
            let Some(snapshot) = row_of(loaded) else { return Vec::new() };
            let mapping = ModelMapping::new(model, Uuid::nil(), Arc::clone(&others_actor));
            lacking(&mapping, snapshot, model.attributes.iter().map(|attribute| attribute.name)).collect()
        };
        let (judge, lacking) = (Arc::new(judge), Arc::new(lacking));
        Incomplete { engine: Arc::clone(engine), model, judge, lacking, after: Uuid::nil() }
    }

    /// The next batch; `None` after the last.
    pub(super) async fn batch(&mut self) -> Result<Option<Candidates>, Error> {
        self.engine.admit(self.model)?;
        let (judge, lacking) = (Arc::clone(&self.judge), Arc::clone(&self.lacking));
        let found = self.engine.store.completing_candidates(self.model, self.after, judge, lacking).await?;
        let Some(last) = found.last else { return Ok(None) };
        self.after = last;
        Ok(Some(found))
    }

    /// Completes these rows of a batch.
    pub(super) async fn complete(&self, ids: Vec<Uuid>, report: &mut FromSeen) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        pass(STEP, Moment::Before).await;
        let (program, judge) = (self.engine.program.to_string(), Arc::clone(&self.judge));
        let outcomes = self.engine.store.complete(self.model, program, ids, judge, STEP).await?;
        pass(STEP, Moment::After).await;
        for (id, outcome) in outcomes {
            if let Some(commit) = outcome.commit() {
                News::of(commit).tell(self.model, id);
            }
            match outcome {
                Listed::Store(..) => report.rows += 1,
                Listed::Left(_) | Listed::Foreign(Some(_)) => report.not_of_model += 1,
                Listed::Quarantined(_) => report.quarantined += 1,
                // Someone has stored it since it was found.
                Listed::ReadAgain => report.lacking += 1,
                Listed::AsIs | Listed::Foreign(None) | Listed::Pending(_) | Listed::LocalNewer => {}
            }
        }
        Ok(())
    }
}

/// Completes all rows of a model that can be completed without a request.
pub(super) async fn complete_from_seen(
    engine: &Arc<Engine>,
    model: &'static ModelDescriptor,
) -> Result<FromSeen, Error> {
    let (mut incomplete, mut report) = (Incomplete::of(engine, model), FromSeen::default());
    while let Some(Candidates { completable, quarantined, lacking, attributes, .. }) = incomplete.batch().await? {
        report.quarantined += quarantined;
        report.lacking += u64::try_from(lacking.len()).unwrap_or(u64::MAX);
        report.attributes.extend(attributes);
        incomplete.complete(completable, &mut report).await?;
    }
    Ok(report)
}

/// How many rows of a model are complete.
pub(crate) async fn completeness(engine: &Engine, model: &'static ModelDescriptor) -> Result<Completeness, Error> {
    engine.admit(model)?;
    let (rows, incomplete) = engine.store.completeness(model).await?;
    let [rows, incomplete] = [rows, incomplete].map(|count| u64::try_from(count).unwrap_or(0));
    Ok(Completeness { rows, incomplete })
}

/// A record of a detached model as the hub has it: CDMS is not asked any more, so what was never read has no value.
fn all_there_is(model: &ModelDescriptor, loaded: &Loaded) -> Loaded {
    let mut loaded = loaded.clone();
    if let Stored::Row(snapshot) = &mut loaded.stored {
        let mut seen: cdms_odata::Attributes = model.attributes.iter().map(|known| (known.name, Value::Null)).collect();
        seen.merge(&snapshot.seen);
        snapshot.seen = seen;
        snapshot.outdated.clear();
    }
    loaded
}
