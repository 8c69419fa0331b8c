//! What derived code asks of a field's type, asked once and kept in a constant: so that a type that does not fit is told
//! once, on its own word.

use cdms_odata::{Kind, Value};
use datahub_model::{Fault, MappingId, Source, Through};

use super::{CdmsFields, ChoiceOptions, FieldType, GroupReader, GroupWriter};
use crate::Id;

/// The type of a field, or of a group's member.
#[derive(Debug)]
pub struct Field<T> {
    /// For a reference: the logical names of the models that it may point to.
    pub targets: &'static [&'static str],
    /// What it makes of a column's value, where that may not be the value itself.
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
    /// The Rust value of a value.
    ///
    /// # Errors
    ///
    /// A value of another form, or null where the type has no value for it.
    pub fn of(&self, value: &Value) -> Result<T, Fault> {
        (self.read)(value)
    }

    /// The value of a default, or of what a `with` module makes.
    pub fn value(&self, default: T) -> Value {
        (self.write)(&default)
    }

    /// The type as a group's member of this key; `said` is what the struct says of it.
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
    /// Its type and default as they are written, by which the mapping id knows them.
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
        /// Whether it stands in for one that has faults, so that nothing follows from what it says.
        is_stub: bool,
    },
}

/// What may be in a member that holds one value.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// The kinds that its type can hold.
    pub kinds: &'static [Kind],
    /// Whether its type has a value for null.
    pub nullable: bool,
    /// For a reference: the logical names of the models that it may point to.
    pub targets: &'static [&'static str],
    /// Of a choice: which options its type takes.
    pub options: ChoiceOptions,
    /// What its type makes of a value, where that may not be the value itself.
    pub through: Option<Through>,
    /// The value that stands for a null from CDMS.
    pub default: Option<fn() -> Value>,
    /// How long that value is in CDMS's characters, where it is written out.
    pub default_length: Option<usize>,
}

impl Member {
    /// A value stands for the null of its attribute. A group within a group has none, which the derive tells.
    pub const fn or(mut self, default: fn() -> Value) -> Self {
        if let Holds::Value(slot) = &mut self.holds {
            slot.default = Some(default);
        }
        self
    }

    /// The value that stands for a null is a text of so many of CDMS's characters.
    pub const fn of_length(mut self, length: usize) -> Self {
        if let Holds::Value(slot) = &mut self.holds {
            slot.default_length = Some(length);
        }
        self
    }

    /// The value that stands for a null from CDMS, where one does.
    pub(super) fn default(&self) -> Option<Value> {
        match self.holds {
            Holds::Value(slot) => slot.default.map(|default| default()),
            Holds::Group { .. } => None,
        }
    }
}

/// What a path of keys with dots between them leads to in a group.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    /// A member that holds one value.
    Value(Slot),
    /// A group, where one attribute is meant.
    Group,
    /// One value, where a group is meant.
    NoGroup,
    /// Something within a group that has faults.
    Unknown,
    /// No member among these.
    Nothing(&'static [Member]),
    /// No member of the first key, where a group is meant.
    NothingAround,
}

/// The member at a path. A key has no dot itself.
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

/// A path's first key, and what follows its dot.
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

/// A key of a model.
pub const fn key<M, T: KeyOf<M>>() -> Key<M, T> {
    Key { of: T::of, id: T::id }
}

impl<M, T> Key<M, T> {
    /// The id that a key is.
    pub fn id(&self, key: &T) -> Id<M> {
        (self.id)(key)
    }
}

/// The type that a model's key has.
#[diagnostic::on_unimplemented(
    message = "the key of `{M}` cannot be of type `{Self}` [wrong-kind]",
    label = "a key is the record's id",
    note = "write its type as `Id<…>` of the model itself"
)]
pub trait KeyOf<M> {
    /// The key of an id.
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

    /// Where the values of a member come from: its attribute, at this place among the model's, with what the member says
    /// of it.
    pub const fn source(&self, attribute: &'static str, near: usize, path: &str) -> Source {
        let source = Source::attribute_near(attribute, near);
        match find(self.members, path) {
            Found::Value(Slot { targets, default: Some(default), .. }) => source.pointing_to(targets).or(default),
            Found::Value(slot) => source.pointing_to(slot.targets),
            _ => source,
        }
    }

    /// What the type of a member makes of a value, where that may not be the value itself.
    pub const fn through(&self, path: &str) -> Option<Through> {
        match find(self.members, path) {
            Found::Value(slot) => slot.through,
            _ => None,
        }
    }

    /// The mapping id of a model that has this group: another one whenever the group says something else.
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

/// FNV-1a over a text and its end, going on from another hash.
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
