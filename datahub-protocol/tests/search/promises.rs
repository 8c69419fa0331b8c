//! The promises that are checked at every step and at every end.

use datahub_protocol::{Intent, LeaseState, OperationId, Stored, Verdict, WriteKind};

use crate::cdms::{Sent, Truth};
use crate::machine::{Act, End};
use crate::store::{Opened, VERDICT_ENTRIES};
use crate::world::World;

/// A write at an end: its outcome and verdict, the excuse for a verdict that is not the truth, and why the history
/// cannot record the write.
pub(crate) struct Fate {
    pub(crate) words: String,
    pub(crate) excuse: Option<&'static str>,
    pub(crate) unrecorded: Option<&'static str>,
}

/// An intent is exactly what its caller wants.
pub(crate) fn wished(world: &World, intent: &Intent) -> Result<(), String> {
    let Some(wish) = world.wishes.iter().find(|wish| wish.operation == intent.operation) else {
        return Err(format!("no caller wants the write {}", intent.operation));
    };
    let mut patch = intent.patch.iter();
    if wish.write != intent.write || !patch.all(|(name, value)| wish.attributes.get(name) == Some(value)) {
        return Err(format!("the intent of the {} {} is not what its caller wants", wish.write, wish.operation));
    }
    Ok(())
}

/// Whatever is sent matches its intent, and the intent exists.
pub(crate) fn intended(world: &World, (operation, write, body): &Sent) -> Result<(), String> {
    match world.store.intent(*operation) {
        Some(opened) if opened.intent.write == *write && opened.intent.patch == *body => Ok(()),
        Some(_) => Err(format!("the {write} {operation} sends something other than its intent")),
        None => Err(format!("the {write} {operation} is sent without an intent")),
    }
}

/// A write is carried out once, and only while its intent allows it. Returns whether this was past its quiet period.
pub(crate) fn carried_out(world: &World, operation: OperationId) -> Result<bool, String> {
    let truth = truth(world, operation);
    if truth.carried_out > 1 && !(truth.looked_at && truth.put_back) {
        return Err(format!("the write {operation} is in CDMS {} times", truth.carried_out));
    }
    match world.store.intent(operation) {
        Some(opened) if opened.lease == LeaseState::Over => Ok(true),
        Some(Opened { verdict: Some(verdict), .. }) if !truth.residual => {
            Err(format!("the write {operation} was settled as {verdict:?} and carried out within its quiet period"))
        }
        _ => Ok(false),
    }
}

fn truth(world: &World, operation: OperationId) -> Truth {
    world.cdms.truth.get(&operation).cloned().unwrap_or_default()
}

/// A verdict is the truth, as far as reading can determine it. Returns the excuse for one that is not.
pub(crate) fn settled(world: &World, operation: OperationId) -> Result<Option<&'static str>, String> {
    let truth = truth(world, operation);
    let is_there = truth.carried_out > 0;
    let verdict = world.store.intent(operation).and_then(|opened| opened.verdict.as_ref());
    match verdict {
        None => Ok(None),
        Some(Verdict::Applied) if is_there => Ok(None),
        Some(Verdict::Applied) if truth.looks_applied => Ok(Some("another actor did the same")),
        Some(Verdict::Rejected { .. }) if !is_there => Ok(None),
        // Its writer looked after an error that proves nothing, and that look counts like any other.
        Some(Verdict::Rejected { .. }) if truth.looked_at && truth.put_back => Ok(Some("the old state was put back")),
        Some(Verdict::NotApplied) if !is_there => Ok(None),
        Some(Verdict::NotApplied) if truth.residual => Ok(Some("sent or carried out past its time")),
        Some(Verdict::NotApplied) if truth.put_back => Ok(Some("the old state was put back")),
        Some(Verdict::Superseded { .. }) if truth.disturbed => Ok(None),
        Some(verdict) => Err(format!(
            "the write {operation} was found {}, and what is true of it is {truth:?}",
            verdict_word(Some(verdict))
        )),
    }
}

/// A writer that closes its own intent has CDMS's answer, so a record that only looks like it is no excuse. But a
/// delete that finds the record gone has nothing left to do.
pub(crate) fn answered(world: &World, operation: OperationId) -> Result<(), String> {
    match world.store.intent(operation) {
        Some(Opened { verdict: Some(Verdict::Applied), intent, .. })
            if intent.write != WriteKind::Delete
                && truth(world, operation).carried_out == 0
                && !(truth(world, operation).looked_at && truth(world, operation).looks_applied) =>
        {
            Err(format!("the {} {operation} reports that it was applied, and it was not", intent.write))
        }
        _ => Ok(()),
    }
}

/// What a caller gets is what the hub has and, if it was read and did not need storing, what CDMS has.
pub(crate) fn ended(world: &World, end: &End, is_stored: bool) -> Result<(), String> {
    match end {
        End::Ok(Some(result)) if is_stored => match &world.store.stored {
            Stored::Row(row) if row == &**result => Ok(()),
            stored => Err(format!("the caller got {result:?}, and the hub has {stored:?}")),
        },
        End::Ok(Some(result)) => match &world.cdms.record {
            Some(record) if record.attributes == result.seen && record.facts.modified == result.facts.modified => {
                Ok(())
            }
            cdms => Err(format!("the caller got {result:?}, and CDMS has {cdms:?}")),
        },
        // CDMS's time never goes back here.
        End::Failed("local_newer") => Err("the row was reported as newer than CDMS".to_owned()),
        _ => Ok(()),
    }
}

/// Checks an end at which nothing more can happen, after settling every open write and one complete read.
pub(crate) fn end(world: &World) -> Result<Vec<Fate>, String> {
    let mut world = world.clone();
    world.finish();
    if let Some(broken) = world.broken.take() {
        return Err(broken);
    }
    agrees(&world)?;
    let mut fates = Vec::new();
    for process in &world.processes {
        let (Some(operation), Act::Over(end)) = (process.operation, &process.act) else { continue };
        let excuse = settled(&world, operation)?;
        let unrecorded = is_recorded(&world, operation)?;
        let outcome = learned(&world, operation, end)?;
        let verdict = world.store.intent(operation).map(|opened| opened.verdict.as_ref());
        let write = world.wishes.iter().find(|wish| wish.operation == operation).map_or("?", |wish| wish.write.name());
        let verdict = verdict.map_or("never opened", verdict_word);
        fates.push(Fate { words: format!("{write}: {outcome}/{verdict}"), excuse, unrecorded });
    }
    Ok(fates)
}

/// The result that a write's caller got is the truth. Returns the outcome in words.
fn learned(world: &World, operation: OperationId, end: &End) -> Result<&'static str, String> {
    let Truth { carried_out, looks_applied, looked_at, put_back, .. } = truth(world, operation);
    let seemed_undone = looked_at && put_back;
    let is_there = carried_out == 1 || carried_out > 1 && seemed_undone;
    let is_opened = world.store.intent(operation).is_some();
    let (holds, word) = match end {
        End::Crashed => (true, "crashed"),
        End::Unsettled { in_cdms } => (!in_cdms || is_there || looked_at && looks_applied, "unsettled"),
        End::Nothing => (carried_out == 0, "nothing to write"),
        // A delete that found the record already gone has nothing left to do.
        End::Ok(_) if is_opened => (is_there || looks_applied, "ok"),
        End::Ok(_) => (carried_out == 0, "ok"),
        End::Failed(word) => (carried_out == 0 || seemed_undone, *word),
    };
    if holds { Ok(word) } else { Err(format!("the write {operation} ended as {word} and is {carried_out} × in CDMS")) }
}

/// The history records a write that was carried out exactly once, and any other write never. If a late write cannot be
/// recorded, returns why.
fn is_recorded(world: &World, operation: OperationId) -> Result<Option<&'static str>, String> {
    let truth = truth(world, operation);
    let ours = world.store.recorded.iter().filter(|((by, _), _)| *by == operation);
    let (verdicts, changes): (Vec<_>, Vec<_>) = ours.partition(|((_, kind), _)| VERDICT_ENTRIES.contains(kind));
    let recorded: u8 = changes.iter().map(|(_, count)| **count).sum();
    let opened = world.store.intent(operation);
    let verdict = opened.and_then(|opened| opened.verdict.as_ref());
    let is_late = matches!(verdict, Some(Verdict::NotApplied | Verdict::Superseded { .. }));
    let says_another_did = opened.is_some_and(|opened| world.store.says_another_did(&opened.intent));
    let mut unrecorded = None;
    // A change that was undone before its writer looked counts as if it had not been made.
    let carried_out = if truth.looked_at && truth.put_back { truth.carried_out.min(1) } else { truth.carried_out };
    let holds = match (verdict, carried_out) {
        (Some(Verdict::Applied), _) => recorded == 1,
        // A change that was overwritten before anyone read it cannot be recorded.
        (Some(_), 1) if is_late && truth.overwritten => recorded <= 1,
        (Some(_), 1) if is_late && recorded == 0 && another_create_is_recorded(world, operation) => {
            unrecorded =
                Some("a record does not show whose create made it, and the history names another one of that id");
            true
        }
        (Some(_), 1) if is_late && recorded == 0 => {
            unrecorded = Some("another write of ours did the same, and the history names that one");
            says_another_did
        }
        (Some(_), 1) if is_late => recorded == 1,
        // If two did the same, the history cannot say which one it was.
        (Some(_), 0) if is_late && truth.looks_late => recorded <= 1,
        _ => recorded == 0,
    };
    let late = |kind: &str| ["applied late", "gone", "revived"].contains(&kind);
    let rightly = !is_late || changes.iter().all(|((_, kind), _)| late(kind));
    let verdicts: u8 = verdicts.iter().map(|(_, count)| **count).sum();
    if holds && rightly && verdicts == u8::from(is_late) {
        return Ok(unrecorded);
    }
    Err(format!(
        "the write {operation} was found {}, what is true of it is {truth:?}, and the history has {:?}",
        verdict_word(verdict),
        world.store.recorded
    ))
}

/// Whether this is a create and the history names another create as the origin of the record.
fn another_create_is_recorded(world: &World, operation: OperationId) -> bool {
    let is_create = world.store.intent(operation).is_some_and(|opened| opened.intent.write == WriteKind::Create);
    let mut others = world.store.recorded.keys().filter(|(by, _)| *by != operation);
    is_create && others.any(|(_, kind)| *kind == "created")
}

fn verdict_word(verdict: Option<&Verdict>) -> &'static str {
    match verdict {
        None => "open",
        Some(Verdict::Applied) => "applied",
        Some(Verdict::Rejected { .. }) => "rejected",
        Some(Verdict::Orphaned { .. }) => "orphaned",
        Some(Verdict::NotApplied) => "not applied",
        Some(Verdict::Superseded { .. }) => "superseded",
        Some(_) => "unknown",
    }
}

/// Without an open write and after one complete read, both sides are equal.
fn agrees(world: &World) -> Result<(), String> {
    match (&world.store.stored, &world.cdms.record) {
        (Stored::Row(row), Some(record))
            if row.seen == record.attributes && row.facts.modified == record.facts.modified =>
        {
            Ok(())
        }
        (Stored::Absent | Stored::Tombstone(..), None) => Ok(()),
        (stored, cdms) => Err(format!("after a complete read the hub has {stored:?} and CDMS {cdms:?}")),
    }
}
