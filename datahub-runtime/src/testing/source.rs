//! A test that the `datahub` command reads the models that the compiler compiles.

use std::path::Path;

use datahub_derive::project::Project;
use datahub_derive::tree::{Tree, TreeModel};
use datahub_model::ModelDescriptor;
use datahub_model::source::Shape;

use crate::Models;

/// Generates a test that `datahub` knows a program's models from their source as the compiler does.
///
/// The command reads Rust files without compiling them: migrations and documentation rest on it. It does not see models
/// that a macro writes, that a `cfg` changes, or whose file is outside the folders that `models` in `datahub.toml` names;
/// then this test fails and says which. Needs the feature `source`.
///
/// ```
/// use datahub_runtime::prelude::*;
///
/// /// The sector that an organisation works in.
/// #[derive(Clone, Debug, PartialEq, CdmsSynced)]
/// #[cdms(mapping = "sector.toml", table = "sectors", mode = "mirror")]
/// pub struct Sector {
///     #[cdms(key)]
///     pub id: Id<Sector>,
///     #[cdms("optevia_name")]
///     pub name: String,
/// }
///
/// #[cfg(test)]
/// mod source {
///     datahub_runtime::source_test!(datahub_runtime::models![super::Sector]);
/// }
/// ```
#[macro_export]
macro_rules! source_test {
    ($models:expr) => {
        #[::core::prelude::v1::test]
        fn the_source_is_read_as_it_is_compiled() {
            $crate::testing::source_is_read(&$models, ::core::env!("CARGO_MANIFEST_DIR"));
        }
    };
}

/// Compares the models of a program with what `datahub` reads from the source of the package in this folder.
///
/// # Panics
///
/// If they differ, with every difference; if the folder belongs to no project, or its files cannot be read.
#[track_caller]
pub fn source_is_read(models: &Models, package: impl AsRef<Path>) {
    let package = package.as_ref();
    let root = Project::root_of(package).unwrap_or_else(|| panic!("no datahub.toml in {package:?} or above it"));
    let project = Project::open(root).unwrap_or_else(|error| panic!("{error}"));
    let tree = Tree::read(&project).unwrap_or_else(|error| panic!("{error}"));
    let folders = project.settings().models.join(", ");
    let differences: Vec<_> = models.iter().filter_map(|model| difference(model, &tree, &folders)).collect();
    assert!(differences.is_empty(), "`datahub` does not read what is compiled:\n{}", differences.join("\n"));
}

/// How a model differs from its source.
fn difference(model: &ModelDescriptor, tree: &Tree, folders: &str) -> Option<String> {
    let named = || tree.models.iter().filter(|read| read.name() == model.name);
    let Some(read) = named().find(|read| read.mapping.table == model.table).or_else(|| named().next()) else {
        let name = model.name;
        let fault = tree.faults.iter().find(|fault| fault.diagnostic.place.text.contains(name));
        let fault = fault.map_or(String::new(), |fault| format!("\n{}", fault.diagnostic.render(&fault.file)));
        return Some(format!(
            "`{name}` is in none of its files; write it as a struct in a file below {folders}, or add its folder to \
             `models` in datahub.toml{fault}"
        ));
    };
    let TreeModel { written, mapping, .. } = read;
    let place = format!("{}:{}", written.file, written.line);
    if mapping.table != model.table {
        let (read, compiled) = (&mapping.table, model.table);
        return Some(format!(
            "`{}` ({place}) is read with the table `{read}`, and compiled with `{compiled}`",
            model.name
        ));
    }
    let columns = columns(read, model);
    // The compiler adds to a model's id what only it knows: the members of its groups.
    let has_groups = mapping.fields.iter().any(|field| matches!(field.shape, Shape::Group { .. }));
    if columns.is_empty() && (has_groups || mapping.mapping_id == model.mapping_id.0) {
        return None;
    }
    let columns = if columns.is_empty() { "another mapping".to_owned() } else { columns.join(", ") };
    Some(format!("`{}` ({place}) is read with {columns}; write out what a macro or a `cfg` adds", model.name))
}

/// The columns that differ.
fn columns(read: &TreeModel, compiled: &ModelDescriptor) -> Vec<String> {
    let shown = |name: &str, kind: cdms_odata::Kind, nullable: bool, scale: Option<u32>| {
        let scale = scale.map_or(String::new(), |scale| format!("({scale})"));
        format!("`{name}` {kind}{scale}{}", if nullable { " or null" } else { "" })
    };
    let of_read =
        read.mapping.columns.iter().map(|column| shown(&column.name, column.kind, column.nullable, column.scale));
    let of_read: Vec<_> = of_read.collect();
    let of_compiled =
        compiled.columns.iter().map(|column| shown(column.name, column.kind, column.nullable, column.scale));
    let of_compiled: Vec<_> = of_compiled.collect();
    let more =
        of_read.iter().filter(|column| !of_compiled.contains(column)).map(|column| format!("the column {column}"));
    let less =
        of_compiled.iter().filter(|column| !of_read.contains(column)).map(|column| format!("no column {column}"));
    more.chain(less).collect()
}
