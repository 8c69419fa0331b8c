//! What a pull reads next, and up to which time it may vouch for what the hub has.
//!
//! A first load goes by key, and records change behind its back. So it vouches for what had changed before it began,
//! and never for the newest change that it met. After it, only changes are read: those since the watermark, less an
//! overlap for writes that CDMS commits later than it dates them, in the order of their times.

use cdms_odata::Instant;

use crate::planted::{Planted, planted};

/// What a response says about CDMS's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ToldTime {
    /// The time that CDMS dated the response with, in whole seconds.
    pub date: Option<Instant>,
    /// How many milliseconds the request took, its answer included.
    pub took_ms: u64,
}

impl ToldTime {
    /// CDMS's time when it was asked, or somewhat earlier.
    pub fn asked(self) -> Option<Instant> {
        self.date.map(|date| earlier(date, self.took_ms))
    }

    /// A time of change as far as CDMS's clock confirms it: a server whose clock is ahead dates changes later than others
    /// that are made after them.
    fn confirmed(self, modified: Instant) -> Instant {
        self.date.map_or(modified, |date| modified.min(date))
    }
}

/// The earliest time that CDMS can date a change with.
const FIRST: Instant = Instant(-6_847_804_800_000);

/// The watermark of a first load, from the newest time of change before its first page; `None` if there is no record.
pub fn watermark_of_load(newest: Option<Instant>, told: ToldTime) -> Instant {
    match newest {
        Some(newest) => told.confirmed(newest),
        None => told.asked().unwrap_or(FIRST),
    }
}

/// How many milliseconds before its watermark an incremental pull begins, given for how long CDMS may execute a request
/// and by how much its servers' clocks may differ.
pub fn overlap_ms(quiet_ms: u64, clock_skew_ms: u64) -> u64 {
    if planted(Planted::OverlapForgotten) { 0 } else { quiet_ms.saturating_add(clock_skew_ms) }
}

/// A pull of what has changed, between two of its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The watermark that it began with.
    pub watermark: Instant,
    /// Records are asked for that have changed at this time or later.
    pub since: Instant,
    /// CDMS's time when the first page was asked for, if it is known.
    pub begun: Option<Instant>,
    /// The newest time of change that was met.
    pub newest: Option<Instant>,
}

/// What follows a page of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterPage {
    /// All was read: the hub has what had changed before this time.
    Complete {
        /// The new watermark.
        watermark: Instant,
    },
    /// The list must be asked for again, from [`Changes::since`] on.
    AskAgain,
    /// All records of the page have changed in the same second: only CDMS's own link leads further.
    Follow,
    /// The records are not in the order of their times, so that some could be missing.
    Unordered,
}

impl Changes {
    /// A pull of what has changed since a watermark, less an overlap.
    pub fn since(watermark: Instant, overlap_ms: u64) -> Changes {
        let since = whole_second(earlier(watermark, overlap_ms));
        Changes { watermark, since, begun: None, newest: None }
    }

    /// Takes note of a page: the times of change of its records in their order, as far as they can be read, and whether
    /// CDMS says that it is the last one. `since_begun_ms` is the time since the first page was asked for, if the hub knows it.
    ///
    /// The next page begins with the last second of this one and not behind its last record. A change moves a record to
    /// the end of the list, so a position in the list is not the same in two requests, and a second can have records on
    /// both sides of a boundary. Only within one second, CDMS's own link is followed.
    pub fn page(
        &mut self,
        modified: impl IntoIterator<Item = Instant>,
        is_last: bool,
        told: ToldTime,
        since_begun_ms: Option<u64>,
    ) -> AfterPage {
        let (mut first, mut last) = (None, None);
        for modified in modified {
            if modified < last.unwrap_or(self.since) {
                return AfterPage::Unordered;
            }
            first = first.or(Some(modified));
            last = Some(modified);
        }
        self.begun = self.begun.or_else(|| told.asked());
        self.newest = self.newest.max(last);
        if is_last {
            return AfterPage::Complete { watermark: self.watermark_at_end(since_begun_ms) };
        }
        match last.map(whole_second) {
            Some(last) if first.map(whole_second) < Some(last) => {
                self.since = if planted(Planted::BoundaryTieLost) { last.plus_ms(1_000) } else { last };
                AfterPage::AskAgain
            }
            _ => AfterPage::Follow,
        }
    }

    /// CDMS's time when the pull began. A write can be committed behind the place that a long pull has reached, with an
    /// earlier time of change, but it had not ended when the pull began.
    ///
    /// If CDMS does not state its time, the newest change that was met shows that it was not earlier at the end.
    fn watermark_at_end(&self, since_begun_ms: Option<u64>) -> Instant {
        let at_beginning = || Some(earlier(self.newest?, since_begun_ms?));
        self.begun.or_else(at_beginning).unwrap_or(self.watermark)
    }
}

/// The watermark after a first load: the one from its beginning.
pub fn watermark_after_load(at_its_beginning: Instant, newest_met: Option<Instant>) -> Instant {
    if planted(Planted::NewestMetIsWatermark) {
        at_its_beginning.max(newest_met.unwrap_or(FIRST))
    } else {
        at_its_beginning
    }
}

fn earlier(time: Instant, ms: u64) -> Instant {
    time.plus_ms(-i64::try_from(ms).unwrap_or(i64::MAX))
}

fn whole_second(time: Instant) -> Instant {
    Instant(time.0.saturating_sub(time.0.rem_euclid(1_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(1_480_939_200_000);

    fn at(seconds: i64) -> Instant {
        NOW.plus_ms(seconds * 1_000)
    }

    fn told(seconds: i64) -> ToldTime {
        ToldTime { date: Some(at(seconds)), took_ms: 500 }
    }

    #[test]
    fn a_load_vouches_for_the_newest_change_before_it() {
        assert_eq!(watermark_of_load(Some(at(-60)), told(0)), at(-60));
        assert_eq!(watermark_of_load(Some(at(60)), told(0)), at(0), "a server's clock is ahead");
        assert_eq!(watermark_of_load(Some(at(60)), ToldTime::default()), at(60));
        assert_eq!(watermark_of_load(None, told(0)), at(0).plus_ms(-500));
        assert_eq!(watermark_of_load(None, ToldTime::default()), FIRST);
        assert_eq!(watermark_after_load(at(-60), Some(at(0))), at(-60));
        assert_eq!(FIRST.to_utc().map(|first| first.to_rfc3339()).as_deref(), Some("1753-01-01T00:00:00+00:00"));
    }

    #[test]
    fn changes_are_read_again_for_as_long_as_a_write_can_take() {
        let overlap = overlap_ms(330_000, 2_000);
        assert_eq!(Changes::since(at(0).plus_ms(250), overlap).since, at(-332));
    }

    #[test]
    fn a_page_goes_on_with_its_last_second() {
        let mut changes = Changes::since(at(0), 0);
        assert_eq!(changes.page([at(0), at(1), at(1)], false, told(9), Some(0)), AfterPage::AskAgain);
        assert_eq!(changes.since, at(1), "it may have records of this second that the page did not show");
        assert_eq!(changes.page([at(1), at(1)], false, told(10), Some(1_000)), AfterPage::Follow);
        assert_eq!(changes.page([at(2), at(2)], false, told(10), Some(1_000)), AfterPage::Follow);
        assert_eq!(changes.page([], false, told(10), Some(1_000)), AfterPage::Follow, "nothing of it could be read");
        assert_eq!(changes.page([at(2), at(3)], false, told(11), Some(2_000)), AfterPage::AskAgain);
        let watermark = at(9).plus_ms(-500);
        assert_eq!(changes.page([at(3), at(4)], true, told(12), Some(3_000)), AfterPage::Complete { watermark });
    }

    #[test]
    fn the_watermark_is_cdms_time_at_the_beginning() {
        let complete = |modified: &[Instant], told, took_s: Option<u64>| {
            let mut changes = Changes::since(at(0), 60_000);
            match changes.page(modified.iter().copied(), true, told, took_s.map(|took_s| took_s * 1_000)) {
                AfterPage::Complete { watermark } => watermark,
                other => panic!("{other:?}"),
            }
        };
        for modified in [&[][..], &[at(3)], &[at(50)], &[at(3), at(900)]] {
            assert_eq!(complete(modified, told(50), Some(0)), at(50).plus_ms(-500));
        }
        // CDMS does not state its time.
        assert_eq!(complete(&[at(3), at(50)], ToldTime::default(), Some(20)), at(30));
        assert_eq!(complete(&[], ToldTime::default(), Some(20)), at(0));
        assert_eq!(complete(&[at(3), at(50)], ToldTime::default(), None), at(0));
    }

    #[test]
    fn a_list_in_another_order_is_not_followed() {
        for records in [[at(2), at(1)], [at(-1), at(1)]] {
            assert_eq!(Changes::since(at(0), 0).page(records, false, told(9), Some(0)), AfterPage::Unordered);
        }
    }
}
