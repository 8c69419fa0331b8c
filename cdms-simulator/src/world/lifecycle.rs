//! States and statuses: which belong together, and what a closed activity refuses (docs/protocol.md, 4.1 and 9).

use cdms_odata::metadata::EntityType;
use cdms_odata::{Attributes, Value};

use super::{Author, Switches};
use crate::refusal::Refusal;

/// The names of state and status, which are in lower case in custom entities.
fn names(entity: &EntityType) -> Option<(&'static str, &'static str)> {
    let pairs = [("StateCode", "StatusCode"), ("statecode", "statuscode")];
    pairs.into_iter().find(|(state, status)| entity.property(state).is_some() && entity.property(status).is_some())
}

/// Activities of every kind have this key.
fn is_activity(entity: &EntityType) -> bool {
    entity.key == "ActivityId"
}

fn option(of: &Attributes, name: &str) -> Option<i32> {
    match of.get(name) {
        Some(Value::Choice(option)) => Some(*option),
        _ => None,
    }
}

/// The status that a record gets with its state if none is given.
pub(super) fn default_status(state: i32) -> i32 {
    state.saturating_add(1)
}

/// The status of a record that is replaced without a status.
pub(super) fn status_to_reset(entity: &EntityType, name: &str, old: &Attributes) -> Option<Value> {
    let (state, status) = names(entity)?;
    (name == status).then(|| Value::Choice(default_status(option(old, state).unwrap_or(0))))
}

/// Refuses a status that does not belong to the state, and any change of a closed activity. If a person changes only
/// the state, the record gets the status that belongs to it.
pub(super) fn check(
    switches: &Switches,
    entity: &EntityType,
    old: &Attributes,
    values: &mut Attributes,
    author: &Author,
) -> Result<(), Refusal> {
    let Some((state, status)) = names(entity) else { return Ok(()) };
    let before = option(old, state).unwrap_or(0);
    let moved = option(values, state).filter(|_| author.person);
    let is_closed = is_activity(entity) && matches!(before, 1 | 2);
    if is_closed && moved.is_none() {
        return Err(Refusal::closed(&entity.name));
    }
    let after = moved.unwrap_or(before);
    match option(values, status) {
        Some(given) if !fits(switches, entity, after, given) => {
            Err(Refusal::status_mismatch(&entity.name, given, after))
        }
        None if moved.is_some_and(|moved| moved != before)
            && !values.contains(status)
            && option(old, status).is_some_and(|kept| !fits(switches, entity, after, kept)) =>
        {
            values.insert(status, Value::Choice(default_status(after)));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Whether a status belongs to a state, as far as that is known.
fn fits(switches: &Switches, entity: &EntityType, state: i32, status: i32) -> bool {
    if let Some(statuses) = switches.statuses.get(&entity.name) {
        return statuses.iter().any(|(of, allowed)| *of == state && allowed.contains(&status));
    }
    // Accounts, contacts and custom entities are active (1) or inactive (2); custom activities are open, completed,
    // canceled or scheduled. An organisation may have more statuses for any of these states. Other entities of the
    // system have their own statuses.
    let states = match entity.name.as_str() {
        "Account" | "Contact" => 2,
        custom if custom.contains('_') => {
            if is_activity(entity) {
                4
            } else {
                2
            }
        }
        _ => return true,
    };
    !(1..=states).contains(&status) || status == default_status(state)
}
