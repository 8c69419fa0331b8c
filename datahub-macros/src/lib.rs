//! The derives of Data Hub Sync: tokens out.
//!
//! **Invariant: no rule of mapping is in here.** Syntax becomes annotations, `datahub-model` validates them, and what it
//! resolves becomes tokens. The documentation of the derives is where users import them, in `datahub-runtime`.

#[cfg(test)]
mod any_text;
#[cfg(test)]
mod arbitrary_tokens;
mod attribute;
mod choice;
mod expand;
mod field_type;
mod fields;
mod guard;
mod item;
mod project;
mod shown;
mod synced;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes a struct a synced model; see `datahub_runtime::CdmsSynced`.
#[proc_macro_derive(CdmsSynced, attributes(cdms))]
pub fn derive_synced(item: TokenStream) -> TokenStream {
    guard::expand("CdmsSynced", synced::derive, item.into()).into()
}

/// Makes a struct a group of fields that models flatten; see `datahub_runtime::CdmsFields`.
#[proc_macro_derive(CdmsFields, attributes(cdms))]
pub fn derive_fields(item: TokenStream) -> TokenStream {
    guard::expand("CdmsFields", fields::derive, item.into()).into()
}

/// Makes an enum the type of a choice; see `datahub_runtime::FieldType`.
#[proc_macro_derive(CdmsChoice, attributes(cdms))]
pub fn derive_choice(item: TokenStream) -> TokenStream {
    guard::expand("CdmsChoice", choice::derive, item.into()).into()
}
