//! The mapping of the searched worlds: two fields, each with an attribute of its own, and a condition.

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

    /// Only the world of lists has records without it.
    fn includes(&self, attributes: &Attributes) -> bool {
        attributes.get("k") != Some(&Value::Integer(0))
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
