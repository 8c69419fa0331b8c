//! Turns of requests: so many at once, in the order of arrival. How many may change while requests are under way.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Turns for a number of requests at once.
#[derive(Debug)]
pub(super) struct Turns {
    permits: Arc<Semaphore>,
    size: Mutex<Size>,
}

#[derive(Debug)]
struct Size {
    now: usize,
    /// How many turns that are under way are not given again at their end, because there are fewer by now.
    owed: usize,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    turns: Arc<Turns>,
    /// It is there until the turn ends.
    permit: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// So many turns at once.
    pub(super) fn new(size: usize) -> Arc<Self> {
        let now = size.min(Semaphore::MAX_PERMITS);
        Arc::new(Turns { permits: Arc::new(Semaphore::new(now)), size: Mutex::new(Size { now, owed: 0 }) })
    }

    /// Waits for a turn, in the order of arrival. Dropping the future gives up the place in the line.
    pub(super) async fn take(self: &Arc<Self>) -> Option<Permit> {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        Some(Permit { turns: Arc::clone(self), permit: Some(permit) })
    }

    /// How many turns there are.
    pub(super) fn size(&self) -> usize {
        self.size.lock().unwrap_or_else(PoisonError::into_inner).now
    }

    /// How many turns are taken.
    pub(super) fn taken(&self) -> usize {
        let size = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        (size.now + size.owed).saturating_sub(self.permits.available_permits())
    }

    /// Changes how many turns there are. If there are fewer, those that are under way come to their end.
    pub(super) fn resize(&self, to: usize) {
        let to = to.min(Semaphore::MAX_PERMITS);
        let mut size = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        if to < size.now {
            let less = size.now - to;
            size.owed += less - self.permits.forget_permits(less);
        } else {
            let more = to - size.now;
            let kept = more.min(size.owed);
            size.owed -= kept;
            self.permits.add_permits(more - kept);
        }
        size.now = to;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        let mut size = self.turns.size.lock().unwrap_or_else(PoisonError::into_inner);
        if size.owed > 0 {
            size.owed -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn taken(turns: &Arc<Turns>) -> Option<Permit> {
        turns.take().now_or_never().flatten()
    }

    #[test]
    fn fewer_turns_are_given_again_as_those_under_way_end() {
        let turns = Turns::new(4);
        let mut under_way: Vec<_> = (0..3).map(|_| taken(&turns).expect("there are four")).collect();
        turns.resize(2);
        assert_eq!((turns.size(), turns.taken()), (2, 3));
        assert!(taken(&turns).is_none(), "more than two are under way");
        under_way.pop();
        assert!(taken(&turns).is_none(), "two are");
        under_way.pop();
        let again = taken(&turns).expect("one is");
        assert_eq!((turns.taken(), taken(&turns).is_none()), (2, true));
        drop((under_way, again));
        assert_eq!(turns.taken(), 0);
    }

    #[test]
    fn more_turns_are_there_at_once_for_those_who_wait_in_the_order_of_arrival() {
        let turns = Turns::new(1);
        let under_way = taken(&turns);
        let (mut first, mut second) = (Box::pin(turns.take()), Box::pin(turns.take()));
        assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
        turns.resize(2);
        assert!(second.as_mut().now_or_never().is_none(), "the other came before");
        let first = first.now_or_never().flatten().expect("there are two now");
        drop(under_way);
        let second = second.now_or_never().flatten().expect("one has ended");
        assert_eq!(turns.taken(), 2);
        drop((first, second));
    }

    #[test]
    fn turns_that_are_owed_are_kept_when_there_are_more_again() {
        let turns = Turns::new(3);
        let under_way: Vec<_> = (0..3).map(|_| taken(&turns).expect("there are three")).collect();
        turns.resize(1);
        turns.resize(3);
        assert!(taken(&turns).is_none(), "three are under way");
        drop(under_way);
        let again: Vec<_> = std::iter::from_fn(|| taken(&turns)).collect();
        assert_eq!(again.len(), 3);
    }
}
