//! The derives of Data Hub Sync, as the compiler calls them.
//!
//! **Invariant: this crate decides nothing.** The derives are implemented in `datahub-derive`, where other code can call them
//! too, and migrations are read by `datahub-migrate`. All of it is documented where users import it, in `datahub-runtime`.

mod migrations;

use datahub_derive::Derive;
use datahub_derive::project::Package;
use proc_macro::TokenStream;

/// Makes a struct a synced model; see `datahub_runtime::CdmsSynced`.
#[proc_macro_derive(CdmsSynced, attributes(cdms))]
pub fn derive_synced(item: TokenStream) -> TokenStream {
    expand(Derive::Synced, item)
}

/// Makes a struct a group of fields that models flatten; see `datahub_runtime::CdmsFields`.
#[proc_macro_derive(CdmsFields, attributes(cdms))]
pub fn derive_fields(item: TokenStream) -> TokenStream {
    expand(Derive::Fields, item)
}

/// Makes an enum the type of a choice; see `datahub_runtime::FieldType`.
#[proc_macro_derive(CdmsChoice, attributes(cdms))]
pub fn derive_choice(item: TokenStream) -> TokenStream {
    expand(Derive::Choice, item)
}

/// The migrations of the project, as part of the program; see `datahub_runtime::migrations`.
#[proc_macro]
pub fn migrations(input: TokenStream) -> TokenStream {
    migrations::expand(input.into(), &Package::being_built()).into()
}

fn expand(derive: Derive, item: TokenStream) -> TokenStream {
    derive.expand_guarded(item.into(), &Package::being_built()).into()
}
