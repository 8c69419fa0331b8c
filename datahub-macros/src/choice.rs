//! `#[derive(CdmsChoice)]`: an enum as the type of a choice, checked against the contract's options.

use datahub_model::source::{Placed, check_choices};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Ident, Path};

use crate::attribute::{Part, crate_path, fill, parts, text, unknown};
use crate::errors::Errors;
use crate::{expand, project};

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::default();
    let mut krate = None;
    let read = read(&item, &mut krate, &mut errors);
    let krate = expand::runtime(krate);
    let expansion = match read {
        Some(choice) if errors.is_empty() => implementation(&item.ident, &krate, &choice),
        _ => stub(&item, &krate),
    };
    let errors = errors.into_tokens();
    quote! { #errors #expansion }
}

struct Choice {
    variants: Vec<(Ident, i32)>,
    rest: Option<Ident>,
    attribute: String,
    tracking: TokenStream,
}

fn read(item: &DeriveInput, krate: &mut Option<Path>, errors: &mut Errors) -> Option<Choice> {
    let (mut mapping, mut attribute) = (None, None);
    for part in parts(&item.attrs, errors) {
        match &part {
            Part::Assigned(key, value) if key == "crate" => {
                if let Some(path) = crate_path(value, errors) {
                    fill(krate, path, "crate", key.span(), errors);
                }
            }
            Part::Assigned(key, value) if key == "mapping" || key == "attribute" => {
                let slot = if key == "mapping" { &mut mapping } else { &mut attribute };
                if let Some(text) = text(key, value, errors) {
                    fill(slot, text, &key.to_string(), key.span(), errors);
                }
            }
            other => unknown(other, &["mapping", "attribute", "crate"], errors),
        }
    }
    if !item.generics.params.is_empty() {
        errors.push(item.generics.span(), "a choice has no type parameters, lifetimes or constants [wrong-value]");
    }
    let Data::Enum(data) = &item.data else {
        errors.push(item.ident.span(), "a choice is an enum [wrong-value]");
        return None;
    };
    let (mut names, mut idents, mut rest) = (Vec::new(), Vec::new(), None);
    for variant in &data.variants {
        let (mut name, mut other) = (None, None);
        for part in parts(&variant.attrs, errors) {
            match &part {
                Part::Text(text) => {
                    let placed = Placed { value: text.value(), place: text.span() };
                    fill(&mut name, placed, "the option's name", text.span(), errors);
                }
                Part::Word(key) if key == "other" => fill(&mut other, key.span(), "other", key.span(), errors),
                part => unknown(part, &["other"], errors),
            }
        }
        match (&variant.fields, other) {
            (Fields::Unnamed(fields), Some(span)) if fields.unnamed.len() == 1 => {
                fill(&mut rest, variant.ident.clone(), "other", span, errors);
            }
            (Fields::Unit, None) => {
                let snake =
                    || Placed { value: snake_case(&variant.ident.unraw().to_string()), place: variant.ident.span() };
                names.push(name.unwrap_or_else(snake));
                idents.push(variant.ident.clone());
            }
            (_, Some(span)) => {
                errors.push(span, "the variant for the rest holds its number: `Other(i32)` [wrong-value]");
            }
            (fields, None) => errors.push(
                fields.span(),
                "an option holds no values; one for the rest is `#[cdms(other)] Other(i32)` [wrong-value]",
            ),
        }
    }
    let missing = |what: &str, errors: &mut Errors| {
        let message = format!(
            "{} does not say which {what} it is of [missing-key]\nhelp: add #[cdms(mapping = \"….toml\", attribute = \"…\")]",
            item.ident
        );
        errors.push(item.ident.span(), message);
    };
    if mapping.is_none() {
        missing("contract", errors);
    }
    if attribute.is_none() {
        missing("attribute", errors);
    }
    let (mapping, attribute): (Placed<String, Span>, Placed<String, Span>) = (mapping?, attribute?);
    let source = project::contract(&mapping, errors)?;
    match check_choices(&source.contract, &attribute, &names, rest.is_some()) {
        Ok(numbers) => Some(Choice {
            variants: idents.into_iter().zip(numbers).collect(),
            rest,
            attribute: attribute.value,
            tracking: source.tracking,
        }),
        Err(diagnostics) => {
            errors.diagnostics(diagnostics, &source.shown_path, mapping.place);
            None
        }
    }
}

fn implementation(name: &Ident, krate: &Path, choice: &Choice) -> TokenStream {
    let Choice { variants, rest, attribute, tracking } = choice;
    let read = variants.iter().map(|(variant, number)| quote!(#number => Self::#variant));
    let written = variants.iter().map(|(variant, number)| quote!(Self::#variant => #number));
    let read_rest = match rest {
        Some(rest) => quote!(__number => Self::#rest(__number)),
        None => {
            quote!(__number => return #krate::Result::Err(#krate::no_such_option(#attribute, __number)))
        }
    };
    let written_rest = rest.as_ref().map(|rest| quote!(Self::#rest(__number) => *__number,));
    quote! {
        #[automatically_derived]
        impl #krate::FieldType for #name {
            const KINDS: &'static [#krate::Kind] = #krate::CHOICE_KINDS;

            fn from_value(__value: &#krate::Value) -> #krate::Result<Self, #krate::Fault> {
                #krate::Result::Ok(match <i32 as #krate::FieldType>::from_value(__value)? {
                    #(#read,)*
                    #read_rest,
                })
            }

            fn to_value(&self) -> #krate::Value {
                #krate::Value::Choice(match self {
                    #(#written,)*
                    #written_rest
                })
            }
        }

        #[automatically_derived]
        impl #krate::Carries<#krate::kind::Choice> for #name {}
        #[automatically_derived]
        impl #krate::Carries<#krate::kind::State> for #name {}
        #[automatically_derived]
        impl #krate::Carries<#krate::kind::Status> for #name {}

        const _: () = { #tracking };
    }
}

fn stub(item: &DeriveInput, krate: &Path) -> TokenStream {
    if !item.generics.params.is_empty() {
        return TokenStream::new();
    }
    let name = &item.ident;
    let message = "this choice has faults and was not derived";
    quote! {
        #[automatically_derived]
        impl #krate::FieldType for #name {
            const KINDS: &'static [#krate::Kind] = #krate::CHOICE_KINDS;

            fn from_value(_: &#krate::Value) -> #krate::Result<Self, #krate::Fault> {
                #krate::Result::Err(#krate::Fault::new(#message))
            }

            fn to_value(&self) -> #krate::Value {
                #krate::Value::Null
            }
        }

        #[automatically_derived]
        impl #krate::Carries<#krate::kind::Choice> for #name {}
        #[automatically_derived]
        impl #krate::Carries<#krate::kind::State> for #name {}
        #[automatically_derived]
        impl #krate::Carries<#krate::kind::Status> for #name {}
    }
}

/// `VeryGood` becomes `very_good`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for (position, letter) in name.char_indices() {
        if letter.is_uppercase() && position > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
