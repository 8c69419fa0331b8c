//! Locks by record, within one program.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use uuid::Uuid;

/// A record, through any model: its entity and id.
pub(crate) type RecordKey = (&'static str, Uuid);

/// A lock for each record that is held or waited for; other records cost nothing.
#[derive(Debug, Default)]
pub(crate) struct RecordLocks {
    held: Arc<Mutex<HashMap<RecordKey, Arc<AsyncMutex<()>>>>>,
}

/// Holds the lock of one record until dropped.
#[derive(Debug)]
pub(crate) struct RecordGuard {
    held: Arc<Mutex<HashMap<RecordKey, Arc<AsyncMutex<()>>>>>,
    key: RecordKey,
    guard: Option<OwnedMutexGuard<()>>,
}

impl RecordLocks {
    /// Waits for a record's lock, in order of arrival. Dropping the future gives up the place in the queue.
    pub(crate) async fn lock(&self, key: RecordKey) -> RecordGuard {
        let lock = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(held.entry(key).or_default())
        };
        let mut guard = RecordGuard { held: Arc::clone(&self.held), key, guard: None };
        guard.guard = Some(lock.lock_owned().await);
        guard
    }
}

impl Drop for RecordGuard {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.guard = None;
        // Every waiter keeps the lock alive, and no new one can arrive while the map is locked.
        if held.get(&self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            held.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_record_is_held_once_and_forgotten_afterwards() {
        let locks = RecordLocks::default();
        let key = ("Account", Uuid::nil());
        let first = locks.lock(key).await;
        let other = locks.lock(("Contact", Uuid::nil())).await;
        let mut second = Box::pin(locks.lock(key));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        drop(second.await);
        let given_up = Box::pin(locks.lock(key));
        drop(given_up);
        drop(other);
        assert!(locks.held.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_record_that_is_waited_for_is_not_given_to_who_comes_later() {
        let locks = RecordLocks::default();
        let key = ("Account", Uuid::nil());
        let first = locks.lock(key).await;
        let mut second = Box::pin(locks.lock(key));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        let mut third = Box::pin(locks.lock(key));
        assert!(futures_util::poll!(&mut third).is_pending(), "the second has it");
        let second = second.await;
        assert!(futures_util::poll!(&mut third).is_pending());
        drop(second);
        drop(third.await);
    }
}
