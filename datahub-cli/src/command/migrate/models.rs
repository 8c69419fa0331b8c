//! The schema that the models need, read from the project's source.

use std::collections::BTreeMap;

use datahub_derive::project::Project;
use datahub_derive::tree::Tree;
use datahub_migrate::Snapshot;
use datahub_model::schema::engine::REVISION;

use super::fault::Fault;

/// The schema that the models need, or what is wrong with them.
///
/// # Errors
///
/// A folder that cannot be read.
pub(super) fn needed(project: &Project) -> Result<Result<Snapshot, Vec<Fault>>, String> {
    let tree = Tree::read(project).map_err(|error| error.to_string())?;
    Ok(needed_by(project, &tree))
}

/// The schema that the models of a tree need, or what is wrong with them.
pub(super) fn needed_by(project: &Project, tree: &Tree) -> Result<Snapshot, Vec<Fault>> {
    let mut faults: Vec<_> = tree
        .faults
        .iter()
        .map(|fault| {
            let place = format!("{}:{}:{}", fault.file, fault.diagnostic.place.line, fault.diagnostic.place.column);
            let message = format!("{}{}", fault.diagnostic.message, fault.diagnostic.code.bracketed());
            Fault::new(place, message, fault.diagnostic.cure.to_string())
        })
        .collect();
    let mut tables: BTreeMap<&str, &str> = BTreeMap::new();
    for model in &tree.models {
        if let Some(other) = tables.insert(&model.mapping.table, model.name()) {
            let (table, name, written) = (&model.mapping.table, model.name(), &model.written);
            let message = format!("{name} and {other} have the same table, `{table}`");
            faults.push(Fault::new(format!("{}:{}", written.file, written.line), message, "give each its own table"));
        }
    }
    if tree.models.is_empty() && faults.is_empty() {
        let folders = project.settings().models.join(", ");
        let help =
            "a model is a struct that derives CdmsSynced; `models` in datahub.toml names the folders of Rust source";
        faults.push(Fault::new(folders, "no model was found", help));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Snapshot::of(tree.models.iter().map(|model| &model.mapping), REVISION))
}
