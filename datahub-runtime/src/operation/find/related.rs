//! The records that records refer to, and those that refer to them, in few requests for many.

use std::collections::HashMap;
use std::future::IntoFuture;
use std::marker::PhantomData;

use cdms_odata::{Kind, Reference, Value};
use datahub_model::condition::Condition;
use datahub_model::filter::Comparison;
use datahub_model::{Column, ModelDescriptor};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::REQUESTS_MAX;
use super::found::{LeftOut, synced};
use super::local::known;
use super::many;
use crate::engine::call::{Call, Costed};
use crate::model::row_of;
use crate::query::Field;
use crate::synced::invalid;
use crate::{CdmsSynced, Cost, Error, ErrorKind, Hub, Id, Synced};

/// Follows the lookups of many records; see [`CdmsSynced::load_related`].
#[derive(Debug)]
#[must_use = "nothing is read until it is awaited"]
pub struct LoadRelated<T> {
    hub: Hub,
    ids: Result<Vec<Uuid>, Error>,
    reads: Reads,
    model: PhantomData<fn() -> T>,
}

/// Which of the records are asked of CDMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reads {
    All,
    Unknown,
    None,
}

/// The records that others refer to; see [`CdmsSynced::load_related`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Related<T> {
    records: HashMap<Id<T>, Synced<T>>,
    /// Records that cannot be returned, each with the reason, as in [`Found::left_out`](crate::Found::left_out).
    pub left_out: Vec<LeftOut<T>>,
    /// Ids of records that CDMS has not listed, or that the hub does not know if CDMS was not to be asked.
    pub missing: Vec<Id<T>>,
    /// What it cost.
    pub cost: Cost,
}

/// The records that refer to others; see [`CdmsSynced::load_referring`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Referring<M, T> {
    records: HashMap<Id<T>, Vec<Synced<M>>>,
    /// Records that cannot be returned, each with the reason, as in [`Found::left_out`](crate::Found::left_out).
    pub left_out: Vec<LeftOut<M>>,
    /// What it cost.
    pub cost: Cost,
}

impl<T> Related<T> {
    /// The record with this id, such as a lookup's value, if it was found.
    pub fn get(&self, id: impl Into<Option<Id<T>>>) -> Option<&Synced<T>> {
        self.records.get(&id.into()?)
    }

    /// All of them, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Synced<T>> {
        self.records.values()
    }
}

impl<M, T> Referring<M, T> {
    /// The records that refer to this one, in the order of their keys.
    pub fn of(&self, id: Id<T>) -> &[Synced<M>] {
        self.records.get(&id).map_or(&[], Vec::as_slice)
    }
}

impl<T> Costed for Related<T> {
    fn set_cost(&mut self, cost: Cost) {
        self.cost = cost;
    }
}

impl<M, T> Costed for Referring<M, T> {
    fn set_cost(&mut self, cost: Cost) {
        self.cost = cost;
    }
}

impl<T: CdmsSynced> LoadRelated<T> {
    #[track_caller]
    pub(crate) fn new<'r, M: CdmsSynced, V>(
        hub: &Hub,
        records: impl IntoIterator<Item = &'r Synced<M>>,
        lookup: Field<M, V>,
    ) -> Self {
        let ids = records.into_iter().filter_map(|record| target::<M, T, V>(record, lookup).transpose());
        LoadRelated { hub: hub.called(), ids: ids.collect(), reads: Reads::All, model: PhantomData }
    }

    /// Asks CDMS only for records that the hub has no row of; the rows are returned as they are.
    pub fn fetch_unknown(mut self) -> Self {
        self.reads = Reads::Unknown;
        self
    }

    /// Does not ask CDMS: records that the hub has no row of stay ids, in [`Related::missing`].
    pub fn known_only(mut self) -> Self {
        self.reads = Reads::None;
        self
    }

    async fn run(self) -> Result<Related<T>, Error> {
        let (engine, model) = (&self.hub.engine, T::DESCRIPTOR);
        engine.admit(model)?;
        let mut ids = self.ids?;
        ids.sort_unstable();
        ids.dedup();
        let mut met = if self.reads == Reads::All { Vec::new() } else { known(engine, model, &ids).await? };
        if self.reads != Reads::None {
            let unknown: Vec<_> = ids.iter().copied().filter(|id| met.iter().all(|(known, _)| known != id)).collect();
            met.extend(many::met(engine, model, &unknown, false).await?);
        }
        let (records, missing) = (HashMap::with_capacity(met.len()), Vec::new());
        let mut related = Related { records, left_out: Vec::new(), missing, cost: Cost::default() };
        for (id, met) in met {
            match synced::<T>(id.into(), met) {
                None => {}
                Some(Ok(record)) => _ = related.records.insert(id.into(), record),
                Some(Err(error)) => related.left_out.push(LeftOut { id: id.into(), error }),
            }
        }
        let is_met =
            |id: &Id<T>| related.records.contains_key(id) || related.left_out.iter().any(|left_out| left_out.id == *id);
        related.missing = ids.into_iter().map(Id::from).filter(|id| !is_met(id)).collect();
        Ok(related)
    }
}

/// The record that a lookup of a record points to, if it is one of the model.
pub(crate) fn target<M: CdmsSynced, T: CdmsSynced, V>(record: &M, lookup: Field<M, V>) -> Result<Option<Uuid>, Error> {
    let row = row_of(record).map_err(|fault| invalid::<M>(record.id(), fault))?;
    Ok(pointed_to(&row[lookup.column()], T::DESCRIPTOR))
}

fn pointed_to(value: &Value, model: &ModelDescriptor) -> Option<Uuid> {
    match value {
        Value::Guid(id) => Some(*id),
        Value::Lookup(reference) => is_of(reference, model).then_some(reference.id),
        Value::Text(text) => text.parse().ok().filter(|reference| is_of(reference, model)).map(|found| found.id),
        _ => None,
    }
}

fn is_of(reference: &Reference, model: &ModelDescriptor) -> bool {
    reference.logical_name == model.entity.logical
}

/// The condition that a lookup points to a record.
fn points_to(column: &Column, model: &ModelDescriptor, id: Uuid) -> Condition {
    let reference = Reference { logical_name: model.entity.logical.into(), id };
    let value = match column.kind {
        Kind::String => Value::text(reference.to_string()),
        _ => Value::Lookup(reference),
    };
    Condition::compare(column.field, Comparison::Equal, value)
}

/// Loads the records whose lookups point to these.
pub(crate) async fn referring<M: CdmsSynced, T: CdmsSynced, V>(
    hub: Hub,
    ids: Vec<Uuid>,
    lookup: Field<M, V>,
) -> Result<Referring<M, T>, Error> {
    let (engine, model) = (&hub.engine, M::DESCRIPTOR);
    let column = &model.columns[lookup.column()];
    let one = |id| points_to(column, T::DESCRIPTOR, id);
    let met = many::listed(engine, model, &ids, &one, REQUESTS_MAX).await.map_err(|error| match ids.first() {
        Some(id) if error.kind() == ErrorKind::TooExpensive => too_expensive(model, &one(*id)),
        _ => error,
    })?;
    let mut referring = Referring { records: HashMap::new(), left_out: Vec::new(), cost: Cost::default() };
    for (id, met) in met {
        match synced::<M>(id.into(), met) {
            None => {}
            Some(Ok(record)) => {
                // A record with a write in progress may point elsewhere in the hub than in CDMS.
                if let Some(to) = target::<M, T, V>(&record, lookup)? {
                    referring.records.entry(to.into()).or_default().push(record);
                }
            }
            Some(Err(error)) => referring.left_out.push(LeftOut { id: id.into(), error }),
        }
    }
    for records in referring.records.values_mut() {
        records.sort_unstable_by_key(|record| record.id().guid());
    }
    Ok(referring)
}

fn too_expensive(model: &ModelDescriptor, condition: &Condition) -> Error {
    let message =
        format!("loading the records of {} that refer to these takes more than {REQUESTS_MAX} requests", model.name);
    Error::new(ErrorKind::TooExpensive, message)
        .advise(format!("load those of fewer records at once; or {}", condition.instead(model)))
}

impl<T: CdmsSynced> IntoFuture for LoadRelated<T> {
    type Output = Result<Related<T>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let call = Call::new(&self.hub, "load_related", T::DESCRIPTOR.name);
        Box::pin(call.run(self.run()))
    }
}
