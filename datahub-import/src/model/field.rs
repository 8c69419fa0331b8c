//! The fields of a first model: for each attribute a name, a type and annotations, or the reason why it has none.

use cdms_odata::Kind;
use datahub_model::source::{Contract, ContractAttribute, Writable, column_fault, plain_type, writable};

use super::{First, Target, is_plumbing, words};
use crate::naming::{Words, distinct, variant};

/// A field.
pub(super) struct Field {
    pub(super) name: String,
    /// Its documentation, without marks.
    pub(super) docs: Option<String>,
    /// What is in `#[cdms(…)]`.
    pub(super) annotation: String,
    pub(super) ty: String,
    /// The number of its columns.
    pub(super) columns: usize,
}

/// An enum.
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) attribute: String,
    /// The variants with their options, which are stated if the derive would not find them.
    pub(super) variants: Vec<(String, String, bool)>,
    /// The variant for all other options.
    pub(super) rest: Option<&'static str>,
}

/// A struct for one or several groups.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) docs: String,
    /// Names and types.
    pub(super) members: Vec<(String, String)>,
}

/// What a file of a model has.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) fields: Vec<Field>,
    pub(super) choices: Vec<Choice>,
    pub(super) groups: Vec<Group>,
    pub(super) waiting: Vec<(String, String)>,
    pub(super) plumbing: Vec<String>,
    /// The models that lookups refer to.
    pub(super) used: Vec<Target>,
}

pub(super) fn parts(first: &First<'_>) -> Parts {
    let mut parts = Parts::default();
    let contract = first.contract;
    // A group whose member waits for an answer cannot be flattened.
    let groups: Vec<_> = contract
        .groups
        .iter()
        .filter(|group| {
            group.members.iter().all(|member| {
                let attribute = contract.attribute(&member.attribute);
                attribute.is_some_and(|attribute| attribute.kind != Kind::Lookup) && !member.key.contains('.')
            })
        })
        .collect();
    let in_group = |name: &str| groups.iter().any(|group| group.members.iter().any(|member| member.attribute == name));
    let mut mapped: Vec<(&ContractAttribute, Typed)> = Vec::new();
    for attribute in contract.attributes.iter().filter(|attribute| !in_group(&attribute.name)) {
        let has_constant = contract.constants.iter().any(|constant| constant.attribute == attribute.name);
        if is_plumbing(attribute) || has_constant || contract.is_engines(&attribute.name) {
            parts.plumbing.push(attribute.name.clone());
            continue;
        }
        match typed(first, attribute) {
            Ok(typed) => mapped.push((attribute, typed)),
            Err(reason) => parts.waiting.push((attribute.name.clone(), reason)),
        }
    }
    for question in contract.questions.iter().filter(|question| question.is_needed) {
        let reason = format!("its `{}` is not known yet", question.key);
        parts.waiting.push((question.attribute.clone(), reason));
    }
    let group_names = groups.iter().map(|group| group.name.clone());
    let candidates: Vec<_> = group_names
        .map(|name| (name.clone(), format!("{name}_group")))
        .chain(mapped.iter().map(|(attribute, _)| {
            (words(attribute, &attribute.name).snake(), Words::whole(&attribute.name, None).snake())
        }))
        .collect();
    let names = distinct(&candidates);
    let names: Vec<_> = names.into_iter().map(|name| sound(name, &first.name.table)).collect();
    let (of_groups, of_fields) = names.split_at(groups.len());
    for (group, name) in groups.iter().zip(of_groups) {
        group_field(first, group, name, &mut parts);
    }
    for ((attribute, typed), name) in mapped.into_iter().zip(of_fields) {
        field(first, attribute, typed, name, &mut parts);
    }
    parts.used.sort_by(|one, other| (&one.module, &one.type_name).cmp(&(&other.module, &other.type_name)));
    parts.used.dedup();
    parts
}

/// A name that can be a column's and a field's.
fn sound(name: String, table: &str) -> String {
    // A field called `id` is the key.
    let is_sound = column_fault(&name, table).is_none() && name != "id";
    if is_sound { name } else { format!("{name}_value") }
}

/// The type of an attribute's values.
enum Typed {
    Plain(&'static str),
    /// An enum of its own.
    Choice,
    Id(Target),
    OneOf(Vec<Target>),
}

fn typed(first: &First<'_>, attribute: &ContractAttribute) -> Result<Typed, String> {
    Ok(match attribute.kind {
        Kind::Lookup => {
            let known: Vec<_> =
                attribute.targets.iter().filter_map(|target| first.targets.get(target).cloned()).collect();
            match known.as_slice() {
                [] => return Err(format!("refers to {}, of which there is no model", attribute.targets.join(", "))),
                [one] => Typed::Id(one.clone()),
                several if several.len() <= 6 => Typed::OneOf(several.to_vec()),
                _ => return Err("refers to more than six models".to_owned()),
            }
        }
        Kind::Choice | Kind::State | Kind::Status if !attribute.choices.is_empty() => Typed::Choice,
        kind => Typed::Plain(plain_type(kind)),
    })
}

fn field(first: &First<'_>, attribute: &ContractAttribute, typed: Typed, name: &str, parts: &mut Parts) {
    let mut annotation = format!("\"{}\"", attribute.name);
    let mut is_partial = false;
    let ty = match typed {
        Typed::Plain(ty) => ty.to_owned(),
        Typed::Choice => {
            let choice = choice(first, attribute, name);
            let ty = choice.name.clone();
            parts.choices.push(choice);
            ty
        }
        Typed::Id(target) => {
            is_partial = attribute.targets.len() > 1;
            let ty = format!("Id<{}>", target.type_name);
            parts.used.push(target);
            ty
        }
        Typed::OneOf(targets) => {
            is_partial = targets.len() < attribute.targets.len();
            annotation.push_str(", sql_type = \"string\"");
            let names: Vec<_> = targets.iter().map(|target| target.type_name.as_str()).collect();
            let ty = format!("OneOf<({})>", names.join(", "));
            parts.used.extend(targets);
            ty
        }
    };
    if attribute.read_only {
        annotation.push_str(", read_only");
    } else if writable(&attribute.name, attribute.kind) == Writable::AtCreate {
        annotation.push_str(", create_only");
    }
    let is_never_null = attribute.required && !is_partial;
    let ty = if is_never_null { ty } else { format!("Option<{ty}>") };
    parts.fields.push(Field { name: name.to_owned(), docs: attribute.note.clone(), annotation, ty, columns: 1 });
}

fn choice(first: &First<'_>, attribute: &ContractAttribute, field: &str) -> Choice {
    let mut variants: Vec<(String, String, bool)> = Vec::new();
    for (option, _) in &attribute.choices {
        let (name, is_found) = variant(option);
        let is_free = |name: &String| !name.is_empty() && !variants.iter().any(|(known, ..)| known == name);
        let numbered = (variants.len() + 1..).map(|number| format!("{name}Option{number}"));
        // There are more numbers than variants.
        let chosen = std::iter::once(name.clone()).chain(numbered).find(is_free).unwrap_or_default();
        variants.push((chosen.clone(), option.clone(), is_found && chosen == name));
    }
    // A state's options are the product's own; others are added by people at any time.
    let rest = (attribute.kind != Kind::State).then(|| {
        let is_free = |name: &&str| !variants.iter().any(|(known, ..)| known == name);
        ["Other", "Unlisted", "AnyOther"].into_iter().find(is_free).unwrap_or("OfAnotherNumber")
    });
    Choice {
        name: format!("{}{}", first.name.type_name, Words::whole(field, None).pascal()),
        docs: format!("The options of `{}`.", attribute.name),
        attribute: attribute.name.clone(),
        variants,
        rest,
    }
}

fn group_field(first: &First<'_>, group: &datahub_model::source::Group, name: &str, parts: &mut Parts) {
    let members: Vec<_> = group
        .members
        .iter()
        .map(|member| (member.key.clone(), member_type(first.contract, &member.attribute)))
        .collect();
    let stem = group.name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let names = [stem, group.name.as_str()]
        .map(|stem| format!("{}{}", first.name.type_name, Words::whole(stem, None).pascal()));
    // Groups of the same members share a struct.
    let same = parts.groups.iter().find(|known| names.contains(&known.name) && known.members == members);
    let ty = match same {
        Some(known) => known.name.clone(),
        None => {
            let is_free = !parts.groups.iter().any(|known| known.name == names[0]);
            let [short, long] = names;
            let name = if is_free { short } else { long };
            let docs = "Attributes that form one value.".to_owned();
            parts.groups.push(Group { name: name.clone(), docs, members: members.clone() });
            name
        }
    };
    let annotation = format!("flatten = \"{}\"", group.name);
    parts.fields.push(Field { name: name.to_owned(), docs: None, annotation, ty, columns: members.len() });
}

/// The type of a group's member. Groups are shared, so options are numbers.
fn member_type(contract: &Contract, attribute: &str) -> String {
    match contract.attribute(attribute) {
        Some(attribute) if attribute.required => plain_type(attribute.kind).to_owned(),
        Some(attribute) => format!("Option<{}>", plain_type(attribute.kind)),
        None => "Option<String>".to_owned(),
    }
}
