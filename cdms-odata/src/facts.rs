//! What CDMS itself says of a record, whatever is mapped of it.

use uuid::Uuid;

use crate::Instant;

/// When and by whom a record was changed last, and when it was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Facts {
    /// CDMS's time of the last change.
    pub modified: Instant,
    /// CDMS's time of creation, where it has one.
    pub created: Option<Instant>,
    /// CDMS's user of the last change, where known.
    pub modified_by: Option<Uuid>,
}
