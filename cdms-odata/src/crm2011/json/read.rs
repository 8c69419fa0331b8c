//! Reading responses: one record, or a page of them.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::value::{ValueSeed, form_of};
use super::{JsonPage, ReadError, Shape};
use crate::{AttributeName, Attributes, Kind, Value};

/// Reads one record from `{"d":{…}}`. Attributes outside the shape are ignored.
///
/// # Errors
///
/// See [`ReadError`].
pub fn read_record(body: &[u8], shape: &Shape) -> Result<Attributes, ReadError> {
    let body = as_text(body)?;
    let mut found = Found::new(shape);
    let mut json = serde_json::Deserializer::from_str(body);
    let read = AnswerSeed(&mut found).deserialize(&mut json).and_then(|()| json.end());
    if read.is_ok() {
        return found.attributes();
    }
    // Invalid JSON is reported as such, whatever else was wrong before the place where it becomes invalid.
    let Envelope { d } = envelope(body, "a record")?;
    Err(fault_of(d, shape))
}

/// Reads a page of a list from `{"d":{"results":[…],"__next":"…"}}`, or from `{"d":[…]}`, which has no next page.
///
/// # Errors
///
/// If the response is not a page. Records that cannot be read are errors of their own inside the page.
pub fn read_page(body: &[u8], shape: &Shape) -> Result<JsonPage, ReadError> {
    #[derive(Deserialize)]
    struct Results<'a> {
        #[serde(borrow)]
        results: Vec<&'a RawValue>,
        #[serde(rename = "__next")]
        next: Option<String>,
    }
    let envelope = envelope(as_text(body)?, "a list")?;
    let raw = envelope.d.get();
    let expected = "a list";
    let results = if raw.starts_with('[') {
        serde_json::from_str(raw).map(|results| Results { results, next: None })
    } else {
        serde_json::from_str(raw)
    };
    let Results { results, next } = results.map_err(|_| ReadError::NotARecord { expected })?;
    Ok(JsonPage { records: results.into_iter().map(|raw| record(raw, shape)).collect(), next })
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    d: &'a RawValue,
}

/// JSON is UTF-8: checked once for the whole body, and not for every string in it.
fn as_text(body: &[u8]) -> Result<&str, ReadError> {
    std::str::from_utf8(body).map_err(|error| ReadError::NotJson { reason: error.to_string() })
}

fn envelope<'a>(body: &'a str, expected: &'static str) -> Result<Envelope<'a>, ReadError> {
    let not_json = |error: serde_json::Error| ReadError::NotJson { reason: error.to_string() };
    // Serde would accept an array for a struct's members in their order.
    if !body.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        serde_json::from_str::<IgnoredAny>(body).map_err(not_json)?;
        return Err(ReadError::NotARecord { expected });
    }
    serde_json::from_str(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => ReadError::NotARecord { expected },
        _ => not_json(error),
    })
}

fn record(raw: &RawValue, shape: &Shape) -> Result<Attributes, ReadError> {
    let mut found = Found::new(shape);
    match RecordSeed(&mut found).deserialize(&mut serde_json::Deserializer::from_str(raw.get())) {
        Ok(()) => found.attributes(),
        Err(_) => Err(fault_of(raw, shape)),
    }
}

/// What is wrong with a record that could not be read: the first member whose value has another kind, or that it is not
/// a record.
fn fault_of(raw: &RawValue, shape: &Shape) -> ReadError {
    let not_a_record = ReadError::NotARecord { expected: "a record" };
    let Ok(Members(members)) = serde_json::from_str(raw.get()) else { return not_a_record };
    for (name, raw) in &members {
        let Ok(place) = shape.binary_search_by(|(known, _)| (*known).cmp(name)) else { continue };
        let ((attribute, kind), raw) = (shape[place], raw.get());
        if ValueSeed(kind).deserialize(&mut serde_json::Deserializer::from_str(raw)).is_err() {
            return ReadError::Value { attribute, kind, form: form_of(raw), found: raw.to_owned() };
        }
    }
    not_a_record
}

/// An object's members as they appear, including duplicates.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// What a record has of a shape: a value for each attribute that was found.
struct Found<'s> {
    shape: &'s Shape,
    pairs: Vec<(AttributeName, Value)>,
    is_found: Vec<bool>,
}

impl<'s> Found<'s> {
    fn new(shape: &'s Shape) -> Self {
        debug_assert!(shape.is_sorted_by_key(|(name, _)| *name), "a shape is in the order of names");
        let pairs = shape.iter().map(|(name, _)| (AttributeName::Borrowed(*name), Value::Null)).collect();
        Found { shape, pairs, is_found: vec![false; shape.len()] }
    }

    fn found(&mut self, place: usize, value: Value) {
        self.pairs[place].1 = value;
        self.is_found[place] = true;
    }

    fn attributes(self) -> Result<Attributes, ReadError> {
        match self.is_found.iter().position(|is_found| !is_found) {
            Some(missing) => Err(ReadError::Missing { attribute: self.shape[missing].0 }),
            None => Ok(Attributes::in_order(self.pairs)),
        }
    }
}

/// The envelope of a record in a response; the kind does not matter.
const ENVELOPE: &Shape = &[("d", Kind::String)];

/// Reads the record in the member `d` of a response.
struct AnswerSeed<'f, 's>(&'f mut Found<'s>);

impl<'de> DeserializeSeed<'de> for AnswerSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for AnswerSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a response")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut is_read = false;
        while let Some(place) = map.next_key_seed(NameSeed { shape: ENVELOPE, expected: 0 })? {
            match place {
                Some(_) if is_read => return Err(A::Error::duplicate_field("d")),
                Some(_) => map.next_value_seed(RecordSeed(self.0))?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
            is_read |= place.is_some();
        }
        if is_read { Ok(()) } else { Err(A::Error::missing_field("d")) }
    }
}

/// Reads an object's members into the positions of a shape.
struct RecordSeed<'f, 's>(&'f mut Found<'s>);

impl<'de> DeserializeSeed<'de> for RecordSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let shape = self.0.shape;
        let mut order = ORDER.take();
        let (mut member, mut after_last) = (0, 0);
        loop {
            let expected = order.get(member).copied().unwrap_or(after_last);
            match map.next_key_seed(NameSeed { shape, expected })? {
                Some(Some(place)) => {
                    if let Some(expected) = order.get_mut(member) {
                        *expected = place;
                    } else if order.len() < shape.len() {
                        order.push(place);
                    }
                    (member, after_last) = (member + 1, place + 1);
                    let value = map.next_value_seed(ValueSeed(shape[place].1))?;
                    self.0.found(place, value);
                }
                Some(None) => drop(map.next_value::<IgnoredAny>()?),
                None => break,
            }
        }
        ORDER.set(order);
        Ok(())
    }
}

thread_local! {
    /// The positions in its shape that the members of the last record had, in their order. The service writes all records
    /// of an entity in one order, so the next one probably has them too. Where it has not, its names are searched for.
    static ORDER: Cell<Vec<usize>> = const { Cell::new(Vec::new()) };
}

/// Finds a member's name in a shape without storing it.
pub(super) struct NameSeed<'s> {
    pub(super) shape: &'s Shape,
    /// The position that is tried first.
    pub(super) expected: usize,
}

impl<'de> DeserializeSeed<'de> for NameSeed<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        match self.shape.get(self.expected) {
            Some((known, _)) if *known == name => Ok(Some(self.expected)),
            _ => Ok(self.shape.binary_search_by(|(known, _)| (*known).cmp(name)).ok()),
        }
    }
}
