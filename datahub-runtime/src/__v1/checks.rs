//! The compiler's checks of groups, and of all models together: each fault with its code, names and cure.

use datahub_model::ModelDescriptor;
use datahub_model::diagnostic::Code;

use super::asked::{What, each_allowed, each_option_fits, takes_each};
use super::diagnostics::Diagnostic;
use super::text::Text;
use super::{Group, Kind, Member};
use crate::field::{Found, Holds, Slot, find};

/// One key of a contract's group, and its attribute.
#[derive(Clone, Copy, Debug)]
pub struct GroupKey {
    name: &'static str,
    attribute: &'static str,
    kind: Kind,
    required: bool,
    targets: &'static [&'static str],
    options: Option<&'static [(&'static str, i32)]>,
    max_length: Option<u32>,
}

impl GroupKey {
    /// A key of which only the attribute and its kind are stated.
    pub const fn new(name: &'static str, attribute: &'static str, kind: Kind) -> Self {
        GroupKey { name, attribute, kind, required: false, targets: &[], options: None, max_length: None }
    }

    /// Null is a fault.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// A choice's options.
    pub const fn options(mut self, options: &'static [(&'static str, i32)]) -> Self {
        self.options = Some(options);
        self
    }

    /// The longest text, in CDMS's characters.
    pub const fn max_length(mut self, length: u32) -> Self {
        self.max_length = Some(length);
        self
    }

    /// The logical names of a lookup's targets.
    pub const fn pointing_to(mut self, targets: &'static [&'static str]) -> Self {
        self.targets = targets;
        self
    }
}

/// Checks that a flattened struct has the members of the contract's group, each of a type that fits.
#[track_caller]
pub const fn group_matches<G>(group: &Group<G>, name: &str, keys: &[GroupKey]) {
    if group.is_stub {
        return;
    }
    let mut position = 0;
    while position < keys.len() {
        let key = &keys[position];
        match find(group.members, key.name) {
            Found::Value(slot) => member_fits(&slot, name, key),
            Found::Unknown => {}
            Found::Group => {
                let message = Text::new("`").and(name).and(".").and(key.name).and("` is a group, but the contract's ");
                let message = message.and("group has one attribute there, `").and(key.attribute).and("`");
                let cure = "remove `flatten` from the member, or write a table of members in the contract";
                Diagnostic::of(Code::GroupShape, message).cure(cure).report()
            }
            Found::NoGroup => {
                let message = Text::new("`").and(name).and(".").and(key.name).and("` is in a group within the ");
                let message = message.and("contract's group, but the member there is not a group");
                let cure = "add #[cdms(flatten)] to the member, and derive CdmsFields for its type";
                Diagnostic::of(Code::GroupShape, message).cure(cure).report()
            }
            Found::Nothing(members) => {
                let message = Text::new("the struct of `").and(name).and("` is missing the member `").and(key.name);
                let message = message.and("` of the contract's group");
                let (message, cure) = match only_stranger(members, key.name, keys) {
                    Some(stranger) => {
                        let message = message.and(", and its member `").and(stranger).and("` is not a key of it");
                        (message, Text::new("if `").and(stranger).and("` is meant, rename it, or name its key"))
                    }
                    None => (message, Text::new("add the member, or name the key of another member")),
                };
                let cure = cure.and(" with a string, `#[cdms(\"").and(last_key(key.name)).and("\")]`");
                Diagnostic::of(Code::GroupShape, message).cure(cure.text()).report()
            }
            Found::NothingAround => {
                let message = Text::new("the struct of `").and(name).and("` is missing a member for `").and(key.name);
                let message = message.and("`, which is in a group within the contract's group");
                let cure = "add a member for that group, with #[cdms(flatten)] and a type that derives CdmsFields";
                Diagnostic::of(Code::GroupShape, message).cure(cure).report()
            }
        }
        position += 1;
    }
    each_is_a_key(group.members, Text::new(""), name, keys);
}

/// The single member of a struct that is not a key, while this key is missing: most likely it is misspelt. `None` if there are
/// several.
const fn only_stranger(members: &[Member], missing: &str, keys: &[GroupKey]) -> Option<&'static str> {
    let before = missing.split_at(missing.len() - last_key(missing).len()).0;
    let (mut position, mut stranger) = (0, None);
    while position < members.len() {
        let Member { name, holds, .. } = members[position];
        if matches!(holds, Holds::Value(_)) && !is_key(Text::new(before).and(name).text(), keys) {
            if stranger.is_some() {
                return None;
            }
            stranger = Some(name);
        }
        position += 1;
    }
    stranger
}

const fn is_key(path: &str, keys: &[GroupKey]) -> bool {
    let mut position = 0;
    while position < keys.len() {
        if same(keys[position].name, path) {
            return true;
        }
        position += 1;
    }
    false
}

/// Checks that each member is a key of the contract's group; in a group within it, that group's key and a dot come first.
#[track_caller]
const fn each_is_a_key(members: &[Member], within: Text, name: &str, keys: &[GroupKey]) {
    let mut position = 0;
    while position < members.len() {
        let path = within.and(members[position].name);
        match members[position].holds {
            Holds::Group { members, .. } => each_is_a_key(members, path.and("."), name, keys),
            Holds::Value(_) => is_a_key(path.text(), name, keys),
        }
        position += 1;
    }
}

#[track_caller]
const fn is_a_key(path: &str, name: &str, keys: &[GroupKey]) {
    if is_key(path, keys) {
        return;
    }
    let message = Text::new("the member `").and(path).and("` of `").and(name);
    let message = message.and("` is not a key of the contract's group");
    let cure = "remove the member, or add it to the group in the contract";
    Diagnostic::of(Code::GroupShape, message).cure(cure).report()
}

/// The key at a path's end.
const fn last_key(path: &str) -> &str {
    let bytes = path.as_bytes();
    let mut position = bytes.len();
    while position > 0 && bytes[position - 1] != b'.' {
        position -= 1;
    }
    path.split_at(position).1
}

#[track_caller]
const fn member_fits(member: &Slot, name: &str, key: &GroupKey) {
    let about = Text::new("`").and(key.attribute).and("`");
    let of = Text::new("`").and(name).and(".").and(key.name).and("`");
    let what = What { kinds: member.kinds, targets: member.targets };
    if !what.fits(key.kind) {
        let about = about.and(" is of kind ").and(key.kind.name()).and(", but the type of ").and(of.text());
        let nullable = !key.required && member.default.is_none();
        what.other_kind(about, key.kind, nullable).or(", or map the attribute by a field of the model").report()
    }
    if member.default.is_some() && key.required {
        let message = Text::new("`default` is not allowed for ").and(of.text()).and(": ").and(about.text());
        let cure = "remove `default`, or remove `required = true` from the contract if CDMS can have a null there";
        Diagnostic::of(Code::DefaultOfRequired, message.and(" is required and never null")).cure(cure).report()
    }
    if member.default.is_some() && member.nullable {
        let message = Text::new("`default` is not allowed for ").and(of.text());
        let message = message.and(", whose type has a value for null");
        let cure = "remove `default`, or use a type without a value for null";
        Diagnostic::of(Code::KeysExclude, message).cure(cure).report()
    }
    if !(key.required || member.nullable || member.default.is_some()) {
        let message = about.and(" can be null in CDMS, but ").and(of.text()).and(" cannot");
        let cure = "make the member an `Option`, add `default`, or state `required = true` in the contract";
        Diagnostic::of(Code::Nullability, message).cure(cure).report()
    }
    if let (Some(length), Some(limit)) = (member.default_length, key.max_length)
        && length > limit as usize
    {
        let message = Text::new("the default of ").and(of.text()).and(" is longer than the `max-length` of ");
        let cure = "shorten the default, or correct `max-length`";
        Diagnostic::of(Code::DefaultTooLong, message.and(about.text())).cure(cure).report()
    }
    let path = Text::new(name).and(".").and(key.name);
    each_allowed(member.targets, path.text(), key.attribute, key.targets);
    takes_each(member.targets, member.nullable, path.text(), key.attribute, key.targets);
    if let Some(options) = key.options {
        each_option_fits(&member.options, path.text(), key.attribute, options);
    }
}

/// Checks that a program's models share no table, and that models that share an entity have an `only`. Of a stub only the table
/// is known, if it has one.
#[track_caller]
pub const fn models_do_not_clash(models: &[(&ModelDescriptor, bool)]) {
    let mut first = 0;
    while first < models.len() {
        let mut second = first + 1;
        while second < models.len() {
            let ((one, one_is_stub), (other, other_is_stub)) = (models[first], models[second]);
            if same(one.table, other.table) && !one.table.is_empty() {
                let message = Text::new("`").and(one.name).and("` and `").and(other.name);
                let message = message.and("` have the same table, `").and(one.table).and("`");
                let cure = "give one of them another `table = \"…\"`, or list each model once";
                Diagnostic::of(Code::ModelsClash, message).cure(cure).report()
            }
            let know_their_own = one.only.is_some() && other.only.is_some();
            if !one_is_stub && !other_is_stub && same(one.entity.name, other.entity.name) && !know_their_own {
                let without = if one.only.is_none() { one.name } else { other.name };
                let message = Text::new("`").and(one.name).and("` and `").and(other.name).and("` share the entity `");
                let message = message.and(one.entity.name).and("`, but `").and(without);
                let message = message.and("` is missing `only`");
                let cure = "add `only = \"…\"` to both, so that each record belongs to one of them";
                Diagnostic::of(Code::ModelsClash, message).cure(cure).report()
            }
            second += 1;
        }
        first += 1;
    }
}

/// Whether two texts are equal.
pub(crate) const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut position = 0;
    while position < one.len() {
        if one[position] != other[position] {
            return false;
        }
        position += 1;
    }
    true
}
