//! The derives on any text that is made of tokens: the fuzzer's eighth target, and its corpus as a test.

use proc_macro2::TokenStream;
use quote::quote;

/// Expands the text as an item; where it is none, as what stands in the brackets of `#[cdms(…)]`, wherever that can be.
///
/// # Panics
///
/// A derive panics, or its expansion is no code.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(tokens) = text.parse::<TokenStream>() else { return };
    if crate::item::read(tokens.clone()).is_ok() {
        let all = [crate::synced::derive, crate::fields::derive, crate::choice::derive];
        return all.into_iter().for_each(|derive| expand(derive, tokens.clone()));
    }
    expand(crate::synced::derive, tokens.clone());
    expand(
        crate::synced::derive,
        quote! { #[cdms(#tokens)] struct Organisation { #[cdms(key)] id: Id<Organisation> } },
    );
    expand(
        crate::synced::derive,
        quote! {
            #[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
            struct Organisation { #[cdms(key)] id: Id<Organisation>, #[cdms(#tokens)] name: String }
        },
    );
    expand(crate::fields::derive, quote! { #[cdms(#tokens)] struct Address { #[cdms(#tokens)] town: String } });
    expand(
        crate::choice::derive,
        quote! {
            #[cdms(mapping = "account.toml", attribute = "StateCode")]
            enum State { Active, #[cdms(#tokens)] Inactive, #[cdms(other)] Rest(i32) }
        },
    );
    expand(crate::choice::derive, quote! { #[cdms(#tokens)] enum State { Active } });
}

fn expand(derive: fn(TokenStream) -> TokenStream, item: TokenStream) {
    let expansion = derive(item);
    let code = syn::parse2::<syn::File>(expansion.clone());
    assert!(code.is_ok(), "an expansion is no code, {:?}: {expansion}", code.err());
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_corpus_holds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/attribute");
        let mut files: Vec<_> = folder.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        assert!(files.len() > 20, "{} files are no corpus", files.len());
        for file in files {
            println!("{}", file.display());
            super::run(&std::fs::read(&file).unwrap());
        }
    }
}
