//! The differences between the models of two trees.

use std::collections::BTreeMap;

use datahub_derive::tree::{Scope, Tree, TreeChoice, TreeModel};
use datahub_model::filter::{ODataV2, Operand};
use datahub_model::source::{Capture, ConstantValue, Mapping, ResolvedColumn, ResolvedSource};
use datahub_model::{Mode, Write};

use super::{Aspect, Change, Details, FROM, Rule, Subject, Turn, listed, number, paired, yes};
use crate::declared::Declared;
use crate::written::{tidy, type_names};

/// By tables, then by `was`, then by names.
const SAME_MODEL: [Rule<TreeModel>; 3] = [
    |old, new| old.mapping.table == new.mapping.table,
    |old, new| new.mapping.was.as_ref() == Some(&old.mapping.table),
    |old, new| old.mapping.name == new.mapping.name,
];

/// By columns, then by `was`, then by fields.
const SAME_COLUMN: [Rule<ResolvedColumn>; 3] = [
    |old, new| old.name == new.name,
    |old, new| new.was.as_ref() == Some(&old.name),
    |old, new| old.field == new.field,
];

/// What happened to the models.
pub(super) fn changes(before: &Tree, after: &Tree) -> Vec<Change> {
    let (old_scope, new_scope) = (Scope::of(before), Scope::of(after));
    let (found, gone) = paired(&before.models, &after.models, &SAME_MODEL);
    let new_tables: Tables<'_> = after.models.iter().map(|new| (new.name(), new.mapping.table.as_str())).collect();
    let mut old_tables: Tables<'_> = before.models.iter().map(|old| (old.name(), old.mapping.table.as_str())).collect();
    let kept = after.models.iter().zip(&found).filter_map(|(new, found)| Some((found.as_ref()?.name(), new)));
    old_tables.extend(kept.map(|(name, new)| (name, new.mapping.table.as_str())));
    let of_after = after.models.iter().zip(found).filter_map(|(new, found)| match found {
        Some(old) => between(
            Side { tables: &old_tables, scope: &old_scope, model: old },
            Side { tables: &new_tables, scope: &new_scope, model: new },
        ),
        None => Some(whole(new, Turn::Added)),
    });
    of_after.chain(gone.into_iter().map(|old| whole(old, Turn::Removed))).collect()
}

/// A model that is new or gone, with its fields.
fn whole(model: &TreeModel, turn: Turn) -> Change {
    let mut details = Details::default();
    for column in &model.mapping.columns {
        match turn {
            Turn::Removed => details.removed(&column.field, mapped_to(column)),
            Turn::Added | Turn::Changed => details.added(&column.field, mapped_to(column)),
        }
    }
    Change { subject: Subject::Model, name: model.mapping.name.clone(), turn, details: details.0 }
}

/// The tables of structs, by their names. A table that was renamed has its new name on both sides.
type Tables<'t> = BTreeMap<&'t str, &'t str>;

/// A model of a tree.
#[derive(Clone, Copy)]
struct Side<'t> {
    tables: &'t Tables<'t>,
    scope: &'t Scope<'t>,
    model: &'t TreeModel,
}

fn between(before_side: Side<'_>, after_side: Side<'_>) -> Option<Change> {
    let (old, new) = (before_side.model, after_side.model);
    let (before, after) = (&old.mapping, &new.mapping);
    let mut details = Details::default();
    let mut whole = |aspect, before: Option<String>, after: Option<String>| details.compare("", aspect, before, after);
    whole(Aspect::Name, Some(before.name.clone()), Some(after.name.clone()));
    whole(Aspect::Table, Some(before.table.clone()), Some(after.table.clone()));
    whole(Aspect::Mode, Some(mode(before.mode)), Some(mode(after.mode)));
    whole(Aspect::Contract, old.contract.clone(), new.contract.clone());
    whole(Aspect::Only, only(before), only(after));
    whole(Aspect::Capture, capture(before), capture(after));
    whole(Aspect::Comment, Some(old.written.docs.clone()), Some(new.written.docs.clone()));
    constants(before, after, &mut details);
    fields(before_side, after_side, &mut details);
    details.changed(Subject::Model, &after.name)
}

fn constants(before: &Mapping, after: &Mapping, details: &mut Details) {
    let value = |mapping: &Mapping, name: &str| {
        let constant = mapping.constants.iter().find(|constant| constant.attribute == name)?;
        Some(match &constant.value {
            ConstantValue::Text(text) => format!("{text:?}"),
            ConstantValue::Integer(number) => number.to_string(),
            ConstantValue::Boolean(value) => value.to_string(),
        })
    };
    let mut names: Vec<_> =
        before.constants.iter().chain(&after.constants).map(|constant| constant.attribute.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        details.compare(name, Aspect::Constant, value(before, name), value(after, name));
    }
}

fn fields(before: Side<'_>, after: Side<'_>, details: &mut Details) {
    let columns = &after.model.mapping.columns;
    let (found, gone) = paired(&before.model.mapping.columns, columns, &SAME_COLUMN);
    for (column, found) in columns.iter().zip(found) {
        match found {
            Some(found) => field((before, found), (after, column), details),
            None => details.added(&column.field, mapped_to(column)),
        }
    }
    for column in gone {
        details.removed(&column.field, mapped_to(column));
    }
}

fn field((old, before): (Side<'_>, &ResolvedColumn), (new, after): (Side<'_>, &ResolvedColumn), details: &mut Details) {
    let (was, is) = (Declared::of(old.model, before, old.scope), Declared::of(new.model, after, new.scope));
    let docs = |declared: Declared<'_>| Some(declared.field.written.docs.clone());
    let default = |column: &ResolvedColumn, declared: Option<Declared<'_>>| {
        column.default.clone().or_else(|| declared?.default())
    };
    let class = |column: &ResolvedColumn| column.class.map(|class| class.name().to_owned());
    let mut differ = |aspect, one: Option<String>, other: Option<String>| {
        details.compare(&after.field, aspect, one, other);
    };
    differ(Aspect::Name, Some(before.field.clone()), Some(after.field.clone()));
    differ(Aspect::Column, Some(before.name.clone()), Some(after.name.clone()));
    differ(Aspect::Kind, Some(before.kind.to_string()), Some(after.kind.to_string()));
    differ(Aspect::Nullable, yes(before.nullable), yes(after.nullable));
    differ(Aspect::Scale, number(before.scale), number(after.scale));
    differ(Aspect::Attributes, listed(&before.source.attributes()), listed(&after.source.attributes()));
    differ(Aspect::Default, default(before, was), default(after, is));
    differ(Aspect::Conversion, before.with.clone(), after.with.clone());
    let (one, other) = (Target::of(old, before), Target::of(new, after));
    if one.as_ref().map(|target| &target.tables) != other.as_ref().map(|target| &target.tables) {
        differ(Aspect::Target, one.map(|target| target.shown), other.map(|target| target.shown));
    }
    differ(Aspect::Written, Some(written(before)), Some(written(after)));
    differ(Aspect::Class, class(before), class(after));
    // What is found on one side alone says nothing about a difference.
    if let (Some(was), Some(is)) = (was, is) {
        if names_no_model(old, before) && names_no_model(new, after) {
            differ(Aspect::Type, Some(value_type(was)), Some(value_type(is)));
        }
        if let (Some(was), Some(is)) = (was.choice(old.scope), is.choice(new.scope)) {
            differ(Aspect::Variants, Some(variants(was)), Some(variants(is)));
        }
        differ(Aspect::Comment, docs(was), docs(is));
    }
}

/// Whether a field's type is that of a value: the models in the type of a key or a lookup are compared by their tables.
fn names_no_model(side: Side<'_>, column: &ResolvedColumn) -> bool {
    column.source != ResolvedSource::Key && column.targets(&side.model.mapping.contract).is_none()
}

/// The type of a field without the `Option`, which is compared by itself.
fn value_type(declared: Declared<'_>) -> String {
    let ty = declared.rust_type();
    let inner = ty.strip_prefix("Option<").and_then(|rest| rest.strip_suffix('>'));
    inner.map(str::to_owned).unwrap_or(ty)
}

/// The variants of a choice, with their numbers.
fn variants(choice: &TreeChoice) -> String {
    let listed = choice.variants.iter().map(|(variant, _, number)| format!("{} = {number}", variant.written.name));
    listed.chain(choice.rest.iter().map(|rest| format!("{rest} for all others"))).collect::<Vec<_>>().join(", ")
}

/// What a lookup refers to.
struct Target {
    /// The tables of the models, which stay the same if structs or tables are renamed; what is no known model is its own name.
    tables: Vec<String>,
    /// The field's type, or else the entities.
    shown: String,
}

impl Target {
    fn of(side: Side<'_>, column: &ResolvedColumn) -> Option<Self> {
        let targets = column.targets(&side.model.mapping.contract)?;
        let Some(reference) = &column.reference else {
            return Some(Target { tables: targets.to_vec(), shown: targets.join(", ") });
        };
        let tables = type_names(reference).into_iter().map(|name| (*side.tables.get(name).unwrap_or(&name)).to_owned());
        Some(Target { tables: tables.collect(), shown: tidy(reference) })
    }
}

/// What a field maps to, for one that is new or gone.
fn mapped_to(column: &ResolvedColumn) -> String {
    match &column.source {
        ResolvedSource::Key => "the record's id".to_owned(),
        ResolvedSource::Engine(_) => "kept by the engine".to_owned(),
        ResolvedSource::Local => format!("{}, in the hub alone", column.kind),
        source => format!("{}{FROM}{}", column.kind, source.attributes().join(", ")),
    }
}

/// Which attributes reads keep; `None` for a model of the hub alone.
fn capture(mapping: &Mapping) -> Option<String> {
    if mapping.mode == Mode::Detached {
        return None;
    }
    Some(
        match mapping.contract.capture.unwrap_or_default() {
            Capture::Mapped => "those with a field",
            Capture::Contract => "all of the contract",
        }
        .to_owned(),
    )
}

fn mode(mode: Mode) -> String {
    match mode {
        Mode::Sync => "sync",
        Mode::Mirror => "mirror",
        Mode::Detached => "detached",
    }
    .to_owned()
}

fn written(column: &ResolvedColumn) -> String {
    let write = match &column.source {
        ResolvedSource::Attribute { write, .. } | ResolvedSource::Joined { write, .. } => *write,
        ResolvedSource::Key => Write::CreateOnly,
        ResolvedSource::Engine(_) | ResolvedSource::Local => Write::Never,
    };
    match write {
        Write::Always => "with creates and changes",
        Write::CreateOnly => "with creates only",
        Write::Never => "never",
    }
    .to_owned()
}

fn only(mapping: &Mapping) -> Option<String> {
    let only = mapping.only.as_ref()?;
    // It was read from this language, so it can be written in it; if not, it is compared all the same.
    let printed = only.print(&ODataV2, |name| mapping.contract.attribute(name).map(Operand::from));
    Some(printed.unwrap_or_else(|_| format!("{only:?}")))
}
