//! What stands in for a model that has faults, so that one fault does not cause fifty.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path};

/// Implementations that say nothing true, beside errors that keep them from ever being built.
/// None for an item with parameters, which could not have them.
pub(crate) fn stub(item: &DeriveInput, krate: &Path) -> TokenStream {
    if !item.generics.params.is_empty() {
        return TokenStream::new();
    }
    let name = &item.ident;
    let message = "this model has faults and was not derived";
    quote! {
        #[automatically_derived]
        impl #krate::Model for #name {
            const LOGICAL: &'static str = "";
        }

        #[automatically_derived]
        impl #krate::CdmsSynced for #name {
            const DESCRIPTOR: &'static #krate::ModelDescriptor = &#krate::FAULTY;

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
