//! An item as it comes: read, unless it goes deeper than the stack of a compiler.

use datahub_model::diagnostic::{Code, Diagnostic};
use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use syn::DeriveInput;

use crate::shown::Shown;

/// How many tokens may stand in one another or beside each other without a comma: far more than anyone writes. Each may be
/// one more call in another, and a compiler whose stack is full ends without a word.
const DEPTH_MAX: usize = 128;

/// The item.
///
/// # Errors
///
/// That it is none, or goes too deep: it is not known what it is, so nothing else can be told of it.
pub(crate) fn read(tokens: TokenStream) -> Result<DeriveInput, Vec<Diagnostic<Shown>>> {
    if let Some(place) = too_deep(&tokens, 0) {
        let message = format!("more than {DEPTH_MAX} words and marks stand in one another here");
        let cure = "give the type or the value a name of its own, with `type` or `const`, and write that name";
        return Err(vec![Diagnostic::of(Code::WrongValue, place, message).cure(cure)]);
    }
    syn::parse2(tokens).map_err(|errors| {
        let fault = |error: syn::Error| Diagnostic::of(Code::WrongValue, error.span(), error.to_string());
        errors.into_iter().map(|error| fault(error).cure("derive it on an item of stable Rust")).collect()
    })
}

/// The token at which it gets too deep, counted from that many around it.
fn too_deep(tokens: &TokenStream, around: usize) -> Option<Span> {
    let mut depth = around;
    let mut after_hash = false;
    for token in tokens.clone() {
        depth += 1;
        if depth > DEPTH_MAX {
            return Some(token.span());
        }
        let is_hash =
            matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '#' && mark.spacing() == Spacing::Alone);
        match &token {
            TokenTree::Punct(mark) if matches!(mark.as_char(), ',' | ';') => depth = around,
            TokenTree::Group(group) => {
                if let Some(place) = too_deep(&group.stream(), depth) {
                    return Some(place);
                }
                // Attributes, and lines of documentation among them, stand beside each other in any number.
                if after_hash && group.delimiter() == Delimiter::Bracket {
                    depth -= 2;
                }
            }
            _ => {}
        }
        after_hash = is_hash;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Derive;
    use crate::project::Package;

    fn refused(text: &str) -> bool {
        let told = read(text.parse().unwrap()).err().unwrap_or_default();
        told.iter().any(|fault| fault.message.contains("stand in one another here"))
    }

    /// An item whose default goes this deep, in each of the ways in which a reader calls itself.
    fn items(depth: usize) -> Vec<String> {
        let (open, close) = ("(".repeat(depth), ")".repeat(depth));
        let values = [
            format!("{open}1{close}"),
            format!("{}1", "!".repeat(depth)),
            format!("{}1", "|| ".repeat(depth)),
            format!("{}1", "a = ".repeat(depth)),
            format!("1{}", " + 1".repeat(depth)),
            format!("{}{}", "a!{".repeat(depth), "}".repeat(depth)),
            format!("{}1{}", "[1, ".repeat(depth), "]".repeat(depth)),
            format!("{}1{}", "{ #[a] ".repeat(depth), "}".repeat(depth)),
        ];
        let of_values = values.into_iter().map(|value| format!("struct A {{ #[cdms(default = {value})] a: u8 }}"));
        let types = [
            format!("{}u8{}", "Option<".repeat(depth), ">".repeat(depth)),
            format!("{}u8", "&".repeat(depth)),
            format!("{}u8{}", "[".repeat(depth), "]".repeat(depth)),
        ];
        of_values.chain(types.into_iter().map(|ty| format!("struct A {{ a: {ty} }}"))).collect()
    }

    #[test]
    fn what_no_stack_would_hold_is_refused() {
        for item in items(20_000) {
            assert!(refused(&item), "{item:.60}");
        }
    }

    /// In a test's thread, whose stack is a quarter of a compiler's.
    #[test]
    fn what_is_not_refused_is_read() {
        let package = Package::at(env!("CARGO_MANIFEST_DIR"));
        let mut read_ones = 0;
        for item in (1..=DEPTH_MAX).rev().step_by(9).flat_map(items).filter(|item| !refused(item)) {
            read_ones += 1;
            Derive::ALL.iter().for_each(|derive| _ = derive.expand(item.parse().unwrap(), &package));
        }
        assert!(read_ones > 50, "{read_ones} are read");
    }

    #[test]
    fn a_long_struct_with_long_documentation_is_not_deep() {
        let docs = "/// A line.\n".repeat(500);
        let fields: String =
            (0..500).map(|at| format!("{docs}#[cdms(\"A{at}\")] pub a{at}: Option<String>,\n")).collect();
        assert!(!refused(&format!("{docs}pub struct A {{ {fields} }}")));
        assert!(!refused(&format!("pub enum A {{ {} }}", "#[cdms(\"b\")] B, ".repeat(500))));
    }
}
