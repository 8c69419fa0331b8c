//! The tokens of a resolved model: thin, so that the behaviour is in the runtime.

mod checks;
mod convert;
mod descriptor;
mod diesel;
mod handles;
mod resolved;
mod stub;
mod table;

use datahub_model::source::Mapping;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Path, parse_quote};

use crate::synced::Model;
use resolved::Resolved;
use table::Column;

pub(crate) use checks::of_type;
pub(crate) use descriptor::once;
pub(crate) use handles::Handle;
pub(crate) use stub::{Partly, Stub, stub};
pub(crate) use table::docs;

/// The module of the runtime to which an expansion refers. Its name contains a version, so that a derive does not compile
/// with a runtime that does not fit. `crate = …` gives the path of the runtime if it has another name.
pub(crate) fn runtime(krate: Option<Path>) -> Path {
    let krate = krate.unwrap_or_else(|| parse_quote!(::datahub_runtime));
    parse_quote!(#krate::__v1)
}

/// The runtime's name inside an expansion, which cannot clash with a user's name.
fn inside() -> Path {
    parse_quote!(__v1)
}

/// The whole expansion of a model.
pub(crate) fn synced(model: &Model<'_>, mapping: &Mapping, tracking: &TokenStream) -> TokenStream {
    let resolved = Resolved::whole(model, mapping);
    let columns = model.diesel.no_table.is_none().then(|| Column::all(&resolved));
    let table = columns.as_ref().map(|columns| table::table(model, &mapping.table, columns));
    let krate = &model.krate;
    let name = &model.item.ident;
    let logical = &mapping.contract.logical;
    let within = &Model { krate: inside(), ..model.clone() };
    let diesel = columns.as_ref().map(|columns| diesel::traits(within, &mapping.table, resolved.key(), columns));
    let types = checks::types(&resolved);
    let descriptor = descriptor::descriptor(&resolved, mapping, model.epoch);
    let (from_row, to_row, key) = convert::conversions(&resolved);
    let writable = Model::is_writable(mapping).then(|| {
        quote! {
            #[automatically_derived]
            impl __v1::Writable for #name {}
        }
    });
    let checks = checks::checks(&resolved);
    let (handles, fields) = handles::handles(
        &within.krate,
        model.item,
        resolved.fields.iter().map(|(field, shape)| (*field, Some(*shape))),
    );
    quote! {
        #table

        #[allow(non_upper_case_globals)]
        const _: () = {
            use #krate as __v1;

            #types

            #handles

            #[automatically_derived]
            impl __v1::Model for #name {
                const LOGICAL: &'static ::core::primitive::str = #logical;
            }

            #[automatically_derived]
            impl __v1::CdmsSynced for #name {
                const DESCRIPTOR: &'static __v1::ModelDescriptor = &#descriptor;

                #fields

                fn id(&self) -> __v1::Id<Self> {
                    #key
                }

                fn from_row(__row: &__v1::RowReader<'_>) -> __v1::Result<Self, __v1::Fault> {
                    #from_row
                }

                fn to_row(&self, __row: &mut __v1::RowWriter<'_>) {
                    #to_row
                }
            }

            #writable
            #diesel
            #checks
            #tracking
        };
    }
}
