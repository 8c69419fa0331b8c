//! How long the derive takes for all models of a folder, contracts read and parsed included. `cargo xtask bench expansion`
//! runs it.
//!
//! Outside the compiler tokens are those of `proc-macro2` itself, so what passing them to the compiler takes is not measured.
#![allow(clippy::print_stdout, reason = "the numbers are for the person who runs this")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot read its models has nothing to measure")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use datahub_derive::Derive;
use datahub_derive::project::{Package, ROOT};
use quote::ToTokens as _;

const ROUNDS: usize = 21;

fn main() {
    // `cargo test --benches` runs this too, to see that it works: on the example's models, and once.
    let is_bench = env::args().any(|argument| argument == "--bench");
    let folder = env::args().skip(1).find(|argument| !argument.starts_with('-')).map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/domain/src"));
    let files = fs::read_dir(&folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let models: Vec<_> = files.flat_map(|text| models(&text)).collect();
    assert!(!models.is_empty(), "there are no models in {}", folder.display());
    let package = Package::at(env!("CARGO_MANIFEST_DIR"));
    let package = env::var_os(ROOT).into_iter().fold(package, Package::with_root);
    let mut rounds: Vec<_> = (0..if is_bench { ROUNDS } else { 1 }).map(|_| round(&models, &package)).collect();
    rounds.sort_unstable();
    let ms = |round: Duration| round.as_secs_f64() * 1e3;
    let (fastest, median) = (ms(rounds[0]), ms(rounds[rounds.len() / 2]));
    println!("{} models expand in {median:.1} ms (median), {fastest:.1} ms (fastest round)", models.len());
}

/// The items of a file that derive `CdmsSynced`.
fn models(text: &str) -> Vec<syn::ItemStruct> {
    let items = syn::parse_file(text).unwrap().items.into_iter();
    let structs = items.filter_map(|item| if let syn::Item::Struct(item) = item { Some(item) } else { None });
    let derives = |item: &syn::ItemStruct| {
        let attributes = item.attrs.iter().map(|attribute| attribute.to_token_stream().to_string());
        attributes.filter(|text| text.contains("derive")).any(|text| text.contains("CdmsSynced"))
    };
    structs.filter(derives).collect()
}

/// Expands every model once; what the compiler does before and after is not part of it.
fn round(models: &[syn::ItemStruct], package: &Package) -> Duration {
    let items: Vec<_> = models.iter().map(|item| item.to_token_stream()).collect();
    let begun = Instant::now();
    let expanded: Vec<_> = items.into_iter().map(|item| black_box(Derive::Synced.expand(item, package))).collect();
    let took = begun.elapsed();
    for (item, tokens) in models.iter().zip(expanded) {
        let text = tokens.to_string();
        assert!(!text.contains("compile_error"), "{} has faults: {text}", item.ident);
    }
    took
}
