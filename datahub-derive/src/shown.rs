//! The diagnostics of an item: where each is shown, and how they become compilation errors.

use datahub_model::diagnostic::Diagnostic;
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

/// Where a diagnostic is shown: on words of the item; one of a file on those that name the file, with its line drawn.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) words: Words,
    pub(crate) drawing: Option<String>,
}

impl From<Words> for Shown {
    fn from(words: Words) -> Self {
        Shown { words, drawing: None }
    }
}

impl From<Span> for Shown {
    fn from(span: Span) -> Self {
        Words::from(span).into()
    }
}

/// What is wrong with an item, and with the files that it names.
pub(crate) type Diagnostics = datahub_model::diagnostic::Diagnostics<Shown>;

/// Diagnostics as compilation errors.
pub(crate) fn compile_errors(diagnostics: Vec<Diagnostic<Shown>>) -> TokenStream {
    let errors = diagnostics.into_iter().map(|diagnostic| {
        let Shown { words, drawing } = &diagnostic.place;
        // An error is drawn from the first token that it is made of to the last.
        let (start, end) = (Ident::new("start", words.start), Ident::new("end", words.end));
        syn::Error::new_spanned(quote!(#start #end), diagnostic.text(drawing.as_deref())).into_compile_error()
    });
    errors.collect()
}
