//! A contract as its page shows it: every attribute, where it goes, and what is left out.

use cdms_odata::Kind;
use cdms_odata::metadata::EntityType;
use datahub_derive::tree::{TreeContract, TreeModel};
use datahub_model::Class;

use super::attribute::AttributeUse;
use super::lookup::LookupEnd;
use super::model::{Model, said};
use super::{Choice, words};

/// A contract.
#[derive(Clone, Debug)]
pub struct Contract {
    /// The name of its page.
    pub slug: String,
    /// Its file, from the project's root.
    pub file: String,
    /// The entity.
    pub entity: String,
    /// The set.
    pub set: String,
    /// The logical name.
    pub logical: String,
    /// What the engine follows: what it is, and its attribute.
    pub followed: Vec<(&'static str, String)>,
    /// The models that use it, by name: name, and name of the page.
    pub models: Vec<(String, String)>,
    /// The attributes in the order of the file.
    pub attributes: Vec<ContractAttribute>,
    /// What is left out on purpose, with its reason.
    pub unmapped: Vec<(String, String)>,
    /// What `$metadata` has and the contract does not mention: name and type; `None` if `$metadata` does not have the entity.
    pub not_mentioned: Option<Vec<(String, &'static str)>>,
    /// What is still to be looked up, and where to find it.
    pub questions: Vec<(String, String)>,
    /// Its text.
    pub text: String,
}

/// An attribute of a contract.
#[derive(Clone, Debug)]
pub struct ContractAttribute {
    /// Its name.
    pub name: String,
    /// The id of its place on the page.
    pub anchor: String,
    /// Its kind.
    pub kind: Kind,
    /// Whether there is always a value, in plain words.
    pub requirement: &'static str,
    /// Whether it is never sent.
    pub read_only: bool,
    /// Its limits, in plain words.
    pub limits: Vec<String>,
    /// Its options.
    pub options: Vec<Choice>,
    /// What a lookup may refer to: the entity's logical name, and where it is described.
    pub targets: Vec<(String, Option<LookupEnd>)>,
    /// How sensitive it is.
    pub class: Class,
    /// What the contract notes about it.
    pub note: Option<String>,
    /// The fields that have its values.
    pub uses: Vec<AttributeUse>,
    /// The value that is sent with every write.
    pub constant: Option<String>,
    /// The models whose condition on records compares it: name, and name of the page.
    pub conditions: Vec<(String, String)>,
    /// The groups that it belongs to.
    pub groups: Vec<String>,
}

/// How many attributes of an entity are accounted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// All attributes of the entity in `$metadata`.
    pub all: usize,
    /// Those with a field or a constant, and those that the engine follows.
    pub mapped: usize,
    /// Those that the contract states and no field uses.
    pub unused: usize,
    /// Those that are left out on purpose.
    pub unmapped: usize,
    /// The others.
    pub not_mentioned: usize,
}

impl Contract {
    pub(super) fn new(
        source: &TreeContract,
        text: &str,
        slug: String,
        models: &[Model],
        sources: &[&TreeModel],
        entity: Option<&EntityType>,
    ) -> Self {
        let contract = &source.contract;
        let of_contract = |model: &&Model| model.contract.as_ref().is_some_and(|(_, of)| *of == slug);
        let users: Vec<_> = models.iter().filter(of_contract).collect();
        let attributes = contract.attributes.iter().map(|stated| ContractAttribute {
            name: stated.name.clone(),
            anchor: anchor(&stated.name),
            kind: stated.kind,
            requirement: words::requirement(stated),
            read_only: stated.read_only,
            limits: limits(stated),
            options: Choice::of(stated),
            targets: stated.targets.iter().map(|target| (target.clone(), end_of(target, sources))).collect(),
            class: stated.class,
            note: stated.note.clone(),
            uses: users.iter().flat_map(|model| AttributeUse::of(model, &stated.name)).collect(),
            constant: contract
                .constants
                .iter()
                .find(|constant| constant.attribute == stated.name)
                .map(|constant| said(&constant.value)),
            conditions: users
                .iter()
                .filter(|model| model.compared.contains(&stated.name))
                .map(|model| (model.name.clone(), model.slug.clone()))
                .collect(),
            groups: contract
                .groups
                .iter()
                .filter(|group| group.members.iter().any(|member| member.attribute == stated.name))
                .map(|group| group.name.clone())
                .collect(),
        });
        let followed = vec![
            ("key", contract.key.clone()),
            ("time of the last change", contract.modified.clone()),
            ("time of creation", contract.created.clone()),
            ("user of the last change", contract.modified_by.clone()),
        ];
        let unmapped: Vec<_> =
            contract.unmapped.iter().map(|(name, reason, _)| (name.clone(), reason.clone())).collect();
        let is_mentioned = |name: &str| {
            contract.is_engines(name)
                || contract.stated.iter().any(|stated| stated.name == name)
                || unmapped.iter().any(|(left_out, _)| left_out == name)
        };
        let not_mentioned = entity.map(|entity| {
            let silent = entity.properties.iter().filter(|property| !is_mentioned(&property.name));
            let mut silent: Vec<_> = silent.map(|property| (property.name.clone(), property.edm.name())).collect();
            silent.sort();
            silent
        });
        Contract {
            file: source.file.clone(),
            entity: contract.entity.clone(),
            set: contract.set.clone(),
            logical: contract.logical.clone(),
            followed,
            models: users.iter().map(|model| (model.name.clone(), model.slug.clone())).collect(),
            attributes: attributes.collect(),
            unmapped,
            not_mentioned,
            questions: contract
                .questions
                .iter()
                .map(|question| question.diagnostic(contract))
                .map(|diagnostic| (diagnostic.message.clone(), diagnostic.cure.text))
                .collect(),
            text: text.to_owned(),
            slug,
        }
    }

    /// How much of the entity is accounted for; `None` if `$metadata` does not have it.
    pub fn coverage(&self) -> Option<Coverage> {
        let not_mentioned = self.not_mentioned.as_ref()?.len();
        let is_mapped = |attribute: &&ContractAttribute| attribute.is_used() || self.is_engines(&attribute.name);
        let stated = self.attributes.iter().filter(is_mapped).count();
        let is_stated = |name: &String| self.attributes.iter().any(|attribute| attribute.name == *name);
        let mapped = stated + self.followed.iter().filter(|(_, name)| !is_stated(name)).count();
        let unused = self.attributes.len() - stated;
        let unmapped = self.unmapped.len();
        Some(Coverage { all: mapped + unused + unmapped + not_mentioned, mapped, unused, unmapped, not_mentioned })
    }

    /// The attributes that are personal or secret.
    pub fn sensitive(&self) -> impl Iterator<Item = &ContractAttribute> {
        self.attributes.iter().filter(|attribute| attribute.class != Class::Public)
    }

    /// The groups, each with its attributes.
    pub fn groups(&self) -> Vec<(&str, Vec<&str>)> {
        let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
        for attribute in &self.attributes {
            for group in &attribute.groups {
                match groups.iter_mut().find(|(name, _)| name == group) {
                    Some((_, members)) => members.push(&attribute.name),
                    None => groups.push((group, vec![&attribute.name])),
                }
            }
        }
        groups
    }

    /// Whether the engine itself follows an attribute.
    pub fn is_engines(&self, attribute: &str) -> bool {
        self.followed.iter().any(|(_, name)| name == attribute)
    }
}

impl ContractAttribute {
    /// Whether a field has its values, every write sends it, or a condition compares it.
    pub fn is_used(&self) -> bool {
        !self.uses.is_empty() || self.constant.is_some() || !self.conditions.is_empty()
    }

    /// Its kind in plain words.
    pub fn kind_words(&self) -> &'static str {
        words::kind(self.kind)
    }

    /// Whether its values are about persons, or secret.
    pub fn is_sensitive(&self) -> bool {
        self.class != Class::Public
    }
}

impl Coverage {
    /// The part that has a field, a constant or a reason, in whole percent, rounded down.
    pub fn percent(&self) -> usize {
        (100 * (self.mapped + self.unmapped)).checked_div(self.all).unwrap_or(100)
    }
}

/// The id of an attribute's place on its contract's page.
pub(super) fn anchor(attribute: &str) -> String {
    format!("attribute-{attribute}")
}

fn end_of(target: &str, sources: &[&TreeModel]) -> Option<LookupEnd> {
    let at = sources.iter().position(|model| model.mapping.contract.logical == target)?;
    Some(LookupEnd::Model(at))
}

fn limits(stated: &datahub_model::source::ContractAttribute) -> Vec<String> {
    let mut limits = Vec::new();
    if let Some(most) = stated.max_length {
        limits.push(format!("at most {most} characters"));
    }
    if let Some(digits) = stated.scale {
        limits.push(format!("{digits} digits after the decimal point"));
    }
    if let Some(zone) = &stated.zone {
        limits.push(format!("days of {zone}"));
    }
    limits
}
