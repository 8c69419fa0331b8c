//! Parses an item, unless it is nested too deeply for the compiler's stack.

use datahub_model::diagnostic::{Code, Diagnostic};
use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use syn::DeriveInput;

use crate::shown::Shown;

/// The largest number of tokens that may be nested, or follow each other without a comma: far more than anyone writes. Each
/// may be one more nested call of the parser, and a compiler that runs out of stack ends without a message.
const DEPTH_MAX: usize = 128;

/// The item.
///
/// # Errors
///
/// It is not an item, or is nested too deeply. Nothing else can be reported about it.
pub(crate) fn read(tokens: TokenStream) -> Result<DeriveInput, Vec<Diagnostic<Shown>>> {
    if let Some(place) = too_deep(&tokens, 0) {
        let message = format!("more than {DEPTH_MAX} nested tokens");
        let cure = "move the type or the value to a `type` or `const` item, and write that item's name here";
        return Err(vec![Diagnostic::of(Code::WrongValue, place, message).cure(cure)]);
    }
    syn::parse2(tokens).map_err(|errors| {
        let fault = |error: syn::Error| Diagnostic::of(Code::WrongValue, error.span(), error.to_string());
        errors.into_iter().map(|error| fault(error).cure("derive it for an item of stable Rust")).collect()
    })
}

/// The token at which the nesting becomes too deep, counted from the number of tokens around it.
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
                // Attributes, including lines of documentation, can follow each other in any number.
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
        let faults = read(text.parse().unwrap()).err().unwrap_or_default();
        faults.iter().any(|fault| fault.message.contains("nested tokens"))
    }

    /// Items whose default is nested this deeply, in each of the ways in which the parser calls itself.
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
