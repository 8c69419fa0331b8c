//! The handles of a model's fields, by which conditions name them.

use datahub_model::source::Shape;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, DeriveInput, Ident, Path, Type, Visibility};

use crate::synced::ModelField;

/// A field or a member of a struct of handles.
pub(crate) struct Handle<'h> {
    pub(crate) visibility: &'h Visibility,
    pub(crate) docs: &'h [Attribute],
    pub(crate) name: &'h Ident,
    pub(crate) ty: &'h Type,
    pub(crate) is_group: bool,
}

impl Handle<'_> {
    /// The field in a struct of the handles of the model `of`.
    pub(crate) fn declared(&self, krate: &Path, of: &TokenStream) -> TokenStream {
        let Handle { visibility, docs, name, ty, is_group } = self;
        let ty = match is_group {
            true => quote!(#krate::__group_handles!(#ty, #of)),
            false => quote!(#krate::Handle<#of, #ty>),
        };
        quote!(#(#docs)* #visibility #name: #ty)
    }
}

/// The struct of a model's handles, and what `type Fields` and `FIELDS` are.
pub(super) fn handles<'m>(
    krate: &Path,
    item: &DeriveInput,
    fields: impl IntoIterator<Item = (&'m ModelField, Option<&'m Shape>)>,
) -> (TokenStream, TokenStream) {
    let name = &item.ident;
    let of = quote!(#name);
    let (declared, made): (Vec<_>, Vec<_>) = fields
        .into_iter()
        .map(|(ModelField { visibility, docs, ident: name, ty, .. }, shape)| {
            let is_group = matches!(shape, Some(Shape::Group { .. }));
            let made = match shape {
                Some(Shape::Key(column) | Shape::Column(column)) => quote!(#krate::Handle::at(#column)),
                Some(Shape::Group { first, members }) => {
                    let at = quote!(#krate::GroupAt::new(#first, &[#(#members),*]));
                    quote!(<#krate::__group_handles!(#ty, #of)>::__at(#at))
                }
                None => quote!(#krate::Handle::at(0)),
            };
            (Handle { visibility, docs, name, ty, is_group }.declared(krate, &of), quote!(#name: #made))
        })
        .unzip();
    let visibility = &item.vis;
    let item = quote! {
        #[allow(dead_code, missing_copy_implementations, missing_debug_implementations, missing_docs, unreachable_pub)]
        #[allow(clippy::missing_docs_in_private_items)]
        #visibility struct __Fields {
            #(#declared),*
        }
    };
    let associated = quote! {
        type Fields = __Fields;
        const FIELDS: __Fields = __Fields { #(#made),* };
    };
    (item, associated)
}
