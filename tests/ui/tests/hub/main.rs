//! What the mapping language says, through a hub: real requests to a simulated CDMS, and a real database.
#![allow(clippy::unwrap_used, reason = "functions beside the tests unwrap what the tests made themselves")]

mod diesel_queries;
mod django;
mod every_kind;
mod local_fields;
mod nested_group;
#[path = "../../../on_postgres.rs"]
mod on_postgres;
mod one_of_several;
mod own_types;
mod random_records;
mod shared_attribute;
mod shared_entity;
mod what_is_sent;

/// The schema of the simulated CDMS.
const METADATA: &str = include_str!("../../mappings/metadata.xml");

#[test]
fn all_of_it_holds_on_postgresql() {
    on_postgres::run_again().unwrap_or_else(|told| panic!("{told}"));
}
