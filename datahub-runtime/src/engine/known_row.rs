//! What the hub knows of a row: the values that a caller gets, and against which its changes are computed.

use std::sync::Arc;

use datahub_model::{Fault, ModelDescriptor, conversion};
use datahub_protocol::{Snapshot, Values};
use uuid::Uuid;

use crate::engine::local_fields::LocalFields;

/// A row's values, with those of the local columns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KnownRow {
    /// One for each column.
    pub(crate) values: Values,
    /// The positions of the columns that were never read: placeholders of the same form stand in for their values.
    pub(crate) incomplete: Vec<usize>,
}

impl KnownRow {
    /// The row with the values that the protocol has decoded, and the local columns set over them.
    pub(crate) fn of(model: &ModelDescriptor, mut values: Values, locals: LocalFields) -> Self {
        if !locals.is_empty() {
            // Values that a write has just made have no other owner yet; shared ones are copied.
            locals.lay_over(model, Arc::make_mut(&mut values));
        }
        KnownRow { values, incomplete: Vec::new() }
    }

    /// The row in the store, which may lack attributes that were mapped since.
    ///
    /// # Errors
    ///
    /// A value that does not fit the model.
    pub(crate) fn stored(
        model: &ModelDescriptor,
        id: Uuid,
        snapshot: &Snapshot,
        locals: LocalFields,
    ) -> Result<Self, Fault> {
        let (mut row, incomplete) = conversion::decode_known(model, id, &snapshot.facts, &snapshot.seen)?;
        locals.lay_over(model, &mut row);
        Ok(KnownRow { values: row.into(), incomplete })
    }

    /// The row of a record as it was, which must not lack anything.
    ///
    /// # Errors
    ///
    /// A value that does not fit the model, or that is unknown.
    pub(crate) fn whole(
        model: &ModelDescriptor,
        id: Uuid,
        snapshot: &Snapshot,
        locals: LocalFields,
    ) -> Result<Self, Fault> {
        let mut row = conversion::decode(model, id, &snapshot.facts, &snapshot.seen)?;
        locals.lay_over(model, &mut row);
        Ok(KnownRow { values: row.into(), incomplete: Vec::new() })
    }
}
