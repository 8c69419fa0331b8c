//! The Diesel table of a model.

use cdms_odata::Kind;
use datahub_model::source::Mapping;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::Attribute;
use syn::ext::IdentExt;

use crate::synced::Model;

/// `diesel::table!` in a module of its own, so that its lints stay there; the table has the struct's visibility.
pub(super) fn table(model: &Model<'_>, mapping: &Mapping) -> TokenStream {
    let visibility = &model.item.vis;
    let table = ident(&mapping.table);
    let hidden = format_ident!("__datahub_table_{}", mapping.table);
    let key = mapping.columns.iter().find(|column| column.source == datahub_model::source::ResolvedSource::Key);
    let key = key.map(|column| ident(&column.name));
    let docs = docs(&model.item.attrs);
    let columns = mapping.columns.iter().map(|column| {
        let name = ident(&column.name);
        let sql_type = sql_type(model, column.kind, column.nullable);
        let root = column.field.split('.').next();
        let field = model.fields.iter().find(|field| root.is_some_and(|root| field.ident.unraw() == root));
        let docs = field.map(|field| &field.docs).into_iter().flatten();
        quote! { #(#docs)* #name -> #sql_type, }
    });
    quote! {
        #[allow(missing_docs, unreachable_pub, unused_imports, dead_code)]
        mod #hidden {
            ::diesel::table! {
                // What Diesel leans on, for modules that have no prelude.
                use ::core::prelude::v1::{Clone, Copy, Debug, Default, Ok, derive};

                #(#docs)*
                #table (#key) {
                    #(#columns)*
                }
            }
        }
        #[allow(unused_imports)]
        #visibility use #hidden::#table;
    }
}

/// The doc comments among an item's or a field's attributes.
pub(crate) fn docs(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).cloned().collect()
}

/// The SQL type of a column.
pub(super) fn sql_type(model: &Model<'_>, kind: Kind, nullable: bool) -> TokenStream {
    let krate = &model.krate;
    let sql_type = match kind {
        Kind::String => quote!(::diesel::sql_types::Text),
        Kind::Integer | Kind::Choice | Kind::State | Kind::Status => quote!(::diesel::sql_types::Integer),
        Kind::BigInt => quote!(::diesel::sql_types::BigInt),
        Kind::Double => quote!(::diesel::sql_types::Double),
        Kind::Boolean => quote!(::diesel::sql_types::Bool),
        Kind::Date => quote!(::diesel::sql_types::Date),
        Kind::Guid | Kind::Lookup => quote!(#krate::sql_types::Guid),
        Kind::DateTime => quote!(#krate::sql_types::Instant),
        Kind::Money => quote!(#krate::sql_types::Money),
        Kind::Decimal => quote!(#krate::sql_types::Decimal),
    };
    if nullable { quote!(::diesel::sql_types::Nullable<#sql_type>) } else { sql_type }
}

pub(super) fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}
