//! Families of attributes, such as `Address1_Line1` and `Address1_City`, which become groups of a contract.

use cdms_odata::Kind;
use datahub_model::source::{Contract, ContractAttribute};
use toml_edit::{DocumentMut, Item, Table, value};

use super::{is_plumbing, words};
use crate::naming::Words;

/// Fewer members are no family.
const MEMBERS_MIN: usize = 3;

/// Attributes whose names begin alike, with a number: `Address1_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// The group's name, such as `address1`.
    pub name: String,
    /// The members' keys and their attributes.
    pub members: Vec<(String, String)>,
}

/// The families that a contract states and has no groups for.
pub fn families(contract: &Contract) -> Vec<Family> {
    let mut families: Vec<(String, Vec<&ContractAttribute>)> = Vec::new();
    let in_groups = |name: &str| {
        let members = contract.groups.iter().flat_map(|group| &group.members);
        let mut members = members.map(|member| member.attribute.as_str());
        members.any(|member| member == name) || contract.constants.iter().any(|constant| constant.attribute == name)
    };
    for attribute in &contract.attributes {
        let Some((prefix, _)) = split(&attribute.name) else { continue };
        // Lookups need their models, and are fields of their own.
        if is_plumbing(attribute) || attribute.kind == Kind::Lookup || in_groups(&attribute.name) {
            continue;
        }
        match families.iter_mut().find(|(known, _)| known == prefix) {
            Some((_, members)) => members.push(attribute),
            None => families.push((prefix.to_owned(), vec![attribute])),
        }
    }
    families.retain(|(_, members)| members.len() >= MEMBERS_MIN);
    let named = families.into_iter().filter_map(|(prefix, attributes)| {
        let name = Words::of(&prefix, None).snake();
        let mut members: Vec<(String, String)> = Vec::new();
        for attribute in attributes {
            let (_, rest) = split(&attribute.name)?;
            let key = words(attribute, rest).snake();
            let is_taken = |key: &str| members.iter().any(|(known, _)| known == key);
            let key = if is_taken(&key) { Words::whole(rest, None).snake() } else { key };
            let key = if datahub_model::source::name_fault(&key).is_some() { format!("{key}_value") } else { key };
            if is_taken(&key) {
                return None;
            }
            members.push((key, attribute.name.clone()));
        }
        Some(Family { name, members })
    });
    named.filter(|family| !contract.groups.iter().any(|group| group.name == family.name)).collect()
}

/// The prefix that ends in a number, and the rest.
fn split(name: &str) -> Option<(&str, &str)> {
    let without = crate::naming::without_prefix(name);
    let (prefix, rest) = without.split_once('_')?;
    let is_prefix = prefix.ends_with(|letter: char| letter.is_ascii_digit())
        && prefix.starts_with(|letter: char| letter.is_ascii_uppercase());
    (is_prefix && !rest.is_empty()).then_some((prefix, rest))
}

/// A contract's text with the groups of families.
///
/// # Errors
///
/// The contract is not valid TOML.
pub fn with_groups(contract: &str, families: &[Family]) -> Result<String, String> {
    if families.is_empty() {
        return Ok(contract.to_owned());
    }
    let mut document: DocumentMut =
        contract.parse().map_err(|error: toml_edit::TomlError| error.to_string().trim().to_owned())?;
    let groups = document.entry("groups").or_insert_with(|| {
        let mut groups = Table::new();
        groups.set_implicit(true);
        Item::Table(groups)
    });
    for family in families {
        let mut table = Table::new();
        for (key, attribute) in &family.members {
            table.insert(key, value(attribute.as_str()));
        }
        if let Some(groups) = groups.as_table_like_mut() {
            groups.insert(&family.name, Item::Table(table));
        }
    }
    Ok(document.to_string())
}
