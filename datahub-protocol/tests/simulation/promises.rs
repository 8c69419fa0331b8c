//! What must hold when everything has come to its end: the invariants of the design, as far as a protocol can keep them.

use cdms_odata::Value;
use datahub_protocol::{Entry, EntryKind, Note, OperationId, Stored, Verdict, WriteKind};
use uuid::Uuid;

use crate::cdms::{Deed, Whims};
use crate::mapping::{FORBIDDEN, UNREADABLE};
use crate::store::{Kept, LEASE_MS, QUIET_MS};
use crate::world::{IDS, Outcome, World, outcome_word, verdict_word};

/// Brings the world to its end and says which promise is broken, if one is.
pub(crate) fn hold(world: &mut World) -> Result<(), String> {
    world.troubled = false;
    world.finish();
    // Whatever CDMS still carries out, it does within this time.
    world.pass(2 * (LEASE_MS + QUIET_MS) + 1_000_000);
    mend(world);
    settle_all(world)?;
    for id in IDS {
        world.read(id);
        world.finish();
        world.read(id);
        world.finish();
        agrees(world, id)?;
    }
    if let Some(broken) = world.broken.take() {
        return Err(broken);
    }
    for at in 0..world.processes.len() {
        if let Some(operation) = world.processes[at].operation {
            write_is_told_once(world, at, operation)?;
        }
    }
    for (id, kept) in &world.store.kept {
        replays(*id, kept)?;
    }
    let entries = world.store.kept.values().flat_map(|kept| &kept.history).map(|(_, entry)| words(entry));
    for word in entries.collect::<Vec<_>>() {
        world.count(&word);
    }
    Ok(())
}

/// What a history entry says, without its values.
fn words(entry: &Entry) -> String {
    let notes = entry.changes.iter().filter(|change| change.note != Note::Plain).count();
    let (changes, constants) = (entry.changes.len(), entry.constants.len());
    let modified = if entry.modified.is_some() { "timed" } else { "untimed" };
    format!(
        "history: {} from {:?}, {changes} changes, {notes} noted, {constants} constants, {modified}",
        entry.kind.name(),
        entry.origin
    )
}

/// People mend what no model can hold.
fn mend(world: &mut World) {
    for id in IDS {
        let unfit = world
            .cdms
            .records
            .get(&id)
            .and_then(|record| record.attributes.get("a"))
            .is_some_and(|a| [Value::Integer(UNREADABLE), Value::Integer(FORBIDDEN)].contains(a));
        if unfit {
            let values = cdms_odata::Attributes::from([("a", Value::Integer(0))]);
            world.cdms.put(id, &values, None, Whims::default());
        }
    }
}

fn settle_all(world: &mut World) -> Result<(), String> {
    let open = world.store.intents.iter().filter(|opened| opened.verdict.is_none());
    for (id, operation) in open.map(|opened| (opened.id, opened.intent.operation)).collect::<Vec<_>>() {
        world.settle(0, id, operation);
        world.finish();
    }
    match world.store.intents.iter().find(|opened| opened.verdict.is_none()) {
        Some(open) => Err(format!("{} is never settled", open.intent.operation)),
        None => Ok(()),
    }
}

/// Both sides are equal after a complete read.
fn agrees(world: &World, id: Uuid) -> Result<(), String> {
    let record = world.cdms.records.get(&id);
    let is_of_model = record.is_some_and(|record| record.attributes.get("k") != Some(&Value::Integer(0)));
    match (world.stored(id), record) {
        (Stored::Row(row), Some(record)) if is_of_model => {
            let differs = record.attributes.iter().find(|(name, value)| row.seen.get(name) != Some(value));
            match differs {
                None if Some(row.modified) == world.modified(id) => Ok(()),
                None => Err(format!("the row of {id} has another time than CDMS")),
                Some((name, value)) => {
                    Err(format!("{name} of {id} is {value:?} in CDMS and {:?} in the hub", row.seen.get(name)))
                }
            }
        }
        (Stored::Row(_), _) => Err(format!("the hub has a row of {id}, which CDMS does not have in the model")),
        (_, Some(_)) if is_of_model => Err(format!("CDMS has {id}, and the hub has no row")),
        _ => Ok(()),
    }
}

/// What became of a write is what its caller learned, what CDMS has and what the history says.
fn write_is_told_once(world: &mut World, at: usize, operation: OperationId) -> Result<(), String> {
    let process = &world.processes[at];
    let opened = world.store.intent(operation);
    let verdict = opened.and_then(|opened| opened.verdict.clone());
    let is_create = opened.is_some_and(|opened| opened.intent.write == WriteKind::Create);
    let is_delete = opened.is_some_and(|opened| opened.intent.write == WriteKind::Delete);
    let entries = world.store.kept.get(&process.id).map(|kept| &kept.history[..]).unwrap_or_default();
    let ours: Vec<_> =
        entries.iter().map(|(_, entry)| entry).filter(|entry| entry.operation == Some(operation)).collect();
    let told = ours.iter().filter(|entry| entry.kind != EntryKind::Gone).count();
    let found_gone = ours.iter().any(|entry| entry.kind == EntryKind::Gone);
    let removed_by_others = world.cdms.log.iter().any(|happened| {
        happened.id == process.id && happened.by != Some(operation) && matches!(happened.what, Deed::Removed)
    });
    let in_cdms = world.cdms.commits.iter().filter(|commit| **commit == operation).count();
    let residual = world.residual.contains(&operation);
    let outcome = process.outcome().map_or("crashed", outcome_word);
    let facts = || {
        format!(
            "{} {operation} ended as {outcome}, settled as {verdict:?}, {in_cdms} × in CDMS, {told} × told",
            process.kind()
        )
    };
    if in_cdms > 1 {
        return Err(format!("carried out twice: {}", facts()));
    }
    if told > 1 {
        return Err(format!("told twice: {}", facts()));
    }
    // After a restore CDMS has lost what it had carried out.
    if world.restored || residual {
        return Ok(());
    }
    let ok = outcome.starts_with("ok");
    let never_sent = opened.is_none();
    if ok && !never_sent && !found_gone && (in_cdms, told) != (1, 1) {
        return Err(format!("not once on both sides: {}", facts()));
    }
    if never_sent && in_cdms > 0 {
        return Err(format!("in CDMS without an intent: {}", facts()));
    }
    if in_cdms > 0 {
        if matches!(verdict, Some(Verdict::Rejected { .. } | Verdict::NotApplied)) {
            return Err(format!("it is in CDMS: {}", facts()));
        }
        if matches!(outcome, "rejected" | "conflict" | "busy" | "already_exists" | "invalid" | "forbidden_by_store") {
            return Err(format!("it is in CDMS: {}", facts()));
        }
    }
    if verdict == Some(Verdict::Applied) && in_cdms == 0 && !is_create && !(is_delete && removed_by_others) {
        return Err(format!("it is not in CDMS: {}", facts()));
    }
    // What nobody else overwrote must be told.
    if in_cdms == 1 && verdict == Some(Verdict::Applied) && told == 0 && !found_gone {
        return Err(format!("nobody is told of it: {}", facts()));
    }
    if let Some(Outcome::Wrote(written)) = process.outcome()
        && !written.conflicts.is_empty()
        && ok
    {
        let noted = ours.iter().flat_map(|entry| &entry.changes);
        if !noted.clone().any(|change| matches!(change.note, Note::Conflict | Note::Adjusted { .. })) {
            return Err(format!("a conflict is not told: {}", facts()));
        }
    }
    let word = verdict.as_ref().map_or("never sent", verdict_word);
    let end = format!("end: {} {outcome}/{word}", process.kind());
    world.count(&end);
    Ok(())
}

/// Going back through the history leads to what was seen at each version at which there was a row.
fn replays(id: Uuid, kept: &Kept) -> Result<(), String> {
    let (Stored::Row(now) | Stored::Tombstone(now, _)) = &kept.stored else { return Ok(()) };
    let mut state = now.seen.clone();
    let mut entries = kept.history.iter().rev().peekable();
    for (version, shadow) in kept.shadows.iter().rev() {
        while let Some((_, entry)) = entries.next_if(|(at, _)| at > version) {
            for change in &entry.changes {
                if let Some(from) = &change.from {
                    state.insert(change.attribute.clone(), from.clone());
                }
            }
        }
        let Some(shadow) = shadow else { continue };
        if let Some((name, value)) = shadow.iter().find(|(name, value)| state.get(name) != Some(value)) {
            return Err(format!(
                "the history of {id} leads to {name} = {:?} at version {}, and it was {value:?}",
                state.get(name),
                version.0
            ));
        }
    }
    Ok(())
}
