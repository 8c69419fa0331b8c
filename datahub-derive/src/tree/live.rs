//! What a running CDMS has changed since the snapshot, and which contracts and models it hits.

use cdms_odata::metadata::{Change, Changed, Metadata};
use datahub_model::Mode;
use datahub_model::diagnostic::{Code, Diagnostic};
use datahub_model::source::Spot;

use super::contracts::word_at;
use super::{Fault, Tree, TreeContract, TreeModel};

/// A change of a running CDMS, seen from a project.
#[derive(Clone, Debug)]
pub struct Drift {
    /// What changed.
    pub change: Change,
    /// The files of the contracts that state what changed.
    pub contracts: Vec<String>,
    /// The names of the models that use it: their requests would fail, or bring values of another type.
    pub models: Vec<String>,
    /// The change as a diagnostic: on the first of these contracts, or on the snapshot as a whole.
    pub fault: Fault,
}

impl Tree {
    /// How a running CDMS differs from the snapshot, which is a file of this name; without a snapshot there is no difference.
    pub fn drift(&self, live: &Metadata, snapshot: &str) -> Vec<Drift> {
        let Some(metadata) = &self.metadata else { return Vec::new() };
        live.changes_since(metadata).into_iter().map(|change| self.seen(change, snapshot)).collect()
    }

    fn seen(&self, change: Change, snapshot: &str) -> Drift {
        let stating: Vec<_> = self.contracts.iter().filter(|contract| states(contract, &change)).collect();
        let hit = self.models.iter().filter(|model| {
            let contract = model.contract.as_deref();
            stating.iter().any(|stating| contract == Some(&*stating.name)) && uses(model, &change)
        });
        let models: Vec<_> = hit.map(|model| model.name().to_owned()).collect();
        let contracts: Vec<_> = stating.iter().map(|contract| contract.file.clone()).collect();
        let (file, range, spot) = match stating.first() {
            Some(contract) => {
                let spot = spot_of(contract, &change);
                let range = self.files.get(&contract.file).map(|text| word_at(text, &spot)).unwrap_or_default();
                (contract.file.clone(), range, spot)
            }
            None => (snapshot.to_owned(), 0..0, Spot::default()),
        };
        let list = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let (hits, cure) = if !models.is_empty() {
            let cure = "save CDMS's present $metadata as the snapshot; then `datahub check` shows what must change in the contract";
            (format!(", which {} {}", list(&models), if models.len() == 1 { "uses" } else { "use" }), cure)
        } else if !contracts.is_empty() {
            let cure = "save CDMS's present $metadata as the snapshot, and correct the contract; no model uses it";
            (format!(", which {} {}", list(&contracts), if contracts.len() == 1 { "states" } else { "state" }), cure)
        } else {
            (String::new(), "save CDMS's present $metadata as the snapshot")
        };
        let message = format!("CDMS has changed: {change}{hits}");
        let diagnostic = Diagnostic::of(Code::CdmsChanged, spot, message).cure(cure);
        Drift { change, contracts, models, fault: Fault { file, range, diagnostic } }
    }
}

/// Whether a contract states what changed.
fn states(TreeContract { contract, .. }: &TreeContract, change: &Change) -> bool {
    let is_its_entity = contract.entity == change.entity;
    match (&change.what, change.attribute()) {
        (Changed::Appeared | Changed::AttributeAppeared { .. }, _) => false,
        (_, Some(name)) => {
            is_its_entity && (contract.is_engines(name) || contract.stated.iter().any(|stated| stated.name == name))
        }
        (Changed::Vanished, _) => {
            is_its_entity || contract.attributes.iter().any(|attribute| points_to(attribute, change))
        }
        _ => is_its_entity,
    }
}

/// Whether a model uses what changed, which its contract states.
fn uses(model: &TreeModel, change: &Change) -> bool {
    let mapping = &model.mapping;
    if mapping.mode == Mode::Detached {
        return false;
    }
    match change.attribute() {
        Some(name) => {
            mapping.contract.is_engines(name) || mapping.attributes.iter().any(|attribute| attribute.name == name)
        }
        None => {
            mapping.contract.entity == change.entity
                || mapping.attributes.iter().any(|attribute| points_to(attribute, change))
        }
    }
}

/// Whether a lookup points to the entity that changed.
fn points_to(attribute: &datahub_model::source::ContractAttribute, change: &Change) -> bool {
    attribute.targets.iter().any(|target| *target == change.entity.to_lowercase())
}

/// The place in a contract that states what changed.
fn spot_of(TreeContract { contract, .. }: &TreeContract, change: &Change) -> Spot {
    let of_attribute = match change.attribute() {
        Some(name) => contract.stated.iter().find(|stated| stated.name == name).map(|stated| &stated.spot),
        None if contract.entity == change.entity => None,
        None => {
            contract.attributes.iter().find(|attribute| points_to(attribute, change)).map(|attribute| &attribute.spot)
        }
    };
    of_attribute.cloned().unwrap_or_else(|| match change.what {
        Changed::Set { .. } => contract.spot_of("set"),
        Changed::Key { .. } => contract.spot_of("key"),
        _ => contract.spot_of("entity"),
    })
}
