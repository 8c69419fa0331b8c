//! `$expand` and `$select`: which parts of a record are shown, and which related records.

use std::collections::BTreeSet;

use cdms_odata::metadata::EntityType;

use crate::refusal::Refusal;
use crate::world::{Relation, World};

/// How many relations a list may expand.
const EXPANSIONS_MAX: usize = 6;

/// A relation whose records are shown with each record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expansion {
    /// The navigation property.
    pub(crate) name: String,
    pub(crate) relation: Relation,
    /// The parts of related records to show; `None`: all.
    pub(crate) selection: Option<Selection>,
}

/// The parts of a record to show: indexes into its entity's properties and navigation properties.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Selection {
    pub(crate) properties: BTreeSet<usize>,
    pub(crate) navigation: BTreeSet<usize>,
}

/// Parses the relations to expand.
pub(super) fn expand(world: &World, entity: &EntityType, value: &str) -> Result<Vec<Expansion>, Refusal> {
    let mut expansions: Vec<Expansion> = Vec::new();
    for name in value.split(',').map(str::trim) {
        if name.contains('/') {
            return Err(Refusal::one_level(0));
        }
        let navigation = entity.navigation.iter().find(|navigation| navigation.name == name);
        let navigation = navigation.ok_or_else(|| Refusal::unknown_in_query(name, &world.type_name(entity), 0))?;
        if expansions.iter().any(|expansion| expansion.name == name) {
            continue;
        }
        let relation = world.relation(entity, navigation)?;
        expansions.push(Expansion { name: name.to_owned(), relation, selection: None });
    }
    if expansions.len() > EXPANSIONS_MAX {
        return Err(Refusal::too_many_expansions(EXPANSIONS_MAX));
    }
    Ok(expansions)
}

/// Parses the parts to show, of records and of the expanded ones.
pub(super) fn select(
    world: &World,
    entity: &EntityType,
    expansions: &mut [Expansion],
    value: &str,
) -> Result<Selection, Refusal> {
    let mut selection = Selection::default();
    let mut whole = BTreeSet::new();
    for name in value.split(',').map(str::trim) {
        if let Some((navigation, member)) = name.split_once('/') {
            let at = navigation_of(entity, navigation);
            let at = at.ok_or_else(|| Refusal::unknown_in_query(navigation, &world.type_name(entity), 0))?;
            selection.navigation.insert(at);
            let expansion = expansions.iter_mut().find(|expansion| expansion.name == navigation);
            let expansion = expansion.ok_or_else(|| Refusal::not_expanded(navigation, 0))?;
            let target = world.entity(&expansion.relation.target)?;
            if member.contains('/') {
                return Err(Refusal::one_level(0));
            }
            add(world, target, member, expansion.selection.get_or_insert_default())?;
        } else {
            add(world, entity, name, &mut selection)?;
            whole.insert(name);
        }
    }
    for expansion in expansions {
        if whole.contains(expansion.name.as_str()) {
            expansion.selection = None;
        }
    }
    Ok(selection)
}

fn navigation_of(entity: &EntityType, name: &str) -> Option<usize> {
    entity.navigation.iter().position(|navigation| navigation.name == name)
}

fn add(world: &World, entity: &EntityType, name: &str, selection: &mut Selection) -> Result<(), Refusal> {
    if name == "*" {
        selection.properties.extend(0..entity.properties.len());
    } else if let Some(at) = entity.properties.iter().position(|property| property.name == name) {
        selection.properties.insert(at);
    } else if let Some(at) = navigation_of(entity, name) {
        selection.navigation.insert(at);
    } else {
        return Err(Refusal::unknown_in_query(name, &world.type_name(entity), 0));
    }
    Ok(())
}
