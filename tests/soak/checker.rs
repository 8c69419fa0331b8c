//! The soak's checker: what CDMS did, what the hub keeps and what the callers were told must be one story.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{CommitEntry, CommitKind};
use datahub_runtime::{Attributes, EntryKind, HistoryEntry, Instant, Value, Verdict, WriteKind};
use futures_util::StreamExt as _;
use serde::Serialize;
use uuid::Uuid;

use crate::fresh::{found_by_pulls, never_older};
use crate::program::{EXECUTION_LIMIT, Kind, Report};
use crate::sides::{agree, kept_as_cdms_has_it};
use crate::tables::{Intent, intents, orphans, records};
use crate::traffic::{Overlap, Traffic};

/// What the soak found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Findings {
    pub(crate) violations: Vec<String>,
    pub(crate) outcomes: BTreeMap<String, u64>,
    pub(crate) verdicts: BTreeMap<String, u64>,
    /// What is not promised (docs/promises.md, 4), by what happened.
    pub(crate) residual: BTreeMap<&'static str, u64>,
    /// How long unsettled writes were open, in milliseconds.
    #[serde(skip)]
    pub(crate) settled_ms: Vec<u64>,
    /// How long after the end of their connection late writes were carried out, in milliseconds.
    #[serde(skip)]
    pub(crate) late_ms: Vec<u64>,
}

/// What happened, by whoever knows it best.
pub(crate) struct Story<'s> {
    pub(crate) kit: &'s Kit,
    pub(crate) traffic: &'s Traffic,
    /// The accounts as they were in the beginning.
    pub(crate) seeded: &'s HashMap<Uuid, Attributes>,
    pub(crate) commits: Vec<CommitEntry>,
    /// The commits of each record.
    pub(crate) of_record: HashMap<Uuid, Vec<usize>>,
    /// The commits of each operation to its own record, whatever the platform changed along with it.
    of_operation: HashMap<Uuid, Vec<usize>>,
    pub(crate) intents: HashMap<Uuid, Intent>,
    /// The intents that were opened for each actor.
    of_actor: HashMap<String, Vec<Uuid>>,
    /// What the history tells of each operation.
    told: HashMap<Uuid, Vec<EntryKind>>,
    /// The operations that were applied and could not be stored: told, but the row stays as it was before.
    pub(crate) unstored: HashSet<Uuid>,
    /// The writes that CDMS carried out after the quiet period.
    too_late: HashSet<Uuid>,
    orphans: Vec<(Uuid, Uuid, Uuid)>,
}

/// How many records are looked at together.
const TOGETHER: usize = 8;

/// How long before its intent a write may have looked at the record, on a stalled machine, and the like at its end.
const SLACK_MS: i64 = 15_000;

/// The quiet period of the programs.
const QUIET_MS: i64 = EXECUTION_LIMIT.as_millis() as i64 * 11 / 10;

pub(crate) async fn check(
    kit: &Kit,
    hub: &Hub,
    seeded: &HashMap<Uuid, Attributes>,
    traffic: &Traffic,
    reports: &[Report],
) -> Findings {
    let mut findings = Findings::default();
    let mut story = Story::gather(kit, seeded, traffic, reports, &mut findings);
    once_each(&mut findings, &story);
    one_at_a_time(&mut findings, &story);
    for commit in story.commits.iter().filter(|commit| commit.operation.is_some()) {
        only_what_was_stated(&mut findings, commit, &story.intents);
    }
    for (actor, opened) in story.of_actor.iter().filter(|(_, opened)| opened.len() > 1) {
        findings.violations.push(format!("invariant 5: one operation, of {actor}, opened {} intents", opened.len()));
    }

    let contacts = reports.iter().filter(|report| !report.id.is_nil() && !seeded.contains_key(&report.id));
    findings.violations.extend(never_older(reports));
    findings.violations.extend(found_by_pulls(&story, hub).await);
    let contacts: BTreeSet<Uuid> = contacts.map(|report| report.id).collect();
    let all = seeded.keys().map(|id| ("Account", *id)).chain(contacts.into_iter().map(|id| ("Contact", id)));
    let looked = futures_util::stream::iter(all).map(|(entity, id)| {
        let story = &story;
        async move { agree(story, hub, entity, id).await }
    });
    let looked: Vec<_> = looked.buffer_unordered(TOGETHER).collect().await;
    for look in looked {
        findings.violations.extend(look.violations);
        for (operation, kind) in look.told {
            story.told.entry(operation).or_default().push(kind);
        }
    }
    let (kept, unreadable) = records(kit);
    findings.violations.extend(unreadable);
    findings.violations.extend(kept.iter().flat_map(|kept| kept_as_cdms_has_it(&story, kept)));

    for report in reports {
        *findings.outcomes.entry(format!("{:?} {}", report.kind, report.outcome)).or_default() += 1;
        check_report(&mut findings, &story, report);
    }
    for settled in [&mut findings.settled_ms, &mut findings.late_ms] {
        settled.sort_unstable();
    }
    findings
}

impl<'s> Story<'s> {
    fn gather(
        kit: &'s Kit,
        seeded: &'s HashMap<Uuid, Attributes>,
        traffic: &'s Traffic,
        reports: &[Report],
        findings: &mut Findings,
    ) -> Self {
        let (intents, unreadable) = intents(kit);
        findings.violations.extend(unreadable);
        let (orphans, unreadable) = orphans(kit);
        findings.violations.extend(unreadable);
        let commits = kit.simulator.log();
        let mut of_record: HashMap<Uuid, Vec<usize>> = HashMap::new();
        let mut of_operation: HashMap<Uuid, Vec<usize>> = HashMap::new();
        for (at, commit) in commits.iter().enumerate().filter(|(_, commit)| commit.entity != "CustomerAddress") {
            of_record.entry(commit.id).or_default().push(at);
            if let Some(operation) = operation_of(commit) {
                of_operation.entry(operation).or_default().push(at);
            }
        }
        let mut of_actor: HashMap<String, Vec<Uuid>> = HashMap::new();
        for intent in &intents {
            of_actor.entry(intent.actor.clone()).or_default().push(intent.operation);
        }
        let unstored = reports.iter().filter(|report| report.outcome == "Quarantined");
        let unstored = unstored.filter_map(|report| report.operation.map(|operation| operation.0)).collect();
        for (operation, put_off_ms) in &traffic.put_off {
            let operation = operation.parse().unwrap_or_default();
            for at in of_operation.get(&operation).into_iter().flatten() {
                findings.late_ms.push(u64::try_from(commits[*at].at_ms - put_off_ms).unwrap_or(0));
            }
        }
        // Whoever carries it out, a stalled machine or a fault: what comes after the quiet period is not promised.
        let mut too_late = HashSet::new();
        for intent in &intents {
            let over = intent.lease_until.timestamp_millis() + QUIET_MS;
            let late = of_operation.get(&intent.operation).into_iter().flatten().any(|at| commits[*at].at_ms > over);
            if late {
                too_late.insert(intent.operation);
            }
        }
        if !too_late.is_empty() {
            findings.residual.insert("carried out after the quiet period", too_late.len() as u64);
        }
        Story {
            kit,
            traffic,
            seeded,
            commits,
            of_record,
            of_operation,
            intents: intents.into_iter().map(|intent| (intent.operation, intent)).collect(),
            of_actor,
            told: HashMap::new(),
            unstored,
            too_late,
            orphans,
        }
    }

    pub(crate) fn commits_of_record(&self, id: Uuid) -> impl Iterator<Item = &CommitEntry> {
        self.of_record.get(&id).into_iter().flatten().map(|at| &self.commits[*at])
    }

    fn commits_of_operation(&self, operation: Uuid) -> impl Iterator<Item = &CommitEntry> {
        self.of_operation.get(&operation).into_iter().flatten().map(|at| &self.commits[*at])
    }

    /// What others did to an intent's record from shortly before it was opened until shortly after it was closed.
    fn by_others<'i>(&'i self, intent: &'i Intent) -> impl Iterator<Item = &'i CommitEntry> {
        let from = intent.opened.timestamp_millis() - SLACK_MS;
        let to = intent.closed.map_or(i64::MAX, |closed| closed.timestamp_millis() + SLACK_MS);
        let others =
            self.commits_of_record(intent.record).filter(|commit| operation_of(commit) != Some(intent.operation));
        others.filter(move |commit| (from..=to).contains(&commit.at_ms))
    }

    /// Every time that CDMS gave a record.
    pub(crate) fn times_of(&self, id: Uuid) -> BTreeSet<Instant> {
        let seeded = self.seeded.get(&id).and_then(modified);
        seeded.into_iter().chain(self.commits_of_record(id).filter_map(|commit| modified(&commit.after))).collect()
    }
}

/// The time of the last change, where it is among the attributes.
pub(crate) fn modified(attributes: &Attributes) -> Option<Instant> {
    match attributes.get("ModifiedOn") {
        Some(Value::Instant(instant)) => Some(*instant),
        _ => None,
    }
}

fn operation_of(commit: &CommitEntry) -> Option<Uuid> {
    commit.operation.as_ref()?.parse().ok()
}

/// No write is carried out twice. A create that was made under another id, and answered with an error for which the hub
/// looks at the record, shows nothing there; it is sent again, and CDMS has both.
fn once_each(findings: &mut Findings, story: &Story<'_>) {
    for (operation, commits) in story.of_operation.iter().filter(|(_, commits)| commits.len() > 1) {
        let commits: Vec<_> = commits.iter().map(|at| &story.commits[*at]).collect();
        let record = story.intents.get(operation).map(|intent| intent.record);
        let astray: Vec<_> = commits.iter().map(|commit| Some(commit.id) != record).collect();
        let is_error = story.traffic.other_ids.get(&operation.to_string()) == Some(&Some(500));
        if is_error && astray == [true, false] {
            *findings
                .residual
                .entry("created under another id, answered with an error, and created again")
                .or_default() += 1;
            continue;
        }
        let shown = commits.iter().map(|commit| format!("\n    {} {:?} {}", commit.sequence, commit.kind, commit.id));
        let shown = shown.collect::<String>();
        findings.violations.push(format!("invariants 2 and 5: {operation} {} times in CDMS:{shown}", commits.len()));
    }
}

/// No two writes of the hub are under way to one record, over all programs, until CDMS is done with them.
fn one_at_a_time(findings: &mut Findings, story: &Story<'_>) {
    findings.violations.extend(story.traffic.strange.iter().map(|strange| format!("invariant 10: {strange}")));
    for Overlap { record, operations, us } in &story.traffic.overlaps {
        let is_too_late = |operation: &String| operation.parse().is_ok_and(|id| story.too_late.contains(&id));
        if !operations.iter().any(is_too_late) {
            findings.violations.push(format!(
                "invariant 10: {} of {record} were under way together for {us} µs",
                operations.join(" and ")
            ));
        }
    }
    for (operation, put_off_ms) in &story.traffic.put_off {
        let operation = operation.parse().unwrap_or_default();
        let Some(late) = story.commits_of_operation(operation).next() else { continue };
        let between = story.commits_of_record(late.id).filter(|commit| commit.sequence < late.sequence);
        let ours = between.filter(|commit| operation_of(commit).is_some_and(|other| other != operation));
        let meanwhile = ours.filter(|commit| commit.at_ms > *put_off_ms).count();
        if meanwhile > 0 && !story.too_late.contains(&operation) {
            findings
                .violations
                .push(format!("invariant 10: {meanwhile} writes before {operation} was carried out late"));
        }
    }
}

fn only_what_was_stated(findings: &mut Findings, commit: &CommitEntry, intents: &HashMap<Uuid, Intent>) {
    let Some(intent) = operation_of(commit).and_then(|operation| intents.get(&operation)) else {
        return findings.violations.push(format!("invariant 12: {:?} has no intent", commit.operation));
    };
    let key = format!("{}Id", commit.entity);
    let stated = |name: &str| intent.stated.patch.contains(name) || intent.stated.constants.contains(name);
    if let Some(name) = commit.sent.iter().find(|name| **name != key && !stated(name)) {
        findings.violations.push(format!("invariant 12: {} sent {name}", intent.operation));
    }
}

/// The outcomes that an operation can have in the soak. Anything else is wrong: the soak does not break the database, asked for too
/// much at once, or wrote what cannot be written; and CDMS's time never went back.
fn may_be(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Read => {
            &["Ok", "Gone", "NotFound", "Unsettled", "Busy", "Quarantined", "Rejected", "Unavailable", "Misconfigured"]
        }
        Kind::Revalidate => {
            &["Ok", "Gone", "NotFound", "Unsettled", "Busy", "Quarantined", "Rejected", "Unavailable", "Misconfigured"]
        }
        Kind::Look => &["Ok", "Gone", "NotFound", "Unsettled"],
        Kind::List => &["Ok", "Rejected", "Unavailable", "Misconfigured"],
        Kind::Pull | Kind::Sweep => &["Ok", "Busy", "Rejected", "Unavailable", "Misconfigured"],
        Kind::Watch => &["Ok", "Busy", "Rejected", "Unavailable", "Misconfigured", "LeftToOthers", "Nothing"],
        Kind::Create => &["Ok", "AlreadyExists", "Unsettled", "Busy", "Rejected", "Unavailable", "Misconfigured"],
        Kind::Update | Kind::Delete => {
            &["Ok", "Gone", "Conflict", "Unsettled", "Busy", "Quarantined", "Rejected", "Unavailable", "Misconfigured"]
        }
    }
}

/// What the caller was told is what happened.
fn check_report(findings: &mut Findings, story: &Story<'_>, report: &Report) {
    if !may_be(report.kind).contains(&report.outcome.as_str()) {
        let which = if report.outcome == "LocalNewer" { "invariant 9" } else { "an outcome that cannot be" };
        return findings.violations.push(format!("{which}: {report:?}"));
    }
    if !report.kind.writes() {
        return;
    }
    // No other task acts for this actor, so this is what the operation opened, whatever its caller heard.
    let intent = story.of_actor.get(&report.actor).and_then(|opened| story.intents.get(opened.first()?));
    let Some(intent) = intent else { return never_begun(findings, story, report) };
    let commits = story.commits_of_operation(intent.operation);
    let in_cdms = commits.filter(|commit| commit.id == report.id).count();
    let entries = story.told.get(&intent.operation).map(Vec::as_slice).unwrap_or_default();
    let told = entries.iter().filter(|kind| tells_of(intent.stated.write, **kind)).count();
    let facts = || format!("{report:?} as {:?}: {in_cdms} × in CDMS, told {entries:?}", intent.verdict);
    if report.operation.is_some_and(|operation| operation.0 != intent.operation) && report.outcome != "Busy" {
        return findings.violations.push(format!("the error names another write: {}", facts()));
    }
    if intent.record != report.id {
        return findings.violations.push(format!("the intent is of another record: {}", facts()));
    }
    let came_to_nothing: Vec<_> = entries.iter().copied().filter(|kind| kind.changes_nothing()).collect();
    let as_settled = match &intent.verdict {
        Some(Verdict::NotApplied) => vec![EntryKind::NotApplied],
        Some(Verdict::Superseded { .. }) => vec![EntryKind::Superseded],
        Some(Verdict::Orphaned { .. }) => vec![EntryKind::Orphaned],
        _ => Vec::new(),
    };
    if told + came_to_nothing.len() != entries.len() || came_to_nothing != as_settled {
        return findings.violations.push(format!("invariant 2: told as something else: {}", facts()));
    }
    if story.too_late.contains(&intent.operation) {
        return;
    }
    let is_true = match (report.outcome.as_str(), &intent.verdict) {
        ("Ok" | "Quarantined", Some(Verdict::Applied)) => is_applied(story, intent, (in_cdms, told)),
        ("Misconfigured", Some(Verdict::Orphaned { id })) => {
            is_orphaned(story, intent, *id) && (in_cdms, told) == (0, 0)
        }
        ("Unsettled", Some(verdict)) => {
            unsettled(findings, story, intent);
            match verdict {
                Verdict::Applied => is_applied(story, intent, (in_cdms, told)),
                Verdict::Rejected { .. } => (in_cdms, told) == (0, 0),
                Verdict::NotApplied if told > 0 => is_told_for_another(findings, story, intent, (in_cdms, told)),
                Verdict::NotApplied => in_cdms == 0 || is_made_and_removed(findings, story, intent),
                Verdict::Superseded { attributes } => told == 0 && is_superseded(story, intent, attributes),
                _ => false,
            }
        }
        ("Ok" | "Quarantined" | "Unsettled", _) => false,
        // Whatever else the caller heard says that nothing was done.
        (_, Some(Verdict::Rejected { .. })) => (in_cdms, told) == (0, 0),
        _ => false,
    };
    if !is_true {
        let invariant = match report.outcome.as_str() {
            "Ok" | "Quarantined" => 2,
            "Unsettled" => 4,
            _ => 3,
        };
        findings.violations.push(format!("invariant {invariant}: {}", facts()));
    }
}

/// An operation that opened no intent did nothing, and says so; a record that was gone already counts as deleted.
fn never_begun(findings: &mut Findings, story: &Story<'_>, report: &Report) {
    let is_true = match (report.kind, report.outcome.as_str()) {
        (Kind::Delete, "Ok") => story.commits_of_record(report.id).any(|commit| commit.kind == CommitKind::Delete),
        (_, "Ok" | "Unsettled") => false,
        (_, "Quarantined") => report.operation.is_none(),
        _ => true,
    };
    if !is_true {
        findings.violations.push(format!("invariant 2: {report:?} opened no intent"));
    }
}

/// Whether an entry of this kind is what the history tells of such a write.
fn tells_of(write: WriteKind, kind: EntryKind) -> bool {
    match write {
        WriteKind::Create => matches!(kind, EntryKind::Created | EntryKind::AppliedLate),
        WriteKind::Update => matches!(kind, EntryKind::Updated | EntryKind::AppliedLate),
        WriteKind::Delete => matches!(kind, EntryKind::Deleted | EntryKind::Gone),
        _ => false,
    }
}

/// A write that is called applied is in CDMS and in the history once; a delete is too if another user was faster.
fn is_applied(story: &Story<'_>, intent: &Intent, (in_cdms, told): (usize, usize)) -> bool {
    let somebody_else_did = || {
        intent.stated.write == WriteKind::Delete
            && story.by_others(intent).any(|commit| commit.kind == CommitKind::Delete)
    };
    told == 1 && (in_cdms == 1 || (in_cdms == 0 && somebody_else_did()))
}

/// An orphan is in CDMS under the id that it was told by, and waits in quarantine.
fn is_orphaned(story: &Story<'_>, intent: &Intent, id: Uuid) -> bool {
    let made = story.commits_of_operation(intent.operation).map(|commit| commit.id).collect::<Vec<_>>();
    made == [id] && story.orphans.contains(&(intent.operation, intent.record, id))
}

/// A create that was undone in CDMS before it was settled looks like one that never happened.
fn is_made_and_removed(findings: &mut Findings, story: &Story<'_>, intent: &Intent) -> bool {
    let removed = story.by_others(intent).any(|commit| commit.kind == CommitKind::Delete);
    let is_so = intent.stated.write == WriteKind::Create && removed;
    if is_so {
        *findings.residual.entry("created, and deleted in CDMS before it was settled").or_default() += 1;
    }
    is_so
}

/// A delete that was found not applied is told once more where the record is gone later, because CDMS does not say who
/// removed it: once, and only if it was removed.
fn is_told_for_another(
    findings: &mut Findings,
    story: &Story<'_>,
    intent: &Intent,
    (in_cdms, told): (usize, usize),
) -> bool {
    let closed = intent.closed.map_or(i64::MAX, |closed| closed.timestamp_millis());
    let removed = |commit: &CommitEntry| commit.kind == CommitKind::Delete && commit.at_ms >= closed - SLACK_MS;
    let is_so = intent.stated.write == WriteKind::Delete
        && (in_cdms, told) == (0, 1)
        && story.commits_of_record(intent.record).any(removed);
    if is_so {
        *findings.residual.entry("deleted by another user, told as a delete of ours that came late").or_default() += 1;
    }
    is_so
}

/// Only an edit or a deletion by another user makes a write superseded: one of an attribute that the verdict names, after
/// what the write had found there.
fn is_superseded(story: &Story<'_>, intent: &Intent, attributes: &[String]) -> bool {
    if intent.stated.write != WriteKind::Update {
        return false;
    }
    if attributes.is_empty() {
        return story.by_others(intent).any(|commit| commit.kind == CommitKind::Delete);
    }
    attributes.iter().any(|name| {
        let found = intent.stated.pre_image.get(name).unwrap_or(&Value::Null);
        let gave_it = |commit: &&CommitEntry| match commit.kind {
            CommitKind::Create => commit.after.get(name).unwrap_or(&Value::Null) == found,
            CommitKind::Update => commit.after.get(name) == Some(found),
            CommitKind::Delete => false,
        };
        let before = story.commits_of_record(intent.record).filter(gave_it).map(|commit| commit.sequence).max();
        let after = story.by_others(intent).filter(|commit| before.is_none_or(|before| commit.sequence > before));
        after.into_iter().any(|commit| commit.kind != CommitKind::Update || commit.after.contains(name))
    })
}

/// Counts an unsettled write and how long it was open.
fn unsettled(findings: &mut Findings, story: &Story<'_>, intent: &Intent) {
    let word = intent.verdict.as_ref().map_or("open", verdict_name);
    *findings.verdicts.entry(word.to_owned()).or_default() += 1;
    if let Some(closed) = intent.closed {
        let open = closed.signed_duration_since(intent.opened).num_milliseconds();
        findings.settled_ms.push(u64::try_from(open).unwrap_or(0));
    }
    if story.traffic.other_ids.get(&intent.operation.to_string()) == Some(&None)
        && story.commits_of_operation(intent.operation).any(|commit| commit.id != intent.record)
    {
        *findings.residual.entry("created under another id, without an answer").or_default() += 1;
    }
}

fn verdict_name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Applied => "applied",
        Verdict::Rejected { .. } => "rejected",
        Verdict::Orphaned { .. } => "orphaned",
        Verdict::NotApplied => "not applied",
        Verdict::Superseded { .. } => "superseded",
        _ => "unknown",
    }
}

/// What one look at a record's history says of operations.
pub(crate) fn operations_of(history: &[HistoryEntry]) -> impl Iterator<Item = (Uuid, EntryKind)> {
    history.iter().filter_map(|entry| Some((entry.operation?.0, entry.kind)))
}
