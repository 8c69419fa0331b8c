//! The tokens of a resolved model: thin, so that what happens is read in the runtime.

mod checks;
mod convert;
mod descriptor;
mod diesel;
mod stub;
mod table;

use datahub_model::source::Mapping;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Path, parse_quote};

use crate::synced::Model;

pub(crate) use stub::stub;

/// The runtime's path where none is given.
pub(crate) fn runtime() -> Path {
    parse_quote!(::datahub_runtime)
}

/// Everything that the derive says about a model.
pub(crate) fn synced(model: &Model<'_>, mapping: &Mapping, tracking: &TokenStream) -> TokenStream {
    let (name, krate) = (&model.item.ident, &model.krate);
    let logical = &mapping.contract.logical;
    let table = model.diesel.then(|| table::table(model, mapping));
    let diesel = model.diesel.then(|| diesel::reading(model, mapping));
    let descriptor = descriptor::descriptor(model, mapping);
    let (from_row, to_row, key) = convert::conversions(model, mapping);
    let writable = Model::is_writable(mapping).then(|| {
        quote! {
            #[automatically_derived]
            impl #krate::Writable for #name {}
        }
    });
    let checks = checks::checks(model, mapping);
    quote! {
        #table

        #[automatically_derived]
        impl #krate::Model for #name {
            const LOGICAL: &'static str = #logical;
        }

        #[automatically_derived]
        impl #krate::CdmsSynced for #name {
            const DESCRIPTOR: &'static #krate::private::ModelDescriptor = &#descriptor;

            fn id(&self) -> #krate::Id<Self> {
                self.#key
            }

            fn from_row(row: &#krate::RowReader<'_>) -> #krate::private::Result<Self, #krate::Fault> {
                #from_row
            }

            fn to_row(&self, row: &mut #krate::RowWriter<'_>) {
                #to_row
            }
        }

        #writable
        #diesel

        const _: () = {
            #tracking
            #checks
        };
    }
}
