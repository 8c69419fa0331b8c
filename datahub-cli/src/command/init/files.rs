//! The files that `datahub init` writes, from the templates beside this crate's source.

use super::manifest::Origin;

/// Where a project begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// In a crate that was made for it.
    Crate,
    /// In a crate with a life of its own.
    Existing,
    /// It has begun: nothing is missing.
    Project,
}

/// A file to write.
pub(super) struct File {
    /// Its path from the project's folder.
    pub(super) path: &'static str,
    pub(super) text: String,
}

macro_rules! template {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/", $name))
    };
}

const CONTRACT: &str = template!("account.toml");
const METADATA: &str = template!("metadata.xml");
const SETTINGS: &str = template!("datahub.toml");

/// The library of a new project.
pub(super) const LIBRARY: &str = "src/lib.rs";

/// The files of a project, in the order in which they are written. In a new one, `src/lib.rs`, which replaces Cargo's sample,
/// is the last, after the first migration; in an existing crate it is `datahub.toml`, which marks a project. If they are
/// there, everything is.
pub(super) fn of(kind: Kind, package: &str) -> Vec<File> {
    let in_crate = [
        ("README.md", template!("README.md")),
        ("src/organisation.rs", template!("organisation.rs")),
        ("src/main.rs", template!("main.rs")),
        ("tests/in_sync.rs", template!("in_sync.rs")),
    ];
    let in_existing = [("tests/first_contract.rs", template!("first_contract.rs"))];
    let own: &[_] = match kind {
        Kind::Crate => &in_crate,
        Kind::Existing => &in_existing,
        Kind::Project => &[],
    };
    let shared: &[_] = match kind {
        Kind::Crate | Kind::Existing => &[("mappings/account.toml", CONTRACT), ("mappings/metadata.xml", METADATA)],
        Kind::Project => &[],
    };
    let last: &[_] = match kind {
        Kind::Crate => &[("datahub.toml", SETTINGS), (LIBRARY, template!("lib.rs"))],
        Kind::Existing => &[("datahub.toml", SETTINGS)],
        Kind::Project => &[],
    };
    let filled = |text: &str| text.replace("{{name}}", package).replace("{{crate}}", &package.replace('-', "_"));
    own.iter().chain(shared).chain(last).map(|(path, text)| File { path, text: filled(text) }).collect()
}

/// The path of the workflow.
pub(super) const WORKFLOW: &str = ".github/workflows/datahub.yml";

/// The workflow for pull requests of a project whose documentation is in the folder `docs`.
pub(super) fn workflow(origin: &Origin, docs: &str) -> File {
    let install = match origin {
        Origin::Git { url, at: None } => format!("--git {url} datahub-cli"),
        Origin::Git { url, at: Some((what, name)) } => format!("--git {url} --{what} {name} datahub-cli"),
        // With a path, it takes no package.
        Origin::Folder(folder) => format!("--path {folder}/datahub-cli"),
    };
    let remark = match origin {
        Origin::Git { .. } => "",
        Origin::Folder(_) => {
            "      # This folder, and the one that Cargo.toml names, must be in this repository, or no runner has them. If they are\n      \
             # not, name their own repository, here and there: cargo install --git <URL> datahub-cli\n"
        }
    };
    let text = template!("datahub.yml");
    let text = text.replace("{{remark}}\n", remark).replace("{{install}}", &install).replace("{{docs}}", docs);
    File { path: WORKFLOW, text }
}

/// What the workflow needs and may not have on a runner.
pub(super) fn doubt(origin: &Origin) -> Option<String> {
    let Origin::Folder(folder) = origin else { return None };
    Some(format!(
        "{WORKFLOW} installs `datahub` from {folder}, as Cargo.toml names it; a runner has that folder only if it is in this \
         repository; if it is not, name the repository of Data Hub Sync in both"
    ))
}
