//! A bounded queue of jobs for threads, served in the order of arrival. A caller that stops waiting can take its job
//! back.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A queue between callers that bring jobs and threads that take them.
pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    /// A job was added, or the queue was closed.
    changed: Condvar,
    most: usize,
}

struct State<J> {
    /// Jobs with their numbers, in ascending order.
    jobs: VecDeque<(Number, J)>,
    brought: Number,
    /// How many threads wait for a job.
    idle: usize,
    is_closed: bool,
}

/// The place of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) number: Number,
    /// Whether there are more jobs than threads that wait for one. Otherwise a thread takes it right away.
    pub(super) waits: bool,
}

/// The number of a job, counted from the queue's beginning.
pub(super) type Number = u64;

/// Why a job is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The maximum number of jobs are waiting.
    Full,
    /// The queue is closed.
    Closed,
}

impl<J> Queue<J> {
    /// A queue in which at most `most` jobs can wait.
    pub(super) fn new(most: usize) -> Self {
        let state = State { jobs: VecDeque::new(), brought: 0, idle: 0, is_closed: false };
        Queue { state: Mutex::new(state), changed: Condvar::new(), most }
    }

    /// Appends a job.
    pub(super) fn bring(&self, job: J) -> Result<Place, Refused> {
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
        let waits = state.jobs.len() > state.idle;
        drop(state);
        self.changed.notify_one();
        Ok(Place { number, waits })
    }

    /// Takes the first job, and waits for one if the queue is empty; `None` once the queue is closed and empty.
    pub(super) fn take(&self) -> Option<J> {
        let mut state = self.state();
        loop {
            match state.jobs.pop_front() {
                Some((_, job)) => return Some(job),
                None if state.is_closed => return None,
                None => {
                    state.idle += 1;
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.idle -= 1;
                }
            }
        }
    }

    /// Takes a job back; `None` if a thread has taken it.
    pub(super) fn leave(&self, number: Number) -> Option<J> {
        let mut state = self.state();
        let place = state.jobs.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        state.jobs.remove(place).map(|(_, job)| job)
    }

    /// Closes the queue: no more jobs are accepted, but those that wait are still served.
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
    fn jobs_are_served_in_order_and_the_queue_is_bounded() {
        let queue = Queue::new(2);
        let bring = |job| queue.bring(job).map(|place| place.number);
        assert_eq!((bring('a'), bring('b'), bring('c')), (Ok(0), Ok(1), Err(Refused::Full)));
        assert_eq!((queue.take(), bring('d'), queue.take(), queue.take()), (Some('a'), Ok(2), Some('b'), Some('d')));
    }

    #[test]
    fn a_caller_that_leaves_makes_room_and_is_skipped() {
        let queue = Queue::new(3);
        let numbers = ['a', 'b', 'c'].map(|job| queue.bring(job).unwrap().number);
        assert_eq!((queue.leave(numbers[1]), queue.leave(numbers[1])), (Some('b'), None));
        assert_eq!((queue.bring('d').unwrap().number, queue.take()), (3, Some('a')));
        assert_eq!(queue.leave(numbers[0]), None, "it was taken");
        assert_eq!((queue.take(), queue.take()), (Some('c'), Some('d')));
    }

    #[test]
    fn a_job_waits_only_if_there_is_no_thread_for_it() {
        let queue = Arc::new(Queue::new(9));
        assert!(queue.bring('a').unwrap().waits, "there is no thread");
        assert_eq!(queue.take(), Some('a'));
        let threads = [(); 2].map(|()| {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || queue.take())
        });
        while queue.state().idle < 2 {
            std::thread::yield_now();
        }
        // No thread can take one meanwhile.
        let mut state = queue.state();
        state.jobs.push_back((7, 'b'));
        drop(state);
        assert!(!queue.bring('c').unwrap().waits, "two jobs for two threads");
        queue.close();
        let mut taken = threads.map(|thread| thread.join().unwrap());
        taken.sort_unstable();
        assert_eq!(taken, [Some('b'), Some('c')]);
    }

    #[test]
    fn a_closed_queue_is_served_to_its_end() {
        let queue = Arc::new(Queue::new(2));
        queue.bring('a').unwrap();
        queue.close();
        assert_eq!((queue.bring('b'), queue.take(), queue.take()), (Err(Refused::Closed), Some('a'), None));
    }

    #[test]
    fn closing_wakes_all_threads_that_wait_for_a_job() {
        let queue = Arc::new(Queue::<char>::new(2));
        let threads = [(); 3].map(|()| {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || queue.take())
        });
        queue.close();
        assert_eq!(threads.map(|thread| thread.join().unwrap()), [None; 3]);
    }
}
