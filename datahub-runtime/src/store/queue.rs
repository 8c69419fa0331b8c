//! A queue of jobs before the threads that do them: served in the order of arrival, bounded, and left by whoever does not
//! wait any longer.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A queue between those who bring jobs and the threads that take them.
pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    /// Something came, or nothing will come any more.
    changed: Condvar,
    most: usize,
}

struct State<J> {
    /// Jobs by number, in its order.
    jobs: VecDeque<(Number, J)>,
    brought: Number,
    is_closed: bool,
}

/// Which job of the queue it is, counted from its beginning.
pub(super) type Number = u64;

/// Why a job is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// As many jobs wait as may.
    Full,
    /// No more jobs are taken.
    Closed,
}

impl<J> Queue<J> {
    /// A queue in which so many jobs may wait.
    pub(super) fn new(most: usize) -> Self {
        let state = State { jobs: VecDeque::new(), brought: 0, is_closed: false };
        Queue { state: Mutex::new(state), changed: Condvar::new(), most }
    }

    /// Puts a job at the end.
    pub(super) fn bring(&self, job: J) -> Result<Number, Refused> {
        let mut state = self.state();
        if state.is_closed {
            return Err(Refused::Closed);
        }
        if state.jobs.len() >= self.most {
            return Err(Refused::Full);
        }
        let number = state.brought;
        state.brought += 1;
        state.jobs.push_back((number, job));
        drop(state);
        self.changed.notify_one();
        Ok(number)
    }

    /// Takes the first job, and waits for one where there is none; `None` once the queue is closed and empty.
    pub(super) fn take(&self) -> Option<J> {
        let mut state = self.state();
        loop {
            match state.jobs.pop_front() {
                Some((_, job)) => return Some(job),
                None if state.is_closed => return None,
                None => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Takes a job back; `None` when a thread has taken it.
    pub(super) fn leave(&self, number: Number) -> Option<J> {
        let mut state = self.state();
        let place = state.jobs.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        state.jobs.remove(place).map(|(_, job)| job)
    }

    /// Takes no more jobs; those that wait are still served.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().is_closed
    }

    fn state(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> fmt::Debug for Queue<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("waiting", &self.state().jobs.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn jobs_are_served_in_their_order_and_not_more_wait_than_may() {
        let queue = Queue::new(2);
        assert_eq!((queue.bring('a'), queue.bring('b'), queue.bring('c')), (Ok(0), Ok(1), Err(Refused::Full)));
        assert_eq!(
            (queue.take(), queue.bring('d'), queue.take(), queue.take()),
            (Some('a'), Ok(2), Some('b'), Some('d'))
        );
    }

    #[test]
    fn whoever_leaves_makes_room_and_is_passed_by() {
        let queue = Queue::new(3);
        let numbers = ['a', 'b', 'c'].map(|job| queue.bring(job).unwrap());
        assert_eq!((queue.leave(numbers[1]), queue.leave(numbers[1])), (Some('b'), None));
        assert_eq!((queue.bring('d'), queue.take()), (Ok(3), Some('a')));
        assert_eq!(queue.leave(numbers[0]), None, "it was taken");
        assert_eq!((queue.take(), queue.take()), (Some('c'), Some('d')));
    }

    #[test]
    fn a_closed_queue_is_served_to_its_end() {
        let queue = Arc::new(Queue::new(2));
        queue.bring('a').unwrap();
        queue.close();
        assert_eq!((queue.bring('b'), queue.take(), queue.take()), (Err(Refused::Closed), Some('a'), None));
    }

    #[test]
    fn closing_wakes_all_who_wait_for_a_job() {
        let queue = Arc::new(Queue::<char>::new(2));
        let threads = [(); 3].map(|()| {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || queue.take())
        });
        queue.close();
        assert_eq!(threads.map(|thread| thread.join().unwrap()), [None; 3]);
    }
}
