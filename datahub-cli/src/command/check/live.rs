//! `datahub check --live`: the snapshot compared with a running CDMS.

use datahub_derive::project::Project;
use datahub_derive::tree::{Drift, Tree};

use super::checks::{Finding, Level, Outcome};
use super::report::counted;
use crate::fetch::{self, Login};

/// Compares; what a model uses is an error, everything else a note.
pub(super) fn run(address: Option<&str>, login: &Login, project: &Project, tree: &Tree) -> Result<Outcome, String> {
    let Some(snapshot) = &project.settings().metadata else {
        return Err("`--live` compares a running CDMS with a $metadata snapshot, but datahub.toml names none; save \
                    CDMS's response to $metadata in a file, and add `metadata = \"mappings/metadata.xml\"`"
            .to_owned());
    };
    if tree.metadata.is_none() {
        return Err(format!("`--live` needs the $metadata snapshot, but cannot read {snapshot}"));
    }
    let address = address.map(fetch::root).transpose()?;
    let (_, live) = fetch::open(project, address.as_ref(), login)?.metadata()?;
    let drifts = tree.drift(&live, snapshot);
    let changes = drifts.len();
    let finding = |Drift { fault, models, .. }: Drift| {
        let level = if models.is_empty() { Level::Note } else { Level::Error };
        Finding { level, fault }
    };
    let findings: Vec<_> = drifts.into_iter().map(finding).collect();
    let hit = findings.iter().filter(|finding| finding.level == Level::Error).count();
    let summary = format!("{} since the snapshot, {hit} of what models use", counted(changes, "change"));
    Ok(Outcome { summary, checked: live.entities.len(), findings, left: Vec::new() })
}
