//! The rules about a choice enum.

use cdms_odata::Kind;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::annotation::Placed;
use crate::source::contract::Contract;
use crate::source::nearest::{meant, meant_attribute};

/// Checks the variants of a choice enum against its attribute: pairs each with its number.
///
/// # Errors
///
/// All faults: an attribute that is not a choice, a variant that is not an option, an option without a variant if no variant
/// takes the rest. There are none if the contract's own faults hide the attribute.
pub fn check_choices<P: Clone>(
    contract: &Contract,
    attribute: &Placed<String, P>,
    variants: &[Placed<String, P>],
    takes_rest: bool,
) -> Result<Vec<i32>, Vec<Diagnostic<P>>> {
    let collected = Diagnostics::collect(|diagnostics| numbers(contract, attribute, variants, takes_rest, diagnostics));
    let (numbers, diagnostics) = collected.into_parts();
    numbers.filter(|_| diagnostics.is_empty()).ok_or(diagnostics)
}

/// The numbers of the variants; `None` if there is no such choice.
fn numbers<P: Clone>(
    contract: &Contract,
    attribute: &Placed<String, P>,
    variants: &[Placed<String, P>],
    takes_rest: bool,
    diagnostics: &mut Diagnostics<P>,
) -> Option<Vec<i32>> {
    let Some(stated) = contract.attribute(&attribute.value) else {
        let what = format!("`{}`", attribute.value);
        diagnostics.extend(contract.unanswered(&attribute.value, &what, attribute.place.clone()));
        if !contract.may_have(&attribute.value) {
            let known = contract.attributes.iter().map(|known| known.name.as_str());
            let message = format!("unknown attribute `{}` in the contract of `{}`", attribute.value, contract.entity);
            let cure = meant_attribute(&attribute.value, known, contract);
            diagnostics.push(Diagnostic::of(Code::UnknownAttribute, attribute.place.clone(), message).cure(cure));
        }
        return None;
    };
    if !matches!(stated.kind, Kind::Choice | Kind::State | Kind::Status) {
        let message = format!("`{}` is of kind {}, which has no options", stated.name, stated.kind);
        let fault = Diagnostic::of(Code::WrongKind, attribute.place.clone(), message);
        let help = "name an attribute of kind choice, state or status, or correct its kind in the contract";
        diagnostics.push(fault.cure(help));
        return None;
    }
    let mut numbers = Vec::new();
    for variant in variants {
        match stated.choices.iter().find(|(name, _)| *name == variant.value) {
            Some((_, number)) if numbers.contains(number) => {
                let message = format!("two variants name the option `{}`", variant.value);
                let fault = Diagnostic::of(Code::MappedTwice, variant.place.clone(), message);
                let help = "remove one of them, or give it the name of another option";
                diagnostics.push(fault.cure(help));
            }
            Some((_, number)) => numbers.push(*number),
            None => {
                let help = match stated.choices.as_slice() {
                    [] => format!("state them in the contract: `choices = {{ {} = 1 }}`", variant.value).into(),
                    choices => {
                        meant(&variant.value, choices.iter().map(|(name, _)| name.as_str())).unwrap_or_else(|| {
                            format!(
                                "correct the name, or add the option to the `choices` of `{}` in the contract",
                                stated.name
                            )
                            .into()
                        })
                    }
                };
                let message = format!("unknown option `{}` of `{}`", variant.value, stated.name);
                let fault = Diagnostic::of(Code::UnknownChoice, variant.place.clone(), message);
                diagnostics.push(fault.cure(help));
            }
        }
    }
    let missing: Vec<_> = stated.choices.iter().filter(|(_, number)| !numbers.contains(number)).collect();
    if !takes_rest && !missing.is_empty() && diagnostics.is_empty() {
        let names: Vec<_> = missing.iter().map(|(name, _)| format!("`{name}`")).collect();
        let message = format!("missing variants for {} of `{}`", names.join(", "), stated.name);
        let help = "add them, or a variant `#[cdms(other)] Other(i32)` for all other options";
        diagnostics.push(Diagnostic::of(Code::UnknownChoice, attribute.place.clone(), message).cure(help));
    }
    Some(numbers)
}
