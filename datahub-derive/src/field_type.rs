//! What the text of a field's type shows: derives see tokens, not types.

use std::fmt::Write as _;

use cdms_odata::Kind;
use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Expr, GenericArgument, PathArguments, Type};

/// Tokens as text that depends on the tokens alone. A compiler may print them in another way in its next version, and mapping
/// ids must not change with it.
pub(crate) fn spelled(tokens: &impl ToTokens) -> String {
    let mut text = String::new();
    spell(tokens.to_token_stream(), &mut text);
    text
}

fn spell(tokens: TokenStream, text: &mut String) {
    let mut is_joint = true;
    for token in tokens {
        if !is_joint {
            text.push(' ');
        }
        is_joint = matches!(&token, TokenTree::Punct(mark) if mark.spacing() == Spacing::Joint);
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                spell(group.stream(), text);
                text.push_str(close);
            }
            // A word, a mark or a literal is printed as it is written.
            token => _ = write!(text, "{token}"),
        }
    }
}

/// The type without the invisible groups that `macro_rules!` leaves around it.
pub(crate) fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        ty => ty,
    }
}

/// Whether a type is written as `Option<…>`.
pub(crate) fn is_option(ty: &Type) -> bool {
    let Type::Path(path) = ungrouped(ty) else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "Option" && !last.arguments.is_empty())
}

/// Whether a type is not one of the well-known types without a value for null, so that only the compiler knows.
pub(crate) fn is_opaque(ty: &Type) -> bool {
    const PLAIN: [&str; 9] = ["String", "i32", "i64", "f64", "bool", "Decimal", "NaiveDate", "Uuid", "DateTime"];
    let Type::Path(path) = ungrouped(ty) else { return true };
    let Some(last) = path.path.segments.last() else { return true };
    let is_id = last.ident == "Id" && !last.arguments.is_empty();
    !is_option(ty) && !is_id && !PLAIN.iter().any(|plain| last.ident == plain)
}

/// The kind that a type most likely holds; a type of the user's own is usually an enum of options.
pub(crate) fn guessed_kind(ty: &Type) -> Kind {
    let Type::Path(path) = ungrouped(ty) else { return Kind::String };
    let Some(last) = path.path.segments.last() else { return Kind::String };
    if let (true, PathArguments::AngleBracketed(arguments)) = (is_option(ty), &last.arguments)
        && let Some(GenericArgument::Type(inner)) = arguments.args.first()
    {
        return guessed_kind(inner);
    }
    match last.ident.to_string().as_str() {
        "String" => Kind::String,
        "i64" => Kind::BigInt,
        "f64" => Kind::Double,
        "bool" => Kind::Boolean,
        "Decimal" => Kind::Decimal,
        "NaiveDate" => Kind::Date,
        "DateTime" => Kind::DateTime,
        "Id" | "Uuid" => Kind::Guid,
        _ => Kind::Choice,
    }
}

/// Whether a type can be `Id<Model>`, as far as its text shows; about an alias the compiler knows more.
pub(crate) fn can_be_id_of(ty: &Type, model: &Ident) -> bool {
    let Type::Path(path) = ungrouped(ty) else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) if last.ident == "Id" => match arguments.args.first() {
            Some(GenericArgument::Type(Type::Path(of))) => {
                of.path.segments.last().is_some_and(|of| of.ident == *model || of.ident == "Self")
            }
            _ => true,
        },
        PathArguments::None => {
            !["Uuid", "String", "i32", "i64", "u32", "u64", "u128"].iter().any(|no| last.ident == no)
        }
        _ => last.ident != "Option",
    }
}

/// The type with the model's name instead of `Self`, which has another meaning at the places where the expansion repeats it.
pub(crate) fn without_self(ty: &Type, model: &Ident) -> Type {
    let tokens = quote!(#ty);
    // Nearly all types need not be parsed again.
    if !names_self(tokens.clone()) {
        return ty.clone();
    }
    syn::parse2(named(tokens, model)).unwrap_or_else(|_| ty.clone())
}

/// An expression with the model's name instead of `Self`, for the same reason.
pub(crate) fn expression_without_self(value: &Expr, model: &Ident) -> Expr {
    syn::parse2(named(quote!(#value), model)).unwrap_or_else(|_| value.clone())
}

fn names_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(word) => word == "Self",
        TokenTree::Group(group) => names_self(group.stream()),
        _ => false,
    })
}

fn named(tokens: TokenStream, model: &Ident) -> TokenStream {
    let tokens = tokens.into_iter().map(|tree| match tree {
        TokenTree::Ident(word) if word == "Self" => {
            let mut name = model.clone();
            name.set_span(word.span());
            TokenTree::Ident(name)
        }
        TokenTree::Group(group) => {
            let mut renamed = Group::new(group.delimiter(), named(group.stream(), model));
            renamed.set_span(group.span());
            TokenTree::Group(renamed)
        }
        tree => tree,
    });
    tokens.collect()
}
