//! The attributes that a model's records are read with, and the conversion of what a response carries.

use std::collections::HashSet;

use cdms_odata::dialect::{Carried, EntityShape, ReadError};
use cdms_odata::{Attributes, Facts, Kind, Value};
use datahub_model::{Fault, ModelDescriptor, conversion};
use datahub_protocol::{Created, Record};

/// The records of a list, each with its id; one that cannot be read with its fault.
pub(crate) type Records = Vec<Created<Fault>>;

/// The attributes to read for a model: its mapped ones, the key and the engine's.
#[derive(Debug)]
pub(crate) struct RecordShape {
    model: &'static ModelDescriptor,
    entity: EntityShape,
}

impl RecordShape {
    pub(crate) fn of(model: &'static ModelDescriptor) -> Self {
        let entity = &model.entity;
        let mut attributes: Vec<_> =
            model.attributes.iter().map(|attribute| (attribute.name, attribute.kind)).collect();
        attributes.extend([
            (entity.key, Kind::Guid),
            (entity.modified, Kind::DateTime),
            (entity.created, Kind::DateTime),
            (entity.modified_by, Kind::Lookup),
        ]);
        attributes.sort_unstable();
        attributes.dedup_by_key(|(name, _)| *name);
        let entity = EntityShape { name: entity.name, set: entity.set, key: entity.key, attributes };
        RecordShape { model, entity }
    }

    /// What a dialect must know about the entity.
    pub(crate) fn entity(&self) -> &EntityShape {
        &self.entity
    }

    /// Converts a record that a response carries; returns it with its id.
    ///
    /// # Errors
    ///
    /// The record has no readable id.
    pub(crate) fn record(&self, carried: Carried) -> Result<Created<Fault>, Fault> {
        match (carried.id, carried.attributes) {
            (Some(id), Ok(attributes)) => Ok((id, self.of_model(attributes))),
            (Some(id), Err(error)) => Ok((id, Err(self.fault(error)))),
            (None, Ok(_)) => Err(Fault::new("is null, but it is the key").at(self.entity.key)),
            (None, Err(error)) => Err(self.fault(error)),
        }
    }

    /// Converts the records of a page. Returns each id once, and the number of records without a readable id.
    pub(crate) fn records(&self, carried: Vec<Carried>) -> (Records, usize) {
        let (mut records, mut without_id) = (Vec::with_capacity(carried.len()), 0);
        let mut known = HashSet::with_capacity(carried.len());
        for carried in carried {
            match self.record(carried) {
                Ok((id, record)) if known.insert(id) => records.push((id, record)),
                // The same record twice: what came first is as good.
                Ok(_) => {}
                Err(_) => without_id += 1,
            }
        }
        (records, without_id)
    }

    fn of_model(&self, mut attributes: Attributes) -> Result<Record, Fault> {
        let entity = &self.model.entity;
        let mut engine = |name: &'static str| {
            if self.model.attribute(name).is_some() {
                attributes.get(name).cloned().unwrap_or_default()
            } else {
                attributes.remove(name).unwrap_or_default()
            }
        };
        engine(entity.key);
        let (modified, created, modified_by) =
            (engine(entity.modified), engine(entity.created), engine(entity.modified_by));
        let Value::Instant(modified) = modified else {
            return Err(Fault::new("is null; without it, changes in CDMS cannot be detected").at(entity.modified));
        };
        let created = if let Value::Instant(created) = created { Some(created) } else { None };
        let modified_by = if let Value::Lookup(user) = modified_by { Some(user.id) } else { None };
        conversion::with_calendar_dates(self.model, &mut attributes);
        Ok(Record { facts: Facts { modified, created, modified_by }, attributes })
    }

    fn fault(&self, error: ReadError) -> Fault {
        let about = |fault: Fault, attribute: &'static str| match self.model.attribute(attribute) {
            Some(stated) => fault.of(stated),
            None => fault.at(attribute),
        };
        match error {
            ReadError::Value { attribute, kind, form, found } => {
                let short: String = found.chars().take(200).collect();
                let fault = Fault::new(format!("expected {kind}, CDMS returned {form}"));
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
