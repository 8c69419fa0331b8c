//! Contracts, annotations and their validation.
