//! A model's mapping as the protocol sees it.

use std::sync::Arc;

use cdms_odata::{Attributes, Instant, Value};
use datahub_model::conversion::{self, RecordFacts};
use datahub_model::{Column, Fault, ModelDescriptor, Source, Write};
use datahub_protocol::{Mapping, MappingTag};
use uuid::Uuid;

/// The mapping of one model, for one record and one actor.
#[derive(Clone, Debug)]
pub(crate) struct ModelMapping {
    pub(crate) model: &'static ModelDescriptor,
    pub(crate) id: Uuid,
    pub(crate) actor: Arc<str>,
}

impl Mapping for ModelMapping {
    type Fault = Fault;

    fn tag(&self) -> MappingTag {
        self.model.mapping_id.0
    }

    fn knows(&self, attribute: &str) -> bool {
        self.model.attribute(attribute).is_some()
    }

    fn includes(&self, attributes: &Attributes) -> bool {
        self.model.includes(attributes)
    }

    fn decode(&self, attributes: &Attributes) -> Result<Vec<Value>, Fault> {
        // The engine's own columns are no part of a merge, so their values do not matter here.
        let (some_time, somebody) = (Some(Instant(0)), Some(Uuid::nil()));
        let facts = RecordFacts { id: self.id, modified: some_time, created: some_time, modified_by: somebody };
        conversion::decode(self.model, &facts, attributes)
    }

    fn updatable(&self) -> Vec<usize> {
        let columns = self.model.columns.iter().enumerate();
        columns.filter(|(_, column)| column.write() == Write::Always).map(|(position, _)| position).collect()
    }

    fn creatable(&self) -> Vec<usize> {
        let columns = self.model.columns.iter().enumerate();
        columns.filter(|(_, column)| column.write() != Write::Never).map(|(position, _)| position).collect()
    }

    fn encode(&self, field: usize, value: &Value, seen: &Attributes) -> Result<Attributes, Fault> {
        // The constants go along with whatever is sent, and this is the last that is asked before.
        conversion::check_constants(self.model, &self.actor)?;
        conversion::encode(self.model, &self.model.columns[field], value, seen)
    }

    fn attributes_of(&self, field: usize) -> Vec<&str> {
        self.model.columns[field].attributes().to_vec()
    }

    fn is_part(&self, field: usize) -> bool {
        let column = &self.model.columns[field];
        let is_converted = |column: &Column| matches!(column.source, Source::Joined { .. });
        let shares = |other: &Column| column.attributes().iter().any(|name| other.attributes().contains(name));
        let mut fixed = self.model.columns.iter().filter(|other| other.write() != Write::Always);
        is_converted(column) && fixed.any(|other| is_converted(other) && shares(other))
    }

    fn encode_new(&self, values: &[Value]) -> Result<Attributes, Fault> {
        conversion::check_constants(self.model, &self.actor)?;
        conversion::encode_new(self.model, values)
    }

    fn forbidden(&self, reason: &str) -> Fault {
        Fault::new(reason.to_owned())
    }

    fn constants(&self) -> Attributes {
        self.model.constant_values(&self.actor)
    }
}
