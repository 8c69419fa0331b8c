//! The two mappings of the simulated model: an older program's and a newer one's, on the same table.

use cdms_odata::{Attributes, Facts, Value};
use datahub_protocol::{Mapping, MappingTag, Values};

/// A version of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    /// One field, for the attribute `a`.
    Narrow,
    /// Two fields, one for `a` and one for `b1` and `b2` together, and the constant `c`.
    Wide,
}

/// A value of `a` that does not fit any model.
pub(crate) const UNREADABLE: i32 = -1;

/// A value of `a` that a rule of the hub's database forbids.
pub(crate) const FORBIDDEN: i32 = -2;

/// The constant that the wide mapping sends.
pub(crate) const CONSTANT: i32 = 5;

impl Mapping for Model {
    type Fault = String;

    fn tag(&self) -> MappingTag {
        match self {
            Model::Narrow => 1,
            Model::Wide => 2,
        }
    }

    fn knows(&self, attribute: &str) -> bool {
        match self {
            Model::Narrow => ["a", "k"].contains(&attribute),
            Model::Wide => ["a", "b1", "b2", "c", "k"].contains(&attribute),
        }
    }

    fn is_covered_by(&self, attributes: &Attributes) -> bool {
        ["a", "b1", "b2", "c", "k"].into_iter().all(|name| !self.knows(name) || attributes.contains(name))
    }

    fn includes(&self, attributes: &Attributes) -> bool {
        attributes.get("k") != Some(&Value::Integer(0))
    }

    fn decode(&self, _: &Facts, attributes: &Attributes) -> Result<Values, String> {
        self.updatable().into_iter().map(|field| self.decode_field(field, attributes)).collect()
    }

    fn decode_field(&self, field: usize, attributes: &Attributes) -> Result<Value, String> {
        if field == 0 {
            return match attributes.get("a").cloned().unwrap_or_default() {
                Value::Integer(UNREADABLE) => Err("a does not fit".to_owned()),
                a => Ok(a),
            };
        }
        Ok(match (attributes.get("b1"), attributes.get("b2")) {
            (Some(Value::Integer(b1)), Some(Value::Integer(b2))) => Value::Integer(b1 * 1_000 + b2),
            _ => Value::Null,
        })
    }

    fn updatable(&self) -> Vec<usize> {
        match self {
            Model::Narrow => vec![0],
            Model::Wide => vec![0, 1],
        }
    }

    fn encode(&self, field: usize, value: &Value, _: &Attributes) -> Result<Attributes, String> {
        Ok(match (field, value) {
            (_, Value::Text(text)) => return Err(format!("{text} is not a number")),
            (0, value) => Attributes::from([("a", value.clone())]),
            (_, Value::Integer(joined)) => {
                Attributes::from([("b1", Value::Integer(joined / 1_000)), ("b2", Value::Integer(joined % 1_000))])
            }
            _ => Attributes::from([("b1", Value::Null), ("b2", Value::Null)]),
        })
    }

    fn attributes_of(&self, field: usize) -> Vec<&str> {
        if field == 0 { vec!["a"] } else { vec!["b1", "b2"] }
    }

    fn encode_new(&self, values: &[Value]) -> Result<Attributes, String> {
        let mut new = Attributes::new();
        for (field, value) in values.iter().enumerate() {
            new.merge(&self.encode(field, value, &new)?);
        }
        Ok(new)
    }

    fn forbidden(&self, reason: &str) -> String {
        reason.to_owned()
    }

    fn constants(&self) -> Attributes {
        match self {
            Model::Narrow => Attributes::new(),
            Model::Wide => Attributes::from([("c", Value::Integer(CONSTANT))]),
        }
    }
}
