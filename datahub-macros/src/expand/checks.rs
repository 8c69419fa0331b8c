//! What only the compiler can tell: whether each field's type fits its attribute, said on the type itself.

use cdms_odata::Kind;
use datahub_model::source::{Mapping, ResolvedSource, Shape};
use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;

use crate::synced::{Model, ModelField};

pub(super) fn checks(model: &Model<'_>, mapping: &Mapping) -> TokenStream {
    let fields = model.fields.iter().zip(&mapping.fields);
    fields.map(|(field, resolved)| check(model, mapping, field, &resolved.shape)).collect()
}

fn check(model: &Model<'_>, mapping: &Mapping, field: &ModelField, shape: &Shape) -> TokenStream {
    let (name, krate, ty) = (&model.item.ident, &model.krate, &field.ty);
    let span = ty.span();
    match shape {
        Shape::Key(_) => quote_spanned! { span => const _: fn(#ty) -> #krate::Id<#name> = |__id| __id; },
        Shape::Group { members, .. } => {
            let keys = members.iter().map(|(key, kind, required, _)| {
                let kind = kind_of(*kind);
                quote_spanned! { span => (#key, #kind, #required) }
            });
            let lookups = members.iter().filter(|(_, kind, ..)| *kind == Kind::Lookup);
            let targets = lookups.map(|(key, _, _, targets)| {
                quote_spanned! { span => __datahub::member_target_is_allowed::<#ty>(#key, &[#(#targets),*]); }
            });
            quote_spanned! { span =>
                const _: () = {
                    __datahub::group_matches::<#ty>(&[#(#keys),*]);
                    #(#targets)*
                };
            }
        }
        Shape::Column(column) => {
            let column = &mapping.columns[*column];
            let kind = syn::Ident::new(&format!("{:?}", column.kind), span);
            let nullable = column.nullable;
            let target = match &column.source {
                ResolvedSource::Attribute { attribute, .. } if column.kind == Kind::Lookup => {
                    let stated = mapping.contract.attribute(attribute);
                    let targets = stated.map_or(&[][..], |stated| &stated.targets);
                    quote_spanned! { span => __datahub::target_is_allowed::<#ty>(&[#(#targets),*]); }
                }
                _ => TokenStream::new(),
            };
            let fits = quote_spanned! { span => __datahub::field_fits::<#ty, __datahub::kind::#kind>(#nullable) };
            if target.is_empty() {
                return quote_spanned! { span => const _: () = #fits; };
            }
            // In one body, where the compiler tells what is wrong with the type but once.
            quote_spanned! { span => const _: () = { #fits; #target }; }
        }
    }
}

pub(super) fn kind_of(kind: Kind) -> TokenStream {
    let name = quote::format_ident!("{}", format!("{kind:?}"));
    quote::quote!(__datahub::Kind::#name)
}
