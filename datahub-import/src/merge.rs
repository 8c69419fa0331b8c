//! The three-way merge of a contract: what CDMS said at the last import, what people made of it, and what CDMS says now.
//!
//! What a person has not touched follows CDMS; what a person has written stays, and is reported if CDMS changed it too.

mod attribute;
mod edit;
mod knowledge;

use std::fmt;

use toml_edit::{DocumentMut, Item, Table};

use crate::base::Base;
use crate::contract::{self, Written};
use crate::facts::{Entity, Facts, Key, Value};

/// Something that a merge did, or left to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The attribute; `None` for a name at the top.
    pub attribute: Option<String>,
    /// What was done, or what is contradictory.
    pub text: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.attribute {
            Some(attribute) => write!(f, "`{attribute}`: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// A contract after a merge.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The contract's text.
    pub text: String,
    /// What CDMS says now: the base of the next merge.
    pub base: Base,
    /// What was applied.
    pub changes: Vec<Change>,
    /// What CDMS says differently and was not applied.
    pub conflicts: Vec<Change>,
    /// The attributes that CDMS has and the contract does not mention.
    pub unmentioned: Vec<String>,
}

/// Merges what CDMS says now into a contract. `base` is what it said at the last import, if there was one. With
/// `completely`, attributes are added that the contract does not mention.
///
/// # Errors
///
/// The contract is not valid TOML.
pub fn merge(contract: Option<&str>, base: Option<&Base>, now: &Entity, completely: bool) -> Result<Merged, String> {
    let known = knowledge::joined(base.map(|base| &base.entity), now);
    let Some(text) = contract else {
        let text = contract::text(&known);
        return Ok(Merged {
            text,
            base: Base { entity: known },
            changes: Vec::new(),
            conflicts: Vec::new(),
            unmentioned: Vec::new(),
        });
    };
    let document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| error.to_string().trim().to_owned())?;
    let mut merging = Merging {
        document,
        before: base.map(|base| &base.entity),
        now: &known,
        completely,
        changes: Vec::new(),
        conflicts: Vec::new(),
        unmentioned: Vec::new(),
    };
    let before = base.map(|base| &base.entity);
    merging.name("set", before.and_then(|before| before.set.clone()), known.set.clone());
    merging.name("key", before.and_then(|before| before.key.clone()), known.key.clone());
    merging.attributes();
    merging.vanished();
    merging.unmapped();
    let Merging { document, changes, conflicts, unmentioned, .. } = merging;
    let merged = if changes.is_empty() { text.to_owned() } else { document.to_string() };
    Ok(Merged { text: merged, base: Base { entity: known }, changes, conflicts, unmentioned })
}

impl Merged {
    /// The number of facts that the contract leaves to be looked up.
    pub fn open(&self) -> usize {
        let document: Result<DocumentMut, _> = self.text.parse();
        let Ok(document) = document else { return 0 };
        let attributes = document.get("attributes").and_then(Item::as_table_like);
        let attributes = attributes.into_iter().flat_map(|table| table.iter());
        let tables = attributes.filter_map(|(_, item)| item.as_table_like());
        let keys = tables.flat_map(|table| Key::ALL.into_iter().map(move |key| edit::written(table, key)));
        keys.filter(|said| *said == Written::Open).count()
    }
}

struct Merging<'m> {
    document: DocumentMut,
    before: Option<&'m Entity>,
    now: &'m Entity,
    completely: bool,
    changes: Vec<Change>,
    conflicts: Vec<Change>,
    unmentioned: Vec<String>,
}

impl Merging<'_> {
    fn changed(&mut self, attribute: Option<&str>, text: String) {
        self.changes.push(Change { attribute: attribute.map(str::to_owned), text });
    }

    fn conflict(&mut self, attribute: Option<&str>, text: String) {
        self.conflicts.push(Change { attribute: attribute.map(str::to_owned), text });
    }

    /// A name at the top, as CDMS had and has it where it is not the default.
    fn name(&mut self, name: &str, before: Option<String>, now: Option<String>) {
        let ours = self.document.get(name).and_then(Item::as_str).map(str::to_owned);
        if now == ours || (self.before.is_some() && now == before) {
            return;
        }
        let shown =
            |value: &Option<String>| value.as_ref().map_or("nothing".to_owned(), |value| format!("\"{value}\""));
        let (from, to) = (shown(&ours), shown(&now));
        if ours != before {
            return self.conflict(None, format!("`{name}` is {from}, and CDMS has {to}"));
        }
        match now {
            Some(now) => edit::put_name(&mut self.document, name, &now),
            None => _ = self.document.remove(name),
        }
        self.changed(None, format!("`{name}` is {to}, was {from}"));
    }

    /// What CDMS has now.
    fn attributes(&mut self) {
        for (name, facts) in &self.now.attributes {
            let before = self.before.and_then(|before| before.attribute(name));
            if self.ours(name).is_some() {
                self.attribute(name, before, facts);
                continue;
            }
            let is_left_out = edit::mentions(&self.document, "unmapped", name);
            // Where there was an import, what it did not see is new, and what it saw was removed by a person.
            let is_new = self.before.is_some() && before.is_none();
            if !is_left_out && (is_new || self.completely) {
                edit::add_attribute(&mut self.document, name, facts);
                self.changed(
                    Some(name),
                    format!("is {}, kind {}", if is_new { "new in CDMS" } else { "added" }, kind(facts)),
                );
            } else if !is_left_out {
                self.unmentioned.push(name.clone());
            }
        }
    }

    /// What CDMS had, and has no more.
    fn vanished(&mut self) {
        for (name, facts) in self.before.into_iter().flat_map(|before| &before.attributes) {
            if self.now.attribute(name).is_some() || self.ours(name).is_none() {
                continue;
            }
            let reason =
                self.now.unmapped.iter().find(|(unmapped, _)| unmapped == name).map(|(_, reason)| reason.clone());
            let said = reason.as_ref().map_or_else(
                || "is no longer in CDMS".to_owned(),
                |reason| format!("is moved to [unmapped]: {reason}"),
            );
            if edit::is_used(&self.document, name) {
                self.conflict(Some(name), format!("{said}, but [groups] or [constants] name it"));
            } else if self.is_touched(name, facts) {
                self.conflict(Some(name), format!("{said}, but was edited here; remove it yourself"));
            } else {
                edit::remove(&mut self.document, "attributes", name);
                if let Some(reason) = reason {
                    edit::add_unmapped(&mut self.document, name, &reason);
                }
                self.changed(Some(name), said);
            }
        }
    }

    /// What CDMS has, and a contract cannot state.
    fn unmapped(&mut self) {
        let had = |name: &str| self.before.is_some_and(|before| before.unmapped.iter().any(|(known, _)| known == name));
        let new: Vec<_> =
            self.now.unmapped.iter().filter(|(name, _)| self.before.is_some() && !had(name)).cloned().collect();
        for (name, reason) in new {
            let is_mentioned =
                ["attributes", "unmapped"].iter().any(|table| edit::mentions(&self.document, table, &name));
            if !is_mentioned {
                edit::add_unmapped(&mut self.document, &name, &reason);
                self.changed(Some(&name), format!("is new in [unmapped]: {reason}"));
            }
        }
        let gone: Vec<_> = self.before.into_iter().flat_map(|before| before.unmapped.clone()).collect();
        for (name, reason) in gone {
            let is_there =
                self.now.attribute(&name).is_some() || self.now.unmapped.iter().any(|(known, _)| *known == name);
            if is_there || !self.now.is_whole || !edit::mentions(&self.document, "unmapped", &name) {
                continue;
            }
            let ours = self.document.get("unmapped").and_then(|table| table.get(&name)).and_then(Item::as_str);
            if ours == Some(&reason) {
                edit::remove(&mut self.document, "unmapped", &name);
                self.changed(Some(&name), "is no longer in CDMS, and was removed from [unmapped]".to_owned());
            } else {
                self.conflict(Some(&name), "is no longer in CDMS, but [unmapped] has it".to_owned());
            }
        }
    }

    /// Whether a person changed an attribute since it was imported, or wrote a comment above it.
    fn is_touched(&self, name: &str, before: &Facts) -> bool {
        let Some(ours) = self.ours(name).and_then(Item::as_table_like) else { return true };
        let is_known = |key: &str| Key::named(key).is_some();
        edit::has_own_comment(&self.document, name)
            || !ours.iter().all(|(key, _)| is_known(key))
            || Key::ALL
                .into_iter()
                .any(|key| !attribute::is_same(key, &edit::written(ours, key), &Written::of(before, key)))
    }

    fn ours(&self, attribute: &str) -> Option<&Item> {
        self.document.get("attributes")?.get(attribute)
    }

    fn attribute_table(&mut self, attribute: &str) -> Option<&mut Item> {
        let attributes: &mut Item = self.document.get_mut("attributes")?;
        attributes.get_mut(attribute)
    }
}

fn kind(facts: &Facts) -> String {
    match facts.get(Key::Kind).map(|fact| &fact.value) {
        Some(Value::Text(kind)) => kind.clone(),
        _ => "unknown".to_owned(),
    }
}

/// An empty table that is written with its header.
fn table() -> Item {
    Item::Table(Table::new())
}
