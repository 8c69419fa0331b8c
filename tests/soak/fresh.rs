//! What the soak demands of rows that pulls, lists, sweeps and revalidations have stored beside the writers.

use std::collections::{BTreeMap, HashSet};

use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::CommitKind;
use datahub_runtime::{Verdict, VersionToken};
use example_domain::Organisation;
use uuid::Uuid;

use crate::checker::Story;
use crate::program::Report;
use crate::tables::{quarantined, records};

/// No caller was shown a row that is older than one that it had been shown before, whichever operation returned it.
pub(crate) fn never_older(reports: &[Report]) -> Vec<String> {
    let mut newest: BTreeMap<(&str, Uuid), (i64, &Report)> = BTreeMap::new();
    let mut violations = Vec::new();
    for report in reports {
        // Every client does one thing after the other, and its name comes before its number.
        let client = report.actor.split('n').next().unwrap_or_default();
        for (version, id) in report.shown.iter().filter_map(parts) {
            match newest.get(&(client, id)) {
                Some((known, before)) if *known > version => violations.push(format!(
                    "invariant 8: {id} was shown at version {known} to {}, and then at {version} to {}",
                    before.actor, report.actor
                )),
                _ => _ = newest.insert((client, id), (version, report)),
            }
        }
    }
    violations
}

/// The number of a version and the record.
fn parts(token: &VersionToken) -> Option<(i64, Uuid)> {
    let text = token.to_string();
    let (version, id) = text.split_once('-')?;
    Some((version.parse().ok()?, id.parse().ok()?))
}

/// A pull and a sweep find whatever people have done, without a look at each record: nothing that they did lies behind the
/// watermark of the pulls that ran beside the writers. What a write has stored last is the writer's to answer for.
pub(crate) async fn found_by_pulls(story: &Story<'_>, hub: &Hub) -> Vec<String> {
    let mut pulled = hub.pull::<Organisation>().await;
    // A load that had begun beside the writers is finished first, and what changed since it began is the next pull's.
    if pulled.as_ref().is_ok_and(|pulled| !pulled.changes_only) {
        pulled = hub.pull::<Organisation>().await;
    }
    let swept = hub.sweep::<Organisation>().any_number().await;
    let (pulled, swept) = match (pulled, swept) {
        (Ok(pulled), Ok(swept)) => (pulled, swept),
        (pulled, swept) => return vec![format!("the last pull or sweep fails: {pulled:?}, {swept:?}")],
    };
    let mut violations = Vec::new();
    if !pulled.complete || !pulled.changes_only || pulled.not_given + pulled.pending + pulled.local_newer > 0 {
        violations.push(format!("the last pull has not read everything: {pulled:?}"));
    }
    if !swept.complete || swept.not_given + swept.pending > 0 {
        violations.push(format!("the last sweep has not read everything: {swept:?}"));
    }
    let (waiting, _) = quarantined(story.kit);
    let waiting: HashSet<_> = waiting.into_iter().collect();
    let (kept, _) = records(story.kit);
    for kept in kept.iter().filter(|kept| story.seeded.contains_key(&kept.id) && !waiting.contains(&kept.id)) {
        let Some(last) = story.commits_of_record(kept.id).last() else { continue };
        if last.operation.is_some() || was_left_to_a_refused_write(story, kept.id, last.at_ms) {
            continue;
        }
        let record = story.kit.simulator.record("Account", kept.id);
        if last.kind == CommitKind::Delete {
            if kept.is_row {
                violations.push(format!("a sweep leaves the row of {}, which was removed", kept.id));
            }
            continue;
        }
        let record = record.unwrap_or_default();
        let differs = kept.seen.iter().find(|(name, value)| record.get(name) != Some(value));
        match differs {
            _ if !kept.is_row => violations.push(format!("a pull has not found {}, which is in CDMS", kept.id)),
            Some((name, value)) => violations.push(format!(
                "a pull has not found what people did with {}: {name} is {value:?}, in CDMS {:?}",
                kept.id,
                record.get(name)
            )),
            None => {}
        }
    }
    violations
}

/// A pull leaves a record to a write that is open, and one that CDMS refuses stores nothing of the record.
fn was_left_to_a_refused_write(story: &Story<'_>, id: Uuid, at_ms: i64) -> bool {
    story.intents.values().filter(|intent| intent.record == id).any(|intent| {
        let closed = intent.closed.map_or(i64::MAX, |closed| closed.timestamp_millis());
        let is_within = (intent.opened.timestamp_millis() - 1_000..=closed + 1_000).contains(&at_ms);
        is_within && matches!(intent.verdict, Some(Verdict::Rejected { .. }))
    })
}
