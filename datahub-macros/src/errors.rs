//! Faults collected over a whole item, reported all at once.

use datahub_model::source::{Code, Diagnostic, Place};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

/// The words that a fault is about: stable Rust joins no spans, so their first and their last token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    pub(crate) start: Span,
    pub(crate) end: Span,
}

impl Words {
    /// All of these tokens; the derive's own name where there are none.
    pub(crate) fn of(tokens: &impl ToTokens) -> Self {
        let mut tokens = tokens.to_token_stream().into_iter().map(|tree| tree.span());
        let start = tokens.next().unwrap_or_else(Span::call_site);
        Words { start, end: tokens.last().unwrap_or(start) }
    }
}

impl From<Span> for Words {
    fn from(span: Span) -> Self {
        Words { start: span, end: span }
    }
}

/// Faults with the words that they are about.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<(Words, String)>);

impl Errors {
    /// Adds a fault, with its code in brackets and what helps on another line.
    pub(crate) fn push(&mut self, words: impl Into<Words>, message: impl Into<String>) {
        let message = message.into();
        debug_assert!(Code::ALL.iter().any(|code| message.contains(&format!("[{code}]"))), "{message} has no code");
        debug_assert!(message.contains("\nhelp: "), "{message} has no cure");
        self.0.push((words.into(), message));
    }

    /// Adds what the validator found. A fault of the contract is shown on the word that names the contract.
    pub(crate) fn diagnostics(&mut self, diagnostics: Vec<Diagnostic<Words>>, contract_path: &str, mapping: Words) {
        for diagnostic in diagnostics {
            let words = match diagnostic.place {
                Place::Source(words) => words,
                Place::Contract(_) => mapping,
            };
            self.0.push((words, diagnostic.render(contract_path)));
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
        let errors = self.0.into_iter().map(|(words, message)| {
            // An error is drawn from the first token that it is made of to the last.
            let (start, end) = (Ident::new("start", words.start), Ident::new("end", words.end));
            syn::Error::new_spanned(quote!(#start #end), message).into_compile_error()
        });
        errors.collect()
    }
}
