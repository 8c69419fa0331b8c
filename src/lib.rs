//! Holds no code: this package carries the examples, the contracts and the tests that cross crates.

/// Compiles what the first page shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct FirstPage;

/// Compiles what the page about remodelling shows.
#[cfg(doctest)]
#[doc = include_str!("../docs/remodelling.md")]
struct Remodelling;

/// Compiles what the page about queries shows.
#[cfg(doctest)]
#[doc = include_str!("../docs/queries.md")]
struct Queries;
