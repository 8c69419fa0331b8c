//! The documentation model: what the pages show, in plain words, of models, contracts and the attributes between them.

mod attribute;
mod contract;
mod field;
mod lookup;
mod model;
mod sample;
mod words;

use std::collections::{BTreeMap, HashSet};

use datahub_derive::tree::{Scope, Tree, Written};
use datahub_model::source::ContractAttribute as ContractAttributeSource;

use crate::changes::{Change, Subject};
use crate::written::outdented;

pub use attribute::{AttributePlace, AttributeUse, NamedAttribute};
pub use contract::{Contract, ContractAttribute, Coverage};
pub use field::{Field, FieldAttribute};
pub use lookup::{Lookup, LookupEnd};
pub use model::Model;
pub use sample::{Example, Sample};

/// Everything that the documentation of a project shows.
#[derive(Clone, Debug)]
pub struct Atlas {
    /// The project's name.
    pub title: String,
    /// The models, by name.
    pub models: Vec<Model>,
    /// The contracts, by entity.
    pub contracts: Vec<Contract>,
    /// The attributes of all contracts, by name: where each goes.
    pub attributes: Vec<NamedAttribute>,
    /// The references between models, each once, in the order of models and fields.
    pub lookups: Vec<Lookup>,
    /// The entities of `$metadata` that have no contract, by name; `None` if there is no `$metadata` snapshot.
    pub without_contract: Option<Vec<String>>,
}

/// An option of a choice, a state or a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its number, which CDMS stores.
    pub number: i32,
    /// Its label, as CDMS's forms show it.
    pub label: String,
    /// Its name in the contract.
    pub name: String,
}

/// A group or a choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    pub docs: String,
    /// The Rust as written.
    pub code: String,
    /// Its file, from the project's root.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
}

impl Atlas {
    /// The documentation of a project's tree.
    pub fn new(title: &str, tree: &Tree) -> Self {
        let metadata = tree.metadata.as_deref();
        let mut slugs = HashSet::new();
        let mut sources: Vec<_> = tree.models.iter().collect();
        sources.sort_by(|one, other| (one.name(), &one.mapping.table).cmp(&(other.name(), &other.mapping.table)));
        let model_slugs: Vec<_> = sources.iter().map(|model| unique(&mut slugs, &model.mapping.table)).collect();
        let mut contracts: Vec<_> = tree.contracts.iter().collect();
        contracts.sort_by(|one, other| (&one.contract.entity, &one.name).cmp(&(&other.contract.entity, &other.name)));
        let mut slugs = HashSet::new();
        let slugs: BTreeMap<&str, String> = contracts
            .iter()
            .map(|contract| (contract.name.as_str(), unique(&mut slugs, contract.name.trim_end_matches(".toml"))))
            .collect();

        let scope = Scope::of(tree);
        let named = sources.iter().zip(&model_slugs);
        let lookups = lookup::between(&sources, &contracts, &slugs);
        let models: Vec<_> = named
            .enumerate()
            .map(|(index, (model, slug))| Model::new(model, slug, index, (tree, &scope), &slugs, &lookups))
            .collect();
        let contracts: Vec<_> = contracts
            .iter()
            .map(|contract| {
                let slug = slugs.get(contract.name.as_str()).cloned().unwrap_or_default();
                let text = tree.files.get(&contract.file).map_or("", String::as_str);
                let entity = metadata.and_then(|metadata| metadata.entity(&contract.contract.entity));
                Contract::new(contract, text, slug, &models, &sources, entity)
            })
            .collect();
        let without_contract = metadata.map(|metadata| {
            let entities = metadata.entities.iter().map(|entity| entity.name.clone());
            let mut without: Vec<_> =
                entities.filter(|name| contracts.iter().all(|contract| contract.entity != *name)).collect();
            without.sort();
            without
        });
        let attributes = attribute::index(&contracts);
        Atlas { title: title.to_owned(), models, contracts, attributes, lookups, without_contract }
    }

    /// The number of fields of all models.
    pub fn field_count(&self) -> usize {
        self.models.iter().map(|model| model.fields.len()).sum()
    }

    /// The contract with this slug.
    pub fn contract(&self, slug: &str) -> Option<&Contract> {
        self.contracts.iter().find(|contract| contract.slug == slug)
    }

    /// The path of the page about what a lookup points to, without an ending; `None` if there is none.
    pub(crate) fn place_of(&self, end: &LookupEnd) -> Option<String> {
        match end {
            LookupEnd::Model(at) => self.models.get(*at).map(|model| format!("models/{}", model.slug)),
            LookupEnd::Contract { slug, .. } => Some(format!("contracts/{slug}")),
            LookupEnd::Entity(_) => None,
        }
    }

    /// The path of the page about the subject of a change, without an ending; `None` if it was removed.
    pub(crate) fn place_of_change(&self, change: &Change) -> Option<String> {
        match change.subject {
            Subject::Model => {
                let model = self.models.iter().find(|model| model.name == change.name)?;
                Some(format!("models/{}", model.slug))
            }
            Subject::Contract => {
                let contract = self.contracts.iter().find(|contract| contract.file == change.name)?;
                Some(format!("contracts/{}", contract.slug))
            }
        }
    }

    /// The name of what a lookup points to.
    pub(crate) fn name_of<'a>(&'a self, end: &'a LookupEnd) -> &'a str {
        match end {
            LookupEnd::Model(at) => self.models.get(*at).map_or("", |model| &model.name),
            LookupEnd::Contract { entity, .. } | LookupEnd::Entity(entity) => entity,
        }
    }

    /// The sensitive attributes of contracts that no field has.
    pub(crate) fn sensitive_without_field(&self) -> Vec<(&Contract, &ContractAttribute)> {
        let all =
            self.contracts.iter().flat_map(|contract| contract.sensitive().map(move |attribute| (contract, attribute)));
        all.filter(|(_, attribute)| attribute.uses.is_empty()).collect()
    }

    /// Whether any value is personal or secret.
    pub fn has_sensitive(&self) -> bool {
        self.models.iter().any(|model| !model.sensitive().is_empty())
            || self.contracts.iter().any(|contract| contract.sensitive().next().is_some())
    }
}

impl Choice {
    /// The options of an attribute.
    fn of(stated: &ContractAttributeSource) -> Vec<Self> {
        let options = stated.choices.iter();
        options
            .map(|(name, number)| Choice { number: *number, label: stated.label(name), name: name.clone() })
            .collect()
    }
}

impl Item {
    pub(crate) fn of(tree: &Tree, written: &Written) -> Self {
        Item {
            name: written.name.clone(),
            docs: written.docs.clone(),
            code: outdented(tree.code(written)),
            file: written.file.clone(),
            line: written.line,
        }
    }
}

/// A name for a file, unlike those that are taken; on file systems that ignore case too.
fn unique(taken: &mut HashSet<String>, name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' })
        .collect();
    let mut slug = plain.clone();
    let mut number = 2;
    while !taken.insert(slug.clone()) {
        slug = format!("{plain}-{number}");
        number += 1;
    }
    slug
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn names_of_files_are_plain_and_unlike() {
        let mut taken = HashSet::new();
        let names = ["account", "Account", "sub/account", "größe"];
        assert_eq!(names.map(|name| super::unique(&mut taken, name)), ["account", "account-2", "sub_account", "gr__e"]);
    }
}
