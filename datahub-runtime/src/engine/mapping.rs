//! A model's mapping as the protocol sees it.

use std::sync::Arc;

use cdms_odata::{Attributes, Facts, Value};
use datahub_model::conversion;
use datahub_model::{Column, Fault, ModelDescriptor, Source, Write};
use datahub_protocol::{Mapping, MappingTag, Values};
use uuid::Uuid;

/// The mapping of one model, for one record and one actor.
#[derive(Clone, Debug)]
pub(crate) struct ModelMapping {
    pub(crate) model: &'static ModelDescriptor,
    pub(crate) id: Uuid,
    pub(crate) actor: Arc<str>,
    /// The fields that the caller has not changed and for which it never got a value.
    untouched: Vec<usize>,
}

impl ModelMapping {
    pub(crate) fn new(model: &'static ModelDescriptor, id: Uuid, actor: Arc<str>) -> Self {
        ModelMapping { model, id, actor, untouched: Vec::new() }
    }

    /// Leaves these fields out of an update: their values are placeholders.
    pub(crate) fn without(mut self, untouched: Vec<usize>) -> Self {
        self.untouched = untouched;
        self
    }
}

impl Mapping for ModelMapping {
    type Fault = Fault;

    fn tag(&self) -> MappingTag {
        self.model.mapping_id.0
    }

    fn knows(&self, attribute: &str) -> bool {
        self.model.read_attribute(attribute).is_some()
    }

    fn needs(&self, attribute: &str) -> bool {
        self.model.attribute(attribute).is_some()
    }

    fn is_covered_by(&self, attributes: &Attributes) -> bool {
        self.model.attributes.iter().all(|attribute| attributes.contains(attribute.name))
    }

    fn includes(&self, attributes: &Attributes) -> bool {
        self.model.includes(attributes)
    }

    fn decode(&self, facts: &Facts, attributes: &Attributes) -> Result<Values, Fault> {
        conversion::decode(self.model, self.id, facts, attributes).map(Values::from)
    }

    fn decode_field(&self, field: usize, attributes: &Attributes) -> Result<Value, Fault> {
        conversion::decode_field(self.model, &self.model.columns[field], attributes)
    }

    fn updatable(&self) -> Vec<usize> {
        let columns = self.model.columns.iter().enumerate();
        let written = columns.filter(|(_, column)| column.write() == Write::Always).map(|(position, _)| position);
        written.filter(|position| !self.untouched.contains(position)).collect()
    }

    fn creatable(&self) -> Vec<usize> {
        let columns = self.model.columns.iter().enumerate();
        columns.filter(|(_, column)| column.write() != Write::Never).map(|(position, _)| position).collect()
    }

    fn encode(&self, field: usize, value: &Value, seen: &Attributes) -> Result<Attributes, Fault> {
        // The constants are sent with every write, and this is the last check before that.
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

    fn admits(&self, sent: &Attributes) -> Result<(), Fault> {
        let Some(only) = self.model.only.filter(|only| !only.may_hold(sent)) else { return Ok(()) };
        let reason = format!(
            "would not be a {}, whose `only` is {only}: change the values, or create it through a model that takes them",
            self.model.name
        );
        Err(Fault::new(reason))
    }

    fn forbidden(&self, reason: &str) -> Fault {
        Fault::new(reason.to_owned())
    }

    fn constants(&self) -> Attributes {
        self.model.constant_values(&self.actor)
    }
}
