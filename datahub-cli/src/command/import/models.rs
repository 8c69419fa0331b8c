//! The first models of an import, for contracts that no model uses.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use cdms_odata::metadata::Metadata;
use datahub_derive::project::Project;
use datahub_derive::tree::Tree;
use datahub_import::United;
use datahub_import::model::{First, ModelName, Spelling, Target, Written, families, first, names, with_groups};
use datahub_model::source::Contract;
use serde_json::json;

use super::files::Writing;
use super::plan::Plan;
use super::report::counted;
use crate::file::Before;
use crate::output::Output;

/// What became of a contract's first model.
pub(super) enum FirstModel {
    /// It is new.
    New { shown: String, path: PathBuf, module: String, written: Written },
    /// The contract has a model, or the file exists.
    Kept { contract: String, reason: String },
}

/// The first models for these contracts, which get groups for families of attributes.
pub(super) fn plan(
    project: &Project,
    plans: &mut [Plan],
    united: &United,
    organisation: Option<&Metadata>,
) -> Result<Vec<FirstModel>, String> {
    let tree = Tree::read(project).map_err(|error| error.to_string())?;
    let names = model_names(united, organisation);
    let mut targets = known_targets(&tree);
    let folder = project.settings().models.first().cloned().unwrap_or_else(|| "src".to_owned());
    let (mut models, mut new) = (Vec::new(), Vec::new());
    for plan in plans.iter_mut() {
        if let Some(file) = used_by(&tree, &plan.file) {
            models.push(FirstModel::Kept { contract: plan.shown.clone(), reason: format!("{file} has a model of it") });
            continue;
        }
        let Some(name) = names.get(plan.merged.base.entity()) else { continue };
        let shown = format!("{folder}/{}.rs", name.module);
        let path = project.file().with_file_name(&shown);
        if path.exists() || project.file().with_file_name(format!("{folder}/{}/mod.rs", name.module)).exists() {
            models.push(FirstModel::Kept { contract: plan.shown.clone(), reason: format!("{shown} exists") });
            continue;
        }
        let contract = Contract::parse_beside(&plan.merged.text, organisation).into_parts().0;
        let families = contract.as_ref().map(families).unwrap_or_default();
        plan.merged.text = with_groups(&plan.merged.text, &families)?;
        let logical = contract.map_or_else(|| name.entity.to_lowercase(), |contract| contract.logical);
        let module = format!("{}::{}", module_of(&folder), name.module);
        targets.entry(logical).or_insert_with(|| Target { type_name: name.type_name.clone(), module });
        new.push((plan.file.clone(), plan.merged.text.clone(), name, shown, path));
    }
    for (file, text, name, shown, path) in new {
        let contract = Contract::parse_beside(&text, organisation).into_parts().0;
        let Some(contract) = contract else { continue };
        let columns_max = project.settings().diesel_columns.columns();
        let written = first(First { file: &file, contract: &contract, name, targets: &targets, columns_max });
        models.push(FirstModel::New { shown, path, module: name.module.clone(), written });
    }
    Ok(models)
}

/// The names of models, by entities.
fn model_names(united: &United, organisation: Option<&Metadata>) -> HashMap<String, ModelName> {
    let labels: HashMap<&str, Option<&str>> =
        united.entities.iter().map(|entity| (entity.name.as_str(), entity.label.as_deref())).collect();
    let entities: Vec<&str> = match organisation {
        Some(metadata) => metadata.entities.iter().map(|entity| entity.name.as_str()).collect(),
        None => labels.keys().copied().collect::<BTreeSet<_>>().into_iter().collect(),
    };
    let spelling = organisation.map(Spelling::of).unwrap_or_default();
    let labelled = entities.into_iter().map(|entity| (entity, labels.get(entity).copied().flatten()));
    names(labelled, &spelling).into_iter().map(|name| (name.entity.clone(), name)).collect()
}

/// The models that exist, by the logical names of their entities.
fn known_targets(tree: &Tree) -> HashMap<String, Target> {
    let mut targets = HashMap::new();
    for model in tree.models.iter().filter(|model| model.mapping.contract.is_of_cdms()) {
        let target = Target { type_name: model.name().to_owned(), module: module_of(&model.written.file) };
        targets.entry(model.mapping.contract.logical.clone()).or_insert(target);
    }
    targets
}

/// The file with a model of a contract, also of one with faults.
fn used_by(tree: &Tree, contract: &str) -> Option<String> {
    let model = tree.models.iter().find(|model| model.contract.as_deref() == Some(contract));
    let said = format!("mapping = \"{contract}\"");
    let mentioned = || tree.files.iter().find(|(file, text)| file.ends_with(".rs") && text.contains(&said));
    model.map(|model| model.written.file.clone()).or_else(|| mentioned().map(|(file, _)| file.clone()))
}

/// The module that a file or a folder of source is.
fn module_of(path: &str) -> String {
    let within = path
        .rsplit_once("src/")
        .map_or(if path == "src" || path.ends_with("/src") { "" } else { path }, |(_, rest)| rest);
    let stem = within.trim_end_matches(".rs");
    let parts = stem.split('/').filter(|part| !part.is_empty() && !matches!(*part, "mod" | "lib" | "main"));
    std::iter::once("crate").chain(parts).collect::<Vec<_>>().join("::")
}

impl FirstModel {
    /// Writes the file of a new model.
    pub(super) fn write(&self, writing: &mut Writing) -> Result<(), String> {
        match self {
            FirstModel::New { shown, path, written, .. } => writing.write(path, shown, Before::Nothing, &written.text),
            FirstModel::Kept { .. } => Ok(()),
        }
    }

    pub(super) fn report(&self, is_dry: bool, output: &Output) {
        match self {
            FirstModel::New { shown, written, .. } => {
                let (did, outcome) = if is_dry { ("would be written", "would_write") } else { ("written", "written") };
                let waiting = match written.waiting.len() {
                    0 => String::new(),
                    1 => ", 1 attribute waits for an answer or for another model".to_owned(),
                    count => format!(", {count} attributes wait for answers or for other models"),
                };
                let text = format!("{shown}: {did}, {}{waiting}", counted(written.fields, "field"));
                let json =
                    json!({"model": shown, "outcome": outcome, "fields": written.fields, "waiting": written.waiting});
                output.result(&text, &json);
            }
            FirstModel::Kept { contract, reason } => {
                let json = json!({"contract": contract, "model": null, "outcome": "kept", "reason": reason});
                output.result(&format!("{contract}: no first model, because {reason}"), &json);
            }
        }
    }
}

/// What to do with new models.
pub(super) fn next_steps(models: &[FirstModel]) -> String {
    let (mut modules, mut crates) = (Vec::new(), BTreeSet::new());
    for model in models {
        if let FirstModel::New { module, written, .. } = model {
            modules.push(module.as_str());
            crates.extend(written.crates.iter().copied());
        }
    }
    if modules.is_empty() {
        return String::new();
    }
    let lines: String = modules.iter().map(|module| format!("\n  pub mod {module};")).collect();
    let crates = crates.into_iter().collect::<Vec<_>>().join(" ");
    let add = if crates.is_empty() {
        String::new()
    } else {
        format!("\nthey use crates that you may have to add: cargo add {crates}")
    };
    format!("\nadd the new models to the file of their module, such as src/lib.rs:{lines}{add}")
}

#[cfg(test)]
mod tests {
    use super::module_of;

    #[test]
    fn a_file_of_source_is_a_module() {
        for (path, module) in [
            ("src", "crate"),
            ("examples/domain/src", "crate"),
            ("src/lib.rs", "crate"),
            ("src/models", "crate::models"),
            ("src/models/mod.rs", "crate::models"),
            ("src/sales/account.rs", "crate::sales::account"),
        ] {
            assert_eq!(module_of(path), module, "{path}");
        }
    }
}
