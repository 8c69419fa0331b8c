//! Fuzz targets: functions that take any bytes and panic where a promise about them is broken.
//!
//! The fuzzer calls them from `fuzz_targets/`, and the workspace's tests with each file of the corpora.

#![forbid(unsafe_code)]

pub mod attribute;
pub mod challenge;
pub mod condition;
pub mod contract;
pub mod cookies;
pub mod date;
pub mod filter;
pub mod instant;
pub mod json;
pub mod login_page;
pub mod metadata;
pub mod ntlm;
pub mod number;
pub mod query;
pub mod soap;

/// A target by name.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 15] = [
    ("attribute", attribute::run),
    ("challenge", challenge::run),
    ("condition", condition::run),
    ("contract", contract::run),
    ("cookies", cookies::run),
    ("date", date::run),
    ("filter", filter::run),
    ("instant", instant::run),
    ("json", json::run),
    ("login_page", login_page::run),
    ("metadata", metadata::run),
    ("ntlm", ntlm::run),
    ("number", number::run),
    ("query", query::run),
    ("soap", soap::run),
];
