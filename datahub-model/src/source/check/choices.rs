//! The rules about a choice enum.

use cdms_odata::Kind;

use crate::source::annotation::Placed;
use crate::source::contract::Contract;
use crate::source::diagnostic::{Code, Diagnostic};
use crate::source::nearest::meant;

/// Checks the variants of a choice enum against its attribute: pairs each with its number.
///
/// # Errors
///
/// All faults that are found, none where the contract's own faults hide the attribute: an attribute that is no choice, a
/// variant that is no option, an option without a variant where no variant takes the rest.
pub fn check_choices<P: Clone>(
    contract: &Contract,
    attribute: &Placed<String, P>,
    variants: &[Placed<String, P>],
    takes_rest: bool,
) -> Result<Vec<i32>, Vec<Diagnostic<P>>> {
    let Some(stated) = contract.attribute(&attribute.value) else {
        if contract.may_have(&attribute.value) {
            return Err(Vec::new());
        }
        let known = contract.attributes.iter().map(|known| known.name.as_str());
        let message = format!("the contract of {} has no attribute `{}`", contract.entity, attribute.value);
        let diagnostic = Diagnostic::source(Code::UnknownAttribute, attribute.place.clone(), message);
        return Err(vec![diagnostic.maybe_help(meant(&attribute.value, known))]);
    };
    if !matches!(stated.kind, Kind::Choice | Kind::State | Kind::Status) {
        let message = format!("`{}` is of kind {}, which has no options", stated.name, stated.kind);
        return Err(vec![Diagnostic::source(Code::WrongKind, attribute.place.clone(), message)]);
    }
    let mut diagnostics = Vec::new();
    let mut numbers = Vec::new();
    for variant in variants {
        match stated.choices.iter().find(|(name, _)| *name == variant.value) {
            Some((_, number)) if numbers.contains(number) => {
                let message = format!("`{}` is taken by two variants", variant.value);
                diagnostics.push(Diagnostic::source(Code::MappedTwice, variant.place.clone(), message));
            }
            Some((_, number)) => numbers.push(*number),
            None => {
                let help = match stated.choices.as_slice() {
                    [] => Some(format!("state them in the contract: `choices = {{ {} = 1 }}`", variant.value)),
                    choices => meant(&variant.value, choices.iter().map(|(name, _)| name.as_str())),
                };
                let message = format!("`{}` has no option `{}`", stated.name, variant.value);
                diagnostics
                    .push(Diagnostic::source(Code::UnknownChoice, variant.place.clone(), message).maybe_help(help));
            }
        }
    }
    let missing: Vec<_> = stated.choices.iter().filter(|(_, number)| !numbers.contains(number)).collect();
    if !takes_rest && !missing.is_empty() && diagnostics.is_empty() {
        let names: Vec<_> = missing.iter().map(|(name, _)| name.as_str()).collect();
        let message = format!("no variant takes the options {} of `{}`", names.join(", "), stated.name);
        let help = "add them, or a variant `#[cdms(other)] Other(i32)` for the rest";
        diagnostics.push(Diagnostic::source(Code::UnknownChoice, attribute.place.clone(), message).help(help));
    }
    if diagnostics.is_empty() { Ok(numbers) } else { Err(diagnostics) }
}
