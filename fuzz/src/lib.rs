//! Fuzz targets: functions that take any bytes and panic where a promise about them is broken.
//!
//! The fuzzer calls them from `fuzz_targets/`, and the workspace's tests with each file of the corpora. The eighth,
//! `attribute`, is in the crate of the derives, because nothing can link that.

#![forbid(unsafe_code)]

pub mod contract;
pub mod date;
pub mod filter;
pub mod instant;
pub mod json;
pub mod metadata;
pub mod number;

/// A target by name.
pub type Target = (&'static str, fn(&[u8]));

/// All targets of this library.
pub const TARGETS: [Target; 7] = [
    ("contract", contract::run),
    ("date", date::run),
    ("filter", filter::run),
    ("instant", instant::run),
    ("json", json::run),
    ("metadata", metadata::run),
    ("number", number::run),
];
