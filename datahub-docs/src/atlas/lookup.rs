//! References between models: which field of which model points where.

use std::collections::BTreeMap;

use datahub_derive::tree::{TreeContract, TreeModel};

use crate::written::type_names;

/// A field that refers to records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The position of the model that has the field.
    pub from: usize,
    /// The field.
    pub field: String,
    /// The anchor of the field on its model's page.
    pub anchor: String,
    /// What it points to.
    pub to: LookupEnd,
}

/// What a lookup points to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LookupEnd {
    /// The model at this position.
    Model(usize),
    /// An entity that has a contract and no model.
    Contract {
        /// The entity.
        entity: String,
        /// The contract's slug.
        slug: String,
    },
    /// An entity that has neither; its logical name.
    Entity(String),
}

/// Every lookup of these models.
pub(super) fn between(
    models: &[&TreeModel],
    contracts: &[&TreeContract],
    slugs: &BTreeMap<&str, String>,
) -> Vec<Lookup> {
    let mut lookups = Vec::new();
    for (from, model) in models.iter().enumerate() {
        for column in &model.mapping.columns {
            let Some(targets) = column.targets(&model.mapping.contract) else { continue };
            let mut ends: Vec<_> = Vec::new();
            for target in targets {
                let names = column.reference.as_deref().map(type_names).unwrap_or_default();
                let of_entity =
                    models.iter().enumerate().filter(|(_, other)| other.mapping.contract.logical == *target);
                let of_entity: Vec<_> = of_entity.collect();
                let fits = |(_, other): &&(usize, &&TreeModel)| names.is_empty() || names.contains(&other.name());
                let found: Vec<_> = of_entity.iter().filter(fits).map(|(at, _)| LookupEnd::Model(*at)).collect();
                // `Id<Self>` names no other model, and a member of a group has no type here.
                let all = || of_entity.iter().map(|(at, _)| LookupEnd::Model(*at)).collect();
                let is_one_of_several = targets.len() > 1 && !names.is_empty();
                let found = if found.is_empty() && !is_one_of_several { all() } else { found };
                if found.is_empty() && !is_one_of_several {
                    let contract = contracts.iter().find(|contract| contract.contract.logical == *target);
                    ends.push(contract.map_or_else(
                        || LookupEnd::Entity(target.clone()),
                        |contract| LookupEnd::Contract {
                            entity: contract.contract.entity.clone(),
                            slug: slugs.get(contract.name.as_str()).cloned().unwrap_or_default(),
                        },
                    ));
                }
                ends.extend(found);
            }
            ends.dedup();
            let anchor = super::field::anchor(&column.field);
            let lookup = |to| Lookup { from, field: column.field.clone(), anchor: anchor.clone(), to };
            lookups.extend(ends.into_iter().map(lookup));
        }
    }
    lookups
}
