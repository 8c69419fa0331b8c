//! `#[derive(CdmsFields)]`: a struct of members that models flatten.

#[cfg(feature = "tree")]
use datahub_model::diagnostic::Collected;
use datahub_model::diagnostic::{Code, Diagnostic};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, Path, Type, Visibility, parse_quote};

use crate::attribute::{Keys, Part, crate_path, fill, literal_text, parts, unknown};
use crate::expand::Handle;
use crate::field_type::{self, expression_without_self, is_option, spelled, ungrouped};
#[cfg(feature = "tree")]
use crate::shown::Shown;
use crate::shown::{Diagnostics, Words, compile_errors};
use crate::synced::Default;
use crate::{expand, item};

const KEYS: Keys = Keys {
    here: &["crate"],
    elsewhere: &[
        (&["default"], "write it on the member that it belongs to"),
        (
            &["mapping", "table", "mode", "only", "diesel", "prefix", "flatten"],
            "a group does not belong to one model; write it on the field with `flatten = \"…\"`, or on that field's model",
        ),
    ],
};

const MEMBER_KEYS: Keys = Keys {
    here: &["default", "flatten"],
    elsewhere: &[(
        &["attribute", "column", "with", "read_only", "create_only", "local", "sql_type", "was", "key"],
        "a member takes only its key in the contract's group, as a string, and `default` or `flatten`; write the rest on the \
         field with `flatten = \"…\"`",
    )],
};

/// Examples of the attribute of a group, and of a member.
const EXAMPLE: &str = "#[cdms(crate = ::datahub_runtime)]";
const MEMBER_EXAMPLE: &str = "#[cdms(\"town\", default)]";

struct MemberField {
    ident: Ident,
    visibility: Visibility,
    docs: Vec<Attribute>,
    ty: Type,
    name: String,
    holds: Holds,
    /// Whether faults of it have been reported.
    is_faulty: bool,
}

/// What a member holds.
enum Holds {
    /// The value of one attribute, and its default for null.
    Value(Option<Default>),
    /// A group within the group.
    Group,
}

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let item = match item::read(item) {
        Ok(item) => item,
        Err(diagnostics) => return compile_errors(diagnostics),
    };
    let mut krate = None;
    let (members, diagnostics) = Diagnostics::collect(|diagnostics| read(&item, &mut krate, diagnostics)).into_parts();
    let krate = expand::runtime(krate);
    let expansion =
        if diagnostics.is_empty() { implementation(&item, &krate, &members) } else { stub(&item, &krate, &members) };
    let errors = compile_errors(diagnostics);
    quote! { #errors #expansion }
}

/// A member for those who need no code.
#[cfg(feature = "tree")]
pub(crate) struct Listed {
    /// Its key in the contract's group.
    pub(crate) key: String,
    pub(crate) is_group: bool,
    pub(crate) default: Option<Default>,
}

/// The members of a group.
#[cfg(feature = "tree")]
pub(crate) fn members_of(item: &DeriveInput) -> Collected<Vec<Listed>, Shown> {
    Diagnostics::collect(|diagnostics| {
        let members = read(item, &mut None, diagnostics).into_iter().map(|member| match member.holds {
            Holds::Value(default) => Listed { key: member.name, is_group: false, default },
            Holds::Group => Listed { key: member.name, is_group: true, default: None },
        });
        members.collect()
    })
}

fn read(item: &DeriveInput, krate: &mut Option<Path>, diagnostics: &mut Diagnostics) -> Vec<MemberField> {
    for part in parts(&item.attrs, EXAMPLE, diagnostics) {
        match &part {
            Part::Assigned(key, value) if key == "crate" => {
                if let Some(path) = crate_path(value, diagnostics) {
                    fill(krate, path, "crate", key.span(), diagnostics);
                }
            }
            other => unknown(other, &KEYS, diagnostics),
        }
    }
    if !item.generics.params.is_empty() {
        let message = "a group of fields cannot have generic parameters";
        let fault = Diagnostic::of(Code::WrongValue, Words::of(&item.generics), message);
        diagnostics.push(fault.cure("write a group for each type"));
    }
    members(item, diagnostics)
}

fn members(item: &DeriveInput, diagnostics: &mut Diagnostics) -> Vec<MemberField> {
    let Data::Struct(data) = &item.data else {
        let fault = Diagnostic::of(Code::WrongValue, item.ident.span(), "a group of fields must be a struct");
        diagnostics.push(fault.cure("derive CdmsChoice for an enum of options"));
        return Vec::new();
    };
    let Fields::Named(named) = &data.fields else {
        let fault = Diagnostic::of(Code::WrongValue, item.ident.span(), "a group of fields must have named fields");
        diagnostics.push(fault.cure("write `struct Name { field: Type }`"));
        return Vec::new();
    };
    let mut members = Vec::new();
    for field in &named.named {
        let Some(ident) = field.ident.clone() else { continue };
        let (mut name, mut default, mut flatten) = (None, None, None);
        let ty = field_type::without_self(ungrouped(&field.ty), &item.ident);
        let before = diagnostics.count();
        for part in parts(&field.attrs, MEMBER_EXAMPLE, diagnostics) {
            match &part {
                Part::Text(text) => fill(&mut name, text.value(), "member key", text.span(), diagnostics),
                Part::Word(key) | Part::Assigned(key, _) if key == "default" && is_option(&ty) => {
                    let message = "`default` is not allowed on an `Option`, which has `None` for null";
                    let fault = Diagnostic::of(Code::KeysExclude, key.span(), message);
                    diagnostics.push(fault.cure("remove `default`, or the `Option`"));
                }
                Part::Word(key) if key == "default" => {
                    fill(&mut default, Default::OfType(key.span()), "default", key.span(), diagnostics);
                }
                Part::Word(key) if key == "flatten" => {
                    fill(&mut flatten, key.span(), "flatten", key.span(), diagnostics);
                }
                Part::Assigned(key, _) if key == "flatten" => {
                    let message = "`flatten` does not take a value in a group";
                    let cure = "write `#[cdms(\"…\", flatten)]` with the key, or `#[cdms(flatten)]` if the member has its name";
                    diagnostics.push(Diagnostic::of(Code::WrongValue, key.span(), message).cure(cure));
                }
                Part::Assigned(key, value) if key == "default" => {
                    let value = expression_without_self(value, &item.ident);
                    fill(&mut default, Default::Expression(Box::new(value)), "default", key.span(), diagnostics);
                }
                other => unknown(other, &MEMBER_KEYS, diagnostics),
            }
        }
        let name = name.unwrap_or_else(|| ident.to_string().trim_start_matches("r#").to_owned());
        if members.iter().any(|known: &MemberField| known.name == name) {
            let message = format!("two members have the key `{name}`");
            diagnostics.push(Diagnostic::of(Code::MappedTwice, ident.span(), message).cure("rename one of them"));
        }
        if let (Some(span), Some(_)) = (flatten, &default) {
            let message = "`default` is not allowed on a group within a group";
            diagnostics.push(
                Diagnostic::of(Code::KeysExclude, span, message)
                    .cure("remove `default` here; the group's members can have it"),
            );
        }
        let holds = if flatten.is_some() { Holds::Group } else { Holds::Value(default) };
        let (visibility, docs) = (field.vis.clone(), expand::docs(&field.attrs));
        let is_faulty = diagnostics.count() > before;
        members.push(MemberField { ident, visibility, docs, ty, name, holds, is_faulty });
    }
    members
}

fn implementation(item: &DeriveInput, krate: &Path, members: &[MemberField]) -> TokenStream {
    let name = &item.ident;
    let handles = handles(item, &parse_quote!(__v1), members);
    let types = members.iter().map(of_member);
    let listed = members.iter().map(|MemberField { ident, ty, name, holds, .. }| {
        let constant = expand::of_type(ident);
        let ty = spelled(ty);
        let (said, default) = match holds {
            Holds::Value(None) => (ty, None),
            Holds::Value(Some(default @ Default::OfType(_))) => (format!("{ty} default"), Some(default)),
            Holds::Value(Some(default @ Default::Expression(value))) => {
                (format!("{ty} default {}", spelled(&**value)), Some(default))
            }
            Holds::Group => (format!("{ty} flatten"), None),
        };
        let default = default.map(|default| {
            let once = expand::once(&constant, default);
            // The length of a literal is known here, and its limit in the model.
            let literal = match default {
                Default::Expression(value) => literal_text(value),
                Default::OfType(_) => None,
            };
            let length =
                literal.map(|text| text.value().encode_utf16().count()).map(|length| quote!(.of_length(#length)));
            quote!(.or(#once)#length)
        });
        quote!(#constant.member(#name, #said)#default)
    });
    let read = members.iter().map(|MemberField { ident, name, holds, .. }| {
        let constant = expand::of_type(ident);
        match holds {
            Holds::Value(_) => quote!(#ident: __group.member(#name, &#constant, Self::MEMBERS)?),
            Holds::Group => quote!(#ident: __group.group(#name, &#constant)?),
        }
    });
    let written = members.iter().map(|MemberField { ident, name, holds, .. }| {
        let constant = expand::of_type(ident);
        let what = match holds {
            Holds::Value(_) => quote!(member),
            Holds::Group => quote!(group),
        };
        quote!(__group.#what(#name, &#constant, &self.#ident))
    });
    quote! {
        #[allow(non_upper_case_globals)]
        const _: () = {
            use #krate as __v1;

            #(#types)*

            #handles

            #[automatically_derived]
            impl __v1::CdmsFields for #name {
                const MEMBERS: &'static [__v1::Member] = &[#(#listed),*];
                type Fields<__Model> = __Fields<__Model>;

                fn from_group(__group: &__v1::GroupReader<'_>) -> __v1::Result<Self, __v1::Fault> {
                    __v1::Result::Ok(Self { #(#read),* })
                }

                fn to_group(&self, __group: &mut __v1::GroupWriter<'_>) {
                    #(#written;)*
                }
            }
        };
    }
}

/// The struct of the members' handles as fields of a model.
fn handles(item: &DeriveInput, krate: &Path, members: &[MemberField]) -> TokenStream {
    let of = quote!(__Model);
    let declared = members.iter().map(|MemberField { visibility, docs, ident: name, ty, holds, .. }| {
        Handle { visibility, docs, name, ty, is_group: matches!(holds, Holds::Group) }.declared(krate, &of)
    });
    let made = members.iter().map(|MemberField { ident, ty, name, holds, .. }| match holds {
        Holds::Value(_) => quote!(#ident: __at.member(#name)),
        Holds::Group => {
            quote!(#ident: <#krate::__group_handles!(#ty, __Model)>::__at(__at.group(#name)))
        }
    });
    let visibility = &item.vis;
    // Without a member, nothing else would use the parameter.
    let of_none = members.is_empty().then(|| quote!(__of: #krate::Handle<__Model, ()>));
    let made_of_none = members.is_empty().then(|| quote!(__of: #krate::Handle::at(0)));
    quote! {
        #[allow(dead_code, missing_copy_implementations, missing_debug_implementations, missing_docs, unreachable_pub)]
        #[allow(clippy::missing_docs_in_private_items)]
        #visibility struct __Fields<__Model> {
            #(#declared,)*
            #of_none
        }

        #[allow(dead_code, unreachable_pub)]
        impl<__Model> __Fields<__Model> {
            #[doc(hidden)]
            pub const fn __at(__at: #krate::GroupAt<'_>) -> Self {
                Self { #(#made,)* #made_of_none }
            }
        }
    }
}

/// The constant with the facts about a member's type.
fn of_member(MemberField { ident, ty, holds, .. }: &MemberField) -> TokenStream {
    let constant = expand::of_type(ident);
    match holds {
        Holds::Value(_) => quote! { const #constant: __v1::Field<#ty> = __v1::field::<#ty>(); },
        Holds::Group => quote! { const #constant: __v1::Group<#ty> = __v1::group::<#ty>(); },
    }
}

/// Replaces a group that has faults; the types of its members without faults are still checked.
fn stub(item: &DeriveInput, krate: &Path, members: &[MemberField]) -> TokenStream {
    if !item.generics.params.is_empty() {
        return TokenStream::new();
    }
    let name = &item.ident;
    let types = members.iter().filter(|member| !member.is_faulty).map(of_member);
    let message = "this group of fields has faults and was not derived";
    let handles = handles(item, krate, members);
    quote! {
        const _: () = {
            #handles

            #[automatically_derived]
            impl #krate::CdmsFields for #name {
                const MEMBERS: &'static [#krate::Member] = &[];
                type Fields<__Model> = __Fields<__Model>;
                const IS_STUB: ::core::primitive::bool = true;

                fn from_group(_: &#krate::GroupReader<'_>) -> #krate::Result<Self, #krate::Fault> {
                    #krate::Result::Err(#krate::Fault::new(#message))
                }

                fn to_group(&self, _: &mut #krate::GroupWriter<'_>) {}
            }
        };

        #[allow(dead_code, non_upper_case_globals)]
        const _: () = {
            use #krate as __v1;

            #(#types)*
        };
    }
}
