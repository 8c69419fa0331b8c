//! The reverse index: each attribute of the contracts by name, and where its values go.

use std::collections::BTreeMap;

use super::contract::Contract;
use super::model::Model;

/// A name of attributes, with every entity that has one.
#[derive(Clone, Debug)]
pub struct NamedAttribute {
    /// The name.
    pub name: String,
    /// Its places, by entity.
    pub places: Vec<AttributePlace>,
}

/// An attribute of one entity.
#[derive(Clone, Debug)]
pub struct AttributePlace {
    /// The entity.
    pub entity: String,
    /// The name of the contract's page.
    pub contract: String,
    /// The id of its place on that page.
    pub anchor: String,
    /// The fields that have its values.
    pub uses: Vec<AttributeUse>,
    /// What else is known of it, in plain words; empty if it has a field and nothing else.
    pub remark: String,
}

/// A field that has an attribute's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeUse {
    /// The model.
    pub model: String,
    /// The name of the model's page.
    pub slug: String,
    /// The field.
    pub field: String,
    /// The id of the field's place on that page.
    pub anchor: String,
}

impl AttributeUse {
    pub(super) fn of(model: &Model, attribute: &str) -> Vec<Self> {
        let fields = model.fields.iter().filter(|field| field.attributes.iter().any(|behind| behind.name == attribute));
        let one = |field: &super::Field| AttributeUse {
            model: model.name.clone(),
            slug: model.slug.clone(),
            field: field.path.clone(),
            anchor: field.anchor.clone(),
        };
        fields.map(one).collect()
    }
}

/// The attributes of all contracts, by name without regard to case.
pub(super) fn index(contracts: &[Contract]) -> Vec<NamedAttribute> {
    let mut names: BTreeMap<(String, String), Vec<AttributePlace>> = BTreeMap::new();
    for contract in contracts {
        let mut add = |name: &str, anchor: String, uses: &[AttributeUse], remark: String| {
            let place = AttributePlace {
                entity: contract.entity.clone(),
                contract: contract.slug.clone(),
                anchor,
                uses: uses.to_vec(),
                remark,
            };
            names.entry((name.to_lowercase(), name.to_owned())).or_default().push(place);
        };
        for attribute in &contract.attributes {
            let mut remarks: Vec<String> = Vec::new();
            remarks.extend(attribute.constant.as_ref().map(|value| format!("sent with every write as {value}")));
            let conditions = attribute.conditions.iter();
            remarks.extend(conditions.map(|(model, _)| format!("decides which records belong to {model}")));
            if !attribute.is_used() {
                remarks.push("stated in the contract, used by no field".to_owned());
            }
            let remark = remarks.join("; ");
            add(&attribute.name, attribute.anchor.clone(), &attribute.uses, remark);
        }
        for (what, name) in &contract.followed {
            if contract.attributes.iter().all(|attribute| attribute.name != *name) {
                add(name, "content".to_owned(), &[], format!("followed by the engine: the {what}"));
            }
        }
        for (name, reason) in &contract.unmapped {
            add(name, "left-out".to_owned(), &[], format!("left out on purpose: {reason}"));
        }
        for (name, _) in contract.not_mentioned.iter().flatten() {
            add(name, "not-mentioned".to_owned(), &[], "not mentioned in the contract".to_owned());
        }
    }
    names.into_iter().map(|((_, name), places)| NamedAttribute { name, places }).collect()
}
