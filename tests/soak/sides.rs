//! Both sides of a record at the soak's end: the row as CDMS has the record, and a history that leads from the one's
//! beginning to it.

use std::collections::BTreeSet;

use datahub_runtime::prelude::*;
use datahub_runtime::{Attributes, EntryKind, Finding, HistoryEntry, Instant, Value};
use example_domain::{Contact, Organisation};
use uuid::Uuid;

use crate::checker::{Story, modified, operations_of};
use crate::tables::Kept;

/// What a look at one record came to.
#[derive(Default)]
pub(crate) struct Look {
    pub(crate) violations: Vec<String>,
    /// What its history tells of which operation.
    pub(crate) told: Vec<(Uuid, EntryKind)>,
}

/// Both sides are equal, a second read finds nothing to do, and the history tells how it came to that.
pub(crate) async fn agree(story: &Story<'_>, hub: &Hub, entity: &'static str, id: Uuid) -> Look {
    let mut look = Look::default();
    let (fields, history) = match entity {
        "Account" => (account(hub, id).await, Organisation::history(hub, id.into()).await),
        _ => (contact(hub, id).await, Contact::history(hub, id.into()).await),
    };
    let record = story.kit.simulator.record(entity, id);
    match (fields, &record) {
        (Ok(fields), Some(record)) => {
            let differs = fields.iter().filter(|(name, value)| record.get(name) != Some(value));
            look.violations.extend(differs.map(|(name, value)| {
                format!("invariant 1: {entity} {id}: {name} is {value:?}, in CDMS {:?}", record.get(name))
            }));
        }
        (Err(Told::Gone), None) => {}
        (told, record) => {
            let is_there = record.is_some();
            look.violations.push(format!("invariant 1: {entity} {id}: in CDMS: {is_there}, in the hub: {told:?}"));
        }
    }
    match history {
        Ok(history) => {
            look.told.extend(operations_of(&history));
            look.violations.extend(replays(story, id, &history, record));
        }
        Err(error) => look.violations.push(format!("the history of {entity} {id} cannot be read: {error}")),
    }
    look
}

/// Why a read gives no fields.
#[derive(Debug)]
#[expect(dead_code, reason = "what was found is shown with the violation")]
enum Told {
    Gone,
    NotInSync(Checked),
    Failed(Error),
}

impl From<Error> for Told {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Gone | ErrorKind::NotFound => Told::Gone,
            _ => Told::Failed(error),
        }
    }
}

fn in_sync(checked: Checked) -> bool {
    matches!(checked, Checked::At { found: Finding::InSync, .. })
}

fn text(value: Option<&str>) -> Value {
    value.map_or(Value::Null, Value::text)
}

async fn account(hub: &Hub, id: Uuid) -> Result<Attributes, Told> {
    let mut org = Organisation::get(hub, id.into()).await?;
    if !in_sync(org.checked()) {
        org = Organisation::get(hub, id.into()).await?;
    }
    if !in_sync(org.checked()) {
        return Err(Told::NotInSync(org.checked()));
    }
    let address = &org.registered_address;
    Ok(Attributes::from([
        ("Name", text(Some(&org.name))),
        ("optevia_Alias", text(Some(&org.alias))),
        ("optevia_CompaniesHouseNumber", text(org.company_number.as_deref())),
        ("Description", text(Some(&org.description))),
        ("WebSiteURL", text(org.website.as_deref())),
        ("EMailAddress1", text(org.email.as_deref())),
        ("optevia_Address1", text(address.line_1.as_deref())),
        ("optevia_TownCity", text(address.town.as_deref())),
        ("CreditLimit", org.credit_limit.map_or(Value::Null, Value::Money)),
    ]))
}

async fn contact(hub: &Hub, id: Uuid) -> Result<Attributes, Told> {
    let mut contact = Contact::get(hub, id.into()).await?;
    if !in_sync(contact.checked()) {
        contact = Contact::get(hub, id.into()).await?;
    }
    if !in_sync(contact.checked()) {
        return Err(Told::NotInSync(contact.checked()));
    }
    Ok(Attributes::from([
        ("LastName", text(Some(&contact.last_name))),
        ("JobTitle", text(contact.job_title.as_deref())),
        ("EMailAddress1", text(contact.email.as_deref())),
        ("optevia_Address1", text(contact.address.line_1.as_deref())),
        ("optevia_TownCity", text(contact.address.town.as_deref())),
    ]))
}

/// What the engine keeps of a record is what CDMS has, attribute by attribute, at a time that CDMS gave it.
pub(crate) fn kept_as_cdms_has_it(story: &Story<'_>, kept: &Kept) -> Vec<String> {
    let Kept { entity, id, seen, is_row, .. } = kept;
    let mut violations = Vec::new();
    let record = story.kit.simulator.record(entity, *id);
    if record.is_some() != *is_row {
        violations.push(format!("invariant 1: {entity} {id}: in CDMS: {}, a row: {is_row}", record.is_some()));
    }
    if let (Some(record), true) = (&record, is_row) {
        let differs = seen.iter().filter(|(name, value)| record.get(name) != Some(value));
        violations.extend(differs.map(|(name, value)| {
            format!("invariant 1: {entity} {id}: {name} was seen as {value:?}, in CDMS it is {:?}", record.get(name))
        }));
        if modified(record) != Some(Instant(kept.modified.timestamp_millis())) {
            violations.push(format!(
                "invariant 7: {entity} {id}: {} is not CDMS's {:?}",
                kept.modified,
                modified(record)
            ));
        }
    }
    let is_cdms = story.times_of(*id).contains(&Instant(kept.modified.timestamp_millis()));
    if !is_cdms || !kept.modified.timestamp_subsec_micros().is_multiple_of(1_000) {
        violations.push(format!("invariant 7: {entity} {id} never had the time {}", kept.modified));
    }
    violations
}

/// Going back through the history from what CDMS has leads to the record's beginning without a gap; times and versions
/// never go back, and every time is one that CDMS gave it.
fn replays(story: &Story<'_>, id: Uuid, history: &[HistoryEntry], record: Option<Attributes>) -> Vec<String> {
    let mut violations = Vec::new();
    let mut state = record;
    for entry in history.iter().rev() {
        // It tells of a write and nothing of the record.
        if entry.kind.changes_nothing() {
            continue;
        }
        if entry.operation.is_some_and(|operation| story.unstored.contains(&operation.0)) {
            continue;
        }
        if let Some(gap) = step_back(&mut state, entry) {
            violations.push(format!("invariant 6: {id}: {gap} after {} ({:?})", entry.number, entry.kind));
            let near = |other: &&HistoryEntry| (entry.number - 60..entry.number + 60).contains(&other.number);
            violations.extend(history.iter().filter(near).map(|entry| format!("    {} {entry}", entry.number)));
            return violations;
        }
        if entry.kind == EntryKind::FirstSeen
            && let Some(seeded) = story.seeded.get(&id)
        {
            let then = state.take().unwrap_or_default();
            let known = |name: &str| Organisation::DESCRIPTOR.attribute(name).is_some();
            let differs = then.iter().find(|(name, value)| known(name) && seeded.get(name) != Some(value));
            if let Some((name, value)) = differs {
                let began = seeded.get(name);
                violations.push(format!("invariant 6: {id}: {name} leads to {value:?}, and it began as {began:?}"));
            }
        }
        let is_late_create = entry.kind == EntryKind::AppliedLate && entry.changes.is_empty();
        if matches!(entry.kind, EntryKind::FirstSeen | EntryKind::Created) || is_late_create {
            state = None;
        }
    }
    if state.is_some() {
        violations.push(format!("invariant 6: {id}: the history has no beginning"));
    }
    let times: Vec<_> = history.iter().filter_map(|entry| entry.modified).collect();
    if !times.is_sorted() {
        violations.push(format!("invariant 8: {id}: times go back: {times:?}"));
    }
    if !history.iter().map(|entry| entry.version).is_sorted() {
        violations.push(format!("invariant 8: {id}: versions go back"));
    }
    let given = story.times_of(id);
    let strange: BTreeSet<_> = times.into_iter().filter(|time| !given.contains(time)).collect();
    violations.extend(strange.into_iter().map(|time| format!("invariant 7: {id} never had the time {time}")));
    violations
}

/// Undoes an entry; what stands in the way, if anything.
fn step_back(state: &mut Option<Attributes>, entry: &HistoryEntry) -> Option<String> {
    let was_there = state.is_some();
    let is_end = matches!(entry.kind, EntryKind::Gone | EntryKind::Deleted);
    if !was_there && !is_end {
        return Some("nothing is there".to_owned());
    }
    let now = state.get_or_insert_default();
    for change in &entry.changes {
        let Some(attribute) = &change.attribute else { continue };
        if change.to.is_some() && now.get(attribute) != change.to.as_ref() {
            return Some(format!("{attribute} is {:?} and not {:?}", now.get(attribute), change.to));
        }
        let Some(from) = &change.from else { continue };
        // What came after an end began with what there was before it.
        if is_end && was_there && now.get(attribute) != Some(from) {
            return Some(format!("{attribute} is {:?}, and ended as {from:?}", now.get(attribute)));
        }
        now.insert(attribute.clone(), from.clone());
    }
    None
}
