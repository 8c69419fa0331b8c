//! Putting a record back to an earlier time: the raw form of a field's own attributes, and the value of a field that
//! shares its attributes.

use cdms_odata::{Attributes, Facts, Instant, Value};
use datahub_protocol::{
    Action, Create, Decoded, Event, IntentChange, Machine as _, Mapping, Merged, OperationId, Values, put_back,
};
use uuid::Uuid;

/// A name, and an hour and its minutes, which CDMS has as one number (`hour * 100 + minutes`). The minutes are read
/// only.
#[derive(Clone, Debug)]
struct Appointment;

const NAME: usize = 0;
const HOUR: usize = 1;
const MINUTES: usize = 2;

fn time(attributes: &Attributes) -> Result<i32, String> {
    match attributes.get("time") {
        Some(Value::Integer(time)) => Ok(*time),
        other => Err(format!("time is {other:?}")),
    }
}

impl Mapping for Appointment {
    type Fault = String;

    fn tag(&self) -> u64 {
        1
    }

    fn knows(&self, attribute: &str) -> bool {
        ["name", "time"].contains(&attribute)
    }

    fn includes(&self, _: &Attributes) -> bool {
        true
    }

    /// "?" stands for a name that CDMS does not have.
    fn decode(&self, _: &Facts, attributes: &Attributes) -> Result<Values, String> {
        (NAME..=MINUTES).map(|field| self.decode_field(field, attributes)).collect()
    }

    fn decode_field(&self, field: usize, attributes: &Attributes) -> Result<Value, String> {
        Ok(match field {
            NAME => {
                let name = attributes.get("name").filter(|name| !name.is_null());
                name.cloned().unwrap_or_else(|| Value::Text("?".to_owned()))
            }
            HOUR => Value::Integer(time(attributes)? / 100),
            _ => Value::Integer(time(attributes)? % 100),
        })
    }

    fn updatable(&self) -> Vec<usize> {
        vec![NAME, HOUR]
    }

    fn encode(&self, field: usize, value: &Value, seen: &Attributes) -> Result<Attributes, String> {
        match value {
            Value::Integer(hour) if field == HOUR => {
                Ok([("time", Value::Integer(hour * 100 + time(seen)? % 100))].into())
            }
            name => Ok([("name", name.clone())].into()),
        }
    }

    fn attributes_of(&self, field: usize) -> Vec<&str> {
        vec![if field == NAME { "name" } else { "time" }]
    }

    fn is_part(&self, field: usize) -> bool {
        field == HOUR
    }

    fn encode_new(&self, values: &[Value]) -> Result<Attributes, String> {
        unreachable!("attributes are put back in their raw form and not as {values:?}")
    }

    fn forbidden(&self, reason: &str) -> String {
        reason.to_owned()
    }

    fn constants(&self) -> Attributes {
        Attributes::new()
    }
}

fn attributes(name: Value, time: i32) -> Attributes {
    [("name", name), ("time", Value::Integer(time))].into()
}

/// CDMS's facts about the record, which no field of the model shows.
const FACTS: Facts = Facts { modified: Instant(0), created: None, modified_by: None };

fn back_to(then: &Attributes, now: &Attributes) -> Result<Merged, String> {
    let values = Appointment.decode(&FACTS, now)?;
    put_back(&Appointment, then, Decoded { seen: now, values: &values })
}

fn named(name: &str, time: i32) -> Attributes {
    attributes(Value::Text(name.to_owned()), time)
}

#[test]
fn a_part_is_put_back_into_what_the_rest_is_now() {
    let back = back_to(&named("Dentist", 930), &named("Doctor", 1145)).unwrap();
    assert_eq!(back.patch, named("Dentist", 945));
    assert_eq!(back.values, [Value::Text("Dentist".to_owned()), Value::Integer(9), Value::Integer(45)]);
}

#[test]
fn a_part_that_is_as_it_was_is_not_sent_though_the_rest_is_not() {
    let back = back_to(&named("Dentist", 1110), &named("Dentist", 1145)).unwrap();
    assert!(back.patch.is_empty(), "{:?}", back.patch);
    assert_eq!(back.values[2], Value::Integer(45));
}

#[test]
fn a_null_is_put_back_though_a_default_stands_for_it() {
    let back = back_to(&attributes(Value::Null, 900), &named("Doctor", 900)).unwrap();
    assert_eq!(back.patch, [("name", Value::Null)].into());
    let same = back_to(&named("?", 900), &attributes(Value::Null, 900)).unwrap();
    assert_eq!(
        same.patch,
        [("name", Value::Text("?".to_owned()))].into(),
        "the raw form differs, although the values are equal"
    );
}

/// The attributes that a create sends to put these back.
fn created_again(then: Attributes) -> Attributes {
    let operation = OperationId(Uuid::from_u128(2));
    let mut create = Create::put_back(Appointment, Uuid::from_u128(1), &FACTS, then, operation).expect("they convert");
    let mut event = Event::Start;
    loop {
        event = match create.step(event) {
            Action::Lock => Event::Locked,
            Action::Load => Event::Loaded(Box::default()),
            Action::Commit(commit) => match commit.intent {
                IntentChange::Open(intent) => return intent.patch,
                other => panic!("a create must open its intent first, found {other:?}"),
            },
            other => panic!("a create must open its intent before {other:?}"),
        }
    }
}

#[test]
fn a_record_that_is_made_again_gets_all_that_can_be_sent_and_is_not_null() {
    assert_eq!(created_again(named("Dentist", 930)), named("Dentist", 930));
    assert_eq!(created_again(attributes(Value::Null, 930)), [("time", Value::Integer(930))].into());
}
