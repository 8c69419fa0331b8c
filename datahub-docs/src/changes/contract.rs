//! The differences between the contracts of two trees.

use datahub_derive::tree::{Tree, TreeContract};
use datahub_model::source::{ConstantValue, Contract, ContractAttribute};

use super::{Aspect, Change, Details, Subject, Turn, listed, number, yes};

/// What happened to the contracts, which are recognised by their files.
pub(super) fn changes(before: &Tree, after: &Tree) -> Vec<Change> {
    let find = |tree: &'_ Tree, name: &str| tree.contracts.iter().position(|contract| contract.name == name);
    let mut changes: Vec<_> = after
        .contracts
        .iter()
        .filter_map(|new| match find(before, &new.name) {
            Some(old) => between(&before.contracts[old].contract, new),
            None => Some(whole(new, Turn::Added)),
        })
        .collect();
    let gone = before.contracts.iter().filter(|old| find(after, &old.name).is_none());
    changes.extend(gone.map(|old| whole(old, Turn::Removed)));
    changes
}

/// A contract that is new or gone, with its attributes.
fn whole(source: &TreeContract, turn: Turn) -> Change {
    let mut details = Details::default();
    for attribute in &source.contract.attributes {
        match turn {
            Turn::Removed => details.removed(&attribute.name, attribute.kind.to_string()),
            Turn::Added | Turn::Changed => details.added(&attribute.name, attribute.kind.to_string()),
        }
    }
    Change { subject: Subject::Contract, name: source.file.clone(), turn, details: details.0 }
}

fn between(before: &Contract, new: &TreeContract) -> Option<Change> {
    let after = &new.contract;
    let mut details = Details::default();
    let names = [
        ("entity", &before.entity, &after.entity),
        ("set", &before.set, &after.set),
        ("key", &before.key, &after.key),
        ("logical", &before.logical, &after.logical),
        ("modified", &before.modified, &after.modified),
        ("created", &before.created, &after.created),
        ("modified-by", &before.modified_by, &after.modified_by),
    ];
    for (key, before, after) in names {
        details.compare(key, Aspect::Entity, Some(before.clone()), Some(after.clone()));
    }
    for attribute in &after.attributes {
        match before.attribute(&attribute.name) {
            Some(old) => compare(old, attribute, &mut details),
            None => details.added(&attribute.name, attribute.kind.to_string()),
        }
    }
    for old in before.attributes.iter().filter(|old| after.attribute(&old.name).is_none()) {
        details.removed(&old.name, old.kind.to_string());
    }
    let pairs = [
        (Aspect::Group, groups(before), groups(after)),
        (Aspect::Constant, constants(before), constants(after)),
        (Aspect::Unmapped, unmapped(before), unmapped(after)),
    ];
    for (aspect, before, after) in &pairs {
        let mut names: Vec<_> = before.iter().chain(after).map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        for name in names {
            let of = |side: &[(String, String)]| {
                side.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
            };
            details.compare(name, *aspect, of(before), of(after));
        }
    }
    details.changed(Subject::Contract, &new.file)
}

fn compare(before: &ContractAttribute, after: &ContractAttribute, details: &mut Details) {
    let mut differ =
        |aspect, one: Option<String>, other: Option<String>| details.compare(&after.name, aspect, one, other);
    differ(Aspect::Kind, Some(before.kind.to_string()), Some(after.kind.to_string()));
    differ(Aspect::Required, Some(required(before)), Some(required(after)));
    differ(Aspect::ReadOnly, yes(before.read_only), yes(after.read_only));
    differ(Aspect::MaxLength, number(before.max_length), number(after.max_length));
    differ(Aspect::Scale, number(before.scale), number(after.scale));
    differ(Aspect::Zone, before.zone.clone(), after.zone.clone());
    differ(Aspect::Options, options(before), options(after));
    differ(Aspect::Target, listed(&before.targets), listed(&after.targets));
    differ(Aspect::Class, Some(before.class.name().to_owned()), Some(after.class.name().to_owned()));
    differ(Aspect::Comment, before.note.clone(), after.note.clone());
}

fn required(attribute: &ContractAttribute) -> String {
    let asked = attribute.asked.map(|asked| asked.name());
    if attribute.required { "yes" } else { asked.unwrap_or("no") }.to_owned()
}

fn options(attribute: &ContractAttribute) -> Option<String> {
    let options: Vec<_> = attribute
        .choices
        .iter()
        .map(|(name, number)| format!("{name} = {number} ({})", attribute.label(name)))
        .collect();
    listed(&options)
}

/// Each member of the groups, and its attribute.
fn groups(contract: &Contract) -> Vec<(String, String)> {
    let members = contract.groups.iter().flat_map(|group| group.members.iter().map(move |member| (group, member)));
    members.map(|(group, member)| (format!("{}.{}", group.name, member.key), member.attribute.clone())).collect()
}

fn constants(contract: &Contract) -> Vec<(String, String)> {
    let said = |value: &ConstantValue| match value {
        ConstantValue::Text(text) => format!("{text:?}"),
        ConstantValue::Integer(number) => number.to_string(),
        ConstantValue::Boolean(value) => value.to_string(),
    };
    contract.constants.iter().map(|constant| (constant.attribute.clone(), said(&constant.value))).collect()
}

fn unmapped(contract: &Contract) -> Vec<(String, String)> {
    contract.unmapped.iter().map(|(name, reason, _)| (name.clone(), reason.clone())).collect()
}
