//! The attributes that a model's records are read with, and the conversion of what a response carries.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use cdms_odata::dialect::{Carried, EntityShape, ReadError};
use cdms_odata::{Attributes, Facts, Kind, Value};
use datahub_model::{Fault, ModelDescriptor, conversion};
use datahub_protocol::{Created, Record};
use sha2::{Digest as _, Sha256};

use crate::store::Scopes;

/// The records of a list, each with its id; one that cannot be read with its fault.
pub(crate) type Records = Vec<Created<Fault>>;

/// The attributes to read of a model's records.
#[derive(Debug)]
pub(crate) struct RecordShape {
    model: &'static ModelDescriptor,
    entity: EntityShape,
    /// The captured attributes of which it was logged that they cannot be read.
    unread: Mutex<HashSet<&'static str>>,
}

impl RecordShape {
    /// Everything that reads keep: the mapped and the captured attributes, the key and the engine's. A record is read
    /// without captured attributes that cannot be read, because no field waits for them.
    pub(crate) fn of(model: &'static ModelDescriptor) -> Self {
        let entity = &model.entity;
        let attributes = model.read_attributes().map(|attribute| (attribute.name, attribute.kind));
        let engines = [(entity.created, Kind::DateTime), (entity.modified_by, Kind::Lookup)];
        let optional = model.captured.iter().map(|attribute| attribute.name).collect();
        RecordShape::with(model, attributes.chain(engines).collect(), optional)
    }

    /// Only these of the model's attributes, with the key and the time of the last change.
    pub(crate) fn only(model: &'static ModelDescriptor, names: &[&str]) -> Self {
        let wanted = model.read_attributes().filter(|attribute| names.contains(&attribute.name));
        RecordShape::with(model, wanted.map(|attribute| (attribute.name, attribute.kind)).collect(), Vec::new())
    }

    fn with(
        model: &'static ModelDescriptor,
        mut attributes: Vec<(&'static str, Kind)>,
        optional: Vec<&'static str>,
    ) -> Self {
        let entity = &model.entity;
        attributes.extend([(entity.key, Kind::Guid), (entity.modified, Kind::DateTime)]);
        attributes.sort_unstable();
        attributes.dedup_by_key(|(name, _)| *name);
        let entity = EntityShape { name: entity.name, set: entity.set, key: entity.key, attributes, optional };
        RecordShape { model, entity, unread: Mutex::default() }
    }

    /// The scopes of pulls of this shape, which are the same in every program that reads the same: the attributes, and the
    /// condition by which records on earlier pages were left out.
    pub(crate) fn scopes(&self) -> Scopes {
        let EntityShape { set, attributes, .. } = &self.entity;
        let condition = format!("{set} {:?}", self.model.only.map(ToString::to_string));
        let mut read = condition.clone();
        for (name, kind) in attributes {
            read.push_str(&format!(" {name} {kind}"));
        }
        Scopes::of(&digest(&read), &digest(&condition))
    }

    /// The model.
    pub(crate) fn model(&self) -> &'static ModelDescriptor {
        self.model
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
        carried.left_out.iter().for_each(|error| self.note_unread(error));
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

    /// Logs once for each captured attribute that its value cannot be read. The value itself is not shown.
    fn note_unread(&self, error: &ReadError) {
        let (ReadError::Missing { attribute } | ReadError::Value { attribute, .. }) = error else { return };
        if self.unread.lock().unwrap_or_else(PoisonError::into_inner).insert(attribute) {
            tracing::warn!(
                model = self.model.name,
                "{error}; no field uses it, so records are kept without it: correct its kind in the contract"
            );
        }
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

/// A short text that is the same for equal words.
fn digest(words: &str) -> String {
    let digest = Sha256::digest(words.as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
