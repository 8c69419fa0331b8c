//! Conditions on the fields of a model: what they mean, how they are written, and what CDMS is asked.
#![allow(clippy::unwrap_used, reason = "functions next to the tests unwrap values that the tests made")]

mod lowering;
mod model;
mod random;
mod text;
