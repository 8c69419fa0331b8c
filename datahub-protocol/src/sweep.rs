//! When a sweep stops by itself: absence from a list proves nothing, and if much is missing, the list may be at fault.

use crate::planted::{Planted, planted};

/// How many rows may be missing from CDMS's list before a sweep stops: 5 % of the model's rows, and at least 20.
pub fn missing_max(rows: u64) -> u64 {
    if planted(Planted::SweepWithoutBrake) { u64::MAX } else { (rows / 20).max(20) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twentieth_of_the_rows_may_be_missing_and_always_twenty() {
        for (rows, max) in [(0, 20), (399, 20), (420, 21), (200_000, 10_000)] {
            assert_eq!(missing_max(rows), max);
        }
    }
}
