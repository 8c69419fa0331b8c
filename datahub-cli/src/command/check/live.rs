//! `datahub check --live`: the first contact with a running CDMS, and the snapshot compared with it.

use cdms_odata::Kind;
use cdms_odata::metadata::{Changed, EntityUse, Metadata};
use datahub_derive::project::Project;
use datahub_derive::tree::{Drift, Fault, Tree, TreeModel};
use datahub_model::Mode;
use datahub_model::diagnostic::{Code, Diagnostic};
use datahub_model::source::Spot;
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
    pub(super) incomplete: Option<Incomplete>,
}

/// Why a look at CDMS is not complete.
pub(super) struct Incomplete {
    /// What this means for the sum of all checks.
    pub(super) so: &'static str,
    /// The error of the command.
    pub(super) error: String,
}

/// What came of the steps of the first contact.
pub(super) struct Summary {
    /// In words.
    pub(super) text: String,
    /// How many were tried.
    pub(super) tried: usize,
    /// How many fail.
    pub(super) failed: usize,
}

/// From how many things on that CDMS has and the snapshot lacks they are told in one sentence.
const MANY: usize = 21;

/// What it means that there was no look at all.
const UNLOOKED: &str = "CDMS could not be looked at";

/// Looks at a running CDMS. What a model uses is an error, everything else a note; many things that are new are one note, unless
/// all `is_listed`.
///
/// # Errors
///
/// The address or the configuration cannot be used.
pub(super) fn run(
    address: Option<&str>,
    login: &Login,
    project: &Project,
    tree: &Tree,
    is_listed: bool,
) -> Result<Looked, Incomplete> {
    let unlooked = |error| Incomplete { so: UNLOOKED, error };
    let address = address.map(fetch::root).transpose().map_err(unlooked)?;
    let models: Vec<_> = tree.models.iter().filter_map(checked).collect();
    let (connection, live) = fetch::open(project, address.as_ref(), login).map_err(unlooked)?.check(&models);
    let snapshot = project.settings().metadata.as_deref();
    let unread = snapshot.filter(|_| tree.metadata.is_none());
    let drift = live.filter(|_| unread.is_none()).map(|live| drift(&live, tree, snapshot, is_listed));
    let incomplete = stop(&connection).or_else(|| {
        let error = format!("`--live` needs the $metadata snapshot, but cannot read {}", unread?);
        Some(Incomplete { so: "CDMS could not be compared with the snapshot", error })
    });
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
fn drift(live: &Metadata, tree: &Tree, snapshot: Option<&str>, is_listed: bool) -> Outcome {
    let checked = live.entities.len();
    let Some(snapshot) = snapshot else {
        let summary = "no snapshot to compare with; save CDMS's response to $metadata in a file, and add \
                       `metadata = \"mappings/metadata.xml\"` to datahub.toml";
        return Outcome { summary: summary.to_owned(), checked, findings: Vec::new(), left: Vec::new() };
    };
    let drifts = tree.drift(live, snapshot);
    let changes = drifts.len();
    let is_folded = !is_listed && drifts.iter().filter(|drift| is_new(drift)).count() >= MANY;
    let (new, drifts): (Vec<_>, Vec<_>) = drifts.into_iter().partition(|drift| is_folded && is_new(drift));
    let new = (!new.is_empty()).then(|| lacking(&new, snapshot));
    let finding = |Drift { fault, models, .. }: Drift| {
        let level = if models.is_empty() { Level::Note } else { Level::Error };
        Finding { level, fault }
    };
    let findings: Vec<_> = drifts.into_iter().map(finding).chain(new).collect();
    let hit = findings.iter().filter(|finding| finding.level == Level::Error).count();
    let summary = format!("{} since the snapshot, {hit} of what models use", counted(changes, "change"));
    Outcome { summary, checked, findings, left: Vec::new() }
}

/// Whether a change is something that CDMS has and the snapshot lacks.
fn is_new(drift: &Drift) -> bool {
    matches!(drift.change.what, Changed::Appeared | Changed::AttributeAppeared { .. })
}

/// Many things that CDMS has and the snapshot lacks, as one note.
fn lacking(new: &[Drift], snapshot: &str) -> Finding {
    let entities = new.iter().filter(|drift| drift.change.what == Changed::Appeared).count();
    let attributes = counted(new.len() - entities, "attribute");
    let what = match entities {
        0 => attributes,
        1 => format!("1 entity and {attributes}"),
        _ => format!("{entities} entities and {attributes}"),
    };
    let message = format!(
        "CDMS has {what} that the snapshot lacks; none is used. `datahub import --live` saves CDMS's $metadata as the snapshot"
    );
    let diagnostic = Diagnostic::of(Code::CdmsChanged, Spot::default(), message).cure("`--json` lists them");
    Finding { level: Level::Note, fault: Fault { file: snapshot.to_owned(), range: 0..0, diagnostic } }
}

/// Why CDMS could not be looked at, or not at all of it.
fn stop(connection: &ConnectionReport) -> Option<Incomplete> {
    if connection.is_reached() {
        return None;
    }
    let step = connection.faults().find(|step| is_entrance(step) || matches!(step.state, State::Unknown { .. }))?;
    let (so, what) = if is_entrance(step) {
        (UNLOOKED, "cannot connect to CDMS")
    } else {
        ("not all of CDMS could be looked at", "cannot look at all of CDMS")
    };
    let model = step.model.as_ref().map(|model| format!(" of {model}")).unwrap_or_default();
    Some(Incomplete { so, error: format!("{what}; see `{}`{model} above", step.topic.name()) })
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

    /// How many steps were tried, and what came of them.
    pub(super) fn summary(&self) -> Summary {
        let count =
            |wanted: fn(&State) -> bool| self.connection.steps.iter().filter(|step| wanted(&step.state)).count();
        let works = count(|state| matches!(state, State::Works { .. }));
        let failed = count(|state| matches!(state, State::Fails { .. }));
        let unknown = count(|state| matches!(state, State::Unknown { .. }));
        let untried = self.connection.steps.len() - works - failed - unknown;
        let mut text = format!("{} {}", counted(works, "step"), if works == 1 { "works" } else { "work" });
        let fail = if failed == 1 { "fails" } else { "fail" };
        for (number, what) in [(failed, fail), (unknown, "unknown"), (untried, "not tried")] {
            if number > 0 {
                text.push_str(&format!(", {number} {what}"));
            }
        }
        let requests = usize::try_from(self.connection.requests).unwrap_or(usize::MAX);
        text.push_str(&format!("; {}", counted(requests, "request")));
        Summary { text, tried: works + failed + unknown, failed }
    }
}
