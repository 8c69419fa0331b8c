//! What the derives do, as a library: tokens in, tokens out.
//!
//! A derive reads a Rust item and the project's files that it names. `datahub-model` joins the two and reports faults, and the
//! resolved mapping becomes tokens. **Invariant: this crate has no rule of a mapping.**
//!
//! `datahub-macros` passes the compiler's tokens to it. The command line reads a project's files with the same [`project`],
//! and with the feature `tree` its Rust source, where items have places in files. Benches
//! and the fuzzer expand items without a compiler. The derives are documented where users import them, in
//! `datahub-runtime`.
//!
//! ```
//! use datahub_derive::{Derive, project::Package};
//!
//! let address = "struct Address { town: Option<String> }".parse().unwrap();
//! let code = Derive::Fields.expand(address, &Package::at(env!("CARGO_MANIFEST_DIR")));
//! assert!(code.to_string().contains("CdmsFields for Address"));
//! ```

mod attribute;
mod choice;
mod expand;
mod field_type;
mod fields;
mod guard;
mod item;
pub mod project;
mod reported;
mod shown;
mod source;
mod synced;
#[cfg(feature = "tree")]
pub mod tree;

use proc_macro2::TokenStream;

use project::Package;
pub use source::tracking;

/// A derive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Derive {
    /// `CdmsSynced`: a struct becomes a synced model.
    Synced,
    /// `CdmsFields`: a struct becomes a group of fields that models flatten.
    Fields,
    /// `CdmsChoice`: an enum becomes the type of a choice.
    Choice,
}

impl Derive {
    /// Every derive.
    pub const ALL: [Derive; 3] = [Derive::Synced, Derive::Fields, Derive::Choice];

    /// Its name, as users write it.
    pub const fn name(self) -> &'static str {
        match self {
            Derive::Synced => "CdmsSynced",
            Derive::Fields => "CdmsFields",
            Derive::Choice => "CdmsChoice",
        }
    }

    /// The expansion of an item of a package: code, or compilation errors with a stub.
    ///
    /// # Panics
    ///
    /// If the derive has a bug; see [`expand_guarded`](Derive::expand_guarded).
    pub fn expand(self, item: TokenStream, package: &Package) -> TokenStream {
        match self {
            Derive::Synced => synced::derive(item, package),
            Derive::Fields => fields::derive(item),
            Derive::Choice => choice::derive(item, package),
        }
    }

    /// Like [`expand`](Derive::expand); a panic becomes an error that asks for a bug report.
    pub fn expand_guarded(self, item: TokenStream, package: &Package) -> TokenStream {
        guard::guarded(self.name(), || self.expand(item, package))
    }
}
