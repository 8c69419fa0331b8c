//! The syntax of `#[cdms(…)]`: its parts in order, each with its span.

use datahub_model::source::{Placed, nearest};
use proc_macro2::Span;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, Lit, LitStr, Path, Token, parenthesized};

use crate::errors::Errors;

/// One part of an attribute's list.
pub(crate) enum Part {
    /// `"Name"`
    Text(LitStr),
    /// `key`
    Word(Ident),
    /// `key = value`
    Assigned(Ident, Expr),
    /// `key("A", "B")`, or with `key = value` inside.
    List(Ident, Vec<Part>),
}

impl Parse for Part {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            return input.parse().map(Part::Text);
        }
        let key: Ident = input.call(syn::ext::IdentExt::parse_any)?;
        if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            return Ok(Part::Assigned(key, input.parse()?));
        }
        if input.peek(syn::token::Paren) {
            let inside;
            parenthesized!(inside in input);
            let parts = Punctuated::<Part, Token![,]>::parse_terminated(&inside)?;
            return Ok(Part::List(key, parts.into_iter().collect()));
        }
        Ok(Part::Word(key))
    }
}

impl Part {
    /// The word that a fault of this part is shown on.
    pub(crate) fn span(&self) -> Span {
        match self {
            Part::Text(text) => text.span(),
            Part::Word(key) | Part::Assigned(key, _) | Part::List(key, _) => key.span(),
        }
    }
}

/// The parts of all `#[cdms(…)]` among an item's attributes.
pub(crate) fn parts(attributes: &[Attribute], errors: &mut Errors) -> Vec<Part> {
    let mut all = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("cdms")) {
        let list = attribute
            .meta
            .require_list()
            .and_then(|list| Punctuated::<Part, Token![,]>::parse_terminated.parse2(list.tokens.clone()));
        match list {
            Ok(parts) => all.extend(parts),
            Err(error) => errors.push(
                error.span(),
                format!(
                    "{error} [wrong-value]\nhelp: write it like #[cdms(\"Name\")] or #[cdms(key, column = \"id\")]"
                ),
            ),
        }
    }
    all
}

/// Puts a value in a slot, or reports that there was one.
pub(crate) fn fill<T>(slot: &mut Option<T>, value: T, name: &str, span: Span, errors: &mut Errors) {
    if slot.is_some() {
        errors.push(span, format!("`{name}` is there twice [mapped-twice]\nhelp: keep one of them"));
    } else {
        *slot = Some(value);
    }
}

/// The text of a value that must be one.
pub(crate) fn text(key: &Ident, value: &Expr, errors: &mut Errors) -> Option<Placed<String, Span>> {
    if let Some(text) = literal_text(value) {
        return Some(Placed { value: text.value(), place: text.span() });
    }
    errors.push(value.span(), format!("`{key}` is a string [wrong-value]\nhelp: write `{key} = \"…\"`"));
    None
}

/// The string that an expression is.
pub(crate) fn literal_text(value: &Expr) -> Option<&LitStr> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text),
            _ => None,
        },
        // `macro_rules!` leaves invisible groups around what it passes on.
        Expr::Group(group) => literal_text(&group.expr),
        _ => None,
    }
}

/// The path of `crate = ::path`, which must not depend on where the item stands.
pub(crate) fn crate_path(value: &Expr, errors: &mut Errors) -> Option<Path> {
    if let Expr::Path(path) = value
        && (path.path.leading_colon.is_some() || path.path.segments.first().is_some_and(|first| first.ident == "crate"))
    {
        return Some(path.path.clone());
    }
    errors.push(value.span(), "`crate` is a path from the root, such as `crate = ::datahub_runtime` [wrong-value]");
    None
}

/// Reports a key that is not known, with the one that was probably meant.
pub(crate) fn unknown(part: &Part, known: &[&str], errors: &mut Errors) {
    let name = match part {
        Part::Text(text) => {
            errors.push(text.span(), "a bare string is for fields: it names their attribute [unknown-key]");
            return;
        }
        Part::Word(key) | Part::Assigned(key, _) | Part::List(key, _) => key.to_string(),
    };
    let help = match nearest(&name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("one of: {}", known.join(", ")),
    };
    let misused = known.contains(&name.as_str());
    let message = if misused {
        format!("`{name}` is not written like this [wrong-value]\nhelp: {}", sample(&name))
    } else {
        format!("there is no key `{name}` [unknown-key]\nhelp: {help}")
    };
    errors.push(part.span(), message);
}

/// The right form of each key.
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
