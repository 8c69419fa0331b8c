//! What derived code asks of a field's type, asked once and kept in a constant, so that an unsuitable type is reported
//! once, on its own span.

use cdms_odata::{Kind, Value};
use datahub_model::{Fault, MappingId, Source, Through};

use super::{CdmsFields, ChoiceOptions, FieldType, GroupReader, GroupWriter};
use crate::Id;

/// The type of a field, or of a group's member.
#[derive(Debug)]
pub struct Field<T> {
    /// For a reference: the logical names of the models that it may point to.
    pub targets: &'static [&'static str],
    /// The values that it makes of a column's values, if they may differ.
    pub through: Option<Through>,
    pub(crate) options: ChoiceOptions,
    pub(crate) kinds: &'static [Kind],
    pub(crate) has_null: bool,
    pub(crate) takes_zero: bool,
    read: fn(&Value) -> Result<T, Fault>,
    pub(super) write: fn(&T) -> Value,
}

/// A field of a type, or a member of a group.
pub const fn field<T: FieldType>() -> Field<T> {
    Field {
        targets: T::TARGETS,
        through: if T::KEEPS_ALL { None } else { Some(|value| T::from_value(value).map(|value| value.to_value())) },
        options: T::OPTIONS,
        kinds: T::KINDS,
        has_null: T::NULLABLE,
        takes_zero: T::TAKES_ZERO,
        read: T::from_value,
        write: T::to_value,
    }
}

impl<T> Field<T> {
    /// Converts a column's value into a Rust value.
    ///
    /// # Errors
    ///
    /// A value of another form, or null if the type has no value for it.
    pub fn of(&self, value: &Value) -> Result<T, Fault> {
        (self.read)(value)
    }

    /// The column's value of a default, or of a value that a `with` module returns.
    pub fn value(&self, default: T) -> Value {
        (self.write)(&default)
    }

    /// The type as the group member with this key; `said` is the struct's declaration of it.
    pub const fn member(&self, name: &'static str, said: &'static str) -> Member {
        let Field { kinds, has_null: nullable, targets, through, options, .. } = *self;
        let slot = Slot { kinds, nullable, targets, options, through, default: None, default_length: None };
        Member { name, said, holds: Holds::Value(slot) }
    }
}

/// One member of a group.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its key in the contract's group.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// Its type and default as written, which are part of the mapping id.
    pub said: &'static str,
}

/// What a member of a group holds.
#[derive(Clone, Copy, Debug)]
pub enum Holds {
    /// The value of one attribute.
    Value(Slot),
    /// A group within the group.
    Group {
        /// Its members.
        members: &'static [Member],
        /// Whether this is a placeholder for a group with faults, so that nothing is checked against it.
        is_stub: bool,
    },
}

/// The possible values of a member that holds one value.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// The kinds that its type can hold.
    pub kinds: &'static [Kind],
    /// Whether its type has a value for null.
    pub nullable: bool,
    /// For a reference: the logical names of the models that it may point to.
    pub targets: &'static [&'static str],
    /// For a choice: which options its type accepts.
    pub options: ChoiceOptions,
    /// The values that its type makes of values, if they may differ.
    pub through: Option<Through>,
    /// The value that replaces null from CDMS.
    pub default: Option<fn() -> Value>,
    /// The length of that value in CDMS's characters, if it is written as a literal.
    pub default_length: Option<usize>,
}

impl Member {
    /// Sets the value that replaces null. A group within a group has none, which the derive reports.
    pub const fn or(mut self, default: fn() -> Value) -> Self {
        if let Holds::Value(slot) = &mut self.holds {
            slot.default = Some(default);
        }
        self
    }

    /// Sets the length of the text that replaces null, in CDMS's characters.
    pub const fn of_length(mut self, length: usize) -> Self {
        if let Holds::Value(slot) = &mut self.holds {
            slot.default_length = Some(length);
        }
        self
    }

    /// The value that replaces null from CDMS, if any.
    pub(super) fn default(&self) -> Option<Value> {
        match self.holds {
            Holds::Value(slot) => slot.default.map(|default| default()),
            Holds::Group { .. } => None,
        }
    }
}

/// What a path of keys, separated by dots, leads to in a group.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    /// A member that holds one value.
    Value(Slot),
    /// A group, where one attribute is expected.
    Group,
    /// One value, where a group is expected.
    NoGroup,
    /// Something within a group with faults.
    Unknown,
    /// No member of this group.
    Nothing(&'static [Member]),
    /// The path's first key is not a member, where a group is expected.
    NothingAround,
}

/// Finds the member at a path. A key itself contains no dot.
pub(crate) const fn find(members: &'static [Member], path: &str) -> Found {
    let (key, rest) = parted(path);
    let mut position = 0;
    while position < members.len() {
        let member = &members[position];
        if crate::__v1::same(member.name, key) {
            return match (member.holds, rest) {
                (Holds::Value(slot), None) => Found::Value(slot),
                (Holds::Value(_), Some(_)) => Found::NoGroup,
                (Holds::Group { is_stub: true, .. }, _) => Found::Unknown,
                (Holds::Group { .. }, None) => Found::Group,
                (Holds::Group { members, .. }, Some(rest)) => find(members, rest),
            };
        }
        position += 1;
    }
    if rest.is_some() { Found::NothingAround } else { Found::Nothing(members) }
}

/// Splits a path into its first key and the rest after the dot.
const fn parted(path: &str) -> (&str, Option<&str>) {
    let bytes = path.as_bytes();
    let mut position = 0;
    while position < bytes.len() {
        if bytes[position] == b'.' {
            let (key, rest) = path.split_at(position);
            return (key, Some(rest.split_at(1).1));
        }
        position += 1;
    }
    (path, None)
}

/// The type of a key.
#[derive(Debug)]
pub struct Key<M, T> {
    pub(super) of: fn(Id<M>) -> T,
    id: fn(&T) -> Id<M>,
}

/// The key of a model.
pub const fn key<M, T: KeyOf<M>>() -> Key<M, T> {
    Key { of: T::of, id: T::id }
}

impl<M, T> Key<M, T> {
    /// The id of a key.
    pub fn id(&self, key: &T) -> Id<M> {
        (self.id)(key)
    }
}

/// The type of a model's key.
#[diagnostic::on_unimplemented(
    message = "the key of `{M}` cannot be of type `{Self}` [wrong-kind]",
    label = "must be the record's id",
    note = "write its type as `Id<{M}>`"
)]
pub trait KeyOf<M> {
    /// The key for an id.
    fn of(id: Id<M>) -> Self;
    /// The id of a key.
    fn id(&self) -> Id<M>;
}

impl<M> KeyOf<M> for Id<M> {
    fn of(id: Id<M>) -> Self {
        id
    }

    fn id(&self) -> Id<M> {
        *self
    }
}

/// A struct that models flatten.
#[derive(Debug)]
pub struct Group<G> {
    pub(crate) members: &'static [Member],
    pub(crate) is_stub: bool,
    pub(super) read: fn(&GroupReader<'_>) -> Result<G, Fault>,
    pub(super) write: fn(&G, &mut GroupWriter<'_>),
}

/// A group.
pub const fn group<G: CdmsFields>() -> Group<G> {
    Group { members: G::MEMBERS, is_stub: G::IS_STUB, read: G::from_group, write: G::to_group }
}

impl<G> Group<G> {
    /// The group as a member of another one.
    pub const fn member(&self, name: &'static str, said: &'static str) -> Member {
        Member { name, said, holds: Holds::Group { members: self.members, is_stub: self.is_stub } }
    }

    /// The source of a member's values: its attribute at this position among the model's, with what the member declares
    /// about it.
    pub const fn source(&self, attribute: &'static str, near: usize, path: &str) -> Source {
        let source = Source::attribute_near(attribute, near);
        match find(self.members, path) {
            Found::Value(Slot { targets, default: Some(default), .. }) => source.pointing_to(targets).or(default),
            Found::Value(slot) => source.pointing_to(slot.targets),
            _ => source,
        }
    }

    /// The values that a member's type makes of values, if they may differ.
    pub const fn through(&self, path: &str) -> Option<Through> {
        match find(self.members, path) {
            Found::Value(slot) => slot.through,
            _ => None,
        }
    }

    /// The mapping id of a model with this group: it changes whenever the group's declaration changes.
    pub const fn identify(&self, id: MappingId) -> MappingId {
        MappingId(members_hashed(id.0, self.members))
    }
}

const fn members_hashed(mut hash: u64, members: &[Member]) -> u64 {
    let mut position = 0;
    while position < members.len() {
        let member = &members[position];
        hash = hashed(hashed(hash, member.name), member.said);
        if let Holds::Group { members, .. } = member.holds {
            hash = hashed(members_hashed(hash, members), "");
        }
        position += 1;
    }
    hash
}

/// FNV-1a over a text and its end, continued from another hash.
const fn hashed(mut hash: u64, text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut position = 0;
    while position <= bytes.len() {
        let byte = if position < bytes.len() { bytes[position] } else { 0xff };
        hash = (hash ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3);
        position += 1;
    }
    hash
}
