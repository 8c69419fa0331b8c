//! Contracts, annotations and their validation: from text to a resolved mapping, or to diagnostics.
//!
//! The derive, the command line and the documentation call the same functions. Text comes in and data goes out; the caller
//! reads the files.

mod annotation;
mod cdms_name;
mod check;
mod contract;
mod mapping;
mod mapping_id;
mod names;
mod nearest;
mod only;
mod resolve;
mod writable;

pub use crate::diagnostic::Spot;
pub use annotation::{DefaultValue, DieselGlue, EngineField, FieldAnnotation, ModelAnnotation, Placed};
pub use cdms_name::cdms_name_fault;
pub use check::{ColumnLimit, check_choices, has_zero, plain_type, unknown_former_names};
pub use contract::{
    Asked, Capture, ConstantValue, Contract, ContractAttribute, ContractConstant, Group, GroupMember, Question, Stated,
};
pub use mapping::{Faulty, Mapping, ResolvedColumn, ResolvedField, ResolvedSource, Shape};
pub use names::{column_fault, name_fault};
pub use nearest::{meant_among, nearest};
pub use resolve::{meant_mode, resolve};
pub use writable::{Writable, writable};
