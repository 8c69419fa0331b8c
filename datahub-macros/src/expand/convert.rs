//! From a row and to a row: one call per field.

use datahub_model::source::{Mapping, Shape};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use crate::synced::Model;

/// The bodies of `from_row` and `to_row`, and the key's field.
pub(super) fn conversions<'m>(model: &'m Model<'_>, mapping: &Mapping) -> (TokenStream, TokenStream, &'m Ident) {
    let fields = model.fields.iter().zip(&mapping.fields);
    let (read, written): (Vec<_>, Vec<_>) = fields
        .map(|(field, resolved)| {
            let name = &field.ident;
            // The calls stand on the type's word, since that is what a fault is about; the names are the expansion's.
            let span = field.ty.span();
            let (row, own) = (quote!(__row), quote!(self.#name));
            match &resolved.shape {
                Shape::Key(column) => {
                    (quote_spanned!(span => #name: #row.key(#column)?), quote_spanned!(span => #row.key(#column, #own)))
                }
                Shape::Column(column) => (
                    quote_spanned!(span => #name: #row.field(#column)?),
                    quote_spanned!(span => #row.field(#column, &#own)),
                ),
                Shape::Group { first, members } => {
                    let keys = members.iter().map(|(key, ..)| key);
                    let keys = quote!(&[#(#keys),*]);
                    (
                        quote_spanned!(span => #name: #row.group(#first, #keys)?),
                        quote_spanned!(span => #row.group(#first, #keys, &#own)),
                    )
                }
            }
        })
        .unzip();
    let from_row = quote! { __datahub::Result::Ok(Self { #(#read),* }) };
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
