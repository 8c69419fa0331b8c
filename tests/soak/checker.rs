//! The soak's checker: what CDMS did, what the history says and what the callers were told must be one story.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{CommitEntry, CommitKind, RequestEntry};
use datahub_runtime::{EntryKind, FieldChange, HistoryEntry, Note, OperationId, Seen, Value, Verdict};
use example_domain::{Contact, Organisation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::program::{Kind, Report};

/// What the soak found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Findings {
    pub(crate) violations: Vec<String>,
    pub(crate) outcomes: BTreeMap<String, u64>,
    pub(crate) verdicts: BTreeMap<String, u64>,
    /// Microseconds between the arrival of our GET and of our MERGE at CDMS, in which an edit of the same attribute is
    /// overwritten unseen.
    #[serde(skip)]
    pub(crate) windows_us: Vec<u64>,
}

/// The part of an intent that tells what may be sent.
#[derive(Deserialize)]
struct Stated {
    patch: BTreeMap<String, serde_json::Value>,
    constants: BTreeMap<String, serde_json::Value>,
}

pub(crate) async fn check(kit: &Kit, hub: &Hub, accounts: &[Uuid], reports: &[Report]) -> Findings {
    let mut findings = Findings::default();
    let commits = kit.simulator.log();
    let ours: Vec<&CommitEntry> =
        commits.iter().filter(|commit| commit.operation.is_some() && commit.entity != "CustomerAddress").collect();
    let contacts: BTreeSet<Uuid> = reports.iter().filter(|r| r.kind == Kind::Create).map(|r| r.id).collect();
    let mut histories: HashMap<Uuid, Vec<HistoryEntry>> = HashMap::new();
    for id in accounts {
        agrees(&mut findings, kit, hub, *id).await;
        histories.insert(*id, Organisation::history(hub, (*id).into()).await.unwrap_or_default());
    }
    for id in &contacts {
        contact_agrees(&mut findings, kit, hub, *id).await;
        histories.insert(*id, Contact::history(hub, (*id).into()).await.unwrap_or_default());
    }
    once_each(&mut findings, &ours);
    let stated = stated(kit);
    for commit in &ours {
        only_what_was_stated(&mut findings, commit, &stated);
    }
    let counted = Counted::of(&ours);
    for report in reports {
        *findings.outcomes.entry(format!("{:?} {}", report.kind, report.outcome)).or_default() += 1;
        told(&mut findings, hub, report, &counted, &histories).await;
    }
    // What was applied and could not be stored is told, but the row stays as it was before.
    let unstored = reports.iter().filter(|report| report.outcome == "Quarantined");
    let unstored: BTreeSet<_> = unstored.filter_map(|report| report.value.as_deref()).collect();
    for (id, history) in &histories {
        replays(&mut findings, kit, *id, history, &unstored);
    }
    findings.windows_us = windows(&kit.simulator.requests());
    findings
}

/// Both sides are equal, and a second read finds nothing to do.
async fn agrees(findings: &mut Findings, kit: &Kit, hub: &Hub, id: Uuid) {
    let mut read = Organisation::get(hub, id.into()).await;
    if read.is_ok() {
        read = Organisation::get(hub, id.into()).await;
    }
    let record = kit.simulator.record("Account", id);
    match (read, record) {
        (Ok(org), Some(record)) => {
            let same = [
                ("Name", Some(org.name.clone())),
                ("WebSiteURL", org.website.clone()),
                ("EMailAddress1", org.email.clone()),
            ]
            .into_iter()
            .all(|(attribute, field)| record.get(attribute) == Some(&field.map_or(Value::Null, Value::text)));
            if !same || !matches!(org.checked(), Checked::At { found: Seen::InSync, .. }) {
                findings.violations.push(format!("invariant 1: {id} differs: {:?}", org.checked()));
            }
        }
        (Err(error), None) if matches!(error.kind(), ErrorKind::Gone | ErrorKind::NotFound) => {}
        (read, _) => findings.violations.push(format!("invariant 1: {id}: {:?}", read.map(drop))),
    }
}

async fn contact_agrees(findings: &mut Findings, kit: &Kit, hub: &Hub, id: Uuid) {
    let is_in_cdms = kit.simulator.record("Contact", id).is_some();
    let read = Contact::get(hub, id.into()).await;
    let is_in_hub = match &read {
        Ok(_) => true,
        Err(error) if matches!(error.kind(), ErrorKind::Gone | ErrorKind::NotFound) => false,
        Err(error) => return findings.violations.push(format!("invariant 1: contact {id}: {error}")),
    };
    if is_in_cdms != is_in_hub {
        findings.violations.push(format!("invariant 1: contact {id}: in CDMS {is_in_cdms}, in the hub {is_in_hub}"));
    }
}

/// No write is carried out twice.
fn once_each(findings: &mut Findings, ours: &[&CommitEntry]) {
    let mut seen = BTreeSet::new();
    for commit in ours {
        if !seen.insert((&commit.operation, &commit.entity)) {
            findings.violations.push(format!("invariants 2 and 5: {:?} twice in CDMS", commit.operation));
        }
    }
}

fn stated(kit: &Kit) -> HashMap<String, Stated> {
    let intents = kit.rows_of("datahub_intents").into_iter();
    let body = |row: &str| {
        let quoted = row.split(" body=").nth(1)?.split(" local=").next()?;
        let escaped = quoted.starts_with('E');
        let text = quoted.trim_start_matches('E').strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'");
        let text = if escaped { text.replace("\\\\", "\\") } else { text };
        let json: serde_json::Value = serde_json::from_str(&text).ok()?;
        Some((json["operation"].as_str()?.to_owned(), serde_json::from_value(json).ok()?))
    };
    intents.filter_map(|row| body(&row)).collect()
}

fn only_what_was_stated(findings: &mut Findings, commit: &CommitEntry, stated: &HashMap<String, Stated>) {
    let operation = commit.operation.as_deref().unwrap_or_default();
    let Some(stated) = stated.get(operation) else {
        return findings.violations.push(format!("invariant 12: {operation} has no intent"));
    };
    let key = format!("{}Id", commit.entity);
    let unknown = commit
        .sent
        .iter()
        .find(|name| **name != key && !stated.patch.contains_key(*name) && !stated.constants.contains_key(*name));
    if let Some(name) = unknown {
        findings.violations.push(format!("invariant 12: {operation} sent {name}"));
    }
}

/// How often CDMS carried out what.
#[derive(Default)]
struct Counted {
    /// By the value that only one update wrote.
    updates: HashMap<String, usize>,
    creates: HashMap<Uuid, usize>,
    deletes: HashMap<Uuid, usize>,
}

impl Counted {
    fn of(ours: &[&CommitEntry]) -> Self {
        let mut counted = Counted::default();
        for commit in ours {
            match commit.kind {
                CommitKind::Create => *counted.creates.entry(commit.id).or_default() += 1,
                CommitKind::Delete => *counted.deletes.entry(commit.id).or_default() += 1,
                CommitKind::Update => {
                    if let Some(Value::Text(value)) = commit.after.get("WebSiteURL") {
                        *counted.updates.entry(value.to_string()).or_default() += 1;
                    }
                }
            }
        }
        counted
    }
}

/// What the caller was told is what happened.
async fn told(
    findings: &mut Findings,
    hub: &Hub,
    report: &Report,
    counted: &Counted,
    histories: &HashMap<Uuid, Vec<HistoryEntry>>,
) {
    let history = histories.get(&report.id).map(Vec::as_slice).unwrap_or_default();
    let (in_cdms, told) = match (report.kind, &report.value) {
        (Kind::Read | Kind::Look, _) | (Kind::Update, None) => return,
        (Kind::Update, Some(value)) => {
            let commits = counted.updates.get(value.as_str()).copied().unwrap_or_default();
            let value = Value::text(value.as_str());
            let entries =
                history.iter().filter(|entry| entry.kind == EntryKind::Updated || entry.kind == EntryKind::AppliedLate);
            let entries = entries.filter(|entry| entry.changes.iter().any(|change| tells(change, &value)));
            (commits, entries.count())
        }
        (Kind::Create, _) => {
            let entries = history.iter().filter(|e| matches!(e.kind, EntryKind::Created | EntryKind::AppliedLate));
            (counted.creates.get(&report.id).copied().unwrap_or_default(), entries.count())
        }
        (Kind::Delete, _) => {
            let entries = history.iter().filter(|entry| matches!(entry.kind, EntryKind::Deleted | EntryKind::Gone));
            (counted.deletes.get(&report.id).copied().unwrap_or_default(), entries.count())
        }
    };
    let facts =
        || format!("{:?} {} {:?}: {in_cdms} × in CDMS, {told} × told", report.kind, report.outcome, report.operation);
    match report.outcome.as_str() {
        "Ok" if (in_cdms, told) != (1, 1) => findings.violations.push(format!("invariant 2: {}", facts())),
        "Rejected" | "Conflict" | "Invalid" | "Unavailable" | "AlreadyExists" | "Overloaded"
            if report.kind != Kind::Delete && in_cdms > 0 =>
        {
            findings.violations.push(format!("invariant 3: {}", facts()));
        }
        "Busy" if report.kind == Kind::Update && in_cdms > 0 => {
            findings.violations.push(format!("invariant 3: {}", facts()));
        }
        "LocalNewer" => findings.violations.push(format!("invariant 9: {}", facts())),
        "Unsettled" => settled(findings, hub, report.operation, (in_cdms, told), report.kind).await,
        _ => {}
    }
}

/// Whether a change is to this value, or to what CDMS had made of it when it was read back.
fn tells(change: &FieldChange, value: &Value) -> bool {
    change.to.as_ref() == Some(value) || matches!(&change.note, Note::Adjusted { sent } if sent == value)
}

/// An unsettled write has one verdict now, and it is true.
async fn settled(
    findings: &mut Findings,
    hub: &Hub,
    operation: Option<OperationId>,
    (in_cdms, told): (usize, usize),
    kind: Kind,
) {
    let Some(operation) = operation else {
        return findings.violations.push("invariant 4: an unsettled write without an id".to_owned());
    };
    let verdict = match hub.operation(operation).await {
        Ok(known) => known.verdict,
        Err(error) => return findings.violations.push(format!("invariant 4: {operation}: {error}")),
    };
    let word = verdict.as_ref().map_or("open".to_owned(), |verdict| {
        let word = format!("{verdict:?}");
        word.split([' ', '{']).next().unwrap_or_default().to_owned()
    });
    *findings.verdicts.entry(word).or_default() += 1;
    let is_true = match verdict {
        None => false,
        Some(Verdict::Applied) => (in_cdms, told) == (1, 1) || kind == Kind::Delete,
        Some(Verdict::NotApplied | Verdict::Rejected { .. }) => in_cdms == 0 || kind == Kind::Delete,
        Some(_) => true,
    };
    if !is_true {
        findings.violations.push(format!(
            "invariant 4: {kind:?} {operation} settled as {verdict:?}, {in_cdms} × in CDMS, {told} × told"
        ));
    }
}

/// Going back through the history from what CDMS has leads to a beginning without a gap, and times never go back.
fn replays(findings: &mut Findings, kit: &Kit, id: Uuid, history: &[HistoryEntry], unstored: &BTreeSet<&str>) {
    let record = kit.simulator.record("Account", id).or_else(|| kit.simulator.record("Contact", id));
    let Some(mut seen) = record else { return };
    let is_unstored = |change: &FieldChange| matches!(&change.to, Some(Value::Text(to)) if unstored.contains(&**to));
    for entry in history.iter().rev() {
        if entry.kind == EntryKind::Updated && entry.changes.iter().any(is_unstored) {
            continue;
        }
        for change in &entry.changes {
            let Some(attribute) = &change.attribute else { continue };
            if change.to.is_some() && seen.get(attribute) != change.to.as_ref() {
                findings.violations.push(format!(
                    "invariant 6: {id}: {attribute} is {:?} and not {:?} after {} ({:?})",
                    seen.get(attribute),
                    change.to,
                    entry.number,
                    entry.kind
                ));
                let near = |other: &&HistoryEntry| (entry.number - 60..entry.number + 60).contains(&other.number);
                let around = history.iter().filter(near);
                findings.violations.extend(around.map(|entry| format!("    {} {entry}", entry.number)));
                return;
            }
            if let Some(from) = &change.from {
                seen.insert(attribute.clone(), from.clone());
            }
        }
    }
    let times: Vec<_> = history.iter().filter_map(|entry| entry.modified).collect();
    if !times.is_sorted() {
        findings.violations.push(format!("invariant 8: {id}: times go back: {times:?}"));
    }
}

/// The time between our last GET of a record and our MERGE of it.
fn windows(requests: &[RequestEntry]) -> Vec<u64> {
    let mut last_get: HashMap<&str, u64> = HashMap::new();
    let mut windows = Vec::new();
    for request in requests {
        let path = request.target.split('?').next().unwrap_or_default();
        match request.method.as_str() {
            "GET" => _ = last_get.insert(path, request.arrived_us),
            "MERGE" => windows.extend(last_get.get(path).map(|got| request.arrived_us.saturating_sub(*got))),
            _ => {}
        }
    }
    windows.sort_unstable();
    windows
}
