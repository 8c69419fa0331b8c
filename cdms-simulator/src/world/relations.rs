//! Relations between records: which lookup a navigation property follows, and which records it leads to.

use std::cmp::Reverse;

use cdms_odata::metadata::{
    Association, EdmType, End, EntityType, Metadata, Multiplicity, NavigationProperty, Property,
};
use cdms_odata::{Attributes, Value};
use uuid::Uuid;

use super::World;
use crate::refusal::Refusal;

/// A relation that `$metadata` does not declare, or whose lookup it does not name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    /// The association's name.
    pub(crate) name: String,
    /// The entity whose records have the lookup.
    pub(crate) child: String,
    /// The lookup.
    pub(crate) lookup: String,
    /// The entity that the lookup refers to.
    pub(crate) parent: String,
}

/// What a navigation property of an entity leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    /// The related entity.
    pub(crate) target: String,
    /// The lookup of the record itself, or with `reverse` that of the related records.
    pub(crate) lookup: String,
    /// Whether it leads to all records whose lookup refers to the record.
    pub(crate) reverse: bool,
}

/// Relations whose names do not contain that of their lookup.
const KNOWN: [(&str, &str); 2] =
    [("contact_customer_accounts", "ParentCustomerId"), ("contact_customer_contacts", "ParentCustomerId")];

/// Adds a relation to a schema that does not have it: an association and a navigation property at each end.
pub(crate) fn declare(metadata: &mut Metadata, declared: &Declared) -> Result<(), String> {
    let Declared { name, child, lookup, parent } = declared;
    let is_lookup = |entity: &EntityType| entity.property(lookup).is_some_and(|p| p.edm == EdmType::EntityReference);
    match metadata.entity(child) {
        Some(entity) if is_lookup(entity) => {}
        _ => return Err(format!("$metadata has no lookup {child}.{lookup} for the relation {name}")),
    }
    if metadata.entity(parent).is_none() {
        return Err(format!("$metadata has no entity {parent} for the relation {name}"));
    }
    if metadata.associations.iter().any(|association| association.name == *name) {
        return Ok(());
    }
    // The ends of a relation of an entity with itself are distinguished by a prefix (docs/protocol.md, 1).
    let (referencing, referenced) = if child == parent {
        (format!("Referencing{name}"), format!("Referenced{name}"))
    } else {
        (name.clone(), name.clone())
    };
    let end =
        |role: &str, entity: &String, multiplicity| End { role: role.to_owned(), entity: entity.clone(), multiplicity };
    let ends = [end("referencing", child, Multiplicity::Many), end("referenced", parent, Multiplicity::ZeroOrOne)];
    metadata.associations.push(Association { name: name.clone(), set: name.clone(), ends });
    metadata.has_navigation = true;
    for (entity, property, from, to) in
        [(child, referencing, "referencing", "referenced"), (parent, referenced, "referenced", "referencing")]
    {
        let entity = metadata.entities.iter_mut().find(|known| known.name == *entity);
        entity.into_iter().for_each(|entity| {
            let (association, from, to) = (name.clone(), from.to_owned(), to.to_owned());
            entity.navigation.push(NavigationProperty { name: property.clone(), association, from, to });
        });
    }
    Ok(())
}

impl World {
    /// The relation that a navigation property follows.
    pub(crate) fn relation(&self, entity: &EntityType, navigation: &NavigationProperty) -> Result<Relation, Refusal> {
        let unknown = || {
            Refusal::not_simulated(&format!(
                "The relation '{}', because $metadata does not say which lookup it follows (declare it with --relation),",
                navigation.name
            ))
        };
        let association = self.metadata.associations.iter().find(|known| known.name == navigation.association);
        let association = association.ok_or_else(unknown)?;
        let end = |role: &str| association.ends.iter().find(|end| end.role == role).ok_or_else(unknown);
        let (from, to) = (end(&navigation.from)?, end(&navigation.to)?);
        let reverse = match (from.multiplicity, to.multiplicity) {
            (Multiplicity::Many, Multiplicity::Many) => return Err(unknown()),
            (_, to) => to == Multiplicity::Many,
        };
        let child = if reverse { self.entity(&to.entity)? } else { entity };
        let lookup = self.lookup_of(&association.name, child).ok_or_else(unknown)?;
        Ok(Relation { target: to.entity.clone(), lookup, reverse })
    }

    /// The lookup that an association stands for: the declared one, or the one that its name contains.
    fn lookup_of(&self, association: &str, child: &EntityType) -> Option<String> {
        let declared = self.switches.relations.iter().find(|declared| declared.name == association);
        if let Some(declared) = declared.filter(|declared| declared.child == child.name) {
            return Some(declared.lookup.clone());
        }
        let lookups = || child.properties.iter().filter(|property| property.edm == EdmType::EntityReference);
        let known = KNOWN.into_iter().find(|(name, _)| *name == association).map(|(_, lookup)| lookup);
        if let Some(known) = known.and_then(|known| lookups().find(|lookup| lookup.name == known)) {
            return Some(known.name.clone());
        }
        let plain = |name: &str| name.to_lowercase().replace('_', "");
        let stem = |name: &str| plain(name.strip_suffix("Id").or(name.strip_suffix("id")).unwrap_or(name));
        let association = plain(association);
        // Whether the name ends with that of a lookup, as CRM 2011 suggests it, and how many of its letters it contains.
        let fit = |lookup: &Property| {
            let whole = stem(&lookup.name);
            let own = lookup.name.split_once('_').map_or_else(String::new, |(_, own)| stem(own));
            let length = if association.contains(&whole) { whole.len() } else { own.len() };
            let is_end = association.ends_with(&whole) || (!own.is_empty() && association.ends_with(&own));
            // Of `Country` and `CountryId` it is the one that is contained as it is.
            (is_end || association.contains(&whole)).then_some((is_end, length, Reverse(lookup.name.len())))
        };
        let fitting = lookups().filter_map(|lookup| Some((fit(lookup)?, lookup)));
        fitting.max_by_key(|(fit, _)| *fit).map(|(_, lookup)| lookup.name.clone())
    }

    /// The records that a record is related to, in the order of their ids.
    pub(crate) fn related(
        &self,
        entity: &EntityType,
        relation: &Relation,
        id: Uuid,
        record: &Attributes,
    ) -> Vec<(Uuid, &Attributes)> {
        let Ok(target) = self.entity(&relation.target) else { return Vec::new() };
        if !relation.reverse {
            let to = referred(record, &relation.lookup, &target.name);
            return to.and_then(|to| Some((to, self.kept(target, to).ok()?))).into_iter().collect();
        }
        let refers = |child: &Attributes| referred(child, &relation.lookup, &entity.name).is_some();
        let mut children = self.referring(target, &relation.lookup, id);
        children.retain(|(_, child)| refers(child));
        children
    }

    /// The records of an entity whose lookup refers to this id, in the order of their ids.
    pub(super) fn referring(&self, entity: &EntityType, lookup: &str, id: Uuid) -> Vec<(Uuid, &Attributes)> {
        self.records(entity).map_or_else(Vec::new, |records| records.referring(lookup, id))
    }

    /// Has the records of an entity found by what this lookup refers to, however many there are.
    pub(super) fn keep_lookup(&mut self, entity: &str, lookup: &str) {
        if let Some(records) = self.records.get_mut(entity) {
            records.keep_lookup(lookup);
        }
    }
}

/// The id of the record of an entity that a lookup refers to.
pub(crate) fn referred(record: &Attributes, lookup: &str, entity: &str) -> Option<Uuid> {
    match record.get(lookup) {
        Some(Value::Lookup(to)) if to.logical_name.eq_ignore_ascii_case(entity) => Some(to.id),
        _ => None,
    }
}
