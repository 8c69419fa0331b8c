//! The differences between the models of two trees.

use datahub_derive::tree::{Tree, TreeModel};
use datahub_model::filter::{ODataV2, Operand};
use datahub_model::source::{ConstantValue, Mapping, ResolvedColumn, ResolvedSource};
use datahub_model::{Mode, Write};

use super::{Aspect, Change, Details, FROM, Subject, Turn, listed, number, yes};
use crate::written::{tidy, type_names};

/// What happened to the models.
pub(super) fn changes(before: &Tree, after: &Tree) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut known: Vec<&TreeModel> = Vec::new();
    for model in &after.models {
        let mapping = &model.mapping;
        let by_table = before.models.iter().find(|old| old.mapping.table == mapping.table);
        let is_free = |old: &&TreeModel| {
            old.mapping.name == mapping.name
                && after.models.iter().all(|other| other.mapping.table != old.mapping.table)
        };
        match by_table.or_else(|| before.models.iter().find(is_free)) {
            Some(old) => {
                known.push(old);
                changes.extend(between((before, old), (after, model)));
            }
            None => changes.push(whole(model, Turn::Added)),
        }
    }
    for old in &before.models {
        if !known.iter().any(|known| std::ptr::eq(*known, old)) {
            changes.push(whole(old, Turn::Removed));
        }
    }
    changes
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

/// A model of a tree.
type Side<'t> = (&'t Tree, &'t TreeModel);

fn between(before_side: Side<'_>, after_side: Side<'_>) -> Option<Change> {
    let ((_, old), (_, new)) = (before_side, after_side);
    let (before, after) = (&old.mapping, &new.mapping);
    let mut details = Details::default();
    let mut whole = |aspect, before: Option<String>, after: Option<String>| details.compare("", aspect, before, after);
    whole(Aspect::Name, Some(before.name.clone()), Some(after.name.clone()));
    whole(Aspect::Table, Some(before.table.clone()), Some(after.table.clone()));
    whole(Aspect::Mode, Some(mode(before.mode)), Some(mode(after.mode)));
    whole(Aspect::Contract, old.contract.clone(), new.contract.clone());
    whole(Aspect::Only, only(before), only(after));
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

fn fields((before, old): Side<'_>, (after, new): Side<'_>, details: &mut Details) {
    let mut known: Vec<&ResolvedColumn> = Vec::new();
    for column in &new.mapping.columns {
        let is_free = |old: &&ResolvedColumn| new.mapping.columns.iter().all(|other| other.name != old.name);
        let olds = || old.mapping.columns.iter();
        let found = olds()
            .find(|old| old.name == column.name)
            .or_else(|| olds().filter(is_free).find(|old| Some(&old.name) == column.was.as_ref()))
            .or_else(|| olds().filter(is_free).find(|old| old.field == column.field));
        match found {
            Some(found) => {
                known.push(found);
                field(((before, old), found), ((after, new), column), details);
            }
            None => details.added(&column.field, mapped_to(column)),
        }
    }
    for column in &old.mapping.columns {
        if !known.iter().any(|known| std::ptr::eq(*known, column)) {
            details.removed(&column.field, mapped_to(column));
        }
    }
}

fn field(
    ((old_tree, old), before): (Side<'_>, &ResolvedColumn),
    ((new_tree, new), after): (Side<'_>, &ResolvedColumn),
    details: &mut Details,
) {
    let docs = |model: &TreeModel, column: &ResolvedColumn| {
        model.fields.iter().find(|field| field.written.name == column.field).map(|field| field.written.docs.clone())
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
    differ(Aspect::Default, before.default.clone(), after.default.clone());
    differ(Aspect::Conversion, before.with.clone(), after.with.clone());
    let (one, other) = (Target::of(old_tree, old, before), Target::of(new_tree, new, after));
    if one.as_ref().map(|target| &target.tables) != other.as_ref().map(|target| &target.tables) {
        differ(Aspect::Target, one.map(|target| target.shown), other.map(|target| target.shown));
    }
    differ(Aspect::Written, Some(written(before)), Some(written(after)));
    differ(Aspect::Class, class(before), class(after));
    differ(Aspect::Comment, docs(old, before), docs(new, after));
}

/// What a lookup refers to.
struct Target {
    /// The tables of the models, which stay the same if structs are renamed; what is no known model is its own name.
    tables: Vec<String>,
    /// The field's type, or else the entities.
    shown: String,
}

impl Target {
    fn of(tree: &Tree, model: &TreeModel, column: &ResolvedColumn) -> Option<Self> {
        let targets = column.targets(&model.mapping.contract)?;
        let Some(reference) = &column.reference else {
            return Some(Target { tables: targets.to_vec(), shown: targets.join(", ") });
        };
        let tables = type_names(reference).into_iter().map(|name| {
            let named = tree.models.iter().find(|model| model.name() == name);
            named.map_or(name, |model| &model.mapping.table).to_owned()
        });
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
