//! Programs at work while the database changes under them: loops of reads and writes that count what they did.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use datahub_runtime::prelude::*;
use datahub_runtime::{BoxFuture, EntryKind, HistoryEntry};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// How long a loop may take for a round before it counts as stuck.
const STUCK: Duration = Duration::from_secs(60);

/// A loop that works until it is stopped or fails.
pub(crate) struct Load {
    what: String,
    rounds: watch::Receiver<u64>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<Result<(), Error>>,
}

impl Load {
    /// Repeats this work, which gets the number of the round, from 1.
    pub(crate) fn start(
        what: impl Into<String>,
        mut work: impl FnMut(u64) -> BoxFuture<'static, Result<(), Error>> + Send + 'static,
    ) -> Load {
        let (done, rounds) = watch::channel(0);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let mut round = 0;
            while !stopped.load(Ordering::Relaxed) {
                round += 1;
                work(round).await?;
                done.send_replace(round);
                // Others share the machine.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(())
        });
        Load { what: what.into(), rounds, stop, task }
    }

    /// A program: in each round it reads every record of a model, changes one that is its own, and saves it.
    pub(crate) fn of<T: Writable + Clone>(hub: &Hub, all: &[Uuid], own: Uuid, change: fn(&mut T, u64)) -> Load {
        let (hub, all) = (hub.clone(), all.to_vec());
        Load::start(hub.actor().to_owned(), move |round| {
            let (hub, all) = (hub.clone(), all.clone());
            Box::pin(async move {
                for id in all {
                    T::get(&hub, id.into()).await?;
                }
                let mut value = T::get(&hub, own.into()).await?;
                change(&mut value, round);
                value.save(&hub).await?;
                Ok(())
            })
        })
    }

    /// A program that creates records, and remembers their ids.
    pub(crate) fn creating<T: Writable + Clone>(hub: &Hub, made: &Made, new: fn(u64) -> T) -> Load {
        let (hub, made) = (hub.clone(), made.clone());
        Load::start(format!("{} (creating)", hub.actor()), move |round| {
            let (hub, made) = (hub.clone(), made.clone());
            Box::pin(async move {
                let created = T::create(&hub, new(round)).await.map_err(Error::from)?;
                made.add(created.id().guid());
                Ok(())
            })
        })
    }

    /// Waits for this number of further rounds.
    ///
    /// # Panics
    ///
    /// If the loop has failed: there must be no error.
    pub(crate) async fn goes_on(&mut self, rounds: u64) {
        let until = *self.rounds.borrow() + rounds;
        let waited = tokio::time::timeout(STUCK, self.rounds.wait_for(|done| *done >= until)).await;
        match waited.map(|reached| reached.is_ok()) {
            Ok(true) => {}
            Ok(false) => panic!("{}: {:?}", self.what, (&mut self.task).await),
            Err(_) => panic!("{} is stuck after {} rounds", self.what, *self.rounds.borrow()),
        }
    }

    /// Stops the loop after its present round, and returns the number of rounds.
    ///
    /// # Panics
    ///
    /// If it has failed: there must have been no error.
    pub(crate) async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.task.await.unwrap_or_else(|panic| panic!("{}: {panic}", self.what));
        ended.unwrap_or_else(|error| panic!("{}: {error}", self.what));
        let rounds = *self.rounds.borrow();
        assert!(rounds > 0, "{} did nothing", self.what);
        rounds
    }

    /// Waits until the loop fails because its program is too old, and returns the number of rounds before, and the error.
    ///
    /// # Panics
    ///
    /// If it fails for another reason.
    pub(crate) async fn until_refused(self) -> (u64, Error) {
        let ended = tokio::time::timeout(STUCK, self.task).await;
        let ended = ended.unwrap_or_else(|_| panic!("{} is not refused", self.what));
        let error = ended.unwrap_or_else(|panic| panic!("{}: {panic}", self.what)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Outdated, "{}: {error}", self.what);
        (*self.rounds.borrow(), error)
    }
}

/// The ids of records that loops created.
#[derive(Clone, Default)]
pub(crate) struct Made(Arc<Mutex<Vec<Uuid>>>);

impl Made {
    fn add(&self, id: Uuid) {
        self.0.lock().unwrap().push(id);
    }

    pub(crate) fn ids(&self) -> Vec<Uuid> {
        self.0.lock().unwrap().clone()
    }
}

/// Completes the rows of a model, and returns how many were completed from what the hub has and how many were read. A record
/// that another program is writing at that moment is left for the next round.
pub(crate) async fn completed<T: CdmsSynced>(hub: &Hub) -> (u64, u64) {
    let (mut from_seen, mut read) = (0, 0);
    let begun = Instant::now();
    while begun.elapsed() < STUCK {
        let report = hub.backfill::<T>().await.unwrap();
        assert_eq!(report.quarantined, 0, "{report:?}");
        from_seen += report.from_seen;
        read += report.read + report.singly;
        if report.complete {
            return (from_seen, read);
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    panic!("the rows are never complete");
}

/// Loads a model. A record that another program is writing at that moment is left for the next round.
pub(crate) async fn loaded<T: CdmsSynced>(hub: &Hub) {
    let begun = Instant::now();
    while begun.elapsed() < STUCK {
        let report = hub.pull::<T>().await.unwrap();
        assert!(report.complete && report.quarantined == 0, "{report:?}");
        if report.pending == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    panic!("a record is always being written");
}

/// How many saves of a record by this program its history has.
pub(crate) async fn saves<T: CdmsSynced>(hub: &Hub, id: Uuid, program: &str) -> u64 {
    let history = T::history(hub, id.into()).await.unwrap();
    let is_save = |entry: &&HistoryEntry| matches!(entry.kind, EntryKind::Updated | EntryKind::LocalChanged);
    history.iter().filter(|entry| entry.program == program).filter(is_save).count() as u64
}
