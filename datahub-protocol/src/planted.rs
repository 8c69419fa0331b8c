//! What the planted faults do to decisions of the protocol; which faults there are, `cdms-odata` says.

use cdms_odata::Instant;
pub use cdms_odata::planted::{Planted, planted};

use crate::WriteKind;

/// Whether a write of this kind, sent so often, is sent again though CDMS may have taken it.
pub(crate) fn resends_blindly(write: WriteKind, tries: u8) -> bool {
    let under_a_new_id = planted(Planted::NewIdOnRetry) && write == WriteKind::Create;
    tries < 2 && (under_a_new_id || planted(Planted::BlindResend))
}

/// Whether a read takes a record that is older than its row, and satisfies the model's condition or not, for a newer one.
pub(crate) fn hides_age(satisfies: bool) -> bool {
    planted(Planted::OlderOverwrites) || (!satisfies && planted(Planted::ConditionBeforeTime))
}

/// Whether a read does not look at what changed between these times.
pub(crate) fn hides_changes(stored: Instant, shown: Instant) -> bool {
    planted(Planted::NoSeen) && stored == shown
}
