//! Any text that is made of tokens as an item, and within the attributes of one: the derives answer with code, never with a
//! panic.

use std::sync::LazyLock;

use datahub_derive::Derive;
use datahub_derive::project::Package;
use proc_macro2::TokenStream;
use quote::quote;

/// A package of this repository, whose project has the contracts that are named here.
static PACKAGE: LazyLock<Package> = LazyLock::new(|| Package::at(env!("CARGO_MANIFEST_DIR")));

/// Expands the text as an item, and as what stands in the brackets of `#[cdms(…)]`, wherever that can be.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(tokens) = text.parse::<TokenStream>() else { return };
    for derive in Derive::ALL {
        expand(derive, tokens.clone());
    }
    expand(Derive::Synced, quote! { #[cdms(#tokens)] struct Organisation { #[cdms(key)] id: Id<Organisation> } });
    expand(
        Derive::Synced,
        quote! {
            #[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
            struct Organisation { #[cdms(key)] id: Id<Organisation>, #[cdms(#tokens)] name: String }
        },
    );
    expand(Derive::Fields, quote! { #[cdms(#tokens)] struct Address { #[cdms(#tokens)] town: String } });
    expand(
        Derive::Choice,
        quote! {
            #[cdms(mapping = "account.toml", attribute = "StateCode")]
            enum State { Active, #[cdms(#tokens)] Inactive, #[cdms(other)] Rest(i32) }
        },
    );
    expand(Derive::Choice, quote! { #[cdms(#tokens)] enum State { Active } });
}

fn expand(derive: Derive, item: TokenStream) {
    let expansion = derive.expand(item, &PACKAGE);
    let code = syn::parse2::<syn::File>(expansion.clone());
    assert!(code.is_ok(), "an expansion is no code, {:?}: {expansion}", code.err());
}
