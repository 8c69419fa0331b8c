//! Defaults: of attributes, of a group's members and of local fields, each one value for as long as the program runs.

use std::sync::atomic::{AtomicI32, Ordering};

use chrono::{DateTime, Utc};
use datahub_runtime::__v1::{ModelDescriptor, Source, field};
use datahub_runtime::prelude::*;
use datahub_runtime::{Fault, FieldType, Instant, Kind, Model, RowReader, RowWriter, Value};

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

/// The values of a row, and what its type says of them.
fn row_of(shop: &Shop) -> Vec<Value> {
    let mut values = vec![Value::Null; Shop::DESCRIPTOR.columns.len()];
    let mut writer = RowWriter::new(Shop::DESCRIPTOR.columns, &mut values);
    shop.to_row(&mut writer);
    writer.finish().expect("every value is of its column");
    values
}

#[test]
fn a_group_of_a_row_from_before_there_was_a_default_has_it_too() {
    let address = Address { street: "Market Street".into(), town: "Oslo".into(), country: None };
    let (id, name) = (Id::new(), "Corner shop".to_owned());
    let shop = Shop { id, name, employees: 3, address, shelves: Even(4), seen: DateTime::UNIX_EPOCH };
    let mut row = row_of(&shop);
    let read = |row: &[Value]| Shop::from_row(&RowReader::new(Shop::DESCRIPTOR.columns, row)).unwrap();
    assert_eq!(read(&row), shop);
    let at = |field: &str| Shop::DESCRIPTOR.columns.iter().position(|column| column.field == field).unwrap();
    row[at("address.street")] = Value::Null;
    let old = read(&row);
    assert_eq!((old.address.street.as_str(), old.address.town.as_str()), ("nowhere", "Oslo"));
}

#[test]
fn a_member_points_to_what_its_type_says() {
    let column = Shop::DESCRIPTOR.columns.iter().find(|column| column.field == "address.country").unwrap();
    assert!(matches!(column.source, Source::Attribute { targets: [only], .. } if *only == Country::LOGICAL));
}

#[test]
fn a_value_that_its_column_does_not_hold_is_told_when_the_row_is_ready() {
    let columns = Shop::DESCRIPTOR.columns;
    let at = columns.iter().position(|column| column.field == "employees").unwrap();
    let mut values = vec![Value::Null; columns.len()];
    let mut writer = RowWriter::new(columns, &mut values);
    writer.write(at, &field::<String>(), &"three".to_owned());
    let fault = writer.finish().unwrap_err();
    assert_eq!(fault.place(), Some("employees"), "{fault}");
}

/// What the derive says of a struct with faults, whose model is known or not.
struct Faulty;
struct Unknown;

impl Model for Faulty {
    const LOGICAL: &'static str = "account";
    const IS_STUB: bool = true;
}

impl Model for Unknown {
    const LOGICAL: &'static str = "";
    const IS_STUB: bool = true;
}

#[test]
fn a_reference_to_a_struct_with_faults_points_to_what_is_known_of_it() {
    assert_eq!(<Id<Faulty> as FieldType>::TARGETS, ["account"]);
    assert_eq!(<Id<Unknown> as FieldType>::TARGETS, [""], "which allows everything");
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
    // The same in every build: rows name the mapping that they are complete for.
    assert_eq!(Shed::DESCRIPTOR.mapping_id.to_string(), "a2f696d8d238b3d0");
}

mod nothing_is_lost_but_what_is_declared {
    datahub_runtime::mapping_tests!(super::Shop, super::Shed);
}
