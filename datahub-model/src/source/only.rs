//! The `only` of a model: a filter on the attributes of its contract, and the cure for one that is invalid.

use super::contract::{Contract, ContractAttribute};
use super::nearest::{meant_among, meant_attribute};
use crate::diagnostic::Cure;
use crate::filter::{Comparison, Filter, Operand, ParseError};

/// Parses a condition.
///
/// # Errors
///
/// What is wrong, and the cure.
pub(super) fn parse(text: &str, contract: &Contract) -> Result<Filter, (String, Cure)> {
    Filter::parse(text, |name| contract.attribute(name).map(Operand::from)).map_err(|error| match &error {
        ParseError::UnknownAttribute { attribute } => {
            let known = contract.attributes.iter().map(|known| known.name.as_str());
            (error.to_string(), meant_attribute(attribute, known, contract))
        }
        ParseError::UnknownComparison { word } => {
            (error.to_string(), meant_among(word, &Comparison::ALL.map(Comparison::name)))
        }
        _ => (error.to_string(), error.help().into()),
    })
}

impl<'c> From<&'c ContractAttribute> for Operand<'c> {
    fn from(attribute: &'c ContractAttribute) -> Self {
        let target = match attribute.targets.as_slice() {
            [target] => Some(target.as_str()),
            _ => None,
        };
        Operand::of(attribute.kind).pointing_to(target).zone(attribute.zone.as_deref())
    }
}
