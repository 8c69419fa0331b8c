//! Nulls and types of which only the compiler knows whether they have one.

use datahub_runtime::prelude::*;
use datahub_runtime::{Fault, FieldType, Kind, Value};

type Maybe = Option<String>;
type Count = i32;

#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = "account.toml", attribute = "IndustryCode")]
enum Industry {
    #[cdms(other)]
    Any(i32),
}

/// A text that is never empty.
#[derive(Clone)]
struct Words(String);

impl FieldType for Words {
    const KINDS: &'static [Kind] = String::KINDS;

    fn from_value(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Text(text) => Ok(Words(text.clone())),
            _ => Err(Fault::new("is empty")),
        }
    }

    fn to_value(&self) -> Value {
        Value::text(self.0.as_str())
    }
}


#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("IndustryCode")]
    industry: Industry,
    #[cdms("Employees")]
    employees: Count,
    #[cdms("Alias", default)]
    alias: Maybe,
    #[cdms(local, sql_type = "string")]
    note: Maybe,
    #[cdms(local, sql_type = "string")]
    motto: Words,
}

fn main() {}
