//! What must hold of rows that lists, pulls and sweeps have stored.

use cdms_odata::Instant;
use datahub_protocol::{Mapping as _, Record, Snapshot, Stored, TombstoneReason};

use super::cdms::RECORDS;
use super::world::{World, is_gone};
use crate::mapping::Two;

pub(super) fn is_of_model(record: Option<&Record>) -> bool {
    record.is_some_and(|record| Two.includes(&record.attributes))
}

fn is_as(row: &Snapshot, record: &Record) -> bool {
    row.seen == record.attributes && row.facts.modified == record.facts.modified
}

impl World {
    /// A caller gets the row of a record at once.
    pub(super) fn show(&mut self, key: usize) {
        let line = &mut self.lines[key];
        if let Stored::Row(row) = &line.stored {
            line.shown = row.facts.modified.max(line.shown);
        }
    }

    /// A row is something that CDMS has shown, never older than the row before it, nor than what a caller was shown.
    pub(super) fn may_follow(&mut self, key: usize, new: &Snapshot) {
        let line = &self.lines[key];
        let at = |row: &Snapshot| {
            line.states.iter().rposition(|state| state.as_ref().is_some_and(|state| is_as(row, state)))
        };
        let was = match &line.stored {
            Stored::Row(row) => at(row),
            Stored::Absent | Stored::Tombstone(..) => None,
        };
        let (is, shown) = (at(new), line.shown);
        self.demand(is.is_some(), || format!("the row of {key} was never CDMS's: {new:?}"));
        self.demand(was.is_none() || is >= was, || format!("the row of {key} went back"));
        self.demand(new.facts.modified >= shown, || format!("the row of {key} is older than what a caller was shown"));
    }

    /// A row ends because CDMS has shown that its record is gone, or outside the model, and not because a list leaves it
    /// out.
    pub(super) fn may_end(&mut self, key: usize, reason: TombstoneReason, looked_at: std::ops::RangeInclusive<usize>) {
        let (states, end) = (&self.lines[key].states, self.lines[key].states.len());
        let looked_at = &states[*looked_at.start()..(looked_at.end() + 1).min(end)];
        let is_true = looked_at.iter().any(|state| match state {
            None => is_gone(reason),
            Some(record) => !is_gone(reason) && !is_of_model(Some(record)),
        });
        self.demand(is_true, || format!("the row of {key} ended as {reason:?}, which CDMS has not shown"));
    }

    /// A complete pull has read what every record had become before it began, or later; `asked` is the state of each then.
    pub(super) fn has_pulled(&mut self, asked: [usize; RECORDS], left_out: &[usize]) {
        for (key, asked) in asked.into_iter().enumerate().filter(|(key, _)| !left_out.contains(key)) {
            let since = &self.lines[key].states[asked..];
            // What is gone is a sweep's to find.
            if since.iter().any(Option::is_none) {
                continue;
            }
            let holds = match &self.lines[key].stored {
                Stored::Row(row) => {
                    since.iter().flatten().any(|record| is_of_model(Some(record)) && is_as(row, record))
                }
                Stored::Absent | Stored::Tombstone(..) => since.iter().any(|record| !is_of_model(record.as_ref())),
            };
            let stored = self.lines[key].stored.clone();
            self.demand(holds, || {
                format!("a pull is complete, and what {key} had become before is not seen: {stored:?}")
            });
        }
    }

    /// A complete sweep has found every record that was gone, or outside the model, before it began.
    pub(super) fn has_swept(&mut self, asked: [usize; RECORDS], before: i64) {
        for (key, asked) in asked.into_iter().enumerate() {
            let line = &self.lines[key];
            let was_gone = line.states[asked..].iter().all(|state| !is_of_model(state.as_ref()));
            // A read that began before may store after it.
            let has_row = matches!(&line.stored, Stored::Row(row) if row.version.0 <= before);
            self.demand(!(was_gone && has_row), || {
                format!("a sweep is complete, and {key}, gone before it began, has a row")
            });
        }
    }

    /// After everything was pulled and swept, both sides are equal.
    pub(super) fn agrees(&mut self) {
        for key in 0..RECORDS {
            let line = &self.lines[key];
            let record = line.states.last().and_then(Option::as_ref);
            let holds = match &line.stored {
                Stored::Row(row) => record.is_some_and(|record| is_as(row, record)),
                Stored::Absent | Stored::Tombstone(..) => !is_of_model(record),
            };
            let stored = line.stored.clone();
            self.demand(holds, || format!("after a pull and a sweep {key} is not as in CDMS: {stored:?}"));
        }
    }
}

/// The newest time of change.
pub(super) fn newest(world: &World) -> Option<Instant> {
    let records = world.lines.iter().filter_map(|line| line.states.last().and_then(Option::as_ref));
    records.map(|record| record.facts.modified).max()
}
