//! `datahub check --live`: the first contact with a running CDMS, and the snapshot compared with it.

use cdms_odata::Kind;
use cdms_odata::metadata::{EntityUse, Metadata};
use datahub_derive::project::Project;
use datahub_derive::tree::{Drift, Tree, TreeModel};
use datahub_model::Mode;
use datahub_runtime::connection::{CheckedModel, ConnectionReport, State, Step, Topic};
use serde_json::{Value, json};

use super::checks::{Finding, Level, Outcome};
use super::report::counted;
use crate::fetch::{self, Login};

/// What a look at a running CDMS brought.
pub(super) struct Looked {
    pub(super) connection: ConnectionReport,
    /// The comparison of the snapshot, if there is one that can be read, and CDMS could be read.
    pub(super) drift: Option<Outcome>,
    /// Why the look is not complete.
    pub(super) incomplete: Option<String>,
}

/// Looks at a running CDMS. What a model uses is an error, everything else a note.
///
/// # Errors
///
/// The address or the configuration cannot be used.
pub(super) fn run(address: Option<&str>, login: &Login, project: &Project, tree: &Tree) -> Result<Looked, String> {
    let address = address.map(fetch::root).transpose()?;
    let models: Vec<_> = tree.models.iter().filter_map(checked).collect();
    let (connection, live) = fetch::open(project, address.as_ref(), login)?.check(&models);
    let snapshot = project.settings().metadata.as_deref();
    let unread = snapshot.filter(|_| tree.metadata.is_none());
    let drift = live.filter(|_| unread.is_none()).map(|live| drift(&live, tree, snapshot));
    let incomplete = stop(&connection)
        .or_else(|| unread.map(|name| format!("`--live` needs the $metadata snapshot, but cannot read {name}")));
    Ok(Looked { connection, drift, incomplete })
}

/// What the first contact looks at of a model; `None` if CDMS does not have it, or no longer matters for it.
fn checked(model: &TreeModel) -> Option<CheckedModel> {
    let mapping = &model.mapping;
    let contract = &mapping.contract;
    if mapping.mode == Mode::Detached || !contract.is_of_cdms() {
        return None;
    }
    let mapped = mapping.attributes.iter().chain(&mapping.captured);
    let mut attributes: Vec<_> = mapped.map(|attribute| (attribute.name.clone(), attribute.kind)).collect();
    attributes.extend([
        (contract.key.clone(), Kind::Guid),
        (contract.modified.clone(), Kind::DateTime),
        (contract.created.clone(), Kind::DateTime),
        (contract.modified_by.clone(), Kind::Lookup),
    ]);
    attributes.sort();
    attributes.dedup_by(|(one, _), (other, _)| one == other);
    let uses =
        EntityUse { entity: contract.entity.clone(), set: contract.set.clone(), key: contract.key.clone(), attributes };
    Some(CheckedModel { name: model.name().to_owned(), is_written: mapping.mode == Mode::Sync, uses })
}

/// How CDMS differs from the snapshot.
fn drift(live: &Metadata, tree: &Tree, snapshot: Option<&str>) -> Outcome {
    let checked = live.entities.len();
    let Some(snapshot) = snapshot else {
        let summary = "no snapshot to compare with; save CDMS's response to $metadata in a file, and add \
                       `metadata = \"mappings/metadata.xml\"` to datahub.toml";
        return Outcome { summary: summary.to_owned(), checked, findings: Vec::new(), left: Vec::new() };
    };
    let drifts = tree.drift(live, snapshot);
    let changes = drifts.len();
    let finding = |Drift { fault, models, .. }: Drift| {
        let level = if models.is_empty() { Level::Note } else { Level::Error };
        Finding { level, fault }
    };
    let findings: Vec<_> = drifts.into_iter().map(finding).collect();
    let hit = findings.iter().filter(|finding| finding.level == Level::Error).count();
    let summary = format!("{} since the snapshot, {hit} of what models use", counted(changes, "change"));
    Outcome { summary, checked, findings, left: Vec::new() }
}

/// Why CDMS could not be looked at, or not at all of it.
fn stop(connection: &ConnectionReport) -> Option<String> {
    if connection.is_reached() {
        return None;
    }
    let step = connection.faults().find(|step| is_entrance(step) || matches!(step.state, State::Unknown { .. }))?;
    let what = if is_entrance(step) { "cannot connect to CDMS" } else { "cannot look at all of CDMS" };
    Some(format!("{what}: {step}"))
}

/// Whether a step is about the way to CDMS, and not about single models.
fn is_entrance(step: &Step) -> bool {
    matches!(step.topic, Topic::Address | Topic::Tls | Topic::Login | Topic::Organisation)
}

impl Looked {
    /// The steps of the first contact, each for machines.
    pub(super) fn steps(&self) -> impl Iterator<Item = Value> {
        self.connection.steps.iter().map(|step| {
            let mut json = json!(step);
            json["check"] = "connection".into();
            json
        })
    }

    /// How many steps fail in a way that is a fault of the project, or of the rights in CDMS. A schema that fails is counted by
    /// the comparison with the snapshot, if there is one.
    pub(super) fn faults(&self) -> usize {
        let has_findings = self.drift.as_ref().is_some_and(|drift| !drift.findings.is_empty());
        let counts = |step: &&Step| match step.topic {
            Topic::Schema => !has_findings,
            _ => !is_entrance(step),
        };
        self.connection.faults().filter(|step| matches!(step.state, State::Fails { .. })).filter(counts).count()
    }

    /// How many steps were tried, and how many of them work.
    pub(super) fn summary(&self) -> (String, usize) {
        let is = |wanted: fn(&State) -> bool| self.connection.steps.iter().filter(|step| wanted(&step.state)).count();
        let (works, untried) =
            (is(|state| matches!(state, State::Works { .. })), is(|state| matches!(state, State::NotTried { .. })));
        let tried = self.connection.steps.len() - untried;
        let requests = usize::try_from(self.connection.requests).unwrap_or(usize::MAX);
        let requests = counted(requests, "request");
        let summary = format!("{works} of {tried} steps that were tried work, {untried} not tried; {requests}");
        (summary, tried)
    }
}
