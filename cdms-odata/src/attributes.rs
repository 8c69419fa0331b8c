//! A set of attributes with their values: a record, part of a record, or a patch.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Value;

/// The name of an attribute, exactly as `$metadata` has it. Names from mappings are static and cost nothing to copy.
pub type AttributeName = Cow<'static, str>;

/// Attributes by name, each at most once, in order of name.
///
/// The meaning of an absent name depends on the use: not known (in `seen`), or not changed (in a patch).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Attributes(Vec<(AttributeName, Value)>);

impl Attributes {
    /// No attributes.
    pub const fn new() -> Self {
        Attributes(Vec::new())
    }

    /// Makes a set of attributes that are in order of name, without duplicates. In any other case, use `collect`.
    ///
    /// # Panics
    ///
    /// In a build with debug assertions, if they are not.
    pub fn in_order(pairs: Vec<(AttributeName, Value)>) -> Self {
        debug_assert!(pairs.is_sorted_by(|(one, _), (other, _)| one < other), "attributes are in the order of names");
        Attributes(pairs)
    }

    /// The value of an attribute; `None` if the attribute is not in the set.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.position(name).ok().map(|at| &self.0[at].1)
    }

    /// Like [`get`](Attributes::get), but faster if the attribute is at this position in the order of names.
    pub fn get_near(&self, place: usize, name: &str) -> Option<&Value> {
        match self.0.get(place) {
            Some((known, value)) if known == name => Some(value),
            _ => self.get(name),
        }
    }

    /// Whether the attribute is in the set, even if it is null.
    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_ok()
    }

    /// Sets an attribute and returns its previous value.
    pub fn insert(&mut self, name: impl Into<AttributeName>, value: Value) -> Option<Value> {
        let name = name.into();
        match self.position(&name) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (name, value));
                None
            }
        }
    }

    /// Removes an attribute from the set.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.position(name).ok().map(|at| self.0.remove(at).1)
    }

    /// Merges another set into this one: its values win, and attributes that it lacks stay.
    pub fn merge(&mut self, newer: &Attributes) {
        for (name, value) in &newer.0 {
            self.insert(name.clone(), value.clone());
        }
    }

    /// Keeps the attributes for which `keep` returns true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value) -> bool) {
        self.0.retain(|(name, value)| keep(name, value));
    }

    /// Releases memory reserved for more attributes.
    pub fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// The attributes and values in order of name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// The names in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &AttributeName> {
        self.0.iter().map(|(name, _)| name)
    }

    /// The number of attributes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no attributes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.as_ref().cmp(name))
    }
}

impl<N: Into<AttributeName>> FromIterator<(N, Value)> for Attributes {
    /// If a name occurs more than once, the last value wins.
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(pairs: I) -> Self {
        let mut all: Vec<(AttributeName, Value)> =
            pairs.into_iter().map(|(name, value)| (name.into(), value)).collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                std::mem::swap(&mut later.1, &mut kept.1);
            }
            is_same
        });
        Attributes(all)
    }
}

impl IntoIterator for Attributes {
    type Item = (AttributeName, Value);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    /// The attributes and values in order of name.
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<N: Into<AttributeName>, const COUNT: usize> From<[(N, Value); COUNT]> for Attributes {
    fn from(pairs: [(N, Value); COUNT]) -> Self {
        pairs.into_iter().collect()
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Attributes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("attributes by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
                let mut attributes = Attributes::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    // What was serialized is in the order of names.
                    match attributes.0.last() {
                        Some((last, _)) if last.as_ref() >= name.as_str() => drop(attributes.insert(name, value)),
                        _ => attributes.0.push((name.into(), value)),
                    }
                }
                Ok(attributes)
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_ordered() {
        let mut attributes = Attributes::from([("b", Value::Integer(1)), ("a", Value::Null), ("b", Value::Integer(2))]);
        assert_eq!(attributes.len(), 2);
        assert_eq!(attributes.insert("b", Value::Null), Some(Value::Integer(2)));
        assert_eq!(attributes.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(attributes.remove("a"), Some(Value::Null));
        assert!(!attributes.contains("a"));
    }

    #[test]
    fn merging_never_drops() {
        let mut seen = Attributes::from([("Name", Value::text("A")), ("Other", Value::text("kept"))]);
        seen.merge(&Attributes::from([("Name", Value::Null)]));
        assert_eq!(seen, Attributes::from([("Name", Value::Null), ("Other", Value::text("kept"))]));
    }

    #[test]
    fn canonical_json_reads_back() {
        let seen = Attributes::from([("Name", Value::text("A")), ("Code", Value::Choice(3))]);
        let json = serde_json::to_string(&seen).unwrap();
        assert_eq!(json, r#"{"Code":{"choice":3},"Name":"A"}"#);
        assert_eq!(serde_json::from_str::<Attributes>(&json).unwrap(), seen);
    }

    #[test]
    fn a_wrong_place_costs_a_search_and_no_value() {
        let attributes = Attributes::from([("a", Value::Integer(1)), ("b", Value::Integer(2))]);
        for place in [0, 1, 2] {
            assert_eq!(attributes.get_near(place, "a"), Some(&Value::Integer(1)), "near {place}");
            assert_eq!(attributes.get_near(place, "b"), Some(&Value::Integer(2)), "near {place}");
            assert_eq!(attributes.get_near(place, "c"), None, "near {place}");
        }
        // The attribute at the given position is not searched for, which shows whether the order is wrong.
        let unordered = Attributes(["c", "b", "a"].map(|name| (name.into(), Value::Null)).into());
        assert_eq!((unordered.get_near(0, "c"), unordered.get("c")), (Some(&Value::Null), None));
    }

    #[test]
    fn taken_apart_it_gives_all_in_the_order_of_names() {
        let attributes = Attributes::from([("b", Value::Integer(2)), ("a", Value::Null)]);
        let all: Vec<_> = attributes.into_iter().collect();
        assert_eq!(all, [("a".into(), Value::Null), ("b".into(), Value::Integer(2))]);
    }

    #[test]
    fn what_is_shrunk_has_room_for_no_more() {
        let mut attributes = Attributes(Vec::with_capacity(100));
        attributes.insert("a", Value::Null);
        attributes.shrink();
        assert!(attributes.0.capacity() < 100);
        assert_eq!(attributes, Attributes::from([("a", Value::Null)]));
    }
}
