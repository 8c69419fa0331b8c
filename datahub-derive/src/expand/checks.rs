//! What only the compiler can check: whether each field's type fits its attribute, reported on the type itself.

use cdms_odata::Kind;
use datahub_model::source::{ResolvedColumn, ResolvedSource, Shape, has_zero};
use proc_macro2::{Delimiter, Group, Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;

use super::resolved::Resolved;
use crate::shown::Words;
use crate::synced::ModelField;

/// The constant with the facts about a field's type. The rest of the expansion uses only this constant, so that a type that
/// does not fit is reported once.
pub(crate) fn of_type(field: &Ident) -> Ident {
    format_ident!("__of_{}", field.unraw())
}

/// The constants of all fields.
pub(super) fn types(resolved: &Resolved<'_>) -> TokenStream {
    let name = resolved.name;
    let types = resolved.fields.iter().map(|(field, shape)| {
        let (ty, constant) = (&field.ty, of_type(&field.ident));
        let span = Words::of(ty).start;
        let (sort, of) = match shape {
            Shape::Key(_) => (quote!(Key<#name, #ty>), quote_spanned!(span => key::<#name, #ty>())),
            Shape::Group { .. } => (quote!(Group<#ty>), quote_spanned!(span => group::<#ty>())),
            Shape::Column(_) => (quote!(Field<#ty>), quote_spanned!(span => field::<#ty>())),
        };
        quote! { const #constant: __v1::#sort = __v1::#of; }
    });
    types.collect()
}

/// The checks of all fields.
pub(super) fn checks(resolved: &Resolved<'_>) -> TokenStream {
    resolved.fields.iter().map(|(field, shape)| check(resolved, field, shape)).collect()
}

fn check(resolved: &Resolved<'_>, field: &ModelField, shape: &Shape) -> TokenStream {
    let (constant, name) = (of_type(&field.ident), field.ident.unraw().to_string());
    let words = Words::of(&field.ty);
    let path = quote_spanned!(words.start => __v1::);
    match shape {
        Shape::Key(_) => TokenStream::new(),
        // If a contract was only partly read, the group's keys are unknown.
        Shape::Group { .. } if resolved.contract.is_partial => TokenStream::new(),
        Shape::Group { first, members } => {
            let keys =
                members.iter().zip(&resolved.columns[*first..]).map(|(key, column)| key_of(resolved, key, column));
            let asked = called(words, "group_matches", quote!(&#constant, #name, &[#(#keys),*]));
            quote! { const _: () = #path #asked; }
        }
        Shape::Column(column) => {
            let column = &resolved.columns[*column];
            let attribute = attribute_of(column);
            let asked = called(words, "asked", quote!(&#constant, #name, #attribute));
            let questions = questions(resolved, field, column).into_iter();
            let questions = questions.map(|(question, arguments)| called(words, question, arguments));
            quote! { const _: __v1::Asked<'_> = #path #asked #(.#questions)*; }
        }
    }
}

/// The checks of the type of a column's field.
fn questions(resolved: &Resolved<'_>, field: &ModelField, column: &ResolvedColumn) -> Vec<(&'static str, TokenStream)> {
    let kind = kind_of(column.kind);
    let targets = column.targets(resolved.contract);
    let holds = match column.source {
        ResolvedSource::Attribute { .. } if column.kind == Kind::String && targets.is_some() => {
            ("holds_which", TokenStream::new())
        }
        ResolvedSource::Local | ResolvedSource::Joined { .. } => ("holds_said", kind),
        _ => ("holds", kind),
    };
    let nullable = column.nullable.then(|| ("nullable", TokenStream::new()));
    let null = null(resolved, field, column).map(|question| (question, TokenStream::new()));
    let targets = targets.map(|targets| ("points_to", quote!(&[#(#targets),*])));
    let options = options(resolved, column).map(|options| ("takes_options", options));
    [nullable, Some(holds), null, targets, options].into_iter().flatten().collect()
}

/// A key of the contract's group, with the limits of its attribute.
fn key_of(resolved: &Resolved<'_>, key: &str, column: &ResolvedColumn) -> TokenStream {
    let (kind, attribute) = (kind_of(column.kind), attribute_of(column));
    let mut tokens = quote!(__v1::GroupKey::new(#key, #attribute, #kind));
    if !column.nullable {
        tokens.extend(quote!(.required()));
    }
    if let Some(targets) = column.targets(resolved.contract) {
        tokens.extend(quote!(.pointing_to(&[#(#targets),*])));
    }
    if let Some(options) = options(resolved, column) {
        tokens.extend(quote!(.options(#options)));
    }
    if let Some(length) = resolved.contract.attribute(attribute).and_then(|stated| stated.max_length) {
        tokens.extend(quote!(.max_length(#length)));
    }
    tokens
}

/// The options of a choice that a column holds as such.
fn options(resolved: &Resolved<'_>, column: &ResolvedColumn) -> Option<TokenStream> {
    let is_choice = matches!(column.kind, Kind::Choice | Kind::State | Kind::Status);
    let stated = resolved.contract.attribute(attribute_of(column)).filter(|_| is_choice)?;
    let options = stated.choices.iter().map(|(name, number)| quote!((#name, #number)));
    Some(quote!(&[#(#options),*]))
}

/// The check for null, if the text of the type does not show whether it has a value for null.
fn null(resolved: &Resolved<'_>, field: &ModelField, column: &ResolvedColumn) -> Option<&'static str> {
    let is_attribute = matches!(column.source, ResolvedSource::Attribute { .. });
    match (column.nullable, is_attribute, field.default.is_some()) {
        (true, ..) => None,
        _ if !field.is_opaque => None,
        (false, true, false) => None,
        (false, _, true) => Some("needs_no_default"),
        // A row of a detached model is always created with all of its values. For a kind without a zero or empty value, the
        // validator has already reported it.
        (false, false, false) if column.source == ResolvedSource::Local && resolved.contract.is_of_cdms() => {
            has_zero(column.kind).then_some("begins_with_zero")
        }
        (false, false, false) => Some("is_never_null"),
    }
}

/// The attribute of a column; empty if it has none.
fn attribute_of(column: &ResolvedColumn) -> &str {
    match &column.source {
        ResolvedSource::Attribute { attribute, .. } => attribute,
        _ => "",
    }
}

/// A call of a check, which the compiler marks below the whole type.
fn called(words: Words, question: &str, arguments: TokenStream) -> TokenStream {
    let question = Ident::new(question, words.start);
    let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
    arguments.set_span(words.end);
    quote!(#question #arguments)
}

pub(super) fn kind_of(kind: Kind) -> TokenStream {
    let name = quote::format_ident!("{}", format!("{kind:?}"));
    quote::quote!(__v1::Kind::#name)
}
