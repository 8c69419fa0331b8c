//! Which attributes a model's records are read with, and how an answer becomes a record.

use std::collections::HashSet;

use cdms_odata::client::json::{self, Page, ReadError};
use cdms_odata::{Attributes, Facts, Kind, Value};
use datahub_model::{Fault, ModelDescriptor, conversion};
use datahub_protocol::Record;
use uuid::Uuid;

/// The records of a list, each with its id; one that cannot be read with its fault.
pub(crate) type Records = Vec<(Uuid, Result<Record, Fault>)>;

/// The attributes to read for a model: its mapped ones, the key and the engine's.
#[derive(Debug)]
pub(crate) struct RecordShape {
    model: &'static ModelDescriptor,
    shape: Vec<(&'static str, Kind)>,
}

impl RecordShape {
    pub(crate) fn of(model: &'static ModelDescriptor) -> Self {
        let entity = &model.entity;
        let mut shape: Vec<_> = model.attributes.iter().map(|attribute| (attribute.name, attribute.kind)).collect();
        shape.extend([
            (entity.key, Kind::Guid),
            (entity.modified, Kind::DateTime),
            (entity.created, Kind::DateTime),
            (entity.modified_by, Kind::Lookup),
        ]);
        shape.sort_unstable();
        shape.dedup_by_key(|(name, _)| *name);
        RecordShape { model, shape }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.shape.iter().map(|(name, _)| *name)
    }

    /// Reads the answer to a GET or a create: the record's id and the record.
    pub(crate) fn read(&self, body: &[u8]) -> Result<(Uuid, Result<Record, Fault>), Unreadable> {
        let read = json::read_record(body, &self.shape).map(|attributes| self.record(attributes));
        match read {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(fault)) => Err(Unreadable::Value(self.id_alone(body), fault)),
            Err(error @ (ReadError::Missing { .. } | ReadError::Value { .. })) => {
                Err(Unreadable::Value(self.id_alone(body), self.fault(error)))
            }
            Err(error) => Err(Unreadable::NoRecord(error.to_string())),
        }
    }

    /// Reads the answer to a GET of a list: its records, how many more have no readable id, and the link to the next page.
    pub(crate) fn read_page(&self, body: &[u8]) -> Result<(Records, usize, Option<String>), Unreadable> {
        let no_list = |error: ReadError| Unreadable::NoRecord(error.to_string());
        let Page { records, next } = json::read_page(body, &self.shape).map_err(no_list)?;
        let records: Vec<_> = records
            .into_iter()
            .map(|read| match read.map(|attributes| self.record(attributes)) {
                Ok(Ok((id, record))) => Ok((id, record)),
                Ok(Err(fault)) => Err(fault),
                Err(error) => Err(self.fault(error)),
            })
            .collect();
        let (mut read, mut without_id) = (Vec::with_capacity(records.len()), 0);
        // The ids alone, for the records of which something else cannot be read.
        let ids = if records.iter().all(Result::is_ok) { Vec::new() } else { self.ids_alone(body)? };
        let mut known = HashSet::with_capacity(records.len());
        for (at, record) in records.into_iter().enumerate() {
            let named = match record {
                Ok(record) => Some(record),
                Err(fault) => ids.get(at).copied().flatten().map(|id| (id, Err(fault))),
            };
            match named {
                Some((id, record)) if known.insert(id) => read.push((id, record)),
                // The same record twice: what came first is as good.
                Some(_) => {}
                None => without_id += 1,
            }
        }
        Ok((read, without_id, next))
    }

    fn ids_alone(&self, body: &[u8]) -> Result<Vec<Option<Uuid>>, Unreadable> {
        let key = self.model.entity.key;
        let page = json::read_page(body, &[(key, Kind::Guid)]);
        let page = page.map_err(|error| Unreadable::NoRecord(error.to_string()))?;
        let id = |read: Result<Attributes, ReadError>| match read.ok()?.remove(key) {
            Some(Value::Guid(id)) => Some(id),
            _ => None,
        };
        Ok(page.records.into_iter().map(id).collect())
    }

    fn record(&self, mut attributes: Attributes) -> Result<(Uuid, Result<Record, Fault>), Fault> {
        let entity = &self.model.entity;
        let mut engine = |name: &'static str| {
            if self.model.attribute(name).is_some() {
                attributes.get(name).cloned().unwrap_or_default()
            } else {
                attributes.remove(name).unwrap_or_default()
            }
        };
        let key = engine(entity.key);
        let (modified, created, modified_by) =
            (engine(entity.modified), engine(entity.created), engine(entity.modified_by));
        let Value::Guid(id) = key else { return Err(Fault::new("is null, but it is the key").at(entity.key)) };
        let Value::Instant(modified) = modified else {
            let fault = Fault::new("is null; without it changes in CDMS cannot be told").at(entity.modified);
            return Ok((id, Err(fault)));
        };
        let created = if let Value::Instant(created) = created { Some(created) } else { None };
        let modified_by = if let Value::Lookup(user) = modified_by { Some(user.id) } else { None };
        conversion::with_calendar_dates(self.model, &mut attributes);
        Ok((id, Ok(Record { facts: Facts { modified, created, modified_by }, attributes })))
    }

    /// The id of a record whose other attributes cannot be read.
    fn id_alone(&self, body: &[u8]) -> Option<Uuid> {
        let key = self.model.entity.key;
        match json::read_record(body, &[(key, Kind::Guid)]).ok()?.remove(key) {
            Some(Value::Guid(id)) => Some(id),
            _ => None,
        }
    }

    fn fault(&self, error: ReadError) -> Fault {
        let about = |fault: Fault, attribute: &'static str| match self.model.attribute(attribute) {
            Some(stated) => fault.of(stated),
            None => fault.at(attribute),
        };
        match error {
            ReadError::Value { attribute, kind, form, found } => {
                let short: String = found.chars().take(200).collect();
                let fault = Fault::new(format!("holds {form} in CDMS's answer, which is no {kind}"));
                // A reference shows its record's name, and what is not mapped could be anything.
                if kind == Kind::Lookup || self.model.attribute(attribute).is_none() {
                    return about(fault, attribute);
                }
                about(fault, attribute).value(&Value::text(short))
            }
            ReadError::Missing { attribute } => {
                about(Fault::new("is not in CDMS's answer although it was asked for"), attribute)
            }
            other => Fault::new(other.to_string()),
        }
    }
}

/// Why an answer is not a record of the model.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is none at all, in words.
    NoRecord(String),
    /// One of its values is not of its kind; the id where that at least could be read.
    Value(Option<Uuid>, Fault),
}
