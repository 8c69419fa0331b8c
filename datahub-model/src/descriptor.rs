//! The static description of a mapping, which the derive emits and the engine follows.

mod column;

use std::cmp::Ordering;
use std::fmt;

use cdms_odata::{Attributes, Kind, Value};
use serde::{Serialize, Serializer};

use crate::{Filter, Literal};

pub use column::{Column, EngineAttribute, Source, Through, Write};

/// A model together with its contract. The derive emits one per model as a static.
///
/// It can be serialized for tools that inspect a program's mappings. Functions are left out, and defaults are
/// serialized as their values.
#[derive(Debug, Serialize)]
pub struct ModelDescriptor {
    /// The Rust struct's name, for messages.
    pub name: &'static str,
    /// The table's name, which also identifies the model in the database.
    pub table: &'static str,
    /// How the model follows CDMS.
    pub mode: Mode,
    /// The entity in CDMS.
    pub entity: Entity,
    /// Every mapped attribute and the attributes of constants and of `only`, ordered by name; without the engine's
    /// attributes.
    pub attributes: &'static [Attribute],
    /// The contract's other attributes, if reads keep these too, ordered by name. They are read and kept in `seen`, and
    /// are no part of the mapping: no field uses them, and they are never sent.
    #[serde(skip_serializing_if = "<[Attribute]>::is_empty")]
    pub captured: &'static [Attribute],
    /// The table's columns, in the order of a row's values.
    pub columns: &'static [Column],
    /// The values that every create and update sends in addition.
    pub constants: &'static [(&'static str, Constant)],
    /// Which records of the entity belong to this model; `None`: all.
    pub only: Option<&'static Filter>,
    /// A hash of the fields above, except `captured`.
    pub mapping_id: MappingId,
    /// The epoch of the table that the program was built for, from the snapshot of the last migration. A program whose
    /// epoch is older than the database's begins nothing any more.
    pub epoch: u32,
}

/// Whether and how a model's rows follow CDMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Read from and written to CDMS.
    Sync,
    /// Read from CDMS, never written.
    Mirror,
    /// CDMS is no longer accessed, or never was: the hub's row is authoritative.
    Detached,
}

/// The names of an entity in CDMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Entity {
    /// The entity type, for example `Account`.
    pub name: &'static str,
    /// The set, for example `AccountSet`.
    pub set: &'static str,
    /// The key attribute, for example `AccountId`.
    pub key: &'static str,
    /// The lowercase logical name, for example `account`.
    pub logical: &'static str,
    /// The attribute with the time of the last change: `ModifiedOn`.
    pub modified: &'static str,
    /// The attribute with the time of creation: `CreatedOn`.
    pub created: &'static str,
    /// The attribute with the user who made the last change: `ModifiedBy`.
    pub modified_by: &'static str,
}

/// An attribute, as its contract describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Attribute {
    /// The name, exactly as in `$metadata`.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Whether a null from CDMS is a fault.
    pub required: bool,
    /// Whether it is read-only: never sent.
    pub read_only: bool,
    /// For `string`: the maximum length in UTF-16 units, as CDMS counts.
    pub max_length: Option<u32>,
    /// For `decimal`: the number of decimal places.
    pub scale: Option<u32>,
    /// For `date`: the time zone in which CDMS stores it as midnight.
    pub zone: Option<&'static str>,
    /// For `choice`, `state`, `status`: the options; empty: any.
    pub choices: &'static [(&'static str, i32)],
    /// For `lookup`: the logical names of the entities it may point to.
    pub targets: &'static [&'static str],
    /// For `lookup`: the navigation properties that lead to the records it points to, each with the logical name of
    /// its entity. Only those that the contract states, and no part of the mapping.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub navigations: &'static [(&'static str, &'static str)],
    /// How its values appear in messages and logs.
    pub class: Class,
}

/// How sensitive an attribute's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// May be shown.
    #[default]
    Public,
    /// About a person: never shown in messages or logs.
    Personal,
    /// A secret: never shown in messages or logs.
    Secret,
}

impl Class {
    /// Every class, from least to most sensitive.
    pub const ALL: [Class; 3] = [Class::Public, Class::Personal, Class::Secret];

    /// The class's name in contracts and annotations.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Public => "public",
            Class::Personal => "personal",
            Class::Secret => "secret",
        }
    }

    /// The class of this name.
    pub fn named(name: &str) -> Option<Self> {
        Class::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// The placeholder for the actor in a constant's text.
pub const ACTOR: &str = "{actor}";

/// The value that a constant sends.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Constant {
    /// The same value with every write.
    Fixed(Literal),
    /// Text in which `{actor}` is replaced with the actor.
    Text(&'static str),
}

/// A stable hash of a mapping: equal mappings have equal ids in every build.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MappingId(pub u64);

impl ModelDescriptor {
    /// An attribute's description in the contract; `None` if this mapping does not know it.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.place_of(name).map(|place| &self.attributes[place])
    }

    /// The description of an attribute that is read: a mapped or a captured one.
    pub fn read_attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.attribute(name).or_else(|| {
            let place = self.captured.binary_search_by(|known| known.name.cmp(name)).ok()?;
            Some(&self.captured[place])
        })
    }

    /// All attributes that are read of a record: the mapped and the captured ones.
    pub fn read_attributes(&self) -> impl Iterator<Item = &'static Attribute> {
        self.attributes.iter().chain(self.captured)
    }

    /// Pairs attributes with their descriptions, in the order of their names; `None` for an unknown attribute.
    pub fn stated<'a>(
        &self,
        attributes: &'a Attributes,
    ) -> impl Iterator<Item = (&'a str, Option<&'static Attribute>, &'a Value)> {
        // Both are ordered by name, so one pass is enough.
        let mut rest = self.attributes;
        attributes.iter().map(move |(name, value)| {
            let found = loop {
                let [known, others @ ..] = rest else { break None };
                match known.name.cmp(name) {
                    Ordering::Less => rest = others,
                    Ordering::Equal => break Some(known),
                    Ordering::Greater => break None,
                }
            };
            (name, found, value)
        })
    }

    /// The position of an attribute in [`attributes`](ModelDescriptor::attributes).
    pub(crate) fn place_of(&self, name: &str) -> Option<usize> {
        self.attributes.binary_search_by(|known| known.name.cmp(name)).ok()
    }

    /// The constants' values, with the actor filled in.
    /// They are not checked; [`check_constants`](crate::conversion::check_constants) does that.
    pub fn constant_values(&self, actor: &str) -> Attributes {
        self.constants
            .iter()
            .map(|(name, constant)| {
                let value = match constant {
                    Constant::Fixed(literal) => literal.value(),
                    Constant::Text(text) => Value::text(text.replace(ACTOR, actor)),
                };
                (*name, value)
            })
            .collect()
    }

    /// Whether a record with these attributes belongs to this model.
    pub fn includes(&self, attributes: &Attributes) -> bool {
        self.only.is_none_or(|only| only.holds(attributes))
    }

    /// The position of the key column, which has the record's id.
    ///
    /// # Panics
    ///
    /// If the descriptor has none, which the derive never emits.
    pub fn key_column(&self) -> usize {
        let position = self.columns.iter().position(|column| matches!(column.source, Source::Key));
        position.unwrap_or_else(|| panic!("model {} has no key column: a bug in the derive", self.name))
    }
}

impl Attribute {
    /// An attribute with only name and kind.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Attribute {
            name,
            kind,
            required: false,
            read_only: false,
            max_length: None,
            scale: None,
            zone: None,
            choices: &[],
            targets: &[],
            navigations: &[],
            class: Class::Public,
        }
    }

    /// Makes a null a fault.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Makes the attribute read-only.
    pub const fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Sets the maximum length.
    pub const fn max_length(mut self, length: u32) -> Self {
        self.max_length = Some(length);
        self
    }

    /// Sets the number of decimal places.
    pub const fn scale(mut self, scale: u32) -> Self {
        self.scale = Some(scale);
        self
    }

    /// Sets a date's time zone.
    pub const fn zone(mut self, zone: &'static str) -> Self {
        self.zone = Some(zone);
        self
    }

    /// Sets the options.
    pub const fn choices(mut self, choices: &'static [(&'static str, i32)]) -> Self {
        self.choices = choices;
        self
    }

    /// Sets the logical names of a lookup's targets.
    pub const fn targets(mut self, targets: &'static [&'static str]) -> Self {
        self.targets = targets;
        self
    }

    /// Sets the navigation properties of a lookup, each after the logical name of the entity that it leads to.
    pub const fn navigations(mut self, navigations: &'static [(&'static str, &'static str)]) -> Self {
        self.navigations = navigations;
        self
    }

    /// Sets the class.
    pub const fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }
}

impl fmt::Display for MappingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// As text, because JSON numbers do not hold 64 bits exactly.
impl Serialize for MappingId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for MappingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MappingId({self})")
    }
}
