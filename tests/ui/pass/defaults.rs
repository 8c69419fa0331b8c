//! Defaults: of attributes, of a group's members and of local fields, each one value for as long as the program runs.

use std::sync::atomic::{AtomicI32, Ordering};

use chrono::{DateTime, Utc};
use datahub_runtime::__v1::{ModelDescriptor, Source};
use datahub_runtime::prelude::*;
use datahub_runtime::{Carries, Fault, FieldType, Instant, Kind, Value, kind};

use super::minimal_country::Country;

/// The value that stands for a column's null, or that a local column begins with.
pub(crate) fn default_of(model: &ModelDescriptor, field: &str) -> Option<Value> {
    let column = model.columns.iter().find(|column| column.field == field);
    let column = column.unwrap_or_else(|| panic!("{} has no field {field}", model.name));
    match column.source {
        Source::Attribute { default, .. } => default.map(|default| default()),
        _ => column.default.map(|default| default()),
    }
}

/// Another number each time that it is asked.
fn counted() -> i32 {
    static ASKED: AtomicI32 = AtomicI32::new(0);
    ASKED.fetch_add(1, Ordering::Relaxed) + 1
}

/// A number that is even and not nought, so that it does not take the zero of its kind.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Even(i32);

impl Even {
    const SMALLEST: Self = Even(2);
}

impl FieldType for Even {
    const KINDS: &'static [Kind] = &[Kind::Integer];

    fn from_value(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Integer(number) if *number != 0 && number % 2 == 0 => Ok(Even(*number)),
            other => Err(Fault::new("is not even, or nought").value(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Integer(self.0)
    }
}

impl Carries<kind::Integer> for Even {}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "shops")]
struct Shop {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("Employees", default = counted())]
    employees: i32,
    #[cdms(flatten = "address")]
    address: Address,
    #[cdms(local, sql_type = "integer", default = Self::FEWEST)]
    shelves: Even,
    #[cdms(local, sql_type = "datetime", default = Utc::now())]
    seen: DateTime<Utc>,
}

impl Shop {
    const FEWEST: Even = Even::SMALLEST;
}

#[derive(Clone, Debug, PartialEq, CdmsFields)]
struct Address {
    #[cdms(default = "nowhere")]
    street: String,
    #[cdms(default = format!("town {}", 1 + 1))]
    town: String,
    country: Option<Id<Country>>,
}

#[test]
fn a_default_is_one_value() {
    let first = default_of(Shop::DESCRIPTOR, "employees");
    assert!(matches!(first, Some(Value::Integer(number)) if number > 0), "{first:?}");
    assert_eq!(default_of(Shop::DESCRIPTOR, "employees"), first);
    let seen = default_of(Shop::DESCRIPTOR, "seen");
    assert!(matches!(seen, Some(Value::Instant(Instant(ms))) if ms > 0), "{seen:?}");
    assert_eq!(default_of(Shop::DESCRIPTOR, "seen"), seen);
}

#[test]
fn a_member_has_its_default_as_a_field_has() {
    assert_eq!(default_of(Shop::DESCRIPTOR, "address.street"), Some(Value::text("nowhere")));
    assert_eq!(default_of(Shop::DESCRIPTOR, "address.town"), Some(Value::text("town 2")));
    assert_eq!(default_of(Shop::DESCRIPTOR, "address.country"), None);
    assert_eq!(default_of(Shop::DESCRIPTOR, "shelves"), Some(Value::Integer(2)));
}

#[derive(Clone, Debug, PartialEq, CdmsFields)]
struct Elsewhere {
    #[cdms(default = "elsewhere")]
    street: String,
    town: Option<String>,
    country: Option<Id<Country>>,
}

/// The same as a model of another group, whose default is another one.
macro_rules! shed {
    ($name:ident, $group:ty) => {
        #[derive(Clone, Debug, PartialEq, CdmsSynced)]
        #[cdms(mapping = "account.toml", table = "sheds", mode = "mirror", diesel(table = false))]
        struct $name {
            #[cdms(key)]
            id: Id<Self>,
            #[cdms(flatten = "address")]
            address: $group,
        }
    };
}

shed!(Shed, Elsewhere);
shed!(OtherShed, Address);

#[test]
fn the_mapping_id_knows_a_members_default() {
    assert_ne!(Shed::DESCRIPTOR.mapping_id, OtherShed::DESCRIPTOR.mapping_id);
}

mod nothing_is_lost_but_what_is_declared {
    datahub_runtime::mapping_tests!(super::Shop, super::Shed);
}
