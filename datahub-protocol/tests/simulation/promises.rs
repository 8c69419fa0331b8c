//! The promises at the end of a run: the invariants (docs/promises.md, 2) that a protocol can keep.

use cdms_odata::{Attributes, Value};
use datahub_protocol::{Entry, Note, Stored, Version};
use uuid::Uuid;

use crate::cdms::Whims;
use crate::mapping::{FORBIDDEN, UNREADABLE};
use crate::store::{Kept, LEASE_MS, QUIET_MS, StoredEntry};
use crate::verdicts;
use crate::world::{IDS, World};

/// Brings the world to its end; returns the first broken promise as an error.
pub(crate) fn hold(world: &mut World) -> Result<(), String> {
    world.troubled = false;
    world.finish();
    // CDMS carries out everything that it still will within this time.
    world.pass(2 * (LEASE_MS + QUIET_MS) + 1_000_000);
    correct(world);
    settle_all(world)?;
    if world.restored.is_none() {
        all_is_found(world)?;
    }
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
            verdicts::as_it_was(world, at, operation)?;
        }
    }
    for (id, kept) in &world.store.kept {
        replays(*id, kept)?;
    }
    let entries = world.store.kept.values().flat_map(|kept| &kept.history).map(|stored| words(&stored.entry));
    for word in entries.collect::<Vec<_>>() {
        world.count(&word);
    }
    Ok(())
}

/// A history entry in words, without its values.
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

/// People correct values that do not fit the model.
fn correct(world: &mut World) {
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

/// Pulls and sweeps alone find everything, by what they vouch for themselves.
fn all_is_found(world: &mut World) -> Result<(), String> {
    // A first load may be under way, and what has changed comes after it.
    for program in [0, 1, 0, 1] {
        world.pull(program, false);
        world.finish();
    }
    world.sweep(0);
    world.finish();
    world.broken.take().map_or(Ok(()), Err)
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
                None if Some(row.facts.modified) == world.modified(id) => Ok(()),
                None => Err(format!("the row of {id} has a different time than CDMS")),
                Some((name, value)) => {
                    Err(format!("{name} of {id} is {value:?} in CDMS and {:?} in the hub", row.seen.get(name)))
                }
            }
        }
        (Stored::Row(_), _) => Err(format!("the hub has a row of {id}, which CDMS does not have in the model")),
        (_, Some(_)) if is_of_model => Err(format!("CDMS has {id}, but the hub has no row")),
        _ => Ok(()),
    }
}

/// Going back through the history reproduces what was seen at each version with a row, and each entry leads to the
/// state after it.
fn replays(id: Uuid, kept: &Kept) -> Result<(), String> {
    let (Stored::Row(now) | Stored::Tombstone(now, _)) = &kept.stored else { return Ok(()) };
    let mut state = now.seen.clone();
    let mut shadows = kept.shadows.iter().rev().peekable();
    let agrees = |state: &Attributes, (version, shadow): &(Version, Option<Attributes>)| {
        let mut shadow = shadow.iter().flat_map(|shadow| shadow.iter());
        match shadow.find(|(name, value)| state.get(name) != Some(value)) {
            None => Ok(()),
            Some((name, value)) => Err(format!(
                "the history of {id} leads to {name} = {:?} at version {}, but it was {value:?}",
                state.get(name),
                version.0
            )),
        }
    };
    for StoredEntry { version, entry, is_stored } in kept.history.iter().rev() {
        while let Some(shadow) = shadows.next_if(|(at, _)| at >= version) {
            agrees(&state, shadow)?;
        }
        for change in &entry.changes {
            if let (Some(to), true) = (&change.to, *is_stored)
                && state.get(&change.attribute) != Some(to)
            {
                let (kind, name, now) = (entry.kind.name(), &change.attribute, state.get(&change.attribute));
                return Err(format!(
                    "an entry of {id} at version {}, {kind}, leads to {name} = {to:?}, but it was {now:?}",
                    version.0
                ));
            }
        }
        for change in &entry.changes {
            if let Some(from) = &change.from {
                state.insert(change.attribute.clone(), from.clone());
            }
        }
    }
    shadows.try_for_each(|shadow| agrees(&state, shadow))
}
