//! From a row and to a row: one call per field.

use datahub_model::source::{Mapping, Shape};
use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use super::checks::of_type;
use crate::synced::Model;

/// The bodies of `from_row` and `to_row`, and the key's value.
pub(super) fn conversions(model: &Model<'_>, mapping: &Mapping) -> (TokenStream, TokenStream, TokenStream) {
    let fields = model.fields.iter().zip(&mapping.fields);
    let (read, written): (Vec<_>, Vec<_>) = fields
        .map(|(field, resolved)| {
            let (name, ty) = (&field.ident, of_type(&field.ident));
            match &resolved.shape {
                Shape::Key(column) => {
                    (quote!(#name: __row.key(#column, &#ty)?), quote!(__row.key(#column, &#ty, &self.#name)))
                }
                Shape::Column(column) => {
                    (quote!(#name: __row.read(#column, &#ty)?), quote!(__row.write(#column, &#ty, &self.#name)))
                }
                Shape::Group { first, members } => {
                    let keys = members.iter().map(|(key, ..)| key);
                    let keys = quote!(&[#(#keys),*]);
                    (
                        quote!(#name: __row.group(#first, #keys, &#ty)?),
                        quote!(__row.group(#first, #keys, &#ty, &self.#name)),
                    )
                }
            }
        })
        .unzip();
    let from_row = quote! { __v1::Result::Ok(Self { #(#read),* }) };
    let to_row = quote! { #(#written;)* };
    let key = key(model, mapping);
    let ty = of_type(key);
    (from_row, to_row, quote! { #ty.id(&self.#key) })
}

/// The key's field.
pub(super) fn key<'m>(model: &'m Model<'_>, mapping: &Mapping) -> &'m Ident {
    let fields = model.fields.iter().zip(&mapping.fields);
    let key =
        fields.filter(|(_, resolved)| matches!(resolved.shape, Shape::Key(_))).map(|(field, _)| &field.ident).next();
    // The validator refuses a model without a key, so this is our own broken invariant.
    key.unwrap_or_else(|| panic!("{} was resolved without a key: a bug of the derive", model.item.ident))
}
