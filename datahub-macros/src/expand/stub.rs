//! What stands in for a model that has faults, so that one fault does not cause fifty.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path};

/// What is known of a model in spite of its faults.
#[derive(Default)]
pub(crate) struct Stub {
    /// `crate = …`.
    pub(crate) krate: Option<Path>,
    /// The logical name, where the contract could be read.
    pub(crate) logical: Option<String>,
    /// The table, where it is said.
    pub(crate) table: Option<String>,
}

/// Implementations that say as much as is known and are marked as stubs, beside errors that keep them from ever being
/// built. None for an item with parameters, which could not have them.
pub(crate) fn stub(item: &DeriveInput, known: Stub) -> TokenStream {
    if !item.generics.params.is_empty() {
        return TokenStream::new();
    }
    let krate = super::runtime(known.krate);
    let (logical, table) = (known.logical.unwrap_or_default(), known.table.unwrap_or_default());
    let name = &item.ident;
    let named = name.to_string();
    let message = "this model has faults and was not derived";
    quote! {
        #[automatically_derived]
        impl #krate::Model for #name {
            const LOGICAL: &'static ::core::primitive::str = #logical;
            const IS_STUB: ::core::primitive::bool = true;
        }

        #[automatically_derived]
        impl #krate::CdmsSynced for #name {
            const DESCRIPTOR: &'static #krate::ModelDescriptor = &#krate::faulty(#named, #table);

            fn id(&self) -> #krate::Id<Self> {
                ::core::unreachable!(#message)
            }

            fn from_row(_: &#krate::RowReader<'_>) -> #krate::Result<Self, #krate::Fault> {
                #krate::Result::Err(#krate::Fault::new(#message))
            }

            fn to_row(&self, _: &mut #krate::RowWriter<'_>) {}
        }

        #[automatically_derived]
        impl #krate::Writable for #name {}
    }
}
