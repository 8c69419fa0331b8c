//! A condition of every form holds for the records that it says, and for no others.

use datahub_runtime::prelude::*;
use datahub_runtime::{Attributes, Instant, Reference, Value};
use uuid::Uuid;

use super::minimal_country::Country;

const NORWAY: Uuid = Uuid::from_u128(0x6f96_19ff_8b86_d011_b42d_00c0_4fc9_64ff);

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "every.toml", table = "picked", mode = "mirror", diesel(table = false))]
#[cdms(only = "(LastCall ge datetime'2016-12-05T12:00:00Z' or \
            Country/Id eq guid'6f9619ff-8b86-d011-b42d-00c04fc964ff' or \
            Token eq guid'6f9619ff-8b86-d011-b42d-00c04fc964ff') and \
            IndustryCode/Value ne 1 and not (Employees lt 3) and \
            Verified eq true and Alias ne null and Name ne 'Ada''s'")]
struct Picked {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Country")]
    country: Option<Id<Country>>,
}

/// A record that satisfies all of it.
fn picked() -> Attributes {
    Attributes::from([
        ("LastCall", Value::Instant(Instant(1_480_939_200_000))),
        ("Country", Value::Null),
        ("Token", Value::Null),
        ("IndustryCode", Value::Choice(3)),
        ("Employees", Value::Integer(3)),
        ("Verified", Value::Boolean(true)),
        ("Alias", Value::text("A")),
        ("Name", Value::text("Acme")),
    ])
}

fn with(changes: &[(&'static str, Value)]) -> bool {
    let mut record = picked();
    for (name, value) in changes {
        record.insert(*name, value.clone());
    }
    Picked::DESCRIPTOR.includes(&record)
}

#[test]
fn a_record_is_of_the_model_by_any_part_of_an_or() {
    let early = ("LastCall", Value::Instant(Instant(1_480_939_199_000)));
    let norway = |id| Value::Lookup(Reference { logical_name: "country".into(), id });
    assert!(with(&[]));
    assert!(!with(std::slice::from_ref(&early)));
    assert!(with(&[early.clone(), ("Country", norway(NORWAY))]));
    assert!(!with(&[early.clone(), ("Country", norway(Uuid::from_u128(1)))]));
    assert!(with(&[early.clone(), ("Token", Value::Guid(NORWAY))]));
    assert!(!with(&[early, ("Token", Value::Guid(Uuid::nil()))]));
}

#[test]
fn a_record_is_of_the_model_by_every_part_of_an_and() {
    for (name, value) in [
        ("IndustryCode", Value::Choice(1)),
        ("Employees", Value::Integer(2)),
        ("Verified", Value::Boolean(false)),
        ("Alias", Value::Null),
        ("Name", Value::text("Ada's")),
    ] {
        assert!(!with(&[(name, value.clone())]), "{name} {value}");
    }
}
