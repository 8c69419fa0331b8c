//! Diesel's traits, so that a team's own Diesel code works with the same table.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Index;

use super::table::{Column, ident};
use crate::synced::Model;

/// One call of a macro of the runtime for each kind of implementation; only the columns differ.
pub(super) fn traits(model: &Model<'_>, table: &str, key: Option<&Ident>, columns: &[Column<'_>]) -> TokenStream {
    let (name, krate) = (&model.item.ident, &model.krate);
    let table = ident(table);
    let ours = columns.iter().filter(|column| column.is_of_our_type()).map(|column| ident(column.name));
    let positions = (0..columns.len()).map(Index::from);
    let columns = columns.iter().enumerate().map(|(position, column)| {
        let (position, name) = (Index::from(position), ident(column.name));
        (column, quote!((#position #name)))
    });
    let insertable = model.diesel.insertable.map(|_| {
        let columns = columns.clone().map(|(_, column)| column);
        quote! { #krate::__diesel_insertable!(#name, #table, [#(#columns)*]); }
    });
    let changes: Vec<_> = columns.filter(|(column, _)| !column.is_key).map(|(_, column)| column).collect();
    let changeset = model.diesel.changeset.filter(|_| !changes.is_empty()).map(|_| {
        quote! { #krate::__diesel_changeset!(#name, #table, [#(#changes)*]); }
    });
    let identifiable = key.map(|key| quote! { #krate::__diesel_identifiable!(#name, #table, #key); });
    quote! {
        #krate::__diesel_reading!(#name, #table, [#(#positions)*]);
        #identifiable
        #krate::__diesel_columns!(#table, [#(#ours)*]);
        #insertable
        #changeset
    }
}
