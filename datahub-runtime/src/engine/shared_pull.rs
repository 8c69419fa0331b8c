//! Concurrent callers who want a model up to date share one pull of its changes.
//!
//! One pull of a model runs at a time in a program. A caller may use the result of a pull that began after the caller came;
//! one that began before may have read what has changed since.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use super::record_lock::{RecordGuard, RecordLocks};

/// The pulls of a program, with their results of this type.
#[derive(Debug)]
pub(crate) struct SharedPulls<R> {
    turns: RecordLocks,
    models: Mutex<HashMap<&'static str, Model<R>>>,
}

#[derive(Debug)]
struct Model<R> {
    /// How many pulls have begun.
    begun: u64,
    /// The result of the last one that has ended, and which it was.
    last: Option<(u64, R)>,
    /// How many callers pull it or wait for their turn.
    callers: usize,
}

impl<R> Default for Model<R> {
    fn default() -> Self {
        Model { begun: 0, last: None, callers: 0 }
    }
}

impl<R> Default for SharedPulls<R> {
    fn default() -> Self {
        SharedPulls { turns: RecordLocks::default(), models: Mutex::default() }
    }
}

/// A caller who has come; no other caller pulls the model while it has its turn.
#[derive(Debug)]
pub(crate) struct Caller<'s, R> {
    pulls: &'s SharedPulls<R>,
    table: &'static str,
    /// How many pulls had begun when it came.
    came_after: u64,
    turn: Option<RecordGuard>,
}

impl<R: Clone> SharedPulls<R> {
    /// Notes that a caller has come.
    pub(crate) fn arrive(&self, table: &'static str) -> Caller<'_, R> {
        let came_after = self.of(table, |model| {
            model.callers += 1;
            model.begun
        });
        Caller { pulls: self, table, came_after, turn: None }
    }

    /// Whether a caller pulls a model or waits for its turn.
    pub(crate) fn is_under_way(&self, table: &'static str) -> bool {
        self.of(table, |model| model.callers > 0)
    }
}

impl<R> SharedPulls<R> {
    fn of<T>(&self, table: &'static str, look: impl FnOnce(&mut Model<R>) -> T) -> T {
        look(self.models.lock().unwrap_or_else(PoisonError::into_inner).entry(table).or_default())
    }
}

impl<R: Clone> Caller<'_, R> {
    /// Waits for the model, and returns the result of a pull that began after this caller had come, if there was one.
    pub(crate) async fn turn(&mut self) -> Option<R> {
        self.turn = Some(self.pulls.turns.lock((self.table, Uuid::nil())).await);
        self.pulls.of(self.table, |model| {
            model.last.as_ref().filter(|(number, _)| *number > self.came_after).map(|(_, result)| result.clone())
        })
    }

    /// Notes that a pull begins, and returns its number.
    pub(crate) fn begin(&self) -> u64 {
        self.pulls.of(self.table, |model| {
            model.begun += 1;
            model.begun
        })
    }

    /// Notes the result of a pull.
    pub(crate) fn end(&self, number: u64, result: R) {
        self.pulls.of(self.table, |model| model.last = Some((number, result)));
    }
}

impl<R> Drop for Caller<'_, R> {
    fn drop(&mut self) {
        self.pulls.of(self.table, |model| model.callers -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_result_is_shared_by_those_who_came_before_its_pull_began() {
        let pulls = SharedPulls::default();
        let [mut first, mut early] = [pulls.arrive("firms"), pulls.arrive("firms")];
        assert_eq!(first.turn().await, None);
        let number = first.begin();
        let mut late = pulls.arrive("firms");
        first.end(number, "first");
        drop(first);
        assert_eq!(early.turn().await, Some("first"));
        drop(early);
        assert!(pulls.is_under_way("firms") && !pulls.is_under_way("people"));
        assert_eq!(late.turn().await, None, "the pull had begun when it came");
        late.end(late.begin(), "second");
        drop(late);
        assert!(!pulls.is_under_way("firms"));
    }
}
