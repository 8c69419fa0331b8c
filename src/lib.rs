//! Holds no code: this package carries the examples, the contracts and the tests that cross crates.
