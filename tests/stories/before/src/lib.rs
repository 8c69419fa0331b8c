//! The models of the stories (`docs/stories`) before each change: a module is a program of its own.

#![allow(missing_docs, reason = "the contracts describe the fields")]

pub mod add_a_field;
pub mod add_a_required_field;
pub mod add_a_type;
pub mod drop_a_type;
pub mod drop_fields;
pub mod join_two_fields;
pub mod make_a_text_a_choice;
pub mod merge_two_types;
pub mod move_fields_into_a_group;
pub mod narrow_a_field;
pub mod rename_a_field;
pub mod rename_a_table;
pub mod split_a_field;
pub mod split_a_type;
pub mod widen_a_field;

/// What CDMS has, for simulators and for the projects of the stories.
pub const METADATA: &str = include_str!("../mappings/metadata.xml");
