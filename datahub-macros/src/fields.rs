//! `#[derive(CdmsFields)]`: a struct of members that models flatten.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Expr, Fields, Ident, Lit, Path, Type};

use crate::attribute::{Part, crate_path, fill, parts, unknown};
use crate::errors::Errors;
use crate::expand;
use crate::field_type::ungrouped;
use crate::synced::Default;

struct MemberField {
    ident: Ident,
    ty: Type,
    name: String,
    default: Option<Default>,
}

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::default();
    let mut krate = None;
    for part in parts(&item.attrs, &mut errors) {
        match &part {
            Part::Assigned(key, value) if key == "crate" => {
                if let Some(path) = crate_path(value, &mut errors) {
                    fill(&mut krate, path, "crate", key.span(), &mut errors);
                }
            }
            other => unknown(other, &["crate"], &mut errors),
        }
    }
    if !item.generics.params.is_empty() {
        errors.push(item.generics.span(), "a group of fields has no type parameters [wrong-value]");
    }
    let members = members(&item, &mut errors);
    let krate = expand::runtime(krate);
    let expansion = if errors.is_empty() { implementation(&item.ident, &krate, &members) } else { stub(&item, &krate) };
    let errors = errors.into_tokens();
    quote! { #errors #expansion }
}

fn members(item: &DeriveInput, errors: &mut Errors) -> Vec<MemberField> {
    let Data::Struct(data) = &item.data else {
        errors.push(item.ident.span(), "a group of fields is a struct [wrong-value]");
        return Vec::new();
    };
    let Fields::Named(named) = &data.fields else {
        errors.push(item.ident.span(), "a group of fields has named fields [wrong-value]");
        return Vec::new();
    };
    let mut members = Vec::new();
    for field in &named.named {
        let Some(ident) = field.ident.clone() else { continue };
        let (mut name, mut default) = (None, None);
        for part in parts(&field.attrs, errors) {
            match &part {
                Part::Text(text) => fill(&mut name, text.value(), "the member's key", text.span(), errors),
                Part::Word(key) if key == "default" => {
                    fill(&mut default, Default::OfType, "default", key.span(), errors);
                }
                Part::Assigned(key, value) if key == "default" => {
                    fill(&mut default, Default::Expression(value.clone()), "default", key.span(), errors);
                }
                other => unknown(other, &["default"], errors),
            }
        }
        let name = name.unwrap_or_else(|| ident.to_string().trim_start_matches("r#").to_owned());
        if members.iter().any(|known: &MemberField| known.name == name) {
            errors.push(
                ident.span(),
                format!("two members have the key `{name}` [mapped-twice]\nhelp: rename one of them"),
            );
        }
        members.push(MemberField { ty: ungrouped(&field.ty).clone(), ident, name, default });
    }
    members
}

fn implementation(name: &Ident, krate: &Path, members: &[MemberField]) -> TokenStream {
    let listed = members.iter().map(|member| {
        let (name, ty) = (&member.name, &member.ty);
        let nullable = match member.default {
            Some(_) => quote!(true),
            None => quote!(<#ty as #krate::FieldType>::NULLABLE),
        };
        quote_spanned! { ty.span() =>
            #krate::Member {
                name: #name,
                kinds: <#ty as #krate::FieldType>::KINDS,
                nullable: #nullable,
                target: <#ty as #krate::FieldType>::TARGET,
            }
        }
    });
    let read = members.iter().map(|member| {
        let (ident, name) = (&member.ident, &member.name);
        match &member.default {
            None => quote!(#ident: __group.member(#name)?),
            Some(default) => {
                let default = default_function(default);
                quote!(#ident: __group.member_or(#name, #default)?)
            }
        }
    });
    let written = members.iter().map(|member| {
        let (ident, name) = (&member.ident, &member.name);
        match &member.default {
            None => quote!(__group.member(#name, &self.#ident)),
            Some(default) => {
                let default = default_function(default);
                quote!(__group.member_or(#name, &self.#ident, #default))
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #krate::CdmsFields for #name {
            const MEMBERS: &'static [#krate::Member] = &[#(#listed),*];

            fn from_group(__group: &#krate::GroupReader<'_>) -> #krate::Result<Self, #krate::Fault> {
                #krate::Result::Ok(Self { #(#read),* })
            }

            fn to_group(&self, __group: &mut #krate::GroupWriter<'_>) {
                #(#written;)*
            }
        }
    }
}

fn default_function(default: &Default) -> TokenStream {
    match default {
        Default::OfType => quote!(::core::default::Default::default),
        Default::Expression(Expr::Lit(literal)) if matches!(literal.lit, Lit::Str(_)) => {
            quote!(|| ::core::convert::From::from(#literal))
        }
        Default::Expression(expression) => quote!(|| #expression),
    }
}

fn stub(item: &DeriveInput, krate: &Path) -> TokenStream {
    if !item.generics.params.is_empty() {
        return TokenStream::new();
    }
    let name = &item.ident;
    let message = "this group of fields has faults and was not derived";
    quote! {
        #[automatically_derived]
        impl #krate::CdmsFields for #name {
            const MEMBERS: &'static [#krate::Member] = &[];

            fn from_group(_: &#krate::GroupReader<'_>) -> #krate::Result<Self, #krate::Fault> {
                #krate::Result::Err(#krate::Fault::new(#message))
            }

            fn to_group(&self, _: &mut #krate::GroupWriter<'_>) {}
        }
    }
}
