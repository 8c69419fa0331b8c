//! Values of local fields that wait for their row: in an intent until its write is applied, and after that until the record
//! can be stored.

use std::collections::BTreeMap;

use datahub_model::{Fault, Mode, ModelDescriptor};
use datahub_protocol::{Commit, EntryKind, IntentChange, QuarantineChange, Trial, Verdict, WriteKind};
use uuid::Uuid;

use super::columns::Json;
use super::commit::Job;
use super::connection::Connection;
use super::failure::Trouble;
use super::intents;
use super::statement::Statement;
use crate::engine::local_fields::{LocalFields, NamedFields};

/// The local values to store in the row: the caller's values once its write is applied, no matter which program finds
/// that out.
pub(super) fn to_store(job: &Job, intended: &NamedFields) -> LocalFields {
    match &job.commit.intent {
        IntentChange::Close { verdict: Verdict::Applied, .. } => match &job.locals {
            Some(locals) => locals.clone(),
            None => intended.positioned(job.model),
        },
        // The row of a detached model is never refreshed, so the stored values are those of the caller's write.
        _ if job.model.mode == Mode::Detached => job.locals.clone().unwrap_or_default(),
        _ => LocalFields::default(),
    }
}

/// Whether a commit stores the first row of a create of ours that could not store it itself: the create was found not
/// applied and shows up now, or its record was in quarantine.
pub(super) fn awaits(commit: &Commit<Fault>, was_known: bool) -> bool {
    let is_late = commit.history.iter().any(|entry| entry.kind == EntryKind::AppliedLate);
    is_late || (!was_known && commit.quarantine == QuarantineChange::Clear)
}

/// The local values of the records' newest creates, from their closed intents.
pub(super) fn awaited(
    connection: &mut Connection,
    model: &ModelDescriptor,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, LocalFields>, Trouble> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut statement = Statement::default();
    statement.sql("SELECT intent.id, intent.local FROM ");
    statement.wanted(ids.iter().copied());
    statement.push(
        " JOIN datahub_intents AS intent ON intent.id = wanted.column1 AND intent.entity = ? AND intent.write = 'create' \
         AND (intent.verdict = ? OR intent.verdict = ?) ORDER BY intent.opened_at, intent.operation",
        [model.entity.name.into(), intents::applied()?, intents::not_applied()?],
    );
    let mut awaited = BTreeMap::new();
    for (id, named) in connection.read::<(Uuid, Option<Json<NamedFields>>)>(&statement)? {
        awaited.insert(id, named.map(|Json(named)| named.positioned(model)).unwrap_or_default());
    }
    Ok(awaited)
}

/// The local values to store in an intent, for the program that finds out that its write was applied: the values that
/// the caller set and, for a create, those of the new model.
pub(super) fn to_keep(job: &Job) -> NamedFields {
    let IntentChange::Open(intent) = &job.commit.intent else { return NamedFields::default() };
    let mut locals = LocalFields::default();
    if let (WriteKind::Create, Some(Trial::Put(values))) = (intent.write, &job.commit.trial) {
        locals = LocalFields::of_row(job.model, values);
        locals.retain(|_, value| !value.is_null());
    }
    job.locals.iter().fold(locals, LocalFields::with).named(job.model)
}
