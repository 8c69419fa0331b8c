//! Questions and complaints.

use datahub_runtime::prelude::*;
use datahub_runtime::{Fault, FieldType, Kind, Value};

/// A question or a complaint.
#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "incident.toml", table = "cases")]
pub struct Case {
    #[cdms(key)]
    pub id: Id<Case>,
    #[cdms("Title")]
    pub title: String,
    #[cdms("new_Urgency", with = "urgency", sql_type = "choice", column = "urgency_level")]
    pub urgency: Urgency,
    #[cdms(local, sql_type = "string")]
    pub notes: Option<String>,
}

/// How soon a case must be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    Low,
    Medium,
    High,
}

/// In the hub, an urgency is a number that can be compared.
impl FieldType for Urgency {
    const KINDS: &'static [Kind] = &[Kind::Choice];

    fn from_value(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Choice(1) => Ok(Urgency::Low),
            Value::Choice(2) => Ok(Urgency::Medium),
            Value::Choice(3) => Ok(Urgency::High),
            _ => Err(Fault::new("is not an urgency")),
        }
    }

    fn to_value(&self) -> Value {
        Value::Choice(match self {
            Urgency::Low => 1,
            Urgency::Medium => 2,
            Urgency::High => 3,
        })
    }
}

/// In CDMS, it is a text that people type.
pub mod urgency {
    use super::Urgency;
    use datahub_runtime::{Attributes, Fault, Value};

    pub fn decode(attributes: &Attributes) -> Result<Urgency, Fault> {
        let Some(Value::Text(text)) = attributes.get("new_Urgency") else { return Ok(Urgency::Medium) };
        match text.trim().to_lowercase().as_str() {
            "low" | "later" => Ok(Urgency::Low),
            "medium" | "normal" => Ok(Urgency::Medium),
            "high" | "urgent" => Ok(Urgency::High),
            _ => Err(Fault::new("is none of low, medium and high")),
        }
    }

    pub fn encode(urgency: &Urgency, seen: &Attributes) -> Result<Attributes, Fault> {
        if decode(seen).is_ok_and(|before| before == *urgency) {
            return Ok(Attributes::new()); // an urgency that did not change stays as people typed it
        }
        let text = match urgency {
            Urgency::Low => "low",
            Urgency::Medium => "medium",
            Urgency::High => "high",
        };
        Ok(Attributes::from([("new_Urgency", Value::text(text))]))
    }
}

/// The models of this program.
pub fn models() -> datahub_runtime::Models {
    models![Case]
}
