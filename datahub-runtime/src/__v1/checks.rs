//! What a derive has the compiler check, because only it knows the types: each with its code, names and cure.

use datahub_model::ModelDescriptor;

use super::message::Message;
use super::{Field, Group, Kind, Member};
use crate::field::{Found, Holds, Options, Slot, find};

/// What stands before a cure, as in the derive's own messages.
const HELP: &str = "\nhelp: ";

/// Asks for a value for null: the column may be null because the attribute may.
#[track_caller]
pub const fn can_be_null<T>(field: &Field<T>, name: &str, attribute: &str) {
    if field.has_null {
        return;
    }
    let message = if attribute.is_empty() {
        Message::new("`").and(name).and("` is written as an Option, but its type has no value for null [nullability]")
    } else {
        Message::new("`").and(attribute).and("` can be null in CDMS, but `").and(name).and("` cannot [nullability]")
    };
    let cure = "make the field an Option, add `default`, or state `required = true` in the contract";
    panic!("{}", message.and(HELP).and(cure).text())
}

/// Asks for a type without a value for null, beside a `default` that stands for it.
#[track_caller]
pub const fn needs_no_default<T>(field: &Field<T>, name: &str, _attribute: &str) {
    if field.has_null {
        let message = Message::new("the type of `").and(name).and("` has a value for null already [keys-exclude]");
        panic!("{}", message.and(HELP).and("remove `default`, or choose a type without one").text())
    }
}

/// Asks for a type without a value for null, where nothing but the written type says that the column has none.
#[track_caller]
pub const fn is_never_null<T>(field: &Field<T>, name: &str, _attribute: &str) {
    if field.has_null {
        let message = Message::new("the type of `").and(name).and("` has a value for null, but its column has none");
        let cure = "write the type as `Option<…>` itself: there is no contract here to say that the column can be null";
        panic!("{}", message.and(" [nullability]").and(HELP).and(cure).text())
    }
}

/// Asks a local field's type whether it takes what its column begins with.
#[track_caller]
pub const fn begins_with_zero<T>(field: &Field<T>, name: &str, attribute: &str) {
    is_never_null(field, name, attribute);
    if !field.takes_zero {
        let message = Message::new("`").and(name).and("` has no value when a record is first read from CDMS");
        let cure = "make the field an Option, or say what it holds then with `default = …`; or set \
                    `FieldType::TAKES_ZERO` if the type takes empty text, nought or `false`";
        panic!("{}", message.and(" [nullability]").and(HELP).and(cure).text())
    }
}

/// Asks that a reference may point to what the contract allows.
#[track_caller]
pub const fn points_to<T>(field: &Field<T>, name: &str, attribute: &str, targets: &[&str]) {
    each_allowed(field.targets, name, attribute, targets);
    takes_each(field.targets, field.has_null, name, attribute, targets);
}

/// Asks a reference that is never null for a value for each target: a record that points elsewhere would fit no model.
#[track_caller]
const fn takes_each(pointed_to: &[&str], has_null: bool, name: &str, attribute: &str, targets: &[&str]) {
    // Of a type that says nothing, and of a model with faults, it is not known where it points to.
    if has_null || pointed_to.is_empty() || is_one_of("", pointed_to) {
        return;
    }
    let mut position = 0;
    while position < targets.len() {
        if !is_one_of(targets[position], pointed_to) {
            let message = Message::new("`").and(attribute).and("` may point to `").and(targets[position]);
            let message = message.and("` too, of which `").and(name).and("` can hold no reference [lookup-target]");
            let cure = "make it an Option, which is None then and leaves the reference as it is; or hold each with \
                        `OneOf<(…)>` and `sql_type = \"string\"`; or state one `target` in the contract";
            panic!("{}", message.and(HELP).and(cure).text())
        }
        position += 1;
    }
}

const fn is_one_of(name: &str, names: &[&str]) -> bool {
    let mut position = 0;
    while position < names.len() {
        if same(names[position], name) {
            return true;
        }
        position += 1;
    }
    false
}

#[track_caller]
const fn each_allowed(pointed_to: &[&str], name: &str, attribute: &str, targets: &[&str]) {
    let mut position = 0;
    while position < pointed_to.len() {
        allowed(pointed_to[position], name, attribute, targets);
        position += 1;
    }
}

#[track_caller]
const fn allowed(target: &str, name: &str, attribute: &str, targets: &[&str]) {
    // Of a model with faults it may not be known what it is called.
    if target.is_empty() || is_one_of(target, targets) {
        return;
    }
    let message = Message::new("`").and(attribute).and("` points to ").and_list(targets).and(", but `").and(name);
    let message = message.and("` is an id of `").and(target).and("` [lookup-target]").and(HELP);
    panic!("{}", message.and("change the type of the field, or the contract's `target`").text())
}

/// Asks that the type of a choice is of this attribute's options: an enum of another attribute would read and write the
/// same numbers under other names.
#[track_caller]
pub const fn takes_options<T>(field: &Field<T>, name: &str, attribute: &str, choices: &[(&str, i32)]) {
    each_option_fits(&field.options, name, attribute, choices);
}

#[track_caller]
const fn each_option_fits(options: &Options, name: &str, attribute: &str, choices: &[(&str, i32)]) {
    let named = options.named;
    let about = Message::new("the type of `").and(name);
    if choices.is_empty() && !named.is_empty() {
        let message = about.and("` has options, but the contract states none of `").and(attribute);
        let cure = "state its `choices` in the contract, so that the two can be held against each other";
        panic!("{}", message.and("` [unknown-choice]").and(HELP).and(cure).text())
    }
    let cure = "use the enum of this attribute, or correct `choices` in the contract";
    let mut position = 0;
    while position < named.len() {
        if !is_among(named[position], choices) {
            let message = about.and("` has the option `").and(named[position].0).and("`, which `").and(attribute);
            let message = message.and("` has not, or with another number [unknown-choice]").and(HELP);
            panic!("{}", message.and(cure).text())
        }
        position += 1;
    }
    position = 0;
    while position < choices.len() && !options.takes_rest {
        if !is_among(choices[position], named) {
            let message = about.and("` takes no option `").and(choices[position].0).and("` of `").and(attribute);
            panic!("{}", message.and("` [unknown-choice]").and(HELP).and(cure).text())
        }
        position += 1;
    }
}

const fn is_among(option: (&str, i32), options: &[(&str, i32)]) -> bool {
    let mut position = 0;
    while position < options.len() {
        if options[position].1 == option.1 && same(options[position].0, option.0) {
            return true;
        }
        position += 1;
    }
    false
}

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
    /// A key of which nothing but the attribute and its kind is stated.
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

/// Asks that a flattened struct has the members of the contract's group, each of a fitting type.
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
                let message =
                    Message::new("`").and(name).and(".").and(key.name).and("` is a group, but the contract's ");
                let message = message.and("group has one attribute there, `").and(key.attribute).and("` [group-shape]");
                let cure = "remove `flatten` from the member, or write a table of members in the contract";
                panic!("{}", message.and(HELP).and(cure).text())
            }
            Found::NoGroup => {
                let message =
                    Message::new("`").and(name).and(".").and(key.name).and("` is within a member that is no ");
                let message = message.and("group, but the contract has a group within the group there [group-shape]");
                let cure = "write #[cdms(flatten)] on the member, and derive CdmsFields on its type";
                panic!("{}", message.and(HELP).and(cure).text())
            }
            Found::Nothing => {
                let message = Message::new("the struct of `").and(name).and("` has no member `");
                let message = message.and(key.name).and("`, which the contract's group has [group-shape]").and(HELP);
                let cure = "add the member, or name the one that is meant with a bare string, `#[cdms(\"";
                panic!("{}", message.and(cure).and(last_key(key.name)).and("\")]`").text())
            }
            Found::NothingAround => {
                let message = Message::new("the struct of `").and(name).and("` has no member for `").and(key.name);
                let message = message.and("`, which is in a group within the contract's group [group-shape]").and(HELP);
                let cure = "add a member for that group, with #[cdms(flatten)] and a type that derives CdmsFields";
                panic!("{}", message.and(cure).text())
            }
        }
        position += 1;
    }
    each_is_a_key(group.members, Message::new(""), name, keys);
}

/// Asks that each member is a key of the contract's group; those of groups within have its key and a dot before theirs.
#[track_caller]
const fn each_is_a_key(members: &[Member], within: Message, name: &str, keys: &[GroupKey]) {
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
    let mut position = 0;
    while position < keys.len() {
        if same(keys[position].name, path) {
            return;
        }
        position += 1;
    }
    let message = Message::new("the member `").and(path).and("` of `").and(name);
    let message = message.and("` is no key of the contract's group [group-shape]").and(HELP);
    panic!("{}", message.and("remove the member, or add it to the group in the contract").text())
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
    let about = Message::new("`").and(key.attribute).and("`");
    let of = Message::new("`").and(name).and(".").and(key.name).and("`");
    if !holds(member.kinds, key.kind) {
        let message = about.and(" is of kind ").and(key.kind.name()).and(", which the type of ").and(of.text());
        let message = message.and(" cannot hold [wrong-type]").and(HELP);
        panic!("{}", message.and("change the member's type, or map the attribute by a field of the model").text())
    }
    if member.default.is_some() && key.required {
        let message = about.and(" is required, so there is no null for the default of ").and(of.text());
        let message = message.and(" to stand for [default-of-required]").and(HELP);
        panic!("{}", message.and("remove `default`, or the contract's `required = true`").text())
    }
    if member.default.is_some() && member.nullable {
        let message = Message::new("the type of ").and(of.text()).and(" has a value for null already [keys-exclude]");
        panic!("{}", message.and(HELP).and("remove `default`, or choose a type without one").text())
    }
    if !(key.required || member.nullable || member.default.is_some()) {
        let message = about.and(" can be null in CDMS, but ").and(of.text()).and(" cannot [nullability]").and(HELP);
        let cure = "make the member an Option, add `default`, or state `required = true` in the contract";
        panic!("{}", message.and(cure).text())
    }
    if let (Some(length), Some(limit)) = (member.default_length, key.max_length)
        && length > limit as usize
    {
        let message = Message::new("the default of ").and(of.text()).and(" is longer than `").and(key.attribute);
        panic!("{}", message.and("` can be [default-too-long]").and(HELP).and("shorten it").text())
    }
    let path = Message::new(name).and(".").and(key.name);
    each_allowed(member.targets, path.text(), key.attribute, key.targets);
    takes_each(member.targets, member.nullable, path.text(), key.attribute, key.targets);
    if let Some(options) = key.options {
        each_option_fits(&member.options, path.text(), key.attribute, options);
    }
}

/// Asks that a program's models do not share a table, nor an entity without saying which records are whose. Of a stub
/// nothing is known but its table, where it has one.
#[track_caller]
pub const fn models_do_not_clash(models: &[(&ModelDescriptor, bool)]) {
    let mut first = 0;
    while first < models.len() {
        let mut second = first + 1;
        while second < models.len() {
            let ((one, one_is_stub), (other, other_is_stub)) = (models[first], models[second]);
            if same(one.table, other.table) && !one.table.is_empty() {
                let message = Message::new("`").and(one.name).and("` and `").and(other.name);
                let message = message.and("` have the same table, `").and(one.table).and("` [models-clash]").and(HELP);
                panic!("{}", message.and("give one of them another, `table = \"…\"`, or list each model once").text())
            }
            let know_their_own = one.only.is_some() && other.only.is_some();
            if !one_is_stub && !other_is_stub && same(one.entity.name, other.entity.name) && !know_their_own {
                let without = if one.only.is_none() { one.name } else { other.name };
                let message =
                    Message::new("`").and(one.name).and("` and `").and(other.name).and("` share the entity `");
                let message = message.and(one.entity.name).and("`, and `").and(without);
                let message = message.and("` does not say which records are its own [models-clash]").and(HELP);
                panic!("{}", message.and("add `only = \"…\"` to each of the two").text())
            }
            second += 1;
        }
        first += 1;
    }
}

const fn holds(kinds: &[Kind], kind: Kind) -> bool {
    let mut position = 0;
    while position < kinds.len() {
        if kinds[position] as u8 == kind as u8 {
            return true;
        }
        position += 1;
    }
    false
}

/// Whether two texts are the same.
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
