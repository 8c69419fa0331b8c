//! What was seen of a record, as it is stored: by name, `{"Name":"Acme","Town":null}`, or in short, as the values of a
//! list of names, `["1f0c9a3e","Acme",null]`.
//!
//! In short form, the first element is the list's key: the setting `names:1f0c9a3e` holds the names, as JSON. The values
//! follow in their order, `[]` for one that is not known; attributes that are not on the list come last, by name. Both
//! forms are read everywhere. The short one is stored only in tables of a version that says so, because programs that do
//! not know it refuse to connect to these.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use cdms_odata::{AttributeName, Attributes, Value};
use datahub_model::ModelDescriptor;
use datahub_model::schema::engine::{VERSION_IN_SHORT, VERSION_SETTING};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::connection::Connection;
use super::failure::Trouble;
use super::row::{to_json, unreadable};
use super::settings;
use super::statement::Datum;

/// The prefix of the settings with lists of names.
const SETTING: &str = "names:";

/// A list of attributes' names, in their order.
#[derive(Debug, PartialEq)]
pub(crate) struct Names {
    key: String,
    names: Vec<AttributeName>,
}

impl Names {
    /// The names that a model reads.
    fn of(model: &ModelDescriptor) -> Self {
        let read = model.attributes.iter().chain(model.captured);
        let mut names: Vec<AttributeName> = read.map(|attribute| attribute.name.into()).collect();
        names.sort_unstable();
        names.dedup();
        let mut hash = Sha256::new();
        for name in &names {
            hash.update(name.as_bytes());
            hash.update([0]);
        }
        let key = hash.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Names { key, names }
    }

    /// A list as its setting has it.
    fn from_setting(setting: &str, names: &str) -> Result<Self, Trouble> {
        let invalid = |reason: &dyn fmt::Display| Trouble::Corrupt(format!("invalid setting {setting}: {reason}"));
        let key = setting.strip_prefix(SETTING).unwrap_or(setting).to_owned();
        let names: Vec<String> = serde_json::from_str(names).map_err(|error| invalid(&error))?;
        if !names.is_sorted_by(|one, other| one < other) {
            return Err(invalid(&"expected names in order"));
        }
        Ok(Names { key, names: names.into_iter().map(Cow::Owned).collect() })
    }
}

/// The lists that this program knows its database has. Cheap to clone; clones share what they know.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownNames(Arc<RwLock<Known>>);

#[derive(Debug, Default)]
struct Known {
    by_key: HashMap<String, Arc<Names>>,
    /// The lists for storing, by the models' tables; empty if the database does not take the short form.
    of_models: HashMap<&'static str, Arc<Names>>,
}

impl KnownNames {
    /// In which form the records of a model are stored.
    pub(crate) fn form_of(&self, model: &ModelDescriptor) -> Form {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Form(known.of_models.get(model.table).cloned())
    }

    fn get(&self, key: &str) -> Option<Arc<Names>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_key.get(key).cloned()
    }

    /// Adds lists that the database has. Those that are known stay: their names need no memory of their own.
    fn add(&self, found: Vec<Names>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for names in found {
            known.by_key.entry(names.key.clone()).or_insert_with(|| Arc::new(names));
        }
    }

    fn store_in_short(&self, of_models: HashMap<&'static str, Arc<Names>>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let own = of_models.values().map(|names| (names.key.clone(), Arc::clone(names)));
        known.by_key.extend(own);
        known.of_models = of_models;
    }
}

/// Makes the models' lists known to the database, if it takes the short form. Must not be called in a transaction, because
/// a list must stay if a record refers to it.
pub(crate) fn register(connection: &mut Connection, models: &[&'static ModelDescriptor]) -> Result<(), Trouble> {
    let mut of_models = HashMap::new();
    if settings::get(connection, VERSION_SETTING)?.as_deref() == Some(VERSION_IN_SHORT) {
        let there: HashMap<_, _> = settings::that_begin(connection, SETTING)?.into_iter().collect();
        for model in models {
            let names = Names::of(model);
            let (setting, list) = (format!("{SETTING}{}", names.key), json(&names.names)?);
            let stored = match there.get(&setting) {
                Some(stored) => stored.clone(),
                None => settings::put_if_absent(connection, &setting, &list)?,
            };
            // Another list may have the same key by chance: then the model's records are stored by name.
            if stored == list {
                of_models.insert(model.table, Arc::new(names));
            }
        }
    }
    connection.known_names().store_in_short(of_models);
    Ok(())
}

fn json(names: &[AttributeName]) -> Result<String, Trouble> {
    serde_json::to_string(names).map_err(|error| unreadable(&error))
}

/// The form in which records of a model are stored: in short with this list, or by name.
#[derive(Clone, Debug)]
pub(crate) struct Form(Option<Arc<Names>>);

impl Form {
    /// What was seen of a record, to be stored.
    pub(crate) fn datum(&self, seen: &Attributes) -> Result<Datum, Trouble> {
        match &self.0 {
            Some(names) if !seen.is_empty() => to_json(&InShort { names, seen }),
            _ => to_json(seen),
        }
    }
}

struct InShort<'s> {
    names: &'s Names,
    seen: &'s Attributes,
}

impl Serialize for InShort<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const UNKNOWN: [(); 0] = [];
        let Names { key, names } = self.names;
        let mut short = serializer.serialize_seq(None)?;
        short.serialize_element(key)?;
        let mut found = 0;
        for (place, name) in names.iter().enumerate() {
            match self.seen.get_near(place, name) {
                Some(value) => {
                    found += 1;
                    short.serialize_element(value)?;
                }
                None => short.serialize_element(&UNKNOWN)?,
            }
        }
        if found < self.seen.len() {
            let is_listed = |name: &str| names.binary_search_by(|listed| listed.as_ref().cmp(name)).is_ok();
            let others = self.seen.iter().filter(|(name, _)| !is_listed(name));
            let others = others.map(|(name, value)| (name.to_owned(), value.clone()));
            short.serialize_element(&others.collect::<Attributes>())?;
        }
        short.end()
    }
}

/// What was seen of a record, from either form. A list that this program does not know yet is looked up.
pub(crate) fn read(connection: &mut Connection, stored: &str) -> Result<Attributes, Trouble> {
    let known = connection.known_names().clone();
    let unknown = Cell::new(None);
    let decoded = decode(stored, &known, &unknown);
    let Some(key) = unknown.take() else { return decoded };
    let setting = format!("{SETTING}{key}");
    let names = settings::get(connection, &setting)?
        .ok_or_else(|| Trouble::Corrupt(format!("the setting {setting} is missing, which names what was seen")))?;
    known.add(vec![Names::from_setting(&setting, &names)?]);
    decode(stored, &known, &unknown)
}

/// Decodes either form; `unknown` is set if the list is not known.
fn decode(stored: &str, known: &KnownNames, unknown: &Cell<Option<String>>) -> Result<Attributes, Trouble> {
    let mut json = serde_json::Deserializer::from_str(stored);
    let seen = EitherForm { known, unknown }.deserialize(&mut json);
    let seen = seen.and_then(|seen| json.end().map(|()| seen));
    seen.map_err(|error| unreadable(&error))
}

struct EitherForm<'k> {
    known: &'k KnownNames,
    unknown: &'k Cell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for EitherForm<'_> {
    type Value = Attributes;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Attributes, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EitherForm<'_> {
    type Value = Attributes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("attributes by name, or the values of a list of names")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Attributes, A::Error> {
        Attributes::deserialize(MapAccessDeserializer::new(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut short: A) -> Result<Attributes, A::Error> {
        let key: String = short.next_element()?.ok_or_else(|| A::Error::custom("expected a list's key"))?;
        let Some(names) = self.known.get(&key) else {
            self.unknown.set(Some(key));
            return Err(A::Error::custom("unknown list of names"));
        };
        let mut seen = Vec::with_capacity(names.names.len());
        for name in &names.names {
            let element = short.next_element::<Element>()?;
            let element = element.ok_or_else(|| A::Error::custom(format_args!("expected a value for {name}")))?;
            if let Element::Value(value) = element {
                seen.push((name.clone(), value));
            }
        }
        let mut seen = Attributes::in_order(seen);
        if let Some(others) = short.next_element::<Attributes>()? {
            seen.merge(&others);
        }
        Ok(seen)
    }
}

/// An element of the short form.
enum Element {
    Value(Value),
    Unknown,
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements;
        impl<'de> Visitor<'de> for Elements {
            type Value = Element;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a canonical attribute value, or [] for one that is not known")
            }

            fn visit_unit<E>(self) -> Result<Element, E> {
                Ok(Element::Value(Value::Null))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Element, E> {
                Ok(Element::Value(Value::Boolean(value)))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Element, E> {
                i32::try_from(number).map(|number| Element::Value(Value::Integer(number))).map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Element, E> {
                i32::try_from(number).map(|number| Element::Value(Value::Integer(number))).map_err(E::custom)
            }

            fn visit_str<E>(self, text: &str) -> Result<Element, E> {
                Ok(Element::Value(Value::text(text)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Element, A::Error> {
                Value::deserialize(MapAccessDeserializer::new(map)).map(Element::Value)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut none: A) -> Result<Element, A::Error> {
                match none.next_element::<Value>()? {
                    None => Ok(Element::Unknown),
                    Some(_) => Err(A::Error::custom("expected [], found a list with a value")),
                }
            }
        }
        deserializer.deserialize_any(Elements)
    }
}

#[cfg(test)]
mod tests {
    use cdms_odata::{Instant, Reference};

    use super::*;

    fn names(key: &str, names: &[&'static str]) -> Names {
        Names { key: key.to_owned(), names: names.iter().map(|name| (*name).into()).collect() }
    }

    fn text(datum: Datum) -> String {
        let Datum::Text(Some(text)) = datum else { panic!("a text is stored") };
        text
    }

    fn read_with(known: &KnownNames, stored: &str) -> Result<Attributes, String> {
        let unknown = Cell::new(None);
        decode(stored, known, &unknown).map_err(|trouble| match unknown.take() {
            Some(key) => format!("unknown list {key}"),
            None => trouble.into_reason(),
        })
    }

    #[test]
    fn every_value_reads_back_from_the_short_form() {
        let all = [
            ("a", Value::Null),
            ("b", Value::text("Acme \"Ltd\" [1]")),
            ("c", Value::Integer(-3)),
            ("d", Value::BigInt(i64::MAX)),
            ("e", Value::Decimal("1.5".parse().unwrap())),
            ("f", Value::Double(0.1)),
            ("g", Value::Money("5000000".parse().unwrap())),
            ("h", Value::Boolean(true)),
            ("i", Value::Instant(Instant(-1))),
            ("j", Value::Date(chrono::NaiveDate::from_ymd_opt(2016, 6, 15).unwrap())),
            ("k", Value::Guid(uuid::Uuid::from_u128(7))),
            ("l", Value::Choice(1)),
            ("m", Value::Lookup(Reference { logical_name: "account".into(), id: uuid::Uuid::from_u128(8) })),
        ];
        let known = KnownNames::default();
        let list: Vec<_> = all.iter().map(|(name, _)| *name).collect();
        known.add(vec![names("0a", &list)]);
        let seen = Attributes::from(all);
        // One that is not known, and one that the list does not have.
        let mut other = seen.clone();
        other.remove("c");
        other.insert("C", Value::Choice(2));
        let form = Form(known.get("0a"));
        for seen in [seen, other, Attributes::from([("Z", Value::Null)]), Attributes::new()] {
            let stored = text(form.datum(&seen).unwrap());
            assert_eq!(read_with(&known, &stored), Ok(seen.clone()), "{stored}");
            let by_name = text(Form(None).datum(&seen).unwrap());
            assert_eq!(read_with(&known, &by_name), Ok(seen), "{by_name}");
        }
    }

    #[test]
    fn the_stored_texts_stay_as_they_are() {
        let known = KnownNames::default();
        known.add(vec![names("1f0c9a3e", &["Code", "Name", "Town"])]);
        let form = Form(known.get("1f0c9a3e"));
        let seen = Attributes::from([("Name", Value::text("Acme")), ("Town", Value::Null), ("Code", Value::Choice(3))]);
        assert_eq!(text(form.datum(&seen).unwrap()), r#"["1f0c9a3e",{"choice":3},"Acme",null]"#);
        let other = Attributes::from([("Fax", Value::Integer(1)), ("Town", Value::Null)]);
        assert_eq!(text(form.datum(&other).unwrap()), r#"["1f0c9a3e",[],[],null,{"Fax":1}]"#);
        assert_eq!(text(form.datum(&Attributes::new()).unwrap()), "{}");
    }

    #[test]
    fn what_is_no_stored_form_is_refused() {
        let known = KnownNames::default();
        known.add(vec![names("0a", &["Code", "Name"])]);
        for (stored, expected) in [
            (r#"["0b","x","y"]"#, "unknown list 0b"),
            (r#"["0a","x"]"#, "expected a value for Name"),
            (r#"["0a","x",["y"]]"#, "expected [], found a list with a value"),
            (r#"["0a","x","y","z"]"#, "attributes by name"),
            (r#"["0a","x","y",{},1]"#, "trailing characters"),
            ("[]", "expected a list's key"),
            ("7", "attributes by name, or the values of a list of names"),
        ] {
            let refused = read_with(&known, stored).unwrap_err();
            assert!(refused.contains(expected), "{stored}: {refused}");
        }
        assert!(Names::from_setting("names:0a", r#"["b","a"]"#).is_err());
    }
}
