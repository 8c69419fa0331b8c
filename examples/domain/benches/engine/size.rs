//! How much is measured: in full, quickly to try everything, or just enough to show that it works.

/// The numbers of rounds, operations and records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// The milliseconds until CDMS answers, each with the rounds of its operations and their number in a round.
    pub(crate) latencies: &'static [(u64, usize, usize)],
    /// Rounds of many callers at once.
    pub(crate) crowds: usize,
    /// The reads of each of many callers in a round, at a CDMS that answers at once and at one that takes its time.
    pub(crate) reads_each: [usize; 2],
    /// The records of a pull.
    pub(crate) records: u64,
    /// Rounds of a pull.
    pub(crate) pulls: usize,
    /// The numbers of rows of a growing database.
    pub(crate) rows: &'static [u64],
    /// The entries of a long history.
    pub(crate) entries: u64,
    /// Rounds at each stage of growth, each of ten operations; also of reads of a history.
    pub(crate) stages: usize,
}

impl Size {
    pub(crate) const FULL: Size = Size {
        latencies: &[(0, 40, 20), (5, 15, 4), (50, 9, 2)],
        crowds: 7,
        reads_each: [60, 8],
        records: 100_000,
        pulls: 3,
        rows: &[1_000, 10_000, 100_000, 1_000_000],
        entries: 100_000,
        stages: 20,
    };

    pub(crate) const QUICK: Size = Size {
        latencies: &[(0, 6, 10), (5, 3, 3), (50, 2, 1)],
        crowds: 3,
        reads_each: [20, 2],
        records: 5_000,
        pulls: 1,
        rows: &[1_000, 10_000],
        entries: 5_000,
        stages: 4,
    };

    pub(crate) const TRIAL: Size = Size {
        latencies: &[(0, 1, 2)],
        crowds: 1,
        reads_each: [1, 1],
        records: 120,
        pulls: 1,
        rows: &[400, 800],
        entries: 30,
        stages: 1,
    };
}
