//! What the contracts leave to be looked up, and whether a model waits for it.

use super::contracts::word_at;
use super::{Fault, Tree};

/// A question that a contract leaves open, as `"?"`.
#[derive(Clone, Debug)]
pub struct OpenQuestion {
    /// The question as a diagnostic, on its `"?"`. It is no fault of the contract.
    pub fault: Fault,
    /// Whether a model maps the attribute.
    pub is_mapped: bool,
}

impl Tree {
    /// The questions of all contracts, in the order of files and places.
    pub fn questions(&self) -> Vec<OpenQuestion> {
        let of_contract = self.contracts.iter().flat_map(|contract| {
            let models: Vec<_> =
                self.models.iter().filter(|model| model.contract.as_deref() == Some(&*contract.name)).collect();
            contract.contract.questions.iter().map(move |question| {
                let mut mapped = models.iter().flat_map(|model| &model.mapping.attributes);
                let is_mapped = mapped.any(|attribute| attribute.name == question.attribute);
                let diagnostic = question.diagnostic(&contract.contract);
                let range = word_at(&self.files[&contract.file], &diagnostic.place);
                OpenQuestion { fault: Fault { file: contract.file.clone(), range, diagnostic }, is_mapped }
            })
        });
        of_contract.collect()
    }
}
