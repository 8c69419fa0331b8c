//! The rules about a contract and `$metadata`.

use cdms_odata::Kind;
use cdms_odata::metadata::{EntityType, Metadata, NavigationProperty, Property};

use super::Contract;
use crate::diagnostic::Spot;
use crate::diagnostic::{Code, Cure, Diagnostic, Diagnostics};
use crate::source::nearest::{meant, nearest};

/// What to do if nothing in `$metadata` has a similar name.
const OTHERWISE: &str = "correct the name, or save a new $metadata snapshot if CDMS has changed";

/// Checks a contract against `$metadata`: names, kinds and key. An attribute of another kind is faulty from then on, so that
/// no field is checked against it.
pub(super) fn check_against_metadata(
    contract: &mut Contract,
    metadata: &Metadata,
    diagnostics: &mut Diagnostics<Spot>,
) {
    let Some(entity) = metadata.entity(&contract.entity) else {
        let names = metadata.entities.iter().map(|entity| entity.name.as_str());
        let help = meant(&contract.entity, names).unwrap_or_else(|| OTHERWISE.into());
        let message = format!("`{}` is not an entity in $metadata", contract.entity);
        let fault = Diagnostic::of(Code::NotInMetadata, contract.spot_of("entity"), message);
        return diagnostics.push(fault.cure(help));
    };
    let names = || entity.properties.iter().map(|property| property.name.as_str());
    if entity.set != contract.set {
        let message = format!("the set of `{}` is `{}` in $metadata, not `{}`", entity.name, entity.set, contract.set);
        let help = Cure::correcting(format!("write `set = \"{}\"`", entity.set), &*contract.set, &*entity.set);
        diagnostics.push(Diagnostic::of(Code::NotInMetadata, contract.spot_of("set"), message).cure(help));
    }
    if entity.key != contract.key {
        let message = format!("the key of `{}` is `{}` in $metadata, not `{}`", entity.name, entity.key, contract.key);
        let help = Cure::correcting(format!("write `key = \"{}\"`", entity.key), &*contract.key, &*entity.key);
        diagnostics.push(Diagnostic::of(Code::NotInMetadata, contract.spot_of("key"), message).cure(help));
    }
    let followed = [
        ("modified", &contract.modified, Kind::DateTime),
        ("created", &contract.created, Kind::DateTime),
        ("modified-by", &contract.modified_by, Kind::Lookup),
    ];
    for (key, name, kind) in followed {
        let cure = format!("name the right attribute with `{key} = \"…\"`");
        match entity.property(name) {
            None => {
                let message = format!(
                    "`{name}`, the attribute for `{key}`, is not an attribute of `{}` in $metadata",
                    entity.name
                );
                let help = meant(name, names()).filter(|help| help.text.starts_with("did")).unwrap_or(cure.into());
                let spot = contract.spot_of(key);
                diagnostics.push(Diagnostic::of(Code::NotInMetadata, spot, message).cure(help));
            }
            Some(property) if !property.edm.carries(kind) => {
                let message = format!(
                    "`{key}` must be an attribute of kind {kind}, but `{name}` has the type `{}` in $metadata",
                    property.edm.name()
                );
                diagnostics.push(Diagnostic::of(Code::WrongKind, contract.spot_of(key), message).cure(cure));
            }
            Some(_) => {}
        }
    }
    let mut refuted: Vec<String> = Vec::new();
    for attribute in &contract.stated {
        match entity.property(&attribute.name) {
            None => {
                // A field that has the right name is not also reported as unknown in the contract.
                refuted.extend(nearest(&attribute.name, names()).map(str::to_owned));
                let message = format!("`{}` is not an attribute of `{}` in $metadata", attribute.name, entity.name);
                let help = meant(&attribute.name, names()).unwrap_or_else(|| OTHERWISE.into());
                let fault = Diagnostic::of(Code::NotInMetadata, attribute.spot.clone(), message);
                diagnostics.push(fault.cure(help));
            }
            Some(property) => {
                let Some(kind) = attribute.kind.filter(|kind| !property.edm.carries(*kind)) else { continue };
                refuted.push(attribute.name.clone());
                let message = format!(
                    "`{}` cannot be of kind {kind}: its type in $metadata is `{}`",
                    attribute.name,
                    property.edm.name()
                );
                let help = fitting(property).map_or_else(
                    || format!("no kind has this type; move `{}` to [unmapped] with that reason", attribute.name),
                    |kinds| format!("write {kinds}"),
                );
                diagnostics.push(Diagnostic::of(Code::WrongKind, attribute.spot.clone(), message).cure(help));
            }
        }
    }
    refuted.extend(lookup_targets(contract, metadata, diagnostics));
    navigations(contract, metadata, entity, diagnostics);
    for (name, _, spot) in &contract.unmapped {
        if entity.property(name).is_none() {
            let message = format!("`{name}` in [unmapped] is not an attribute of `{}` in $metadata", entity.name);
            let fault = Diagnostic::of(Code::NotInMetadata, spot.clone(), message);
            let help = meant(name, names()).unwrap_or_else(|| format!("remove `{name}` from [unmapped]").into());
            diagnostics.push(fault.cure(help));
        }
    }
    contract.attributes.retain(|attribute| !refuted.contains(&attribute.name));
    contract.faulty.extend(refuted);
}

/// Reports the targets of lookups that are not entities; returns the names of their attributes.
fn lookup_targets(contract: &Contract, metadata: &Metadata, diagnostics: &mut Diagnostics<Spot>) -> Vec<String> {
    let logical: Vec<_> = metadata.entities.iter().map(|entity| entity.name.to_lowercase()).collect();
    let mut refuted = Vec::new();
    for attribute in &contract.attributes {
        for target in attribute.targets.iter().filter(|target| !logical.contains(target)) {
            refuted.push(attribute.name.clone());
            let message = format!("unknown target `{target}` of `{}`: $metadata has no such entity", attribute.name);
            let help = meant(target, logical.iter().map(String::as_str)).unwrap_or_else(|| OTHERWISE.into());
            let fault = Diagnostic::of(Code::NotInMetadata, attribute.spot.clone(), message);
            diagnostics.push(fault.cure(help));
        }
    }
    refuted
}

/// Reports navigation properties that do not lead from the entity to one record of the lookup's target. A document
/// without any says nothing of them.
fn navigations(contract: &Contract, metadata: &Metadata, entity: &EntityType, diagnostics: &mut Diagnostics<Spot>) {
    if entity.navigation.is_empty() {
        return;
    }
    let stated = contract
        .attributes
        .iter()
        .flat_map(|attribute| attribute.navigations.iter().map(move |(target, name)| (attribute, target, name)));
    for (attribute, target, name) in stated {
        let fits = |navigation: &&NavigationProperty| {
            metadata.one_target(navigation).is_some_and(|entity| entity.to_lowercase() == *target)
        };
        let found = entity.navigation.iter().find(|navigation| navigation.name == *name);
        let message = match found {
            Some(navigation) if fits(&navigation) => continue,
            Some(_) => format!("`{name}` does not lead from `{}` to one {target} in $metadata", entity.name),
            None => format!("`{name}` is not a navigation property of `{}` in $metadata", entity.name),
        };
        let fitting = entity.navigation.iter().filter(fits).map(|navigation| navigation.name.as_str());
        let help = meant(name, fitting).unwrap_or_else(|| OTHERWISE.into());
        diagnostics.push(Diagnostic::of(Code::NotInMetadata, attribute.spot.clone(), message).cure(help));
    }
}

/// The kinds that a property can have, as a contract states them; `None` if no kind has its type.
pub(super) fn fitting(property: &Property) -> Option<String> {
    let kinds: Vec<_> = property.edm.kinds().iter().map(|kind| format!("`kind = \"{kind}\"`")).collect();
    (!kinds.is_empty()).then(|| kinds.join(" or "))
}
