//! What the planted faults change in the protocol's decisions. The list of faults is in `cdms-odata`.

use cdms_odata::Instant;
pub use cdms_odata::planted::{Planted, planted};

use crate::WriteKind;

/// Whether to send a write of this kind again after this many tries, although CDMS may have applied it.
pub(crate) fn resends_blindly(write: WriteKind, tries: u8) -> bool {
    let under_a_new_id = planted(Planted::NewIdOnRetry) && write == WriteKind::Create;
    tries < 2 && (under_a_new_id || planted(Planted::BlindResend))
}

/// Whether a read treats a record that is older than its row as newer, depending on whether it satisfies `only`.
pub(crate) fn hides_age(satisfies: bool) -> bool {
    planted(Planted::OlderOverwrites) || (!satisfies && planted(Planted::ConditionBeforeTime))
}

/// Whether a read ignores changes between these times.
pub(crate) fn hides_changes(stored: Instant, shown: Instant) -> bool {
    planted(Planted::NoSeen) && stored == shown
}
