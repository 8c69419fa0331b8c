//! The engine of Data Hub Sync: keeps annotated structs and CDMS records in step.

mod field;
mod id;
mod model;

pub use cdms_odata::{Attributes, Instant, Kind, Reference, Value};
pub use datahub_macros::*;
pub use datahub_model::Fault;
pub use field::{Carries, CdmsFields, FieldType, GroupReader, GroupWriter, Member, RowReader, RowWriter, kind};
pub use id::Id;
pub use model::{CdmsSynced, Model, Writable};
