//! Diesel's reading traits, so that the team's own Diesel code works on the same table.

use datahub_model::source::Mapping;
use proc_macro2::TokenStream;
use quote::quote;
use syn::Index;

use super::table::ident;
use crate::synced::Model;

pub(super) fn reading(model: &Model<'_>, mapping: &Mapping) -> TokenStream {
    let (name, krate) = (&model.item.ident, &model.krate);
    let table = ident(&mapping.table);
    let key = super::convert::key(model, mapping);
    let stored = mapping.columns.iter().map(|_| quote!(#krate::private::Stored));
    let row = quote!((#(#stored,)*));
    let values = (0..mapping.columns.len()).map(Index::from);
    quote! {
        #[automatically_derived]
        impl<__DB> ::diesel::Queryable<#table::SqlType, __DB> for #name
        where
            __DB: ::diesel::backend::Backend,
            #row: ::diesel::deserialize::FromStaticSqlRow<#table::SqlType, __DB>,
        {
            type Row = #row;

            fn build(row: Self::Row) -> ::diesel::deserialize::Result<Self> {
                let columns = <Self as #krate::CdmsSynced>::DESCRIPTOR.columns;
                let values = [#(row.#values.0),*];
                ::core::result::Result::Ok(<Self as #krate::CdmsSynced>::from_row(&#krate::RowReader::new(columns, &values))?)
            }
        }

        #[automatically_derived]
        impl<__DB: ::diesel::backend::Backend> ::diesel::Selectable<__DB> for #name {
            type SelectExpression = <#table::table as ::diesel::Table>::AllColumns;

            fn construct_selection() -> Self::SelectExpression {
                <#table::table as ::diesel::Table>::all_columns()
            }
        }

        #[automatically_derived]
        impl ::diesel::associations::HasTable for #name {
            type Table = #table::table;

            fn table() -> Self::Table {
                #table::table
            }
        }

        #[automatically_derived]
        impl<'model> ::diesel::Identifiable for &'model #name {
            type Id = &'model #krate::Id<#name>;

            fn id(self) -> Self::Id {
                &self.#key
            }
        }
    }
}
