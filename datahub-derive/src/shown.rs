//! The diagnostics of an item: their places, and how they become compilation errors.

use datahub_model::diagnostic::Diagnostic;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

/// The tokens at fault, as the first and the last one, since stable Rust cannot join spans.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    pub(crate) start: Span,
    pub(crate) end: Span,
}

impl Words {
    /// All of these tokens; the derive's own name if there are none.
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

/// Where a diagnostic is shown: on tokens of the item. For a fault of a file these name the file, and its line is drawn.
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

/// The diagnostics of an item, and of the files that it names.
pub(crate) type Diagnostics = datahub_model::diagnostic::Diagnostics<Shown>;

/// Diagnostics as compilation errors.
pub(crate) fn compile_errors(diagnostics: Vec<Diagnostic<Shown>>) -> TokenStream {
    let errors = diagnostics.into_iter().map(|diagnostic| {
        let Shown { words, drawing } = &diagnostic.place;
        // The compiler marks an error from its first token to its last.
        let (start, end) = (Ident::new("start", words.start), Ident::new("end", words.end));
        syn::Error::new_spanned(quote!(#start #end), diagnostic.text(drawing.as_deref())).into_compile_error()
    });
    errors.collect()
}
