//! A model as its page shows it.

use std::collections::BTreeMap;

use datahub_derive::tree::{Scope, Tree, TreeField, TreeModel, Written};
use datahub_model::filter::{ODataV2, Operand};
use datahub_model::source::ConstantValue;
use datahub_model::{Class, Mode};

use super::field::Field;
use super::lookup::{Lookup, LookupEnd};
use super::sample::Sample;
use super::{Item, words};
use crate::written::outdented;

/// A model.
#[derive(Clone, Debug)]
pub struct Model {
    /// The struct's name.
    pub name: String,
    /// The name of its page.
    pub slug: String,
    /// The table.
    pub table: String,
    /// Whether it is written.
    pub mode: Mode,
    /// The doc comment, in Markdown.
    pub docs: String,
    /// The entity in CDMS; `None` if CDMS has none.
    pub entity: Option<String>,
    /// The name of the contract's file, and the name of the contract's page.
    pub contract: Option<(String, String)>,
    /// Which records are the model's, in CDMS's filter language; `None`: all of the entity.
    pub only: Option<String>,
    /// The attributes that this condition compares.
    pub compared: Vec<String>,
    /// The values that are sent with every write.
    pub constants: Vec<(String, String)>,
    /// The fields, one for each column.
    pub fields: Vec<Field>,
    /// The Rust as written.
    pub code: String,
    /// The mapping id.
    pub mapping_id: u64,
    /// Its file, from the project's root.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// The groups that it embeds, by name.
    pub groups: Vec<Item>,
    /// The choices of its fields, by name.
    pub choices: Vec<Item>,
    /// What its fields refer to.
    pub points_to: Vec<Lookup>,
    /// The fields of models that refer to it.
    pub pointed_at: Vec<Lookup>,
    /// A record, as it is on both sides.
    pub sample: Sample,
}

impl Model {
    pub(super) fn new(
        source: &TreeModel,
        slug: &str,
        index: usize,
        (tree, scope): (&Tree, &Scope<'_>),
        slugs: &BTreeMap<&str, String>,
        lookups: &[Lookup],
    ) -> Self {
        let mapping = &source.mapping;
        let sample = Sample::of(mapping);
        let fields: Vec<_> = mapping
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| Field::new(source, column, sample.examples.get(at), scope))
            .collect();
        let (groups, choices) = used(source, tree, scope);
        let contract =
            source.contract.as_ref().and_then(|name| Some((name.clone(), slugs.get(name.as_str())?.clone())));
        Model {
            name: source.name().to_owned(),
            slug: slug.to_owned(),
            table: mapping.table.clone(),
            mode: mapping.mode,
            docs: source.written.docs.clone(),
            entity: mapping.contract.is_of_cdms().then(|| mapping.contract.entity.clone()),
            contract,
            // It was read from this language, so it can be written in it.
            only: mapping
                .only
                .as_ref()
                .and_then(|only| only.print(&ODataV2, |name| mapping.contract.attribute(name).map(Operand::from)).ok()),
            compared: mapping.only.iter().flat_map(|only| only.attributes()).map(str::to_owned).collect(),
            constants: mapping
                .constants
                .iter()
                .map(|constant| (constant.attribute.clone(), said(&constant.value)))
                .collect(),
            fields,
            code: outdented(tree.code(&source.written)),
            mapping_id: mapping.mapping_id,
            file: source.written.file.clone(),
            line: source.written.line,
            groups,
            choices,
            points_to: lookups.iter().filter(|lookup| lookup.from == index).cloned().collect(),
            pointed_at: lookups.iter().filter(|lookup| lookup.to == LookupEnd::Model(index)).cloned().collect(),
            sample,
        }
    }

    /// The first sentence of the doc comment.
    pub fn summary(&self) -> String {
        words::first_sentence(&self.docs)
    }

    /// The entity, or that there is none.
    pub fn entity_name(&self) -> &str {
        self.entity.as_deref().unwrap_or("the hub alone")
    }

    /// What its mode means, in a sentence.
    pub fn mode_meaning(&self) -> &'static str {
        words::mode_meaning(self.mode)
    }

    /// The name of its mode.
    pub fn mode_name(&self) -> &'static str {
        words::mode(self.mode)
    }

    /// The fields whose values are personal or secret.
    pub fn sensitive(&self) -> Vec<&Field> {
        self.fields.iter().filter(|field| field.class != Class::Public).collect()
    }
}

/// The groups and the choices that a model's fields have, directly or in a group, by name.
fn used<'t>(source: &'t TreeModel, tree: &Tree, scope: &Scope<'t>) -> (Vec<Item>, Vec<Item>) {
    // Two modules may have items of the same name.
    let key = |written: &'t Written| (written.name.as_str(), written.file.as_str(), written.line);
    let (mut groups, mut choices) = (BTreeMap::new(), BTreeMap::new());
    let mut fields: Vec<&TreeField> = source.fields.iter().collect();
    while let Some(field) = fields.pop() {
        let file = &field.written.file;
        if let Some(group) = scope.group(&field.ty, file) {
            // A group that has been met is not followed again: a type may name itself.
            if groups.insert(key(&group.written), Item::of(tree, &group.written)).is_none() {
                fields.extend(group.members.iter().map(|member| &member.field));
            }
        }
        if let Some(choice) = scope.choice(&field.ty, file) {
            choices.insert(key(&choice.written), Item::of(tree, &choice.written));
        }
    }
    (groups.into_values().collect(), choices.into_values().collect())
}

/// A constant as a contract states it.
pub(super) fn said(value: &ConstantValue) -> String {
    match value {
        ConstantValue::Text(text) => format!("{text:?}"),
        ConstantValue::Integer(number) => number.to_string(),
        ConstantValue::Boolean(value) => value.to_string(),
    }
}
