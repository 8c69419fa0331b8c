//! Diesel's reading traits, so that the team's own Diesel code works on the same table.

use datahub_model::source::Mapping;
use proc_macro2::TokenStream;
use quote::quote;
use syn::Index;

use super::table::ident;
use crate::synced::Model;

/// One call of the runtime's macro, which has the implementations: only the number of columns differs.
pub(super) fn reading(model: &Model<'_>, mapping: &Mapping) -> TokenStream {
    let (name, krate) = (&model.item.ident, &model.krate);
    let table = ident(&mapping.table);
    let key = super::convert::key(model, mapping);
    let columns = (0..mapping.columns.len()).map(Index::from);
    quote! { #krate::__diesel_reading!(#name, #table, #key, [#(#columns)*]); }
}
