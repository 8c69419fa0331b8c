//! Which navigation property leads from a lookup to its record. `$metadata` says which there are and where they lead, but not
//! which lookup each belongs to: other sources do, and CRM 2011 itself, or there is only one that it can be.

use cdms_odata::Kind;
use cdms_odata::metadata::{EntityType, Metadata};

use crate::facts::{Entity, Facts, Key, Navigation, Origin, Texts, Value};
use crate::known;
use crate::naming::is_name;

/// The navigation properties of an entity that lead to one record; `None` if the document has none of the entity, and so
/// says nothing of them.
pub(crate) fn in_metadata(metadata: &Metadata, entity: &EntityType) -> Option<Vec<Navigation>> {
    let named = entity.navigation.iter().filter(|property| is_name(&property.name));
    let to_one = named.filter_map(|property| {
        let target = metadata.one_target(property)?.to_lowercase();
        Some(Navigation { name: property.name.clone(), association: property.association.clone(), target })
    });
    (!entity.navigation.is_empty()).then(|| to_one.collect())
}

/// The navigation property that follows a relationship to a target; `None` if `$metadata` has none.
pub(crate) fn of_relationship(entity: &Entity, target: &str, relationship: &str) -> Option<String> {
    // The two of a relationship of an entity with itself are told apart by a prefix.
    let to_itself = format!("Referencing{relationship}");
    let Some(known) = &entity.navigation else {
        if !is_name(relationship) {
            return None;
        }
        return Some(if entity.logical() == target { to_itself } else { relationship.to_owned() });
    };
    let follows = |property: &&Navigation| {
        let names = [relationship, &to_itself];
        property.target == target && (property.association == relationship || names.contains(&&*property.name))
    };
    known.iter().find(follows).map(|property| property.name.clone())
}

/// Completes what sources said of lookups' navigation properties by what follows from `$metadata`, and removes what it does
/// not have, or what leads to no target. `stated` returns the targets that a contract states, which people may know better
/// than any source.
pub(crate) fn complete(entity: &mut Entity, stated: impl Fn(&str) -> Vec<String>) {
    // They are not kept: what follows from them is.
    let properties = entity.navigation.take();
    let mut lookups: Vec<Lookup> = Vec::new();
    for (name, facts) in entity.attributes.iter().filter(|(_, facts)| facts.kind() == Some(Kind::Lookup)) {
        let mut targets = stated(name);
        targets.extend(facts.targets().iter().filter(|target| !targets.contains(target)).cloned().collect::<Vec<_>>());
        lookups.push(Lookup::of(name, facts, targets, properties.as_deref()));
    }
    if let Some(properties) = properties.as_deref() {
        lookups.iter_mut().for_each(|lookup| lookup.products(properties));
        let found: Vec<_> = lookups.iter().map(|lookup| lookup.only_possible(properties, &lookups)).collect();
        lookups.iter_mut().zip(found).for_each(|(lookup, found)| lookup.add(found, Origin::Metadata));
    }
    for Lookup { name, known, origin, .. } in lookups {
        let facts = entity.attributes.iter_mut().find(|(of, _)| *of == name).map(|(_, facts)| facts);
        match (facts, origin) {
            (Some(facts), Some(origin)) => facts.state(Key::Navigation, Value::Texts(known), origin),
            (facts, _) => facts.into_iter().for_each(|facts| facts.forget(Key::Navigation)),
        }
    }
}

/// A lookup, and what is known of the properties that lead to its records.
struct Lookup {
    name: String,
    targets: Vec<String>,
    /// The properties by target.
    known: Texts,
    /// Who stated them; the first if there are several.
    origin: Option<Origin>,
}

impl Lookup {
    fn of(name: &str, facts: &Facts, targets: Vec<String>, properties: Option<&[Navigation]>) -> Self {
        let exists = |target: &String, name: &String| {
            properties.is_none_or(|all| all.iter().any(|known| known.target == *target && known.name == *name))
        };
        let stated =
            facts.navigation().iter().filter(|(target, name)| targets.contains(target) && exists(target, name));
        let known: Texts = stated.cloned().collect();
        let origin = facts.get(Key::Navigation).map(|fact| fact.origin).filter(|_| !known.is_empty());
        Lookup { name: name.to_owned(), targets, known, origin }
    }

    fn add(&mut self, found: Texts, origin: Origin) {
        if !found.is_empty() {
            self.origin = self.origin.or(Some(origin));
            self.known.extend(found);
        }
    }

    /// The targets to which no property is known to lead.
    fn open(&self) -> impl Iterator<Item = &String> {
        self.targets.iter().filter(|target| self.known.iter().all(|(known, _)| known != *target))
    }

    /// Adds those that CRM 2011 itself names alike in every organisation.
    fn products(&mut self, properties: &[Navigation]) {
        let of = |target: &String| {
            let is_own = |property: &&Navigation| {
                property.target == *target
                    && known::lookup_of(&property.association)
                        .is_some_and(|lookup| lookup.eq_ignore_ascii_case(&self.name))
            };
            let found = properties.iter().find(is_own)?;
            Some((target.clone(), found.name.clone()))
        };
        let found = self.open().filter_map(of).collect();
        self.add(found, Origin::Product);
    }

    /// Those that are left: the only property to a target, of the only lookup to it.
    fn only_possible(&self, properties: &[Navigation], all: &[Lookup]) -> Texts {
        let is_lookup = |name: &str| {
            all.iter().any(|other| other.name.eq_ignore_ascii_case(name)) || known::is_engines_lookup(name)
        };
        let is_taken = |property: &Navigation| {
            all.iter().any(|other| other.known.iter().any(|(_, name)| *name == property.name))
                || known::lookup_of(&property.association).is_some_and(is_lookup)
        };
        let only = |target: &String| {
            let mut left = properties.iter().filter(|property| property.target == *target && !is_taken(property));
            let mut claims = all.iter().filter(|other| other.has_properties() && other.open().any(|to| to == target));
            let (Some(property), None) = (left.next(), left.next()) else { return None };
            let (Some(lookup), None) = (claims.next(), claims.next()) else { return None };
            (lookup.name == self.name).then(|| (target.clone(), property.name.clone()))
        };
        self.open().filter_map(only).collect()
    }

    /// Whether properties lead to its records. Those of an owner belong to the lookups of the user and of the team.
    fn has_properties(&self) -> bool {
        !self.name.eq_ignore_ascii_case("ownerid")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(properties: &[(&str, &str)], lookups: &[(&str, &[&str])]) -> Entity {
        let property = |(name, target): &(&str, &str)| Navigation {
            name: (*name).to_owned(),
            association: name.trim_start_matches("Referencing").to_owned(),
            target: (*target).to_owned(),
        };
        let lookup = |(name, targets): &(&str, &[&str])| {
            let mut facts = Facts::default();
            facts.state(Key::Kind, Value::Text("lookup".into()), Origin::Metadata);
            if !targets.is_empty() {
                let targets = targets.iter().map(|target| (*target).to_owned()).collect();
                facts.state(Key::Target, Value::Names(targets), Origin::Solution);
            }
            ((*name).to_owned(), facts)
        };
        Entity {
            name: "Account".to_owned(),
            navigation: Some(properties.iter().map(property).collect()),
            attributes: lookups.iter().map(lookup).collect(),
            ..Entity::default()
        }
    }

    /// What is known of each lookup: the origin, and the property for each target.
    fn completed(mut entity: Entity) -> Vec<String> {
        complete(&mut entity, |_| Vec::new());
        let said = entity.attributes.iter().map(|(name, facts)| {
            let origin = facts.get(Key::Navigation).map_or("none", |fact| fact.origin.name());
            let known: Vec<_> = facts.navigation().iter().map(|(target, by)| format!("{target} {by}")).collect();
            format!("{name} {origin}: {}", known.join(", "))
        });
        said.collect()
    }

    #[test]
    fn the_only_property_to_the_target_of_the_only_lookup() {
        let sector: (&str, &[&str]) = ("Sector", &["sector"]);
        assert_eq!(completed(entity(&[("to_sector", "sector")], &[sector])), ["Sector $metadata: sector to_sector"]);
        assert_eq!(completed(entity(&[("to_a", "a")], &[sector])), ["Sector none: "], "it leads elsewhere");
        let two = [("to_sector", "sector"), ("to_other_sector", "sector")];
        assert_eq!(completed(entity(&two, &[sector])), ["Sector none: "], "there are two properties");
        let lookups: [(&str, &[&str]); 2] = [sector, ("Other", &["sector", "country"])];
        let ways = [("to_sector", "sector"), ("to_country", "country")];
        let said = completed(entity(&ways, &lookups));
        assert_eq!(said, ["Sector none: ", "Other $metadata: country to_country"], "there are two lookups");
    }

    #[test]
    fn what_belongs_to_another_lookup_is_not_left() {
        let ways = [
            ("lk_accountbase_createdby", "systemuser"),
            ("lk_accountbase_modifiedby", "systemuser"),
            ("user_accounts", "systemuser"),
            ("team_accounts", "team"),
            ("acme_adviser", "systemuser"),
            ("Referencingaccount_parent_account", "account"),
        ];
        let lookups: [(&str, &[&str]); 6] = [
            ("CreatedBy", &["systemuser"]),
            ("OwningUser", &["systemuser"]),
            ("OwnerId", &["systemuser", "team"]),
            ("OwningTeam", &["team"]),
            ("ParentAccountId", &["account"]),
            ("acme_Adviser", &["systemuser"]),
        ];
        assert_eq!(
            completed(entity(&ways, &lookups)),
            [
                "CreatedBy CRM 2011: systemuser lk_accountbase_createdby",
                "OwningUser CRM 2011: systemuser user_accounts",
                "OwnerId none: ",
                "OwningTeam CRM 2011: team team_accounts",
                "ParentAccountId CRM 2011: account Referencingaccount_parent_account",
                "acme_Adviser $metadata: systemuser acme_adviser",
            ]
        );
    }
}
