//! The syntax of `#[cdms(…)]`: its parts in order, each with its place.

use datahub_model::diagnostic::{Code, Diagnostic};
use datahub_model::source::{Placed, meant_among};
use proc_macro2::{Span, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, Ident, Lit, LitStr, Path, Token, parenthesized};

use crate::shown::{Diagnostics, Shown, Words};

/// One part of an attribute's list.
pub(crate) enum Part {
    /// `"Name"`
    Text(LitStr),
    /// `key`
    Word(Ident),
    /// `key = value`
    Assigned(Ident, Box<Expr>),
    /// `key("A", "B")`, or with `key = value` inside.
    List(Ident, Vec<Part>),
}

impl Part {
    /// The word on which a fault of this part is shown.
    pub(crate) fn span(&self) -> Span {
        match self {
            Part::Text(text) => text.span(),
            Part::Word(key) | Part::Assigned(key, _) | Part::List(key, _) => key.span(),
        }
    }
}

/// The parts of all `#[cdms(…)]` among an item's attributes; `example` shows what one looks like there.
///
/// A part that cannot be parsed is reported on its own word, and the others are still parsed.
pub(crate) fn parts(attributes: &[Attribute], example: &str, diagnostics: &mut Diagnostics) -> Vec<Part> {
    let mut all = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("cdms")) {
        match attribute.meta.require_list() {
            Ok(meta) => {
                let reading = |input: ParseStream<'_>| {
                    list(input, example, &mut all, diagnostics);
                    Ok(())
                };
                // The list is always read to its end, so no token can be left over.
                if let Err(error) = reading.parse2(meta.tokens.clone()) {
                    diagnostics.push(misread(error.span(), error.to_string(), example));
                }
            }
            Err(_) => {
                diagnostics.push(misread(
                    Words::of(&attribute.meta),
                    "`cdms` must have its keys in parentheses",
                    example,
                ));
            }
        }
    }
    all
}

/// The fault of a part that cannot be parsed.
fn misread(at: impl Into<Shown>, message: impl Into<String>, example: &str) -> Diagnostic<Shown> {
    Diagnostic::of(Code::WrongValue, at, message).cure(format!("write it like {example}"))
}

/// Parses a list part by part. After one that cannot be parsed, it continues behind the next comma.
fn list(input: ParseStream<'_>, example: &str, parts: &mut Vec<Part>, diagnostics: &mut Diagnostics) {
    while !input.is_empty() {
        let first = input.span();
        match part(input, example, diagnostics) {
            Ok(part) => {
                parts.push(part);
                if !input.is_empty() && !input.peek(Token![,]) {
                    diagnostics.push(misread(input.span(), "missing comma before this", example));
                }
            }
            Err((words, message)) => {
                diagnostics.push(misread(words.unwrap_or_else(|| first.into()), message, example));
            }
        }
        while !input.is_empty() && !input.peek(Token![,]) {
            // Any token is a token tree, so this always advances.
            if input.parse::<TokenTree>().is_err() {
                return;
            }
        }
        if input.parse::<Option<Token![,]>>().is_err() {
            return;
        }
    }
}

type Unread = (Option<Words>, String);

fn part(input: ParseStream<'_>, example: &str, diagnostics: &mut Diagnostics) -> Result<Part, Unread> {
    if input.peek(LitStr) {
        return input.parse().map(Part::Text).map_err(|error| (None, error.to_string()));
    }
    let key = input.call(Ident::parse_any).map_err(|_| (None, "expected a key of `cdms` or a string".to_owned()))?;
    if input.peek(Token![=]) {
        let assigned = input.parse::<Token![=]>();
        if assigned.is_err() || input.is_empty() || input.peek(Token![,]) {
            return Err((Some(key.span().into()), format!("missing value of `{key}`")));
        }
        let at = input.span();
        return match input.parse::<Expr>() {
            Ok(value) => Ok(Part::Assigned(key, Box::new(value))),
            Err(error) if input.is_empty() => Err((Some(at.into()), format!("incomplete value of `{key}`: {error}"))),
            Err(error) => Err((Some(error.span().into()), format!("invalid value of `{key}`: {error}"))),
        };
    }
    if input.peek(syn::token::Paren) {
        let mut inside_parts = Vec::new();
        let example =
            if key == "attributes" { "#[cdms(attributes(\"A\", \"B\"), with = \"module\")]" } else { example };
        let mut inside_of = || -> syn::Result<()> {
            let inside;
            parenthesized!(inside in input);
            list(&inside, example, &mut inside_parts, diagnostics);
            Ok(())
        };
        inside_of().map_err(|error| (Some(key.span().into()), error.to_string()))?;
        return Ok(Part::List(key, inside_parts));
    }
    Ok(Part::Word(key))
}

/// Puts a value into a slot, or reports that the slot already has one.
pub(crate) fn fill<T>(slot: &mut Option<T>, value: T, name: &str, span: Span, diagnostics: &mut Diagnostics) {
    if slot.is_some() {
        let message = format!("duplicate `{name}`");
        diagnostics.push(Diagnostic::of(Code::MappedTwice, span, message).cure("remove one of them"));
    } else {
        *slot = Some(value);
    }
}

/// A string with its place.
pub(crate) fn placed(text: &LitStr) -> Placed<String, Words> {
    Placed { value: text.value(), place: text.span().into() }
}

/// The string of a value that must be one.
pub(crate) fn text(key: &Ident, value: &Expr, diagnostics: &mut Diagnostics) -> Option<Placed<String, Words>> {
    if let Some(text) = literal_text(value) {
        return Some(placed(text));
    }
    let fault = Diagnostic::of(Code::WrongValue, Words::of(value), format!("`{key}` must be a string"));
    diagnostics.push(fault.cure(format!("write `{key} = \"…\"`")));
    None
}

/// An expression without the invisible groups that `macro_rules!` leaves around its arguments.
pub(crate) fn ungrouped(value: &Expr) -> &Expr {
    match value {
        Expr::Group(group) => ungrouped(&group.expr),
        value => value,
    }
}

/// The literal that an expression is.
pub(crate) fn literal(value: &Expr) -> Option<&Lit> {
    match ungrouped(value) {
        Expr::Lit(literal) => Some(&literal.lit),
        _ => None,
    }
}

/// The string that an expression is.
pub(crate) fn literal_text(value: &Expr) -> Option<&LitStr> {
    match literal(value) {
        Some(Lit::Str(text)) => Some(text),
        _ => None,
    }
}

/// The path of `crate = ::path`, which must not depend on the item's module.
pub(crate) fn crate_path(value: &Expr, diagnostics: &mut Diagnostics) -> Option<Path> {
    if let Expr::Path(path) = ungrouped(value)
        && (path.path.leading_colon.is_some() || path.path.segments.first().is_some_and(|first| first.ident == "crate"))
    {
        return Some(path.path.clone());
    }
    let fault = Diagnostic::of(Code::WrongValue, Words::of(value), "`crate` must be an absolute path");
    diagnostics.push(fault.cure("write `crate = ::datahub_runtime`"));
    None
}

/// The keys of one place, and those of other places.
pub(crate) struct Keys {
    /// The keys that are allowed here.
    pub(crate) here: &'static [&'static str],
    /// Keys that are allowed elsewhere, each group with its cure.
    pub(crate) elsewhere: &'static [(&'static [&'static str], &'static str)],
}

/// Reports a key that is unknown here, with the one that was probably meant.
pub(crate) fn unknown(part: &Part, known: &Keys, diagnostics: &mut Diagnostics) {
    let name = match part {
        Part::Text(text) => {
            let message = "expected a key, found a string";
            let fault = Diagnostic::of(Code::UnknownKey, text.span(), message);
            return diagnostics.push(fault.cure(format!(
                "a string names the attribute of a field; the keys here are {}",
                known.here.join(", ")
            )));
        }
        Part::Word(key) | Part::Assigned(key, _) | Part::List(key, _) => key.to_string(),
    };
    let elsewhere = known.elsewhere.iter().find(|(keys, _)| keys.contains(&name.as_str()));
    let fault = |code, message| Diagnostic::of(code, part.span(), message);
    diagnostics.push(if known.here.contains(&name.as_str()) {
        fault(Code::WrongValue, format!("malformed `{name}`")).cure(sample(&name))
    } else if let Some((_, cure)) = elsewhere {
        fault(Code::UnknownKey, format!("`{name}` is not allowed here")).cure(*cure)
    } else {
        fault(Code::UnknownKey, format!("unknown key `{name}`")).cure(meant_among(&name, known.here))
    });
}

/// The correct form of each key.
fn sample(key: &str) -> String {
    match key {
        "key" | "modified" | "created" | "modified_by" | "read_only" | "create_only" | "local" | "other"
        | "insertable" | "changeset" => {
            format!("write `{key}` alone")
        }
        "attributes" => "write `attributes(\"A\", \"B\")`".to_owned(),
        "default" => "write `default` alone or `default = value`".to_owned(),
        "diesel" => "write `diesel(insertable, changeset)` or `diesel(table = false)`".to_owned(),
        "crate" => "write `crate = ::datahub_runtime`".to_owned(),
        key => format!("write `{key} = \"…\"`"),
    }
}
