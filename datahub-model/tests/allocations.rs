//! Attribute names are never allocated: not when a record is read, converted or written.
//!
//! Two mappings that differ only in the lengths of their attribute names must cause the same number of allocations and
//! the same number of allocated bytes, as counted by an allocator for each thread.
#![allow(clippy::unwrap_used, reason = "functions next to the tests unwrap values that the tests made")]

use allocation_counter::{AllocationInfo, measure};
use cdms_odata::crm2011::json;
use cdms_odata::{Attributes, Facts, Instant, Kind, Reference, Value};
use datahub_model::conversion;
use datahub_model::{Attribute, Column, Entity, MappingId, Mode, ModelDescriptor, Source};
use uuid::Uuid;

/// A mapping with attributes of several kinds. All names have the same suffixes, with a prefix of one letter or of a
/// long word.
macro_rules! mapping {
    ($name:ident, $prefix:literal) => {
        static $name: ModelDescriptor = ModelDescriptor {
            name: "Firm",
            table: "firms",
            mode: Mode::Sync,
            entity: Entity {
                name: "Firm",
                set: "FirmSet",
                key: "FirmId",
                logical: "firm",
                modified: "ModifiedOn",
                created: "CreatedOn",
                modified_by: "ModifiedBy",
            },
            captured: &[],
            attributes: &[
                Attribute::new(concat!($prefix, "A"), Kind::String),
                Attribute::new(concat!($prefix, "B"), Kind::Integer),
                Attribute::new(concat!($prefix, "C"), Kind::Money),
                Attribute::new(concat!($prefix, "D"), Kind::Lookup).targets(&["firm"]),
                Attribute::new(concat!($prefix, "E"), Kind::DateTime),
                Attribute::new(concat!($prefix, "F"), Kind::Choice),
                Attribute::new(concat!($prefix, "G"), Kind::String),
            ],
            columns: &[
                Column::new("id", Kind::Guid, Source::Key),
                Column::new("a", Kind::String, Source::attribute(concat!($prefix, "A"))).nullable(),
                Column::new("b", Kind::Integer, Source::attribute(concat!($prefix, "B"))).nullable(),
                Column::new("c", Kind::Money, Source::attribute(concat!($prefix, "C"))).nullable(),
                Column::new("d", Kind::Lookup, Source::attribute(concat!($prefix, "D"))).nullable(),
                Column::new("e", Kind::DateTime, Source::attribute(concat!($prefix, "E"))).nullable(),
                Column::new("f", Kind::Choice, Source::attribute(concat!($prefix, "F"))).nullable(),
                Column::new("g", Kind::String, Source::attribute(concat!($prefix, "G"))).nullable(),
            ],
            constants: &[],
            only: None,
            mapping_id: MappingId(0),
            epoch: 0,
        };
    };
}

mapping!(SHORT, "x");
mapping!(LONG, "optevia_an_attribute_of_which_the_name_is_much_longer_than_anything_else_here_");

/// The values of the record; the last text is null.
fn values() -> Vec<Value> {
    vec![
        Value::text("Acme Ltd"),
        Value::Integer(7),
        Value::Money("5000000.0000".parse().unwrap()),
        Value::Lookup(Reference { logical_name: "firm".into(), id: Uuid::from_u128(8) }),
        Value::Instant(Instant(1_472_338_800_000)),
        Value::Choice(3),
        Value::Null,
    ]
}

fn kinds(model: &'static ModelDescriptor) -> Vec<(&'static str, Kind)> {
    model.attributes.iter().map(|stated| (stated.name, stated.kind)).collect()
}

fn attributes(model: &'static ModelDescriptor) -> Attributes {
    model.attributes.iter().map(|stated| stated.name).zip(values()).collect()
}

fn body(model: &'static ModelDescriptor) -> Vec<u8> {
    let attributes = attributes(model);
    let values = kinds(model).into_iter().zip(attributes.iter()).map(|((name, kind), (_, value))| (name, kind, value));
    json::write_record(values).unwrap()
}

/// An answer with the record and a member that was not requested.
fn answer(model: &'static ModelDescriptor) -> Vec<u8> {
    let record = String::from_utf8(body(model)).unwrap();
    format!(r#"{{"d":{{"__metadata":{{"uri":"https://crm"}},{}}}"#, &record[1..]).into_bytes()
}

const ID: Uuid = Uuid::from_u128(1);

const FACTS: Facts = Facts { modified: Instant(0), created: None, modified_by: None };

/// Compares a step's allocations for short and long names. The first run may initialize caches and is not counted.
#[track_caller]
fn assert_same(step: &str, take: impl Fn(&'static ModelDescriptor) -> AllocationInfo) {
    take(&SHORT);
    let (short, long) = (take(&SHORT), take(&LONG));
    assert!(short.count_total > 0, "{step}: the allocator counts nothing");
    assert_eq!((long.count_total, long.bytes_total), (short.count_total, short.bytes_total), "{step}");
}

#[test]
fn reading_an_answer_allocates_no_name() {
    assert_same("read", |model| {
        let (answer, shape) = (answer(model), kinds(model));
        let mut read = None;
        let taken = measure(|| read = Some(json::read_record(&answer, &shape)));
        assert_eq!(read.unwrap().unwrap(), attributes(model));
        taken
    });
}

#[test]
fn a_page_allocates_no_name() {
    assert_same("page", |model| {
        let record = String::from_utf8(body(model)).unwrap();
        let (answer, shape) = (format!(r#"{{"d":[{record},{record}]}}"#), kinds(model));
        let mut read = None;
        let taken = measure(|| read = Some(json::read_page(answer.as_bytes(), &shape)));
        assert_eq!(read.unwrap().unwrap().records, vec![Ok(attributes(model)), Ok(attributes(model))]);
        taken
    });
}

#[test]
fn a_row_allocates_no_name() {
    assert_same("decode", |model| {
        let attributes = attributes(model);
        let mut row = None;
        let taken = measure(|| row = Some(conversion::decode(model, ID, &FACTS, &attributes)));
        assert_eq!(row.unwrap().unwrap()[1..], values());
        taken
    });
}

#[test]
fn the_attributes_of_a_new_record_allocate_no_name() {
    assert_same("encode", |model| {
        let row = conversion::decode(model, ID, &FACTS, &attributes(model)).unwrap();
        let mut sent = None;
        let taken = measure(|| sent = Some(conversion::encode_new(model, &row)));
        assert_eq!(sent.unwrap().unwrap().len(), 6);
        taken
    });
}

/// The body contains the names, so the number of its allocations is compared: at most what a buffer of its length takes
/// to grow, whatever its contents.
#[test]
fn a_body_allocates_nothing_but_itself() {
    for model in [&SHORT, &LONG] {
        let (attributes, kinds) = (attributes(model), kinds(model));
        let mut body = Vec::new();
        let taken = measure(|| {
            let values = kinds.iter().zip(attributes.iter()).map(|((name, kind), (_, value))| (*name, *kind, value));
            body = json::write_record(values).unwrap();
        });
        let grown = (body.capacity() as f64).log2() as u64;
        assert!(taken.count_total <= grown, "{} allocations for {} bytes", taken.count_total, body.len());
    }
}
