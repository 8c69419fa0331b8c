//! Checks the wording of messages: the string literals of the crates that ship, against the table in `CONTRIBUTING.md`.

use std::fs;

use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, LitStr, Macro};

use crate::source::{root, tracked_files};

/// Words and phrases for which `CONTRIBUTING.md` has better ones. Each is found as whole words.
const AVOIDED: [&str; 14] = [
    "anew",
    "astray",
    "by lot",
    "has to be",
    "is no URL",
    "is no mistake",
    "is to be",
    "mended",
    "nobody",
    "nought",
    "reckon",
    "somebody",
    "told",
    "whoever",
];

/// Checks that no string literal outside tests contains an avoided phrase.
pub(crate) fn is_plain() -> Result<(), String> {
    let mut found = Vec::new();
    for name in tracked_files(&["cdms-*/src/*.rs", "datahub-*/src/*.rs"])? {
        if name.contains("/tests/") || name.ends_with("/tests.rs") {
            continue;
        }
        let text = fs::read_to_string(root().join(&name)).map_err(|error| format!("{name}: {error}"))?;
        let literals = literals(&text).map_err(|error| format!("{name}: {error}"))?;
        for (line, literal) in literals {
            found.extend(avoided_in(&literal).map(|phrase| format!("{name}:{line} says {phrase:?}")));
        }
    }
    if found.is_empty() { Ok(()) } else { Err(format!("{}; CONTRIBUTING.md has better phrases", found.join(", "))) }
}

/// The avoided phrases of a text.
fn avoided_in(text: &str) -> impl Iterator<Item = &'static str> {
    AVOIDED.into_iter().filter(move |phrase| {
        let is_part = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        text.match_indices(phrase).any(|(at, _)| {
            let (before, after) = (text[..at].chars().next_back(), text[at + phrase.len()..].chars().next());
            // Aliases in SQL are names.
            !is_part(before) && !is_part(after) && after != Some('.') && !text[..at].ends_with(" AS ")
        })
    })
}

/// The string literals of a file with their lines, without those of test modules and of documentation.
fn literals(text: &str) -> syn::Result<Vec<(usize, String)>> {
    let mut literals = Literals(Vec::new());
    literals.visit_file(&syn::parse_file(text)?);
    Ok(literals.0)
}

struct Literals(Vec<(usize, String)>);

impl<'a> Visit<'a> for Literals {
    fn visit_item_mod(&mut self, module: &'a ItemMod) {
        if module.ident != "tests" {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_attribute(&mut self, attribute: &'a Attribute) {
        if !attribute.path().is_ident("doc") {
            visit::visit_attribute(self, attribute);
            if let syn::Meta::List(list) = &attribute.meta {
                self.tokens(&list.tokens);
            }
        }
    }

    fn visit_lit_str(&mut self, literal: &'a LitStr) {
        self.0.push((literal.span().start().line, literal.value()));
    }

    fn visit_macro(&mut self, called: &'a Macro) {
        self.tokens(&called.tokens);
    }
}

impl Literals {
    /// Takes the string literals of a macro's tokens, whatever the macro makes of them.
    fn tokens(&mut self, tokens: &proc_macro2::TokenStream) {
        for token in tokens.clone() {
            match token {
                proc_macro2::TokenTree::Group(group) => self.tokens(&group.stream()),
                proc_macro2::TokenTree::Literal(literal) => {
                    if let Ok(literal) = syn::parse_str::<LitStr>(&literal.to_string()) {
                        self.0.push((literal.span().start().line, literal.value()));
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_found_in_calls_macros_and_attributes_but_not_in_docs_and_tests() {
        let text = r#"
            /// A doc.
            #[error("an attribute")]
            fn f() { g("a call"); format!("a {}", ["macro"]); }
            mod tests { const X: &str = "a test"; }
        "#;
        let found: Vec<_> = literals(text).unwrap().into_iter().map(|(_, literal)| literal).collect();
        assert_eq!(found, ["an attribute", "a call", "a {}", "macro"]);
    }

    #[test]
    fn phrases_are_whole_words_and_no_aliases() {
        let found = |text| avoided_in(text).collect::<Vec<_>>();
        assert_eq!(found("nobody was told"), ["nobody", "told"]);
        assert_eq!(found("stolen; retold; datahub_history AS told WHERE told.kind"), [""; 0]);
    }
}
