//! The three-way merge of a contract: what CDMS said at the last import, what people made of it, and what CDMS says now.
//!
//! What a person has not touched follows CDMS; what a person has written stays, and is reported if CDMS changed it too.

mod attribute;
mod edit;
mod knowledge;

use std::collections::BTreeSet;
use std::fmt;

use toml_edit::{DocumentMut, Item, Table};

use crate::base::Base;
use crate::contract::{self, Written};
use crate::facts::{Entity, Facts, Key, Value};
use crate::navigation;

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
    /// What CDMS says now, and the conflicts: the base of the next merge.
    pub base: Base,
    /// What was applied.
    pub changes: Vec<Change>,
    /// What CDMS says differently and was not applied.
    pub conflicts: Vec<Change>,
    /// The attributes that CDMS has and the contract does not mention.
    pub unmentioned: Vec<String>,
    /// What CDMS says now, whatever is in conflict.
    said: Entity,
}

/// Merges what CDMS says now into a contract. `base` is what it said at the last import, if there was one. With
/// `completely`, attributes are added that the contract does not mention. Without, a contract that a person wrote gets none,
/// until it was completed once.
///
/// # Errors
///
/// The contract is not valid TOML, or would not be after the merge.
pub fn merge(contract: Option<&str>, base: Option<&Base>, now: &Entity, completely: bool) -> Result<Merged, String> {
    let mut known = knowledge::joined(base.map(|base| &base.entity), now);
    let Some(text) = contract else {
        knowledge::classify(&mut known, |_| true);
        navigation::complete(&mut known, |_| Vec::new());
        let text = contract::text(&known);
        return Ok(Merged {
            text,
            base: Base::of(known.clone(), false),
            changes: Vec::new(),
            conflicts: Vec::new(),
            unmentioned: Vec::new(),
            said: known,
        });
    };
    let document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| error.to_string().trim().to_owned())?;
    knowledge::classify(&mut known, |name| !edit::mentions(&document, "attributes", name));
    navigation::complete(&mut known, |name| edit::targets(&document, name));
    let is_by_hand = !completely && base.map_or_else(|| !contract::is_imports(text), |base| base.is_by_hand);
    let mut merging = Merging {
        document,
        before: base.map(|base| &base.entity),
        left: base.map(|base| &base.conflicts),
        now: &known,
        follows: base.is_some_and(|base| !base.is_by_hand),
        completely,
        changes: Vec::new(),
        conflicts: Vec::new(),
        next: Base::of(known.clone(), is_by_hand),
        unmentioned: Vec::new(),
    };
    let before = base.map(|base| &base.entity);
    merging.name("set", before.and_then(|before| before.set.clone()), known.set.clone());
    merging.name("key", before.and_then(|before| before.key.clone()), known.key.clone());
    merging.attributes();
    merging.vanished();
    merging.unmapped();
    let Merging { document, changes, conflicts, next, unmentioned, .. } = merging;
    let merged = if changes.is_empty() { text.to_owned() } else { sound(&document)? };
    Ok(Merged { text: merged, base: next, changes, conflicts, unmentioned, said: known })
}

impl Merged {
    /// Decides every conflict for the contract: the next merge reports none of them again.
    #[must_use]
    pub fn kept(mut self) -> Self {
        let kept = self
            .conflicts
            .drain(..)
            .map(|Change { attribute, text }| Change { attribute, text: format!("kept: {text}") });
        self.changes.extend(kept);
        self.base = Base::of(self.said.clone(), self.base.is_by_hand);
        self
    }

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
    /// The conflicts that the last import left to a person.
    left: Option<&'m BTreeSet<String>>,
    now: &'m Entity,
    /// Whether what is new in CDMS comes into the contract: an earlier import wrote or completed it.
    follows: bool,
    completely: bool,
    changes: Vec<Change>,
    conflicts: Vec<Change>,
    /// The base of the next merge.
    next: Base,
    unmentioned: Vec<String>,
}

impl Merging<'_> {
    fn changed(&mut self, attribute: Option<&str>, text: String) {
        self.changes.push(Change { attribute: attribute.map(str::to_owned), text });
    }

    fn conflict(&mut self, attribute: Option<&str>, text: String) {
        self.conflicts.push(Change { attribute: attribute.map(str::to_owned), text });
    }

    /// Leaves something that the contract and CDMS state differently to a person, also at the next merge.
    fn differs(&mut self, attribute: Option<&str>, what: &str, text: String) {
        self.next.conflicts.insert(subject(attribute, what));
        self.conflict(attribute, text);
    }

    /// Whether the last import left it to a person.
    fn was_left(&self, attribute: Option<&str>, what: &str) -> bool {
        self.left.is_some_and(|left| left.contains(&subject(attribute, what)))
    }

    /// A name at the top, as CDMS had and has it where it is not the default.
    fn name(&mut self, name: &str, before: Option<String>, now: Option<String>) {
        let ours = self.document.get(name).and_then(Item::as_str).map(str::to_owned);
        let was_left = self.was_left(None, name);
        if now == ours || (self.before.is_some() && now == before && !was_left) {
            return;
        }
        let shown =
            |value: &Option<String>| value.as_ref().map_or("nothing".to_owned(), |value| format!("\"{value}\""));
        let (from, to) = (shown(&ours), shown(&now));
        if was_left || ours != before {
            return self.differs(None, name, format!("`{name}` is {from}, and CDMS has {to}"));
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
            // Where an import wrote the contract, what it did not see is new, and what it saw was removed by a person.
            let is_new = self.follows && before.is_none();
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
            let obstacle = if edit::is_used(&self.document, name) {
                Some("[groups] or [constants] name it")
            } else if self.is_touched(name, facts) {
                Some("was edited here; remove it yourself")
            } else {
                None
            };
            if let Some(obstacle) = obstacle {
                // Until it is gone here as well, the base has it as it was.
                self.next.keep_attribute(name, facts);
                self.conflict(Some(name), format!("{said}, but {obstacle}"));
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
        let new: Vec<_> = self.now.unmapped.iter().filter(|(name, _)| self.follows && !had(name)).cloned().collect();
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
            if ours == Some(&reason) && !edit::has_own_comment(&self.document, "unmapped", &name) {
                edit::remove(&mut self.document, "unmapped", &name);
                self.changed(Some(&name), "is no longer in CDMS, and was removed from [unmapped]".to_owned());
            } else {
                self.next.keep_unmapped(&name, &reason);
                let text = "is no longer in CDMS, but its entry in [unmapped] was edited here; remove it yourself";
                self.conflict(Some(&name), text.to_owned());
            }
        }
    }

    /// Whether a person changed an attribute since it was imported, or wrote a comment above it.
    fn is_touched(&self, name: &str, before: &Facts) -> bool {
        let Some(ours) = self.ours(name).and_then(Item::as_table_like) else { return true };
        let is_known = |key: &str| Key::named(key).is_some();
        edit::has_own_comment(&self.document, "attributes", name)
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

/// The text of a merged contract. If the merge cannot deal with the way in which a person laid it out, nothing is written.
fn sound(document: &DocumentMut) -> Result<String, String> {
    let text = document.to_string();
    match text.parse::<DocumentMut>() {
        Ok(_) => Ok(text),
        Err(error) => Err(format!(
            "what CDMS changed cannot be written into this contract as it is laid out; write each attribute on a line of its own, \
             and import again: {}",
            error.to_string().trim()
        )),
    }
}

/// What a conflict is about, as the base has it: `set`, or `acme_name: max-length`.
fn subject(attribute: Option<&str>, what: &str) -> String {
    attribute.map_or_else(|| what.to_owned(), |attribute| format!("{attribute}: {what}"))
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
