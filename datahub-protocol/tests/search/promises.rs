//! What must hold at every end.

use cdms_odata::Value;
use datahub_protocol::{Asked, EntryKind, Failure, Stored, Verdict};

use crate::machine::{Machine, Outcome};
use crate::world::World;

/// Checks an end at which nothing can happen any more, settles what is open and reads once; tells the end in words:
/// each write's outcome and verdict.
pub(crate) fn end(world: &World) -> Result<String, String> {
    let mut world = world.clone();
    world.let_time_pass();
    let open: Vec<_> = world.store.intents.iter().filter(|open| open.verdict.is_none()).collect();
    for operation in open.into_iter().map(|open| open.intent.operation).collect::<Vec<_>>() {
        let settling = world.start(3, Machine::settle(operation));
        world.run(settling);
    }
    if let Some(open) = world.store.intents.iter().find(|open| open.verdict.is_none()) {
        return Err(format!("the write {} is never settled", open.intent.operation));
    }
    let read = world.start(3, Machine::read());
    world.run(read);
    agrees(&world)?;
    edit_survives(&world)?;
    let mut words = Vec::new();
    for process in &world.processes {
        let Some(operation) = process.machine.operation() else { continue };
        let committed = world.commits.get(&operation).copied().unwrap_or(0);
        let verdict = world.store.intents.iter().find(|open| open.intent.operation == operation);
        let verdict = verdict.and_then(|open| open.verdict.clone());
        let told = world.store.history.iter().filter(|(_, by)| *by == Some(operation)).count();
        if committed > 1 {
            return Err(format!("the write {operation} is in CDMS {committed} times"));
        }
        let outcome = match process.outcome() {
            None => "crashed",
            Some(Outcome::Wrote(written)) if matches!(written.asked, Asked::ReadBack | Asked::NotReadBack) => "ok",
            Some(Outcome::Wrote(_)) => "nothing to write",
            Some(Outcome::Failed(failure)) => match failure {
                Failure::Unsettled { .. } => "unsettled",
                failure => failure.name(),
            },
            Some(_) => "?",
        };
        let found_gone = world.store.history.contains(&(EntryKind::Gone, Some(operation)))
            || (matches!(process.machine, Machine::Delete(..)) && verdict.is_none());
        if outcome == "ok" && !found_gone && (committed, told) != (1, 1) {
            return Err(format!(
                "the write {operation} ended well, is {committed} × in CDMS and {told} × in the history"
            ));
        }
        if !world.residual {
            match &verdict {
                Some(Verdict::Rejected { .. }) if committed > 0 => {
                    return Err(format!("the write {operation} was rejected and is in CDMS"));
                }
                Some(Verdict::NotApplied) if committed > 0 => {
                    return Err(format!("the write {operation} was found not applied and is in CDMS"));
                }
                Some(Verdict::Applied) if committed == 0 && !found_gone && !is_create(&process.machine) => {
                    return Err(format!("the write {operation} was found applied and is not in CDMS"));
                }
                _ => {}
            }
            if matches!(outcome, "rejected" | "conflict" | "busy" | "already_exists") && committed > 0 {
                return Err(format!("the write {operation} ended as {outcome} and is in CDMS"));
            }
        }
        words.push(format!("{outcome}/{}", verdict_word(verdict.as_ref())));
    }
    Ok(words.join(", "))
}

fn is_create(machine: &Machine) -> bool {
    matches!(machine, Machine::Create(..))
}

fn verdict_word(verdict: Option<&Verdict>) -> &'static str {
    match verdict {
        None => "never sent",
        Some(Verdict::Applied) => "applied",
        Some(Verdict::Rejected { .. }) => "rejected",
        Some(Verdict::Orphaned { .. }) => "orphaned",
        Some(Verdict::NotApplied) => "not applied",
        Some(Verdict::Superseded { .. }) => "superseded",
    }
}

/// What a person typed is there unless a write was meant to change it.
fn edit_survives(world: &World) -> Result<(), String> {
    let overwritten = world.processes.iter().any(|process| {
        let operation = process.machine.operation();
        process.machine.touches_a() && operation.is_some_and(|operation| world.commits.contains_key(&operation))
    });
    let there = world.cdms.as_ref().map(|record| record.attributes.get("a"));
    if world.edited && !overwritten && there.is_some_and(|a| a != Some(&Value::Integer(9))) {
        return Err(format!("a person's edit was overwritten by a write of another field: {there:?}"));
    }
    Ok(())
}

/// With no open write and one complete read, both sides have the same.
fn agrees(world: &World) -> Result<(), String> {
    match (&world.store.stored, &world.cdms) {
        (Stored::Row(row), Some(record)) if row.seen == record.attributes && row.modified == record.modified => Ok(()),
        (Stored::Absent | Stored::Tombstone(..), None) => Ok(()),
        (stored, cdms) => Err(format!("after a complete read the hub has {stored:?} and CDMS {cdms:?}")),
    }
}
