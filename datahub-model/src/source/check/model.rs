//! The rules about a whole model.

use std::collections::HashMap;

use super::columns::{ColumnLimit, Named, changeset, column_names, diesel_glue, former_names};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::annotation::{FieldAnnotation, ModelAnnotation, Placed};
use crate::source::contract::Contract;
use crate::source::mapping::{ResolvedColumn, ResolvedSource};
use crate::{Mode, Write};

/// All of them, except what a create needs.
pub(in crate::source) fn model<P: Clone>(
    model: &ModelAnnotation<P>,
    contract: &Contract,
    mode: Option<Mode>,
    (columns, unresolved): (&[ResolvedColumn], &[(String, String)]),
    limit: ColumnLimit,
    diagnostics: &mut Diagnostics<P>,
) {
    let resolved = columns.iter().map(|column| Named { name: &column.name, field: &column.field });
    let names = resolved.chain(unresolved.iter().map(|(field, name)| Named { name, field }));
    let names: Vec<_> = names.collect();
    one_key(model, diagnostics);
    attributes_once(model, contract, mode, diagnostics);
    column_names(model, &names, diagnostics);
    former_names(model, &names, diagnostics);
    diesel_glue(model, &names, limit, diagnostics);
    if unresolved.is_empty() {
        changeset(model, columns, diagnostics);
    }
}

// A row without the record's id could not be found again, and two ids could contradict each other.
fn one_key<P: Clone>(model: &ModelAnnotation<P>, diagnostics: &mut Diagnostics<P>) {
    let mut keys = model.fields.iter().filter_map(|field| field.key.as_ref());
    if keys.next().is_none() && !model.fields.iter().any(may_be_key) {
        let message = format!("`{}` has no key", model.name.value);
        let help = format!("add `#[cdms(key)] pub id: Id<{}>`", model.name.value);
        diagnostics.push(Diagnostic::of(Code::NoKey, model.name.place.clone(), message).cure(help));
    }
    for second in keys {
        let message = format!("`{}` has more than one key", model.name.value);
        let help = "remove `key` here; a record has one id";
        diagnostics.push(Diagnostic::of(Code::TwoKeys, second.clone(), message).cure(help));
    }
}

/// Whether a field may be meant as the key, as far as its annotations could be read.
fn may_be_key<P>(field: &FieldAnnotation<P>) -> bool {
    let is_mapped = field.attribute.is_some() || field.attributes.is_some() || field.flatten.is_some();
    let is_unsaid = !is_mapped && field.engine.is_none() && field.local.is_none();
    is_unsaid && (field.is_faulty || field.may_be_the_key())
}

// Two fields with one attribute would overwrite each other's changes, unless both have a `with` module that changes only its
// own part; and a constant would overwrite a field's change.
fn attributes_once<P: Clone>(
    model: &ModelAnnotation<P>,
    contract: &Contract,
    mode: Option<Mode>,
    diagnostics: &mut Diagnostics<P>,
) {
    let mut used: HashMap<String, &FieldAnnotation<P>> = HashMap::new();
    for field in &model.fields {
        if field.read_only.is_some() || field.is_faulty {
            continue;
        }
        let mut named: Vec<Placed<String, P>> = field.attribute.clone().into_iter().collect();
        named.extend(field.attributes.iter().flat_map(|attributes| attributes.value.clone()));
        let group = field.flatten.as_ref().and_then(|name| {
            contract.groups.iter().find(|group| group.name == name.value).map(|group| (group, name.place.clone()))
        });
        if let Some((group, place)) = group {
            let members = group.members.iter();
            named.extend(members.map(|member| Placed { value: member.attribute.clone(), place: place.clone() }));
        }
        for Placed { value: attribute, place } in named {
            if mode == Some(Mode::Sync) && contract.constants.iter().any(|constant| constant.attribute == attribute) {
                let message = format!("`{attribute}` is already written by a constant of the contract");
                let help = "mark the field `read_only`, or remove the constant";
                diagnostics.push(Diagnostic::of(Code::MappedTwice, place.clone(), message).cure(help));
            }
            let Some(other) = used.insert(attribute.clone(), field) else { continue };
            let (message, help) = if std::ptr::eq(other, field) {
                (format!("`{attribute}` is listed twice"), "list it once")
            } else if other.with.is_some() && field.with.is_some() {
                continue;
            } else {
                let message = format!("`{attribute}` is already mapped to `{}`", other.name.value);
                (message, "map it once, mark one of the fields `read_only`, or give both fields a `with`")
            };
            diagnostics.push(Diagnostic::of(Code::MappedTwice, place, message).cure(help));
        }
    }
}

// CDMS accepts a create without them, so this would not be noticed elsewhere.
pub(in crate::source) fn required_at_create<P: Clone>(
    model: &ModelAnnotation<P>,
    contract: &Contract,
    columns: &[ResolvedColumn],
    diagnostics: &mut Diagnostics<P>,
) {
    let sent = |name: &str| {
        let by_field = columns.iter().any(|column| {
            let written = match &column.source {
                ResolvedSource::Attribute { write, .. } | ResolvedSource::Joined { write, .. } => {
                    *write != Write::Never
                }
                _ => false,
            };
            written && column.source.attributes().contains(&name)
        });
        by_field || contract.constants.iter().any(|constant| constant.attribute == name)
    };
    for attribute in contract.attributes.iter().filter(|attribute| attribute.required && !attribute.read_only) {
        if !sent(&attribute.name) && !contract.may_have(&attribute.name) {
            let message = format!(
                "`{}` is required by the contract, but a create of `{}` would not send it",
                attribute.name, model.name.value
            );
            let help = "map it to a field, add it to [constants], or make the model a mirror";
            diagnostics.push(Diagnostic::of(Code::RequiredAtCreate, model.name.place.clone(), message).cure(help));
        }
    }
}
