//! What a write does if someone else changed the same field.

use crate::Failure;

/// What to do if someone else changed the same field after the caller loaded it, in CDMS or in the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OnConflict {
    /// The caller, as the last writer, wins; the history keeps the other value.
    #[default]
    LastWriterWins,
    /// Nothing is written, and the caller gets the fields in conflict.
    Reject,
}

impl OnConflict {
    /// The failure of a write that would overwrite these fields, if overwriting is not wanted.
    pub(crate) fn rejects<F>(self, fields: Vec<usize>) -> Option<Failure<F>> {
        (self == OnConflict::Reject && !fields.is_empty()).then_some(Failure::Conflict { fields })
    }
}
