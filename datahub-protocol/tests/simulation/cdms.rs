//! The simulated CDMS: records, their times, and what it has carried out.

mod lists;

use std::collections::{BTreeMap, BTreeSet};

use cdms_odata::{Attributes, Facts, Instant, Value};
use datahub_protocol::{OperationId, Record, WriteKind};
use uuid::Uuid;

pub(crate) use self::lists::{Place, Wanted};
use crate::mapping::Model;
use datahub_protocol::Mapping as _;

pub(crate) const OUR_USER: Uuid = Uuid::from_u128(100);
pub(crate) const PERSON: Uuid = Uuid::from_u128(101);

#[derive(Clone, Debug, Default)]
pub(crate) struct Cdms {
    /// Milliseconds.
    pub(crate) now: i64,
    /// By how much its clock has been behind since a backup was restored.
    pub(crate) behind_ms: i64,
    pub(crate) records: BTreeMap<Uuid, Record>,
    /// Every time of change that a record has had.
    pub(crate) times: BTreeMap<Uuid, BTreeSet<i64>>,
    /// Everything that happened to records, in order.
    pub(crate) log: Vec<Happened>,
}

/// Something that happened to a record.
#[derive(Clone, Debug)]
pub(crate) struct Happened {
    pub(crate) id: Uuid,
    /// The write of ours that did it; `None` for a person.
    pub(crate) by: Option<OperationId>,
    pub(crate) what: Deed,
    /// The record after it; `None` if it was removed.
    pub(crate) after: Option<Record>,
    /// Whether its time of change tells of it.
    pub(crate) is_dated: bool,
}

/// What was done to a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Deed {
    /// The record was created.
    Made(Attributes),
    /// Attributes were set.
    Set(Attributes),
    /// The record was removed.
    Removed,
}

/// What else happens to a write at CDMS, besides its own effect.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Whims {
    /// A plug-in changes `a` by this amount.
    pub(crate) adjusts_by: Option<i32>,
    /// The time of change does not move.
    pub(crate) freezes: bool,
    /// A create gets another id.
    pub(crate) other_id: Option<Uuid>,
    /// It is dated with this time, which is earlier than when it is carried out.
    pub(crate) dated: Option<i64>,
}

/// The status and the code of a refusal.
pub(crate) type Refused = (u16, i32);

/// The record does not exist.
pub(crate) const MISSING: i32 = -2_147_220_969;
/// A record with this id exists.
pub(crate) const DUPLICATE: i32 = -2_147_220_937;

impl Cdms {
    /// The record as a program with this mapping reads it.
    pub(crate) fn read(&self, model: Model, id: Uuid) -> Option<Record> {
        let mut record = self.records.get(&id)?.clone();
        record.attributes.retain(|name, _| model.knows(name));
        Some(record)
    }

    /// Its clock, in whole seconds.
    pub(crate) fn second(&self) -> Instant {
        self.second_at(self.now)
    }

    fn second_at(&self, time: i64) -> Instant {
        let time = time - self.behind_ms;
        Instant(time - time.rem_euclid(1_000))
    }

    /// Carries out a write of ours; returns the record and the id that a create produced.
    pub(crate) fn write(
        &mut self,
        (operation, write): (OperationId, WriteKind),
        id: Uuid,
        body: &Attributes,
        whims: Whims,
    ) -> Result<Option<Uuid>, Refused> {
        match (write, self.records.contains_key(&id)) {
            (WriteKind::Create, true) => return Err((500, DUPLICATE)),
            (WriteKind::Update | WriteKind::Delete, false) => return Err((404, MISSING)),
            _ => {}
        }
        match write {
            WriteKind::Create => {
                let id = whims.other_id.unwrap_or(id);
                self.put(id, body, Some(operation), whims);
                Ok(Some(id))
            }
            WriteKind::Update => {
                self.put(id, body, Some(operation), whims);
                Ok(None)
            }
            WriteKind::Delete => {
                self.remove(id, Some(operation));
                Ok(None)
            }
            other => unreachable!("{other} was sent"),
        }
    }

    /// Removes a record, for a write of ours or for a person.
    pub(crate) fn remove(&mut self, id: Uuid, by: Option<OperationId>) {
        self.records.remove(&id);
        self.log.push(Happened { id, by, what: Deed::Removed, after: None, is_dated: true });
    }

    /// Sets attributes of a record, or creates it, for a write of ours or for a person.
    pub(crate) fn put(&mut self, id: Uuid, attributes: &Attributes, by: Option<OperationId>, whims: Whims) {
        let dated = whims.dated.map_or(self.second(), |dated| self.second_at(dated));
        // The changes of one record have times in their order, but where a backup was restored.
        let last = self.records.get(&id).map(|record| record.facts.modified).filter(|_| self.behind_ms == 0);
        let modified = dated.max(last.unwrap_or(dated));
        let mut attributes = attributes.clone();
        if let (Some(by), Some(Value::Integer(a))) = (whims.adjusts_by, attributes.get("a")) {
            attributes.insert("a", Value::Integer(a + by));
        }
        let what = if self.records.contains_key(&id) { Deed::Set } else { Deed::Made };
        let what = what(attributes.clone());
        let record = self.records.entry(id).or_insert_with(|| Record {
            facts: Facts { modified, created: Some(modified), modified_by: None },
            attributes: ["a", "b1", "b2", "c"].map(|name| (name, Value::Null)).into_iter().collect(),
        });
        if record.attributes.get("k").is_none() {
            record.attributes.insert("k", Value::Integer(1));
        }
        record.attributes.merge(&attributes);
        let is_dated = !whims.freezes || record.facts.modified_by.is_none();
        if is_dated {
            record.facts.modified = modified;
            record.facts.modified_by = Some(if by.is_some() { OUR_USER } else { PERSON });
        }
        let shown = record.facts.modified.0;
        self.log.push(Happened { id, by, what, after: Some(record.clone()), is_dated });
        self.times.entry(id).or_default().insert(shown);
    }
}
