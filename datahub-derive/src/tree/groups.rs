//! Whether the structs of groups have the shape of the contract's groups: what the compiler finds when it evaluates
//! `group_matches` of the runtime's `__v1/checks.rs`, in the same order and the same words.

use datahub_model::diagnostic::Code;
use datahub_model::source::ResolvedColumn;

use super::fits::{Unfit, attribute_of, options, or, other_kind, points_to, takes_options, unfit};
use super::scope::{Meaning, Scope};
use super::types::Held;
use super::{TreeField, TreeGroup, TreeModel};

/// A member of a group, or of a group within it.
struct Member<'t> {
    /// Its key in the contract's group.
    key: &'t str,
    holds: Holds<'t>,
}

enum Holds<'t> {
    /// A value; `None` if only the compiler knows what its type can hold.
    Value(Option<Held<'t>>, Default),
    /// A group; `None` if it is not known.
    Group(Option<Vec<Member<'t>>>),
}

/// A member's default for null.
#[derive(Clone, Copy)]
struct Default {
    is_given: bool,
    /// Its length in CDMS's characters, if it is written as a string.
    length: Option<usize>,
}

/// Checks that the struct of a flattened field has the members of the contract's group, each of a type that fits.
pub(super) fn matches(
    field: &TreeField,
    keys: &[String],
    columns: &[ResolvedColumn],
    model: &TreeModel,
    scope: &Scope<'_>,
) -> Result<(), Unfit> {
    let Some(members) = members_of(&field.ty, &field.written.file, scope, 0) else { return Ok(()) };
    let name = field.written.name.as_str();
    for (key, column) in keys.iter().zip(columns) {
        let of = format!("`{name}.{key}`");
        match find(&members, key) {
            Found::Value(held, default) => fits((held, default), (name, key), column, model)?,
            Found::Unknown => {}
            Found::Group => {
                let attribute = attribute_of(column);
                let message =
                    format!("{of} is a group, but the contract's group has one attribute there, `{attribute}`");
                let cure = "remove `flatten` from the member, or write a table of members in the contract";
                return Err(unfit(Code::GroupShape, message, cure));
            }
            Found::NoGroup => {
                let message =
                    format!("{of} is in a group within the contract's group, but the member there is not a group");
                let cure = "add #[cdms(flatten)] to the member, and derive CdmsFields for its type";
                return Err(unfit(Code::GroupShape, message, cure));
            }
            Found::Nothing(members) => return Err(missing(name, key, members, keys)),
            Found::NothingAround => {
                let message = format!(
                    "the struct of `{name}` is missing a member for `{key}`, which is in a group within the contract's group"
                );
                let cure = "add a member for that group, with #[cdms(flatten)] and a type that derives CdmsFields";
                return Err(unfit(Code::GroupShape, message, cure));
            }
        }
    }
    each_is_a_key(&members, "", name, keys)
}

fn missing(name: &str, key: &str, members: &[Member<'_>], keys: &[String]) -> Unfit {
    let last = key.rsplit('.').next().unwrap_or(key);
    let message = format!("the struct of `{name}` is missing the member `{key}` of the contract's group");
    let before = &key[..key.len() - last.len()];
    let is_stranger = |member: &&Member<'_>| {
        matches!(member.holds, Holds::Value(..)) && !keys.contains(&format!("{before}{}", member.key))
    };
    let strangers: Vec<_> = members.iter().filter(is_stranger).collect();
    let with = format!(" with a string, `#[cdms(\"{last}\")]`");
    match strangers.as_slice() {
        [Member { key: stranger, .. }] => {
            let message = format!("{message}, and its member `{stranger}` is not a key of it");
            let cure = format!("if `{stranger}` is meant, rename it, or name its key{with}");
            unfit(Code::GroupShape, message, cure)
        }
        _ => unfit(Code::GroupShape, message, format!("add the member, or name the key of another member{with}")),
    }
}

/// Checks that each member is a key of the contract's group.
fn each_is_a_key(members: &[Member<'_>], within: &str, name: &str, keys: &[String]) -> Result<(), Unfit> {
    for Member { key, holds } in members {
        let path = format!("{within}{key}");
        match holds {
            Holds::Group(Some(members)) => each_is_a_key(members, &format!("{path}."), name, keys)?,
            Holds::Group(None) => {}
            Holds::Value(..) if keys.contains(&path) => {}
            Holds::Value(..) => {
                let message = format!("the member `{path}` of `{name}` is not a key of the contract's group");
                let cure = "remove the member, or add it to the group in the contract";
                return Err(unfit(Code::GroupShape, message, cure));
            }
        }
    }
    Ok(())
}

/// Checks a member's type against its attribute.
fn fits(
    (held, default): (&Option<Held<'_>>, Default),
    (field, key): (&str, &str),
    column: &ResolvedColumn,
    model: &TreeModel,
) -> Result<(), Unfit> {
    let (path, attribute) = (format!("{field}.{key}"), attribute_of(column));
    let contract = &model.mapping.contract;
    let required = !column.nullable;
    if let Some(held) = held.as_ref().filter(|held| !held.fits(column.kind)) {
        let about = format!("`{attribute}` is of kind {}, but the type of `{path}`", column.kind);
        let fault = other_kind(held, about, column.kind, !required && !default.is_given);
        return Err(or(fault, ", or map the attribute by a field of the model"));
    }
    if default.is_given && required {
        let message = format!("`default` is not allowed for `{path}`: `{attribute}` is required and never null");
        let cure = "remove `default`, or remove `required = true` from the contract if CDMS can have a null there";
        return Err(unfit(Code::DefaultOfRequired, message, cure));
    }
    // Whether it has a value for null only the compiler knows, and what follows is not asked before that.
    let Some(held) = held else { return Ok(()) };
    if default.is_given && held.has_null {
        let message = format!("`default` is not allowed for `{path}`, whose type has a value for null");
        let cure = "remove `default`, or use a type without a value for null";
        return Err(unfit(Code::KeysExclude, message, cure));
    }
    if !(required || held.has_null || default.is_given) {
        let message = format!("`{attribute}` can be null in CDMS, but `{path}` cannot");
        let cure = "make the member an `Option`, add `default`, or state `required = true` in the contract";
        return Err(unfit(Code::Nullability, message, cure));
    }
    let limit = contract.attribute(attribute).and_then(|stated| stated.max_length);
    if limit.zip(default.length).is_some_and(|(limit, length)| length > limit as usize) {
        let message = format!("the default of `{path}` is longer than the `max-length` of `{attribute}`");
        return Err(unfit(Code::DefaultTooLong, message, "shorten the default, or correct `max-length`"));
    }
    points_to(held, &path, attribute, column.targets(contract).unwrap_or_default())?;
    match options(contract, column) {
        Some(options) => takes_options(held, &path, attribute, options),
        None => Ok(()),
    }
}

/// The deepest group within groups that is followed; one within itself has no end.
const DEPTH_MAX: usize = 16;

/// The members of the group that a type is; `None` if only the compiler knows.
fn members_of<'t>(ty: &str, file: &str, scope: &Scope<'t>, depth: usize) -> Option<Vec<Member<'t>>> {
    let syn::Type::Path(path) = syn::parse_str(ty).ok()? else { return None };
    let Meaning::Group(group) = scope.meaning(&path.path, file)? else { return None };
    (depth < DEPTH_MAX).then(|| members(group, scope, depth))
}

fn members<'t>(group: &'t TreeGroup, scope: &Scope<'t>, depth: usize) -> Vec<Member<'t>> {
    let file = &group.written.file;
    let member = group.members.iter().map(|member| {
        let ty = &member.field.ty;
        let holds = if member.is_group {
            Holds::Group(members_of(ty, file, scope, depth + 1))
        } else {
            let text = member.default.as_ref().and_then(|text| syn::parse_str::<syn::LitStr>(text).ok());
            let length = text.map(|text| text.value().encode_utf16().count());
            let default = Default { is_given: member.default.is_some(), length };
            Holds::Value(Held::by(ty, &group.written.name, file, scope), default)
        };
        Member { key: &member.key, holds }
    });
    member.collect()
}

/// What a path of keys, separated by dots, leads to.
enum Found<'m, 't> {
    Value(&'m Option<Held<'t>>, Default),
    /// A group, where one attribute is expected.
    Group,
    /// One value, where a group is expected.
    NoGroup,
    /// Something within a group that is not known.
    Unknown,
    /// No member of this group.
    Nothing(&'m [Member<'t>]),
    /// The path's first key is not a member, where a group is expected.
    NothingAround,
}

fn find<'m, 't>(members: &'m [Member<'t>], path: &str) -> Found<'m, 't> {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let member = members.iter().find(|member| member.key == key);
    match (member.map(|member| &member.holds), rest) {
        (None, None) => Found::Nothing(members),
        (None, Some(_)) => Found::NothingAround,
        (Some(Holds::Value(held, default)), None) => Found::Value(held, *default),
        (Some(Holds::Value(..)), Some(_)) => Found::NoGroup,
        (Some(Holds::Group(None)), _) => Found::Unknown,
        (Some(Holds::Group(Some(_))), None) => Found::Group,
        (Some(Holds::Group(Some(members))), Some(rest)) => find(members, rest),
    }
}
