//! The static description of a mapping, which the derive writes and the engine works from.

use std::cmp::Ordering;
use std::fmt;

use cdms_odata::{Attributes, Instant, Kind, Reference, Value};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::{Condition, Fault};

/// A model joined to its contract. The derive emits one per model as a static.
///
/// It serializes, with what stands for functions in it left out and defaults as their values, for tools that read what a
/// program's mappings are.
#[derive(Debug, Serialize)]
pub struct ModelDescriptor {
    /// The Rust struct's name, for messages.
    pub name: &'static str,
    /// The table, which is also the model's name in the database.
    pub table: &'static str,
    /// Whether the model is written.
    pub mode: Mode,
    /// The CDMS side.
    pub entity: Entity,
    /// Every mapped attribute and those of constants and `only`, in the order of names; not the engine's.
    pub attributes: &'static [Attribute],
    /// The table's columns: the order of a row's values.
    pub columns: &'static [Column],
    /// What every create and update sends along.
    pub constants: &'static [(&'static str, Constant)],
    /// Which records of the entity are this model; `None`: all.
    pub only: Option<&'static Condition>,
    /// A hash of all of the above.
    pub mapping_id: MappingId,
}

/// Whether and how a model's rows follow CDMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Read from and written to CDMS.
    Sync,
    /// Read from CDMS, never written.
    Mirror,
    /// CDMS is not asked any more, or never was: the hub's row is the truth.
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
    /// The attribute with the time of the last change, `ModifiedOn`.
    pub modified: &'static str,
    /// The attribute with the time of creation, `CreatedOn`.
    pub created: &'static str,
    /// The attribute with the user of the last change, `ModifiedBy`.
    pub modified_by: &'static str,
}

/// An attribute as its contract states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Attribute {
    /// The name, exactly as in `$metadata`.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Whether a null from CDMS is a fault.
    pub required: bool,
    /// Whether it is never sent.
    pub read_only: bool,
    /// For `string`: the longest text in UTF-16 units, as CDMS counts.
    pub max_length: Option<u32>,
    /// For `decimal`: the digits after the point.
    pub scale: Option<u32>,
    /// For `date`: the time zone in whose midnight CDMS holds it.
    pub zone: Option<&'static str>,
    /// For `choice`, `state`, `status`: the options; empty: any.
    pub choices: &'static [(&'static str, i32)],
    /// For `lookup`: the logical names of the entities it may point to.
    pub targets: &'static [&'static str],
    /// How its values are treated in messages and logs.
    pub class: Class,
}

/// How sensitive an attribute's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// May be shown.
    #[default]
    Public,
    /// About a person: never in messages or logs.
    Personal,
    /// A secret: never in messages or logs.
    Secret,
}

/// One column of a model's table and the field behind it: the unit of merge and of conflict.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Column {
    /// The column's name.
    pub name: &'static str,
    /// The field, with a dot before a group's member: `registered_address.town`.
    pub field: &'static str,
    /// What the column stores.
    pub kind: Kind,
    /// Whether it may be null.
    pub nullable: bool,
    /// For `decimal`: the digits after the point.
    pub scale: Option<u32>,
    /// The column's name before it was renamed, by which older history knows it.
    pub was: Option<&'static str>,
    /// For a local column: what it holds as long as nobody gave it a value, where that is not its kind's zero.
    #[serde(serialize_with = "as_value")]
    pub default: Option<fn() -> Value>,
    /// What only the field's type knows: which values it takes, such as the options of an enum, and what it keeps of one.
    /// `None` where it takes every value of its kind and keeps all of it.
    #[serde(skip)]
    pub through: Option<Through>,
    /// Where its value comes from.
    pub source: Source,
}

/// What a type makes of a column's value: the value itself, or what it keeps of it, or a fault.
pub type Through = fn(&Value) -> Result<Value, Fault>;

/// Where a column's value comes from.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The record's id.
    Key,
    /// A value that CDMS maintains and the engine follows.
    Engine(EngineAttribute),
    /// One attribute.
    Attribute {
        /// Its name.
        attribute: &'static str,
        /// Where it is looked for first among the model's attributes. Elsewhere it is searched for: slower, not wrong.
        #[serde(skip)]
        near: usize,
        /// For a lookup held as an id of some models: their logical names, and others read as null. Empty: of any.
        targets: &'static [&'static str],
        /// The value that stands for a null from CDMS.
        #[serde(serialize_with = "as_value")]
        default: Option<fn() -> Value>,
        /// Whether the field is sent.
        write: Write,
    },
    /// Several attributes joined by the user's functions, or one converted by them.
    Joined {
        /// The attributes' names.
        attributes: &'static [&'static str],
        /// From the attributes to the column's value.
        #[serde(skip)]
        decode: fn(&Attributes) -> Result<Value, Fault>,
        /// From the column's value, and the attributes as last seen, to the attributes to send.
        #[serde(skip)]
        encode: fn(&Value, &Attributes) -> Result<Attributes, Fault>,
        /// Whether the field is sent.
        write: Write,
    },
    /// The hub's own; CDMS knows nothing of it.
    Local,
}

/// A value that CDMS maintains about each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineAttribute {
    /// When the record was last changed.
    Modified,
    /// When it was created.
    Created,
    /// Who changed it last: the user's id.
    ModifiedBy,
}

/// When a field is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// With a create, and with an update that changes it.
    Always,
    /// With a create only.
    CreateOnly,
    /// Never.
    Never,
}

/// What stands for the acting user in a constant's text.
pub const ACTOR: &str = "{actor}";

/// What a constant sends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Constant {
    /// The same value with every write.
    Fixed(Literal),
    /// Text in which `{actor}` stands for the acting user.
    Text(&'static str),
}

/// A value that can be written in a static.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Literal {
    /// Null.
    Null,
    /// Text.
    Text(&'static str),
    /// `integer`.
    Integer(i32),
    /// `bigint`.
    BigInt(i64),
    /// `decimal`, as unscaled number and scale.
    Decimal(i64, u32),
    /// `money`, as unscaled number and scale.
    Money(i64, u32),
    /// `double`.
    Double(f64),
    /// `boolean`.
    Boolean(bool),
    /// `datetime`, milliseconds since 1970 UTC.
    Instant(i64),
    /// `guid`.
    Guid(u128),
    /// `choice`, `state`, `status`.
    Choice(i32),
    /// `lookup`: logical name and id.
    Lookup(&'static str, u128),
}

/// As the value that it is.
impl Serialize for Literal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

// serde gives a field as it is.
#[allow(clippy::trivially_copy_pass_by_ref, clippy::ref_option)]
fn as_value<S: Serializer>(default: &Option<fn() -> Value>, serializer: S) -> Result<S::Ok, S::Error> {
    default.map(|default| default()).serialize(serializer)
}

/// A stable hash of a mapping: equal mappings have equal ids in every build.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MappingId(pub u64);

impl ModelDescriptor {
    /// The contract's statement on an attribute; `None` for one that this mapping does not know.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.place_of(name).map(|place| &self.attributes[place])
    }

    /// Attributes with what is stated on each, `None` where nothing is; in the order of their names.
    pub fn stated<'a>(
        &self,
        attributes: &'a Attributes,
    ) -> impl Iterator<Item = (&'a str, Option<&'static Attribute>, &'a Value)> {
        // Both are in the order of names, so one look from where the last was found does.
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

    /// The place of an attribute among [`attributes`](ModelDescriptor::attributes).
    pub(crate) fn place_of(&self, name: &str) -> Option<usize> {
        self.attributes.binary_search_by(|known| known.name.cmp(name)).ok()
    }

    /// The constants' values, with the acting user's name where it belongs.
    /// They are not measured; [`check_constants`](crate::conversion::check_constants) does that.
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

    /// Whether a record with these attributes is one of this model's.
    pub fn includes(&self, attributes: &Attributes) -> bool {
        self.only.is_none_or(|condition| condition.holds(attributes))
    }

    /// The position of the column with the record's id.
    ///
    /// # Panics
    ///
    /// When the descriptor has none, which the derive never emits.
    pub fn key_column(&self) -> usize {
        let position = self.columns.iter().position(|column| matches!(column.source, Source::Key));
        position.unwrap_or_else(|| panic!("model {} has no key column: a bug in the derive", self.name))
    }
}

impl Source {
    /// One attribute, written always, whose null is null.
    pub const fn attribute(attribute: &'static str) -> Self {
        Source::attribute_near(attribute, 0)
    }

    /// Like [`attribute`](Source::attribute), for one that stands at this place among the model's.
    pub const fn attribute_near(attribute: &'static str, near: usize) -> Self {
        Source::Attribute { attribute, near, targets: &[], default: None, write: Write::Always }
    }

    /// The attribute's lookups are held as ids of models with these logical names; for sources of one attribute.
    pub const fn pointing_to(mut self, models: &'static [&'static str]) -> Self {
        if let Source::Attribute { targets, .. } = &mut self {
            *targets = models;
        }
        self
    }

    /// A value stands for the attribute's null; for sources of one attribute.
    pub const fn or(mut self, value: fn() -> Value) -> Self {
        if let Source::Attribute { default, .. } = &mut self {
            *default = Some(value);
        }
        self
    }

    /// The field is written at other times than always.
    pub const fn written(mut self, when: Write) -> Self {
        if let Source::Attribute { write, .. } | Source::Joined { write, .. } = &mut self {
            *write = when;
        }
        self
    }
}

impl Attribute {
    /// An attribute of which nothing but name and kind is stated.
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
            class: Class::Public,
        }
    }

    /// Null is a fault.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// It is never sent.
    pub const fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// The longest text.
    pub const fn max_length(mut self, length: u32) -> Self {
        self.max_length = Some(length);
        self
    }

    /// The digits after the point.
    pub const fn scale(mut self, scale: u32) -> Self {
        self.scale = Some(scale);
        self
    }

    /// The time zone of a date.
    pub const fn zone(mut self, zone: &'static str) -> Self {
        self.zone = Some(zone);
        self
    }

    /// The options.
    pub const fn choices(mut self, choices: &'static [(&'static str, i32)]) -> Self {
        self.choices = choices;
        self
    }

    /// The logical names of a lookup's targets.
    pub const fn targets(mut self, targets: &'static [&'static str]) -> Self {
        self.targets = targets;
        self
    }

    /// How sensitive it is.
    pub const fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }
}

impl Column {
    /// A column that may not be null, of the field of the same name.
    pub const fn new(name: &'static str, kind: Kind, source: Source) -> Self {
        Column {
            name,
            field: name,
            kind,
            nullable: false,
            scale: None,
            was: None,
            default: None,
            through: None,
            source,
        }
    }

    /// Its field is called otherwise, or is a member of one: its path.
    pub const fn field(mut self, path: &'static str) -> Self {
        self.field = path;
        self
    }

    /// It may be null.
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// The digits after the point of a decimal.
    pub const fn scale(mut self, scale: u32) -> Self {
        self.scale = Some(scale);
        self
    }

    /// It had another name before.
    pub const fn was(mut self, name: &'static str) -> Self {
        self.was = Some(name);
        self
    }

    /// What a local column holds as long as nobody gave it a value.
    pub const fn beginning(mut self, value: fn() -> Value) -> Self {
        self.default = Some(value);
        self
    }

    /// Its values go through the field's type, where that may refuse them or keep less of them.
    pub const fn through(mut self, ty: Option<Through>) -> Self {
        self.through = ty;
        self
    }

    /// The attributes behind the column; none for the key, the engine's values and local columns.
    pub fn attributes(&self) -> &[&'static str] {
        match &self.source {
            Source::Attribute { attribute, .. } => std::slice::from_ref(attribute),
            Source::Joined { attributes, .. } => attributes,
            Source::Key | Source::Engine(_) | Source::Local => &[],
        }
    }

    /// When the column is sent.
    pub fn write(&self) -> Write {
        match self.source {
            Source::Attribute { write, .. } | Source::Joined { write, .. } => write,
            Source::Key | Source::Engine(_) | Source::Local => Write::Never,
        }
    }

    /// Whether the hub alone knows the column.
    pub fn is_local(&self) -> bool {
        matches!(self.source, Source::Local)
    }
}

impl Literal {
    /// The literal as a value.
    pub fn value(self) -> Value {
        match self {
            Literal::Null => Value::Null,
            Literal::Text(text) => Value::text(text),
            Literal::Integer(number) => Value::Integer(number),
            Literal::BigInt(number) => Value::BigInt(number),
            Literal::Decimal(number, scale) => Value::Decimal(Decimal::new(number, scale)),
            Literal::Money(number, scale) => Value::Money(Decimal::new(number, scale)),
            Literal::Double(number) => Value::Double(number),
            Literal::Boolean(value) => Value::Boolean(value),
            Literal::Instant(ms) => Value::Instant(Instant(ms)),
            Literal::Guid(id) => Value::Guid(Uuid::from_u128(id)),
            Literal::Choice(option) => Value::Choice(option),
            Literal::Lookup(logical_name, id) => {
                Value::Lookup(Reference { logical_name: logical_name.into(), id: Uuid::from_u128(id) })
            }
        }
    }
}

impl fmt::Display for MappingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// As text, since JSON's numbers end before 64 bits do.
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
