//! What is known now: what the sources say, and what earlier imports learned of the rest.

use crate::facts::{Entity, Facts, Key, Options, Origin, Texts, Value};
use crate::known;
use crate::naming::{in_words, is_shown_by};

/// Joins what was known with what the sources say now. A source that is silent takes nothing back; `$metadata` alone decides
/// what exists.
pub(super) fn joined(before: Option<&Entity>, now: &Entity) -> Entity {
    let Some(before) = before else { return now.clone() };
    let mut joined = now.clone();
    joined.label = now.label.clone().or_else(|| before.label.clone());
    if !now.is_whole {
        joined.set = now.set.clone().or_else(|| before.set.clone());
        joined.key = now.key.clone().or_else(|| before.key.clone());
    }
    for (name, facts) in &mut joined.attributes {
        if let Some(known) = before.attribute(name) {
            *facts = remembered(known, facts);
        }
    }
    // A source that knows less of an attribute does not know why it cannot be stated.
    for (name, reason) in &before.unmapped {
        let at = joined.attributes.iter().position(|(known, facts)| known == name && has_only_types(facts));
        if let Some(at) = at {
            joined.attributes.remove(at);
            joined.unmapped.push((name.clone(), reason.clone()));
        }
    }
    if !now.is_whole {
        let lacking = before.attributes.iter().filter(|(name, _)| now.attribute(name).is_none());
        let is_unmapped = |name: &str| now.unmapped.iter().any(|(unmapped, _)| unmapped == name);
        joined.attributes.extend(lacking.filter(|(name, _)| !is_unmapped(name)).cloned());
        let is_known = |name: &str| now.attribute(name).is_some() || is_unmapped(name);
        joined.unmapped.extend(before.unmapped.iter().filter(|(name, _)| !is_known(name)).cloned());
        joined.is_whole = true;
    }
    joined.attributes.sort_by_cached_key(|(name, _)| name.to_lowercase());
    joined.unmapped.sort_by_cached_key(|(name, _)| name.to_lowercase());
    joined.unmapped.dedup();
    joined
}

/// States which attributes are about a person, where a contract does not state them yet: those that are there, people have
/// classified.
pub(super) fn classify(entity: &mut Entity, is_new: impl Fn(&str) -> bool) {
    let Entity { name: of, attributes, .. } = entity;
    for (name, facts) in attributes.iter_mut().filter(|(name, _)| is_new(name)) {
        if known::is_personal(of, name) {
            facts.state(Key::Class, Value::Text("personal".to_owned()), Origin::Product);
        }
    }
}

/// Whether nothing but `$metadata` and the product say something.
fn has_only_types(facts: &Facts) -> bool {
    facts.iter().all(|(_, fact)| matches!(fact.origin, Origin::Metadata | Origin::Product))
}

fn remembered(before: &Facts, now: &Facts) -> Facts {
    let mut facts = now.clone();
    let origin = |facts: &Facts| facts.get(Key::Kind).map(|fact| fact.origin);
    // `$metadata` cannot tell a day from a time, nor the sorts of choice.
    let is_guess =
        matches!(origin(now), Some(Origin::Metadata | Origin::Product)) && origin(before) != Some(Origin::Metadata);
    let is_same_type = before.kind() == now.kind()
        || matches!((before.kind(), now.kind()), (Some(one), Some(other)) if have_one_type(one, other));
    if !is_same_type {
        return facts;
    }
    if is_guess && let Some(kind) = before.get(Key::Kind) {
        facts.state(Key::Kind, kind.value.clone(), kind.origin);
    }
    for (key, known) in before.iter() {
        if let (Key::Navigation, Some(now)) = (key, now.get(Key::Navigation)) {
            // A source shows some of the relationships.
            let silent = before.navigation().iter().filter(|(of, _)| facts.navigation().iter().all(|(to, _)| of != to));
            let texts = facts.navigation().iter().chain(silent).cloned().collect();
            facts.state(Key::Navigation, Value::Texts(texts), now.origin);
            continue;
        }
        // What the product says of every organisation is no news of this one.
        let is_silent = facts.get(key).is_none_or(|fact| fact.origin == Origin::Product && key != Key::Kind);
        if is_silent {
            facts.state(key, known.value.clone(), known.origin);
        }
    }
    if let (Some(was), Some(is)) = (options(before), options(now)) {
        let (options, labels) = with_their_names(&was, &is, &labels(now));
        let origin = now.get(Key::Choices).map_or(Origin::Metadata, |fact| fact.origin);
        facts.state(Key::Choices, Value::Options(options), origin);
        facts.state(Key::Labels, Value::Texts(labels), origin);
    }
    facts
}

fn have_one_type(one: cdms_odata::Kind, other: cdms_odata::Kind) -> bool {
    use cdms_odata::Kind::{Choice, Date, DateTime, State, Status};
    let is_time = |kind| matches!(kind, Date | DateTime);
    let is_option = |kind| matches!(kind, Choice | State | Status);
    (is_time(one) && is_time(other)) || (is_option(one) && is_option(other))
}

pub(super) fn options(facts: &Facts) -> Option<Options> {
    match &facts.get(Key::Choices)?.value {
        Value::Options(options) => Some(options.clone()),
        _ => None,
    }
}

pub(super) fn labels(facts: &Facts) -> Texts {
    match facts.get(Key::Labels).map(|fact| &fact.value) {
        Some(Value::Texts(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

/// The options of now, those that were known under their names of before: code uses the names, so a label that CDMS changes
/// changes the label alone.
fn with_their_names(before: &[(String, i32)], now: &[(String, i32)], labels: &[(String, String)]) -> (Options, Texts) {
    let (mut options, mut renamed) = (Options::new(), Texts::new());
    for (name, number) in now {
        let old = before.iter().find(|(_, known)| known == number).map(|(name, _)| name);
        let is_free = |wanted: &str| !before.iter().any(|(known, of)| known == wanted && of != number);
        let kept = match old {
            Some(old) => old.clone(),
            None if is_free(name) => name.clone(),
            None => format!("{name}_{}", number.to_string().replace('-', "minus_")),
        };
        // A name that shows its label needs none; an older name shows another one.
        let stated = labels.iter().find(|(of, _)| of == name).map(|(_, label)| label.clone());
        let label = stated.or_else(|| (kept != *name).then(|| in_words(name)));
        renamed.extend(label.filter(|label| !is_shown_by(&kept, label)).map(|label| (kept.clone(), label)));
        options.push((kept, *number));
    }
    (options, renamed)
}
