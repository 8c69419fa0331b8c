//! Faults collected over a whole item, reported all at once.

use datahub_model::source::{Diagnostic, Place};
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

/// Faults with the words that they are about.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<(Span, String)>);

impl Errors {
    pub(crate) fn push(&mut self, span: Span, message: impl Into<String>) {
        self.0.push((span, message.into()));
    }

    /// Adds what the validator found. A fault of the contract is shown on the word that names the contract.
    pub(crate) fn diagnostics(&mut self, diagnostics: Vec<Diagnostic<Span>>, contract_path: &str, mapping: Span) {
        for diagnostic in diagnostics {
            let span = match diagnostic.place {
                Place::Source(span) => span,
                Place::Contract(_) => mapping,
            };
            self.push(span, diagnostic.render(contract_path));
        }
    }

    /// How many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults as compilation errors.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let errors =
            self.0.into_iter().map(|(span, message)| quote_spanned! { span => ::core::compile_error!(#message); });
        errors.collect()
    }
}
