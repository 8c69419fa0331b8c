//! Cases that must compile, each in a file of its own, and what comes of them.
//!
//! They are compiled with the tests, where the compiler is the first to check them.

#![allow(dead_code, reason = "most fields are there to be derived, not to be read")]

#[path = "../pass/columns_of_any_name.rs"]
mod columns_of_any_name;
#[path = "../pass/constants_and_classes.rs"]
mod constants_and_classes;
#[path = "../pass/defaults.rs"]
mod defaults;
#[path = "../pass/described.rs"]
mod described;
#[path = "../pass/diesel_joins.rs"]
mod diesel_joins;
#[path = "../pass/diesel_writes.rs"]
mod diesel_writes;
#[path = "../pass/every_key.rs"]
mod every_key;
#[path = "../pass/every_only.rs"]
mod every_only;
#[path = "../pass/from_a_macro.rs"]
mod from_a_macro;
#[path = "../pass/growing_types.rs"]
mod growing_types;
#[path = "../pass/handles.rs"]
mod handles;
#[path = "../pass/hostile_surroundings.rs"]
mod hostile_surroundings;
#[path = "../pass/minimal.rs"]
mod minimal;
#[path = "../pass/minimal_country.rs"]
mod minimal_country;
#[path = "../pass/names_of_others.rs"]
mod names_of_others;
#[path = "../pass/no_prelude.rs"]
mod no_prelude;
#[path = "../pass/primitives_taken.rs"]
mod primitives_taken;
#[path = "../pass/shared_entity.rs"]
mod shared_entity;
#[path = "../pass/types_of_ones_own.rs"]
mod types_of_ones_own;
