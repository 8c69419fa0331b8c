//! A column of a model's table: its field, and the source of its value.

use cdms_odata::{Attributes, Kind, Value};
use serde::{Serialize, Serializer};

use crate::{Class, Fault};

/// A column of a model's table and its field: the unit of merges and conflicts.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Column {
    /// The column's name.
    pub name: &'static str,
    /// The field's path, with a dot before a group's member: `registered_address.town`.
    pub field: &'static str,
    /// The kind of value that the column stores.
    pub kind: Kind,
    /// Whether it is nullable.
    pub nullable: bool,
    /// For `decimal`: the number of decimal places.
    pub scale: Option<u32>,
    /// The column's former name, which older history uses.
    pub was: Option<&'static str>,
    /// For a local column: its initial value, if that is not the zero of its kind.
    #[serde(serialize_with = "as_value")]
    pub default: Option<fn() -> Value>,
    /// For a local column: the class of its values in messages, logs and exports, if stated; see
    /// [`local_class`](Column::local_class). Other columns are as sensitive as their attributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// What the field's type accepts, such as the options of an enum, and how much of a value it keeps. `None` if it
    /// accepts every value of its kind and keeps all of it.
    #[serde(skip)]
    pub through: Option<Through>,
    /// The source of its value.
    pub source: Source,
}

/// Passes a column's value through a type, which returns what it keeps of the value, or a fault.
pub type Through = fn(&Value) -> Result<Value, Fault>;

/// The source of a column's value.
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
        /// Where to look first in the model's attributes. If the attribute is elsewhere, the lookup is slower, but
        /// still correct.
        #[serde(skip)]
        near: usize,
        /// For a lookup that the field stores as an id of certain models: their logical names. References to others are
        /// read as null. Empty: any.
        targets: &'static [&'static str],
        /// The value that replaces a null from CDMS.
        #[serde(serialize_with = "as_value")]
        default: Option<fn() -> Value>,
        /// When the field is sent.
        write: Write,
    },
    /// Several attributes combined by the user's functions, or one attribute converted by them.
    Joined {
        /// The attributes' names.
        attributes: &'static [&'static str],
        /// Converts the attributes to the column's value.
        #[serde(skip)]
        decode: fn(&Attributes) -> Result<Value, Fault>,
        /// Converts the column's value, given the attributes as last seen, to the attributes to send.
        #[serde(skip)]
        encode: fn(&Value, &Attributes) -> Result<Attributes, Fault>,
        /// When the field is sent.
        write: Write,
    },
    /// Local to the hub; CDMS does not have it.
    Local,
}

/// A value that CDMS maintains about each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineAttribute {
    /// When the record was last changed.
    Modified,
    /// When the record was created.
    Created,
    /// The id of the user who last changed the record.
    ModifiedBy,
}

/// When a field is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// With a create, and with every update that changes it.
    Always,
    /// With a create only.
    CreateOnly,
    /// Never.
    Never,
}

impl Source {
    /// One attribute that is always written and has no default.
    pub const fn attribute(attribute: &'static str) -> Self {
        Source::attribute_near(attribute, 0)
    }

    /// Like [`attribute`](Source::attribute), with a hint for the position in the model's attributes.
    pub const fn attribute_near(attribute: &'static str, near: usize) -> Self {
        Source::Attribute { attribute, near, targets: &[], default: None, write: Write::Always }
    }

    /// Stores lookups as ids of models with these logical names. Only for sources of one attribute.
    pub const fn pointing_to(mut self, models: &'static [&'static str]) -> Self {
        if let Source::Attribute { targets, .. } = &mut self {
            *targets = models;
        }
        self
    }

    /// Replaces a null with a value. Only for sources of one attribute.
    pub const fn or(mut self, value: fn() -> Value) -> Self {
        if let Source::Attribute { default, .. } = &mut self {
            *default = Some(value);
        }
        self
    }

    /// Sets when the field is sent.
    pub const fn written(mut self, when: Write) -> Self {
        if let Source::Attribute { write, .. } | Source::Joined { write, .. } = &mut self {
            *write = when;
        }
        self
    }
}

impl Column {
    /// A non-nullable column whose field has the same name.
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

    /// Sets the field's path, if it is not the column's name.
    pub const fn field(mut self, path: &'static str) -> Self {
        self.field = path;
        self
    }

    /// Makes the column nullable.
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// Sets the number of decimal places of a decimal.
    pub const fn scale(mut self, scale: u32) -> Self {
        self.scale = Some(scale);
        self
    }

    /// Sets the column's former name.
    pub const fn was(mut self, name: &'static str) -> Self {
        self.was = Some(name);
        self
    }

    /// Sets the initial value of a local column.
    pub const fn beginning(mut self, value: fn() -> Value) -> Self {
        self.default = Some(value);
        self
    }

    /// Sets the class of a local column.
    pub const fn class(mut self, class: Class) -> Self {
        self.class = Some(class);
        self
    }

    /// Passes values through the field's type, if it may reject them or keep less of them.
    pub const fn through(mut self, ty: Option<Through>) -> Self {
        self.through = ty;
        self
    }

    /// The column's attributes; empty for the key, the engine's values and local columns.
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

    /// The class of a local column: personal unless stated.
    pub fn local_class(&self) -> Class {
        self.class.unwrap_or(Class::Personal)
    }

    /// Whether the column is local to the hub.
    pub fn is_local(&self) -> bool {
        matches!(self.source, Source::Local)
    }
}

// serde passes the field by reference.
#[allow(clippy::trivially_copy_pass_by_ref, clippy::ref_option)]
fn as_value<S: Serializer>(default: &Option<fn() -> Value>, serializer: S) -> Result<S::Ok, S::Error> {
    default.map(|default| default()).serialize(serializer)
}
