//! Reading many records by their ids.

use std::collections::{HashMap, HashSet};
use std::future::IntoFuture;
use std::sync::Arc;

use cdms_odata::Value;
use datahub_model::condition::Condition;
use datahub_model::filter::Comparison;
use datahub_model::{Mode, ModelDescriptor};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::PAGE_SIZE;
use super::found::{LeftOut, synced};
use super::listing::{Listing, Wish};
use super::local;
use super::reader::{Met, Pace, read_alone};
use super::request::Query;
use crate::engine::call::{Call, Costed};
use crate::engine::{Doubt, Engine};
use crate::{CdmsSynced, Cost, Error, Hub, Id, Synced};

/// A read of many records by their ids; see [`CdmsSynced::get_many`].
#[derive(Debug)]
#[must_use = "a read does nothing until it is awaited"]
pub struct GetMany<T> {
    hub: Hub,
    ids: Vec<Id<T>>,
    confirms: bool,
}

/// The records of a [`get_many`](CdmsSynced::get_many).
#[derive(Debug)]
#[non_exhaustive]
pub struct Many<T> {
    /// The records, in the order of the ids.
    pub records: Vec<Synced<T>>,
    /// Records that cannot be returned, each with the reason, as in [`Found::left_out`](crate::Found::left_out).
    pub left_out: Vec<LeftOut<T>>,
    /// Ids that CDMS has not listed. This proves nothing, because CDMS leaves out what the user may not read, unless
    /// [`confirm`](GetMany::confirm) was called: then CDMS has said of each that there is no such record, or that it does not
    /// belong to the model.
    pub missing: Vec<Id<T>>,
    /// What it cost.
    pub cost: Cost,
}

impl<T> Costed for Many<T> {
    fn set_cost(&mut self, cost: Cost) {
        self.cost = cost;
    }
}

impl<T: CdmsSynced> GetMany<T> {
    #[track_caller]
    pub(crate) fn new(hub: &Hub, ids: Vec<Id<T>>) -> Self {
        GetMany { hub: hub.called(), ids, confirms: false }
    }

    /// Reads records that CDMS has not listed on their own, one request for each, so that those which are gone are known to
    /// be.
    pub fn confirm(mut self) -> Self {
        self.confirms = true;
        self
    }

    async fn run(self) -> Result<Many<T>, Error> {
        let mut seen = HashSet::with_capacity(self.ids.len());
        let ids: Vec<_> = self.ids.iter().map(|id| id.guid()).filter(|id| seen.insert(*id)).collect();
        let met = met(&self.hub.engine, T::DESCRIPTOR, &ids, self.confirms).await?;
        let mut met: HashMap<_, _> = met.into_iter().collect();
        let mut many = Many { records: Vec::new(), left_out: Vec::new(), missing: Vec::new(), cost: Cost::default() };
        for id in ids {
            match met.remove(&id).and_then(|met| synced::<T>(id.into(), met)) {
                None => many.missing.push(id.into()),
                Some(Ok(record)) => many.records.push(record),
                Some(Err(error)) => many.left_out.push(LeftOut { id: id.into(), error }),
            }
        }
        Ok(many)
    }
}

/// What is known of records by their ids, each once, in no particular order.
pub(super) async fn met(
    engine: &Arc<Engine>,
    model: &'static ModelDescriptor,
    ids: &[Uuid],
    confirms: bool,
) -> Result<Vec<(Uuid, Met)>, Error> {
    if model.mode == Mode::Detached {
        engine.admit(model)?;
        return local::known(engine, model, ids).await;
    }
    let key = model.columns[model.key_column()].field;
    let one = |id: Uuid| Condition::compare(key, Comparison::Equal, Value::Guid(id));
    let mut all = listed(engine, model, ids, &one, u32::MAX).await?;
    if !confirms {
        return Ok(all);
    }
    let known: HashSet<_> = all.iter().map(|(id, _)| *id).collect();
    let mut doubt = Doubt::default();
    for id in ids.iter().filter(|id| !known.contains(id)) {
        all.push((*id, read_alone(engine, model, *id, &mut doubt).await?));
    }
    Ok(all)
}

/// The records for which one of many conditions holds, one condition for each id, in no particular order.
pub(super) async fn listed(
    engine: &Arc<Engine>,
    model: &'static ModelDescriptor,
    ids: &[Uuid],
    one: &(dyn Fn(Uuid) -> Condition + Sync),
    mut requests_left: u32,
) -> Result<Vec<(Uuid, Met)>, Error> {
    engine.admit(model)?;
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = |ids: &[Uuid]| {
        let condition = Condition::Any(ids.iter().map(|id| one(*id)).collect());
        Query { model, condition, order: Vec::new() }
    };
    let wish = |ids: &[Uuid], requests_max| Wish {
        engine: Arc::clone(engine),
        query: query(ids),
        limit: None,
        after: None,
        requests_max,
        looks_further: false,
        pace: Pace::AtOnce,
    };
    let mut all = Vec::new();
    if model.mode == Mode::Detached {
        for ids in ids.chunks(PAGE_SIZE) {
            all.extend(local::load(&wish(ids, requests_left)).await?.met);
        }
        return Ok(all);
    }
    let shape = engine.client()?.shape(model);
    let size = size(&ids, |ids| query(ids).asked_of_cdms(engine, &shape).map(drop))?;
    for ids in ids.chunks(size) {
        let Some(mut listing) = Listing::begin(wish(ids, requests_left)).await? else { continue };
        while !listing.is_over {
            all.extend(listing.page().await?.met);
        }
        requests_left = requests_left.saturating_sub(listing.pages());
    }
    Ok(all)
}

/// How many of the ids to ask for at once: as many requests as the length of addresses makes necessary, each with about as
/// many ids, which leaves most room for the names of the attributes.
fn size(ids: &[Uuid], fits: impl Fn(&[Uuid]) -> Result<(), Error>) -> Result<usize, Error> {
    fits(&ids[..1])?;
    let (mut good, mut too_many) = (1, ids.len().min(PAGE_SIZE) + 1);
    while good + 1 < too_many {
        let middle = usize::midpoint(good, too_many);
        if fits(&ids[..middle]).is_ok() { good = middle } else { too_many = middle }
    }
    Ok(ids.len().div_ceil(ids.len().div_ceil(good)))
}

impl<T: CdmsSynced> IntoFuture for GetMany<T> {
    type Output = Result<Many<T>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let call = Call::new(&self.hub, "get_many", T::DESCRIPTOR.name);
        Box::pin(call.run(self.run()))
    }
}

impl<T> IntoIterator for Many<T> {
    type Item = Synced<T>;
    type IntoIter = std::vec::IntoIter<Synced<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.records.into_iter()
    }
}
