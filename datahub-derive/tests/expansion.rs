//! The expansions as snapshots: reviewed for readability, since this is what users' programs consist of. Those of the
//! derives' examples are folded into their documentation; `INSTA_UPDATE=always` renews these too.
#![cfg(test)]

use std::fs;
use std::path::Path;

use datahub_derive::Derive;
use datahub_derive::project::Package;
use proc_macro2::TokenStream;
use quote::quote;

/// This package, whose project is the repository's own.
fn package() -> Package {
    Package::at(env!("CARGO_MANIFEST_DIR"))
}

fn synced(item: TokenStream) -> TokenStream {
    Derive::Synced.expand(item, &package())
}

/// The formatted code of an expansion.
fn formatted(tokens: TokenStream) -> String {
    let file: syn::File = syn::parse2(tokens).unwrap();
    prettyplease::unparse(&file)
}

fn five_fields() -> TokenStream {
    quote! {
        /// A company that does business with government.
        #[derive(Clone, Debug, PartialEq, CdmsSynced)]
        #[cdms(mapping = "account.toml", table = "organisations")]
        pub struct Organisation {
            #[cdms(key)]
            pub id: Id<Organisation>,
            #[cdms("Name")]
            pub name: String,
            #[cdms("optevia_Alias", default)]
            pub alias: String,
            #[cdms("optevia_Sector")]
            pub sector: Option<Id<Sector>>,
            #[cdms(local, sql_type = "boolean")]
            pub archived: bool,
        }
    }
}

#[test]
fn a_five_field_model_reads_like_code_a_person_would_write() {
    let code = formatted(synced(five_fields()));
    assert!(code.lines().count() < 175, "{} lines", code.lines().count());
    documented("synced", five_fields(), &code);
}

/// Compares an expansion with the page of the runtime's documentation that shows it.
fn documented(derive: &str, item: TokenStream, expansion: &str) {
    let page = format!(
        "<details>\n<summary>What it writes for an example</summary>\n\nFor this item:\n\n```text\n{}```\n\n\
         this code:\n\n```text\n{expansion}```\n\n</details>\n",
        formatted(item)
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../datahub-runtime/docs/expansion_{derive}.md"));
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(&path, &page).unwrap();
    }
    let shown = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(shown, page, "the documentation shows another expansion; INSTA_UPDATE=always renews it");
}

#[test]
fn organisation() {
    let source = include_str!("../../examples/domain/src/organisation.rs");
    let file: syn::File = syn::parse_str(source).unwrap();
    let item = file.items.iter().find_map(|item| match item {
        syn::Item::Struct(item) if item.ident == "Organisation" => Some(quote!(#item)),
        _ => None,
    });
    insta::assert_snapshot!("organisation", formatted(synced(item.unwrap())));
}

#[test]
fn a_group_and_a_choice() {
    let group = quote! {
        #[derive(Clone, Debug, PartialEq, CdmsFields)]
        pub struct Address {
            pub line_1: Option<String>,
            #[cdms("town", default)]
            pub city: String,
        }
    };
    documented("fields", group.clone(), &formatted(Derive::Fields.expand(group, &package())));
    let choice = quote! {
        #[derive(Clone, Copy, Debug, PartialEq, CdmsChoice)]
        #[cdms(mapping = "account.toml", attribute = "StateCode")]
        pub enum OrganisationState {
            Active,
            #[cdms("inactive")]
            Closed,
            #[cdms(other)]
            Other(i32),
        }
    };
    documented("choice", choice.clone(), &formatted(Derive::Choice.expand(choice, &package())));
}

#[test]
fn no_absolute_path_enters_an_expansion() {
    let code = formatted(synced(five_fields()));
    assert!(!code.contains(env!("CARGO_MANIFEST_DIR")), "{code}");
    assert!(code.contains("\"../mappings/account.toml\""), "{code}");
}

/// The messages of an item's faults, in order.
fn faults(item: TokenStream) -> Vec<String> {
    let file: syn::File = syn::parse2(synced(item)).unwrap();
    let errors = file.items.iter().filter_map(|item| match item {
        syn::Item::Macro(item) => syn::parse2::<syn::LitStr>(item.mac.tokens.clone()).ok(),
        _ => None,
    });
    errors.map(|message| message.value()).collect()
}

#[test]
fn all_faults_come_at_once_and_a_stub_with_them() {
    let item = quote! {
        #[cdms(mapping = "account.toml", table = "order", tabel = "x")]
        pub struct Organisation {
            #[cdms("Nmae")]
            pub name: String,
            #[cdms("optevia_Alias")]
            pub alias: String,
            #[cdms(local, sqltype = "string")]
            pub notes: Option<String>,
        }
    };
    let faults = faults(item.clone());
    for expected in [
        "did you mean `table`?",
        "did you mean `sql_type`?",
        "did you mean `Name`?",
        "`optevia_Alias` can be null in CDMS, but `alias` cannot",
        "invalid table name `order`: it is a reserved word",
        "`Organisation` has no key",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(expected)), "no fault says {expected}: {faults:#?}");
    }
    assert_eq!(faults.len(), 6, "what follows from a misspelt key is not reported too: {faults:#?}");
    assert!(formatted(synced(item)).contains("impl ::datahub_runtime::__v1::CdmsSynced for Organisation"));
}

#[test]
fn what_follows_from_a_field_that_cannot_be_read_is_not_reported_too() {
    let item = quote! {
        #[cdms(mapping = "account.toml", table = "organisations")]
        pub struct Organisation {
            #[cdms(kye)]
            pub id: Id<Organisation>,
            #[cdms("Name" "Alias")]
            pub name: String,
        }
    };
    let faults = faults(item);
    assert!(faults[0].contains("did you mean `key`?"), "{faults:#?}");
    assert!(faults[1].contains("missing comma before this"), "{faults:#?}");
    assert_eq!(faults.len(), 2, "{faults:#?}");
}

#[test]
fn a_field_under_cfg_is_refused() {
    let item = quote! {
        #[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
        pub struct Organisation {
            #[cdms(key)]
            pub id: Id<Self>,
            #[cfg(feature = "names")]
            #[cdms("Name")]
            pub name: String,
        }
    };
    assert_eq!(faults(item).len(), 1);
}

#[test]
fn types_from_a_macro_are_seen_through_their_invisible_groups() {
    let grouped = |tokens| proc_macro2::TokenTree::Group(proc_macro2::Group::new(proc_macro2::Delimiter::None, tokens));
    let (id, alias, text) =
        (grouped(quote!(Id<Organisation>)), grouped(quote!(Option<String>)), grouped(quote!("Name")));
    let item = quote! {
        #[cdms(mapping = #text, table = "organisations")]
        pub struct Organisation {
            #[cdms(key)]
            pub id: #id,
            #[cdms("Name")]
            pub name: String,
            #[cdms("optevia_Alias")]
            pub alias: #alias,
        }
    };
    let faults = faults(item);
    assert!(faults.len() == 1 && faults[0].contains("contract `mappings/Name` not found"), "{faults:#?}");
}
