//! Locks by record, within one program.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use uuid::Uuid;

/// A record, whichever model it is read through: its entity and id.
pub(crate) type RecordKey = (&'static str, Uuid);

/// One lock for each record that somebody holds or waits for; the others cost nothing.
#[derive(Debug, Default)]
pub(crate) struct RecordLocks {
    held: Arc<Mutex<HashMap<RecordKey, Arc<AsyncMutex<()>>>>>,
}

/// The lock of one record, until dropped.
#[derive(Debug)]
pub(crate) struct RecordGuard {
    held: Arc<Mutex<HashMap<RecordKey, Arc<AsyncMutex<()>>>>>,
    key: RecordKey,
    guard: Option<OwnedMutexGuard<()>>,
}

impl RecordLocks {
    /// Waits for a record's lock, in the order of asking. Dropping the future gives up the place.
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
        // Whoever waits keeps the lock alive; nobody new can come while the map is held.
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
