//! `#[derive(CdmsChoice)]`: an enum as the type of a choice, checked against the contract's options.

#[cfg(feature = "tree")]
use datahub_model::diagnostic::Collected;
use datahub_model::diagnostic::{Code, Diagnostic};
use datahub_model::source::{Placed, check_choices};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Ident, Path};

#[cfg(feature = "tree")]
use crate::attribute::literal_text;
use crate::attribute::{Keys, Part, crate_path, fill, parts, placed, text, unknown};
use crate::project::Package;
use crate::shown::{Diagnostics, Shown, Words, compile_errors};
use crate::source::PackageItem;
use crate::{expand, item};

pub(crate) fn derive(item: TokenStream, package: &Package) -> TokenStream {
    let item = match item::read(item) {
        Ok(item) => item,
        Err(diagnostics) => return compile_errors(diagnostics),
    };
    let mut krate = None;
    let (read, diagnostics) =
        Diagnostics::collect(|diagnostics| read(&item, package, &mut krate, diagnostics)).into_parts();
    let krate = expand::runtime(krate);
    let expansion = match read {
        Some(choice) if diagnostics.is_empty() && !choice.is_hidden => implementation(&item.ident, &krate, &choice),
        _ => stub(&item, &krate),
    };
    let errors = compile_errors(diagnostics);
    quote! { #errors #expansion }
}

const KEYS: Keys = Keys {
    here: &["mapping", "attribute", "crate"],
    elsewhere: &[(&["other"], "write it on the variant for all other options, `#[cdms(other)] Other(i32)`")],
};

const VARIANT_KEYS: Keys = Keys {
    here: &["other"],
    elsewhere: &[(
        &["mapping", "attribute", "crate"],
        "write it on the enum; a variant names its option with a string, `#[cdms(\"name\")]`",
    )],
};

/// Examples of the attribute of an enum, and of a variant.
const EXAMPLE: &str = "#[cdms(mapping = \"account.toml\", attribute = \"IndustryCode\")]";
const VARIANT_EXAMPLE: &str = "#[cdms(\"fine_arts\")] or #[cdms(other)]";

struct Choice {
    /// Each with its option's name and number.
    variants: Vec<(Ident, String, i32)>,
    rest: Option<Ident>,
    attribute: String,
    tracking: TokenStream,
    /// Whether its contract has faults, which may have been reported elsewhere.
    is_hidden: bool,
}

fn read(
    item: &DeriveInput,
    package: &Package,
    krate: &mut Option<Path>,
    diagnostics: &mut Diagnostics,
) -> Option<Choice> {
    let (mut mapping, mut attribute) = (None, None);
    let before = diagnostics.count();
    for part in parts(&item.attrs, EXAMPLE, diagnostics) {
        match &part {
            Part::Assigned(key, value) if key == "crate" => {
                if let Some(path) = crate_path(value, diagnostics) {
                    fill(krate, path, "crate", key.span(), diagnostics);
                }
            }
            Part::Assigned(key, value) if key == "mapping" || key == "attribute" => {
                let slot = if key == "mapping" { &mut mapping } else { &mut attribute };
                if let Some(text) = text(key, value, diagnostics) {
                    fill(slot, text, &key.to_string(), key.span(), diagnostics);
                }
            }
            other => unknown(other, &KEYS, diagnostics),
        }
    }
    let is_faulty = diagnostics.count() > before;
    if !item.generics.params.is_empty() {
        let message = "a choice cannot have generic parameters";
        diagnostics.push(Diagnostic::of(Code::WrongValue, Words::of(&item.generics), message).cure("remove them"));
    }
    let Data::Enum(data) = &item.data else {
        let fault = Diagnostic::of(Code::WrongValue, item.ident.span(), "a choice must be an enum");
        diagnostics.push(fault.cure("write a variant for each option"));
        return None;
    };
    let (mut names, mut idents, mut rest) = (Vec::new(), Vec::new(), None);
    let mut takes_rest = false;
    for variant in &data.variants {
        let (mut name, mut other) = (None, None);
        let before = diagnostics.count();
        for part in parts(&variant.attrs, VARIANT_EXAMPLE, diagnostics) {
            match &part {
                Part::Text(text) => fill(&mut name, placed(text), "option", text.span(), diagnostics),
                Part::Word(key) if key == "other" => fill(&mut other, key.span(), "other", key.span(), diagnostics),
                part => unknown(part, &VARIANT_KEYS, diagnostics),
            }
        }
        // The variant's option is unknown, and so is whether the other variants leave one out.
        if diagnostics.count() > before {
            takes_rest = true;
            continue;
        }
        if let (Some(name), Some(_)) = (&name, other) {
            let message = "the variant with `other` cannot name an option";
            diagnostics
                .push(Diagnostic::of(Code::KeysExclude, name.place, message).cure("remove the name, or `other`"));
        }
        match (&variant.fields, other) {
            (Fields::Unnamed(fields), Some(span)) if fields.unnamed.len() == 1 => {
                fill(&mut rest, variant.ident.clone(), "other", span, diagnostics);
            }
            (Fields::Unit, None) => {
                let snake = || Placed {
                    value: snake_case(&variant.ident.unraw().to_string()),
                    place: variant.ident.span().into(),
                };
                names.push(name.unwrap_or_else(snake));
                idents.push(variant.ident.clone());
            }
            (_, Some(span)) => {
                let fault =
                    Diagnostic::of(Code::WrongValue, span, "the variant with `other` must hold the option's number");
                diagnostics.push(fault.cure("write `#[cdms(other)] Other(i32)`"));
            }
            (fields, None) => {
                let fault =
                    Diagnostic::of(Code::WrongValue, Words::of(fields), "a variant for an option cannot have fields");
                diagnostics
                    .push(fault.cure("remove them; the variant for all other options is `#[cdms(other)] Other(i32)`"));
            }
        }
    }
    let missing = |key: &str, diagnostics: &mut Diagnostics| {
        let message = format!("`{}` is missing `{key}`", item.ident);
        let fault = Diagnostic::of(Code::MissingKey, item.ident.span(), message);
        diagnostics.push(fault.cure("add #[cdms(mapping = \"….toml\", attribute = \"…\")]"));
    };
    if mapping.is_none() && !is_faulty {
        missing("mapping", diagnostics);
    }
    if attribute.is_none() && !is_faulty {
        missing("attribute", diagnostics);
    }
    let (mapping, attribute): (Placed<String, Words>, Placed<String, Words>) = (mapping?, attribute?);
    let source = PackageItem { item: &item.ident, package }.contract(&mapping, diagnostics)?;
    match check_choices(&source.contract, &attribute, &names, takes_rest || rest.is_some()) {
        Ok(numbers) => Some(Choice {
            variants: (idents.into_iter().zip(names).zip(numbers))
                .map(|((ident, name), number)| (ident, name.value, number))
                .collect(),
            rest,
            attribute: attribute.value,
            tracking: source.tracking,
            is_hidden: source.is_faulty,
        }),
        Err(found) => {
            diagnostics.extend(found.into_iter().map(|fault| fault.seen_at(Shown::from)));
            None
        }
    }
}

fn implementation(name: &Ident, krate: &Path, choice: &Choice) -> TokenStream {
    let Choice { variants, rest, attribute, tracking, .. } = choice;
    let read = variants.iter().map(|(variant, _, number)| quote!(#number => Self::#variant));
    let written = variants.iter().map(|(variant, _, number)| quote!(Self::#variant => #number));
    let named = variants.iter().map(|(_, name, number)| quote!((#name, #number)));
    let takes_rest = rest.is_some();
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
            const OPTIONS: #krate::ChoiceOptions = #krate::ChoiceOptions { named: &[#(#named),*], takes_rest: #takes_rest };

            fn from_value(__value: &#krate::Value) -> #krate::Result<Self, #krate::Fault> {
                #krate::Result::Ok(match <::core::primitive::i32 as #krate::FieldType>::from_value(__value)? {
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

        #krate::__diesel_choice!(#name);

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

        #krate::__diesel_choice!(#name);
    }
}

/// A choice for those who need no code.
#[cfg(feature = "tree")]
pub(crate) struct Options {
    pub(crate) contract: String,
    pub(crate) attribute: String,
    /// Each with its option's name and number.
    pub(crate) variants: Vec<(Ident, String, i32)>,
    pub(crate) rest: Option<Ident>,
}

/// The options of an enum.
#[cfg(feature = "tree")]
pub(crate) fn options_of(item: &DeriveInput, package: &Package) -> Collected<Option<Options>, Shown> {
    Diagnostics::collect(|diagnostics| {
        let Choice { variants, rest, attribute, .. } = read(item, package, &mut None, diagnostics)?;
        let contract = parts(&item.attrs, EXAMPLE, diagnostics).into_iter().find_map(|part| match part {
            Part::Assigned(key, value) if key == "mapping" => literal_text(&value).map(|name| name.value()),
            _ => None,
        });
        Some(Options { contract: contract?, attribute, variants, rest })
    })
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
