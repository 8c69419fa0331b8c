//! How one `$metadata` document differs from an earlier one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{EdmType, EntityType, Metadata};

/// A difference between a document and an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The entity's name.
    pub entity: String,
    /// What changed about it.
    pub what: Changed,
}

/// What changed about an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is new.
    Appeared,
    /// It is gone.
    Vanished,
    /// Its set has another name.
    Set {
        /// The name before.
        was: String,
        /// The name now.
        now: String,
    },
    /// Another attribute is its key.
    Key {
        /// The key before.
        was: String,
        /// The key now.
        now: String,
    },
    /// It has a new attribute.
    AttributeAppeared {
        /// The attribute's name.
        attribute: String,
        /// Its type.
        edm: EdmType,
    },
    /// One of its attributes is gone.
    AttributeVanished {
        /// The attribute's name.
        attribute: String,
    },
    /// One of its attributes has another type.
    AttributeType {
        /// The attribute's name.
        attribute: String,
        /// The type before.
        was: EdmType,
        /// The type now.
        now: EdmType,
    },
}

impl Metadata {
    /// How this document differs from an earlier one: by the names of entities, and for each in the order of its attributes'
    /// names. The order of a document is no difference.
    pub fn changes_since(&self, earlier: &Metadata) -> Vec<Change> {
        let (before, now) = (entities(earlier), entities(self));
        let names: BTreeSet<&str> = before.keys().chain(now.keys()).copied().collect();
        let changes = names.into_iter().flat_map(|name| {
            let changed = match (before.get(name), now.get(name)) {
                (Some(before), Some(now)) => changes_of(before, now),
                (None, Some(_)) => vec![Changed::Appeared],
                (Some(_), None) => vec![Changed::Vanished],
                (None, None) => Vec::new(),
            };
            changed.into_iter().map(|what| Change { entity: name.to_owned(), what })
        });
        changes.collect()
    }
}

fn entities(metadata: &Metadata) -> BTreeMap<&str, &EntityType> {
    metadata.entities.iter().map(|entity| (entity.name.as_str(), entity)).collect()
}

fn changes_of(before: &EntityType, now: &EntityType) -> Vec<Changed> {
    let mut changes = Vec::new();
    if before.set != now.set {
        changes.push(Changed::Set { was: before.set.clone(), now: now.set.clone() });
    }
    if before.key != now.key {
        changes.push(Changed::Key { was: before.key.clone(), now: now.key.clone() });
    }
    let types = |entity: &EntityType| -> BTreeMap<String, EdmType> {
        entity.properties.iter().map(|property| (property.name.clone(), property.edm)).collect()
    };
    let (before, now) = (types(before), types(now));
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    changes.extend(names.into_iter().filter_map(|name| {
        let attribute = name.clone();
        match (before.get(name).copied(), now.get(name).copied()) {
            (Some(was), Some(now)) if was != now => Some(Changed::AttributeType { attribute, was, now }),
            (None, Some(edm)) => Some(Changed::AttributeAppeared { attribute, edm }),
            (Some(_), None) => Some(Changed::AttributeVanished { attribute }),
            _ => None,
        }
    }));
    changes
}

impl Change {
    /// The attribute that it is about, if it is about one.
    pub fn attribute(&self) -> Option<&str> {
        match &self.what {
            Changed::AttributeAppeared { attribute, .. }
            | Changed::AttributeVanished { attribute }
            | Changed::AttributeType { attribute, .. } => Some(attribute),
            _ => None,
        }
    }

    /// Its stable name, for machines.
    pub const fn name(&self) -> &'static str {
        match self.what {
            Changed::Appeared => "entity-appeared",
            Changed::Vanished => "entity-vanished",
            Changed::Set { .. } => "set",
            Changed::Key { .. } => "key",
            Changed::AttributeAppeared { .. } => "attribute-appeared",
            Changed::AttributeVanished { .. } => "attribute-vanished",
            Changed::AttributeType { .. } => "attribute-type",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entity = &self.entity;
        match &self.what {
            Changed::Appeared => write!(f, "the entity `{entity}` is new"),
            Changed::Vanished => write!(f, "the entity `{entity}` is gone"),
            Changed::Set { was, now } => write!(f, "the set of `{entity}` is `{now}`, no longer `{was}`"),
            Changed::Key { was, now } => write!(f, "the key of `{entity}` is `{now}`, no longer `{was}`"),
            Changed::AttributeAppeared { attribute, edm } => {
                write!(f, "the attribute `{attribute}` of `{entity}` is new; its type is `{}`", edm.name())
            }
            Changed::AttributeVanished { attribute } => write!(f, "the attribute `{attribute}` of `{entity}` is gone"),
            Changed::AttributeType { attribute, was, now } => {
                write!(f, "the type of `{attribute}` of `{entity}` is `{}`, no longer `{}`", now.name(), was.name())
            }
        }
    }
}
