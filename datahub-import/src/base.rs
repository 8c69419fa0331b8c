//! The base of a merge: what CDMS said at the last import, fact by fact, each with its origin, and the conflicts that were left
//! to a person.
//!
//! A file of its own next to each contract, so that branches that import different entities do not conflict, and a review
//! shows what CDMS changed apart from what people wrote.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use toml_edit::{Document, Item, TableLike, Value as Toml};

use crate::contract::{inline_facts, key};
use crate::facts::{Entity, Facts, Key, Origin, Value};

/// The key that marks the base of a contract that a person wrote.
const BY_HAND: &str = "by-hand";

/// What CDMS said at the last import.
#[derive(Clone, Debug, PartialEq)]
pub struct Base {
    pub(crate) entity: Entity,
    /// What the contract and CDMS state differently, until they agree or a person keeps what the contract says.
    pub(crate) conflicts: BTreeSet<String>,
    /// Whether a person wrote the contract, so that no attribute is added to it unasked.
    pub(crate) is_by_hand: bool,
}

impl Base {
    /// What CDMS says, without a conflict, under a contract that an import wrote or a person.
    pub(crate) fn of(entity: Entity, is_by_hand: bool) -> Self {
        Base { entity, conflicts: BTreeSet::new(), is_by_hand }
    }

    /// Keeps an attribute that CDMS has no more, as it was.
    pub(crate) fn keep_attribute(&mut self, name: &str, facts: &Facts) {
        self.entity.attributes.push((name.to_owned(), facts.clone()));
        self.entity.attributes.sort_by_cached_key(|(name, _)| name.to_lowercase());
    }

    /// Keeps an attribute that CDMS has no more and no contract can state, as it was.
    pub(crate) fn keep_unmapped(&mut self, name: &str, reason: &str) {
        self.entity.unmapped.push((name.to_owned(), reason.to_owned()));
        self.entity.unmapped.sort_by_cached_key(|(name, _)| name.to_lowercase());
    }

    /// Reads a base.
    ///
    /// # Errors
    ///
    /// The text is not what [`text`](Base::text) writes. The error says where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document = Document::parse(text).map_err(|error| error.to_string().trim().to_owned())?;
        let root = document.as_table();
        let string = |name: &str| root.get(name).and_then(Item::as_str).map(str::to_owned);
        let name = string("entity").ok_or("missing key `entity`")?;
        let mut entity = Entity {
            name,
            set: string("set"),
            key: string("key"),
            label: string("label"),
            is_whole: true,
            ..Entity::default()
        };
        for (name, item) in entries(root.get("attributes")) {
            let table = item.as_table_like().ok_or_else(|| format!("`{name}` must be a table"))?;
            let facts = facts(table).map_err(|reason| format!("`{name}`: {reason}"))?;
            entity.attributes.push((name.to_owned(), facts));
        }
        for (name, item) in entries(root.get("unmapped")) {
            let reason = item.as_str().ok_or_else(|| format!("`{name}` must be a string"))?;
            entity.unmapped.push((name.to_owned(), reason.to_owned()));
        }
        let mut conflicts = BTreeSet::new();
        if let Some(item) = root.get("conflicts") {
            let invalid = "`conflicts` must be an array of strings";
            for conflict in item.as_array().ok_or(invalid)? {
                conflicts.insert(conflict.as_str().ok_or(invalid)?.to_owned());
            }
        }
        let is_by_hand = match root.get(BY_HAND) {
            Some(item) => item.as_bool().ok_or_else(|| format!("`{BY_HAND}` must be true or false"))?,
            None => false,
        };
        Ok(Base { entity, conflicts, is_by_hand })
    }

    /// The entity.
    pub fn entity(&self) -> &str {
        &self.entity.name
    }

    /// The number of attributes that a contract can state.
    pub fn attributes(&self) -> usize {
        self.entity.attributes.len()
    }

    /// The base as text: one line for each attribute.
    pub fn text(&self) -> String {
        let Entity { name, set, key: key_name, label, attributes, unmapped, .. } = &self.entity;
        let mut text = format!(
            "# What CDMS said of {name} at the last import. `datahub import` merges from here: commit it with the contract, and\n\
             # do not edit it.\n"
        );
        // Writing to a string cannot fail.
        let mut line = |said: &str| _ = writeln!(text, "{said}");
        line(&format!("entity = {}", Toml::from(name.as_str())));
        for (key, value) in [("set", set), ("key", key_name), ("label", label)] {
            if let Some(value) = value {
                line(&format!("{key} = {}", Toml::from(value.as_str())));
            }
        }
        if self.is_by_hand {
            line(&format!("{BY_HAND} = true"));
        }
        if !self.conflicts.is_empty() {
            // A line for each, so that branches that settle different ones do not conflict.
            line("conflicts = [");
            for conflict in &self.conflicts {
                line(&format!("    {},", Toml::from(conflict.as_str())));
            }
            line("]");
        }
        line("\n[attributes]");
        for (name, facts) in attributes {
            let mut table = inline_facts(facts);
            table.insert("from", from(facts).into());
            line(&format!("{} = {table}", key(name)));
        }
        line("\n[unmapped]");
        for (name, reason) in unmapped {
            line(&format!("{} = {}", key(name), Toml::from(reason.as_str())));
        }
        text
    }
}

/// Who stated which facts: `$metadata: kind; solution: max-length, note`.
fn from(facts: &Facts) -> String {
    let parts = Origin::ALL.into_iter().filter_map(|origin| {
        let keys = facts.iter().filter(|(_, fact)| fact.origin == origin).map(|(key, _)| key.name());
        let keys: Vec<_> = keys.collect();
        (!keys.is_empty()).then(|| format!("{origin}: {}", keys.join(", ")))
    });
    parts.collect::<Vec<_>>().join("; ")
}

fn entries(item: Option<&Item>) -> impl Iterator<Item = (&str, &Item)> {
    item.and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter)
}

fn facts(table: &dyn TableLike) -> Result<Facts, String> {
    let from = table.get("from").and_then(Item::as_str).ok_or("missing key `from`")?;
    let mut facts = Facts::default();
    for part in from.split("; ").filter(|part| !part.is_empty()) {
        let (origin, keys) = part.split_once(": ").ok_or_else(|| format!("`from` has `{part}`"))?;
        let origin = Origin::named(origin).ok_or_else(|| format!("unknown origin `{origin}` in `from`"))?;
        for key in keys.split(", ") {
            let known = Key::named(key).ok_or_else(|| format!("unknown key `{key}` in `from`"))?;
            let item = table.get(key).ok_or_else(|| format!("missing key `{key}`, which `from` names"))?;
            let value = value(known, item).ok_or_else(|| format!("invalid value of `{key}`"))?;
            facts.state(known, value, origin);
        }
    }
    Ok(facts)
}

/// The value of a key, as an import or a person wrote it; `None` if it is none that a key can have.
pub(crate) fn value(key: Key, item: &Item) -> Option<Value> {
    match key {
        Key::Kind | Key::Zone | Key::Class | Key::Note => item.as_str().map(|text| Value::Text(text.to_owned())),
        Key::Required | Key::ReadOnly => match item.as_bool() {
            Some(flag) => Some(Value::Flag(flag)),
            None => item.as_str().map(|text| Value::Text(text.to_owned())),
        },
        Key::MaxLength | Key::Scale => item.as_integer().map(Value::Number),
        Key::Target => match item.as_array() {
            Some(array) => {
                array.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>().map(Value::Names)
            }
            None => item.as_str().map(|name| Value::Names(vec![name.to_owned()])),
        },
        Key::Navigation if item.is_str() => item.as_str().map(|name| Value::Text(name.to_owned())),
        Key::Choices => {
            let options = item
                .as_table_like()?
                .iter()
                .map(|(name, number)| Some((name.to_owned(), i32::try_from(number.as_integer()?).ok()?)));
            options.collect::<Option<_>>().map(Value::Options)
        }
        Key::Navigation | Key::Labels => {
            let texts =
                item.as_table_like()?.iter().map(|(name, text)| Some((name.to_owned(), text.as_str()?.to_owned())));
            texts.collect::<Option<_>>().map(Value::Texts)
        }
    }
}
