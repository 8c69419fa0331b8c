//! The generated documentation of a project's mappings.
//!
//! A [`Tree`](datahub_derive::tree::Tree) of models and contracts becomes an [`Atlas`]: everything that the pages show, in
//! plain words, with the reverse index of attributes and the lookups between models. From an atlas, [`html`] makes a site and
//! [`markdown`] makes files for a repository. [`Changes`] compares two trees, and [`Digests`] show whether the documentation
//! was made again since a mapping changed. **Invariant: files come out as paths and texts; equal trees give equal files.**

mod atlas;
mod changes;
mod declared;
mod diagram;
mod digest;
pub mod html;
pub mod markdown;
mod prose;
mod search;
mod written;

pub use atlas::{
    Atlas, AttributePlace, AttributeUse, Choice, Contract, ContractAttribute, Coverage, Example, Field, FieldAttribute,
    Item, Lookup, LookupEnd, Model, NamedAttribute, Sample,
};
pub use changes::{Aspect, Change, Changes, Detail, Meaning, Piece, Since, Subject, Turn};
pub use digest::{Digest, Digests, ENDING, Standing};

/// What every generated file has in its first lines, which distinguishes it from files of others.
pub const MARK: &str = "Made by `datahub docs`";

/// The folders below the folder of the documentation that have generated files.
pub const FOLDERS: [&str; 4] = ["assets", "attributes", "contracts", "models"];

/// A generated file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path from the folder of the documentation, with slashes.
    pub path: String,
    /// Its text.
    pub text: String,
}
