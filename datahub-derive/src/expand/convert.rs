//! From a row and to a row: one call per field.

use datahub_model::source::Shape;
use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use super::checks::of_type;
use super::resolved::Resolved;

/// The bodies of `from_row` and `to_row`, and the key's value.
pub(super) fn conversions(resolved: &Resolved<'_>) -> (TokenStream, TokenStream, TokenStream) {
    let (read, written): (Vec<_>, Vec<_>) = resolved
        .fields
        .iter()
        .map(|(field, shape)| {
            let (name, ty) = (&field.ident, of_type(&field.ident));
            match shape {
                Shape::Key(column) => {
                    (quote!(#name: __row.key(#column, &#ty)?), quote!(__row.key(#column, &#ty, &self.#name)))
                }
                Shape::Column(column) => {
                    (quote!(#name: __row.read(#column, &#ty)?), quote!(__row.write(#column, &#ty, &self.#name)))
                }
                Shape::Group { first, members } => {
                    let keys = quote!(&[#(#members),*]);
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
    let key = key(resolved);
    let ty = of_type(key);
    (from_row, to_row, quote! { #ty.id(&self.#key) })
}

/// The key's field.
fn key<'m>(resolved: &Resolved<'m>) -> &'m Ident {
    // The validator rejects a model without a key, so this would be a bug here.
    resolved.key().unwrap_or_else(|| panic!("{} was resolved without a key: a bug of the derive", resolved.name))
}
