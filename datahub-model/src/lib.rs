//! Mappings as data and pure functions.
//!
//! A [`ModelDescriptor`] maps a Rust model to a CDMS entity. [`conversion`] follows it to turn raw attributes into
//! column values and back. [`filter`] is the language of conditions on records, [`condition`] the same on the fields of a
//! model, and [`schema`] describes the tables.
//! A [`diagnostic`] says what is wrong with a mapping. The feature `source` adds contracts, annotations and their
//! validation, which the derive and the command line share and the runtime does not need; `settings` adds what
//! `datahub.toml` says of CDMS.
//! Nothing here uses a file, a clock, a socket or a database.

pub mod condition;
pub mod conversion;
mod descriptor;
pub mod diagnostic;
mod fault;
pub mod filter;
mod literal;
mod maybe_static;
pub mod nearest;
pub mod schema;
#[cfg(feature = "settings")]
pub mod settings;

#[cfg(feature = "source")]
pub mod source;

pub use descriptor::{
    ACTOR, Attribute, Class, Column, Constant, EngineAttribute, Entity, MappingId, Mode, ModelDescriptor, Source,
    Through, Write,
};
pub use fault::Fault;
pub use filter::{Comparison, Filter};
pub use literal::Literal;
pub use maybe_static::MaybeStatic;
