//! From a row and to a row: one call per field.

use datahub_model::source::{Mapping, Shape};
use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use crate::synced::Model;

/// The bodies of `from_row` and `to_row`, and the key's field.
pub(super) fn conversions<'m>(model: &'m Model<'_>, mapping: &Mapping) -> (TokenStream, TokenStream, &'m Ident) {
    let fields = model.fields.iter().zip(&mapping.fields);
    let (read, written): (Vec<_>, Vec<_>) = fields
        .map(|(field, resolved)| {
            let name = &field.ident;
            match &resolved.shape {
                Shape::Key(column) => (quote!(#name: row.key(#column)?), quote!(row.key(#column, self.#name))),
                Shape::Column(column) => (quote!(#name: row.field(#column)?), quote!(row.field(#column, &self.#name))),
                Shape::Group { first, members } => {
                    let keys = members.iter().map(|(key, ..)| key);
                    let keys = quote!(&[#(#keys),*]);
                    (quote!(#name: row.group(#first, #keys)?), quote!(row.group(#first, #keys, &self.#name)))
                }
            }
        })
        .unzip();
    let from_row = quote! { __private::Result::Ok(Self { #(#read),* }) };
    let to_row = quote! { #(#written;)* };
    (from_row, to_row, key(model, mapping))
}

/// The key's field.
pub(super) fn key<'m>(model: &'m Model<'_>, mapping: &Mapping) -> &'m Ident {
    let fields = model.fields.iter().zip(&mapping.fields);
    let key =
        fields.filter(|(_, resolved)| matches!(resolved.shape, Shape::Key(_))).map(|(field, _)| &field.ident).next();
    // The validator refuses a model without a key, so this is our own broken invariant.
    key.unwrap_or_else(|| panic!("{} was resolved without a key: a bug of the derive", model.item.ident))
}
