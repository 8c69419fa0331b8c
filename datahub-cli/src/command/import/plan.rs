//! What an import makes of each contract, before anything is written.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use cdms_odata::metadata::Metadata;
use datahub_derive::project::{ContractFile, Project};
use datahub_import::{Base, Entity, Merged, United, file_names, merge};
use toml_edit::Document;

use super::Options;
use super::files::Writing;
use crate::file::Before;

/// The folder of the bases, in that of the contracts.
pub(super) const IMPORTED: &str = "imported";

/// A contract that exists.
pub(super) struct Existing {
    /// The file's name.
    file: String,
    text: String,
    /// The entity.
    pub(super) entity: String,
}

/// What is made of a contract.
pub(super) struct Plan {
    /// The file's name in the folder of contracts.
    pub(super) file: String,
    /// Its path in messages.
    pub(super) shown: String,
    path: PathBuf,
    /// The contract's text, if it exists.
    before: Option<String>,
    /// The text of its base, if it exists.
    base_before: Option<String>,
    base_path: PathBuf,
    base_shown: String,
    /// The contract, its base and what has changed.
    pub(super) merged: Merged,
}

impl Plan {
    /// Whether the contract is new.
    pub(super) fn is_new(&self) -> bool {
        self.before.is_none()
    }

    /// Whether the contract's text changes.
    pub(super) fn is_merged(&self) -> bool {
        self.before.as_deref() != Some(&self.merged.text)
    }

    /// The number of facts that the contract leaves to be looked up.
    pub(super) fn open(&self) -> usize {
        self.merged.open()
    }

    /// Whether a file changes.
    pub(super) fn is_changed(&self) -> bool {
        self.is_merged() || self.changed_base().is_some()
    }

    /// The path of the base in messages, if it changes.
    pub(super) fn changed_base(&self) -> Option<&str> {
        (self.base_before.as_deref() != Some(&self.merged.base.text())).then_some(&self.base_shown)
    }

    /// Writes the contract, then its base: if the process ends in between, the next run finds that the contract already has
    /// what is new. Neither is written if one of them was changed since they were read.
    pub(super) fn write(&self, writing: &mut Writing) -> Result<(), String> {
        let before = Before::of(self.before.as_deref());
        let base_before = Before::of(self.base_before.as_deref());
        if self.is_changed() {
            writing.expect_unchanged(&self.path, &self.shown, before)?;
            writing.expect_unchanged(&self.base_path, &self.base_shown, base_before)?;
        }
        if self.is_merged() {
            writing.write(&self.path, &self.shown, before, &self.merged.text)?;
        }
        let base = self.merged.base.text();
        if self.base_before.as_deref() != Some(&base) {
            writing.write(&self.base_path, &self.base_shown, base_before, &base)?;
        }
        writing.done(&self.file);
        Ok(())
    }
}

/// The contracts of a project, as far as they name an entity.
pub(super) fn existing(project: &Project) -> Result<Vec<Existing>, String> {
    let names = match project.contract_names() {
        Err(unread) if unread.error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        names => names.map_err(|error| error.to_string())?,
    };
    let mut existing = Vec::new();
    for file in names {
        let ContractFile { text, shown, .. } = project.contract(&file).map_err(|error| error.to_string())?;
        let document = Document::parse(text.as_str()).map_err(|error| {
            format!(
                "{shown} is not valid TOML, so nothing can be merged into it; correct it first: {}",
                error.to_string().trim()
            )
        })?;
        let entity = document.as_table().get("entity").and_then(toml_edit::Item::as_str).map(str::to_owned);
        drop(document);
        if let Some(entity) = entity {
            existing.push(Existing { file, text, entity });
        }
    }
    Ok(existing)
}

/// What is made of each entity's contracts: of those that exist, or of a new one.
pub(super) fn plans(
    project: &Project,
    existing: &[Existing],
    united: &United,
    organisation: Option<&Metadata>,
    options: &Options,
) -> Result<Vec<Plan>, String> {
    let names = new_names(united, organisation);
    let mut plans = Vec::new();
    for entity in &united.entities {
        let own: Vec<_> = existing.iter().filter(|contract| contract.entity == entity.name).collect();
        for contract in &own {
            plans.push(plan(project, entity, &contract.file, Some(&contract.text), options)?);
        }
        if own.is_empty() {
            let file = free_name(entity, &names, existing)?;
            if project.contracts().join(&file).exists() {
                let (shown, name) = (project.shown(&file), &entity.name);
                return Err(format!(
                    "{shown} exists and names no entity; write `entity = \"{name}\"` into it, or rename it"
                ));
            }
            plans.push(plan(project, entity, &file, None, options)?);
        }
    }
    Ok(plans)
}

/// The names of new contracts, by entities. They depend on all entities that are known, not on those that are imported.
fn new_names<'n>(united: &'n United, organisation: Option<&'n Metadata>) -> HashMap<&'n str, String> {
    let entities: Vec<&str> = match organisation {
        Some(metadata) => metadata.entities.iter().map(|entity| entity.name.as_str()).collect(),
        None => united.entities.iter().map(|entity| entity.name.as_str()).collect(),
    };
    let files = file_names(entities.iter().copied());
    entities.into_iter().zip(files).collect()
}

/// The name of an entity's new contract that no other contract has.
fn free_name(entity: &Entity, names: &HashMap<&str, String>, existing: &[Existing]) -> Result<String, String> {
    let long = format!("{}.toml", entity.logical());
    let short = names.get(entity.name.as_str()).cloned().unwrap_or_else(|| long.clone());
    let is_free = |name: &&String| !existing.iter().any(|contract| contract.file == **name);
    [&short, &long].into_iter().find(is_free).cloned().ok_or_else(|| {
        format!(
            "{short} and {long} are contracts of other entities, so there is no name for that of `{}`; rename one",
            entity.name
        )
    })
}

fn plan(
    project: &Project,
    entity: &Entity,
    file: &str,
    before: Option<&str>,
    options: &Options,
) -> Result<Plan, String> {
    let base_path = project.contracts().join(IMPORTED).join(file);
    let base_shown = format!("{}/{IMPORTED}/{file}", project.settings().contracts);
    let base_before = match fs::read_to_string(&base_path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(format!("cannot read {base_shown}: {error}")),
    };
    let base = base_before.as_deref().map(Base::parse).transpose().map_err(|reason| {
        format!(
            "{base_shown} was changed by hand or cut off; restore it from version control, or delete it, and the contract is merged \
             as if it had never been imported: {reason}"
        )
    })?;
    // A base without its contract is of a contract that was deleted.
    let base = base.filter(|base| before.is_some() && base.entity() == entity.name);
    let shown = project.shown(file);
    let merged =
        merge(before, base.as_ref(), entity, options.complete).map_err(|reason| format!("{shown}: {reason}"))?;
    let merged = if options.keep { merged.kept() } else { merged };
    Ok(Plan {
        file: file.to_owned(),
        path: project.contracts().join(file),
        shown,
        before: before.map(str::to_owned),
        base_before,
        base_path,
        base_shown,
        merged,
    })
}
