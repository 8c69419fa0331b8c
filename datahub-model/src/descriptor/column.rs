//! A column of a model's table: the field behind it, and where its value comes from.

use cdms_odata::{Attributes, Kind, Value};
use serde::{Serialize, Serializer};

use crate::{Class, Fault};

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
    /// For a local column: how its values are treated in messages, logs and exports, where that is said; see
    /// [`local_class`](Column::local_class). Those of others are as sensitive as their attributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
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
            class: None,
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

    /// How a local column's values are treated.
    pub const fn class(mut self, class: Class) -> Self {
        self.class = Some(class);
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

    /// How a local column's values are treated: as personal where nothing is said.
    pub fn local_class(&self) -> Class {
        self.class.unwrap_or(Class::Personal)
    }

    /// Whether the hub alone knows the column.
    pub fn is_local(&self) -> bool {
        matches!(self.source, Source::Local)
    }
}

// serde gives a field as it is.
#[allow(clippy::trivially_copy_pass_by_ref, clippy::ref_option)]
fn as_value<S: Serializer>(default: &Option<fn() -> Value>, serializer: S) -> Result<S::Ok, S::Error> {
    default.map(|default| default()).serialize(serializer)
}
