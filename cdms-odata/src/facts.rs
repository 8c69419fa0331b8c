//! CDMS's facts about a record, independent of any mapping.

use uuid::Uuid;

use crate::Instant;

/// When and by whom a record was last changed, and when it was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Facts {
    /// CDMS's time of the last change.
    pub modified: Instant,
    /// CDMS's time of creation, if it has one.
    pub created: Option<Instant>,
    /// CDMS's user of the last change, if known.
    pub modified_by: Option<Uuid>,
}
