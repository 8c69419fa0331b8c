//! The mapping of the searched world: two fields, each with an attribute of its own.

use cdms_odata::{Attributes, Facts, Value};
use datahub_protocol::{Mapping, MappingTag, Values};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Two;

pub(crate) const FIELDS: [&str; 2] = ["a", "b"];

impl Mapping for Two {
    type Fault = String;

    fn tag(&self) -> MappingTag {
        1
    }

    fn knows(&self, attribute: &str) -> bool {
        FIELDS.contains(&attribute)
    }

    fn includes(&self, _: &Attributes) -> bool {
        true
    }

    fn decode(&self, _: &Facts, attributes: &Attributes) -> Result<Values, String> {
        Ok(FIELDS.map(|field| attributes.get(field).cloned().unwrap_or_default()).into())
    }

    fn decode_field(&self, field: usize, attributes: &Attributes) -> Result<Value, String> {
        Ok(attributes.get(FIELDS[field]).cloned().unwrap_or_default())
    }

    fn updatable(&self) -> Vec<usize> {
        vec![0, 1]
    }

    fn encode(&self, field: usize, value: &Value, _: &Attributes) -> Result<Attributes, String> {
        Ok(Attributes::from([(FIELDS[field], value.clone())]))
    }

    fn attributes_of(&self, field: usize) -> Vec<&str> {
        vec![FIELDS[field]]
    }

    fn encode_new(&self, values: &[Value]) -> Result<Attributes, String> {
        Ok(FIELDS.into_iter().zip(values.iter().cloned()).collect())
    }

    fn forbidden(&self, reason: &str) -> String {
        reason.to_owned()
    }

    fn constants(&self) -> Attributes {
        Attributes::new()
    }
}
