//! The threads that own the connections, each running one job at a time. On SQLite one writes and the others read; on
//! PostgreSQL each does both. The queues before them are fair and bounded.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use datahub_protocol::planted::{Planted, planted};
use tokio::sync::{mpsc, oneshot};

use super::connection::{Connection, Place};
use super::failure::Trouble;
use crate::clock::Clock;
use crate::cost::Meters;

/// How many jobs may wait for a thread; one more is refused at once. They are served in the order in which they came.
const WAITING_MAX: usize = 1_024;

/// How long a job waits for its turn before it is withdrawn.
const WAITING_TIME_MAX: Duration = Duration::from_secs(30);

type Job = Box<dyn FnOnce(Result<&mut Connection, Trouble>) + Send>;

/// A job in the queue, until the thread whose turn it is takes it, or who brought it takes it back.
type Waiting = Arc<Mutex<Option<Job>>>;

fn take(waiting: &Waiting) -> Option<Job> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// The threads, and the ways to them.
#[derive(Debug)]
pub(crate) struct Workers {
    ways: Mutex<Option<Ways>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    meters: Meters,
}

#[derive(Debug)]
struct Ways {
    writer: mpsc::Sender<Waiting>,
    readers: mpsc::Sender<Waiting>,
}

/// Which thread a job needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lane {
    Read,
    Write,
}

impl Workers {
    /// Opens all connections and starts a thread for each. It blocks for as long as opening takes.
    pub(crate) fn start(
        place: &Place,
        connections: usize,
        meters: &Meters,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Trouble> {
        let (readers, reader_jobs) = mpsc::channel(WAITING_MAX);
        let reader_jobs = Arc::new(Mutex::new(reader_jobs));
        let mut threads = Vec::new();
        // Where only one connection at a time can write, the others only read; elsewhere each does both.
        let (writer, lane) = if place.has_one_writer() {
            let (writer, writer_jobs) = mpsc::channel(WAITING_MAX);
            let writer_jobs = Arc::new(Mutex::new(writer_jobs));
            threads.push(Worker::start("datahub-writer", place, Lane::Write, meters, clock, writer_jobs)?);
            (writer, Lane::Read)
        } else {
            (readers.clone(), Lane::Write)
        };
        for _ in 0..connections.max(1) {
            threads.push(Worker::start("datahub-database", place, lane, meters, clock, Arc::clone(&reader_jobs))?);
        }
        let ways = Mutex::new(Some(Ways { writer, readers }));
        Ok(Workers { ways, threads: Mutex::new(threads), meters: meters.clone() })
    }

    /// Runs a job on a thread and waits for its answer. From the first poll on it runs to its end even if the returned
    /// future is dropped, so no transaction is ever left open. A job whose turn does not come in time is not run at all.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        job: impl FnOnce(&mut Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let way = self.way(lane).ok_or(Trouble::Closed)?;
        let (answer, mut waiting) = oneshot::channel();
        let meters = self.meters.within_operation();
        let job: Job = Box::new(move |connection| {
            let done = connection.and_then(|connection| {
                connection.count_at(meters);
                let value = job(connection)?;
                if connection.is_in_transaction() {
                    let reason = "a job left its transaction open, which undoes what it did; this is a bug";
                    return Err(Trouble::Other(reason.to_owned()));
                }
                Ok(value)
            });
            // Nobody waits any more when the caller's future was dropped; the work is done all the same.
            let _ = answer.send(done);
        });
        let job: Waiting = Arc::new(Mutex::new(Some(job)));
        let queued = Arc::downgrade(&job);
        match way.try_send(job) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(Trouble::Closed),
            Err(mpsc::error::TrySendError::Full(_)) => {
                return Err(Trouble::Overloaded(format!("{WAITING_MAX} jobs wait for it, and no more are taken")));
            }
        }
        // A way that is held keeps a thread from ending.
        drop(way);
        let answered = match tokio::time::timeout(WAITING_TIME_MAX, &mut waiting).await {
            Ok(answered) => answered,
            Err(_) if queued.upgrade().is_some_and(|job| take(&job).is_some()) => {
                let seconds = WAITING_TIME_MAX.as_secs();
                return Err(Trouble::Overloaded(format!("a job waited {seconds} s for its turn and did not get it")));
            }
            Err(_) => waiting.await,
        };
        answered.unwrap_or_else(|_| {
            Err(Trouble::Unavailable("a job on it panicked; this is a bug, see the panic's message".to_owned()))
        })
    }

    pub(crate) fn are_closed(&self) -> bool {
        self.way(Lane::Write).is_none()
    }

    fn way(&self, lane: Lane) -> Option<mpsc::Sender<Waiting>> {
        let ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        ways.as_ref().map(|ways| match lane {
            Lane::Read => ways.readers.clone(),
            Lane::Write => ways.writer.clone(),
        })
    }

    /// Takes no more jobs.
    pub(crate) fn refuse(&self) {
        drop(self.ways.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Takes no more jobs, lets the threads finish those that wait, and joins them. It blocks for that long.
    pub(crate) fn join(&self) {
        self.refuse();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the hub's database ended with a panic; this is a bug");
            }
        }
    }
}

struct Worker {
    place: Place,
    lane: Lane,
    meters: Meters,
    clock: Arc<dyn Clock>,
    connection: Option<Connection>,
    jobs: Arc<Mutex<mpsc::Receiver<Waiting>>>,
}

impl Worker {
    fn start(
        name: &str,
        place: &Place,
        lane: Lane,
        meters: &Meters,
        clock: &Arc<dyn Clock>,
        jobs: Arc<Mutex<mpsc::Receiver<Waiting>>>,
    ) -> Result<JoinHandle<()>, Trouble> {
        let (place, meters, clock) = (place.clone(), meters.clone(), Arc::clone(clock));
        let mut worker = Worker { place, lane, meters, clock, connection: None, jobs };
        worker.connection()?;
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || worker.work())
            .map_err(|error| Trouble::Unavailable(format!("no thread could be started for it: {error}")))
    }

    fn work(mut self) {
        loop {
            // The readers share one queue: whoever holds the lock takes the next job and lets go before running it.
            let next = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
            let Some(waiting) = next else { return };
            let Some(job) = take(&waiting) else { continue };
            let run = catch_unwind(AssertUnwindSafe(|| job(self.connection())));
            let spoilt = self.connection.as_mut().is_some_and(Connection::is_spoilt);
            if run.is_err() || (spoilt && !planted(Planted::TransactionLeftOpen)) {
                // Closing the connection rolls back whatever the job left; the next job gets a new one.
                self.connection = None;
            }
        }
    }

    fn connection(&mut self) -> Result<&mut Connection, Trouble> {
        // The database may have hung up while the connection had nothing to do.
        let spoilt = |connection: &mut Connection| connection.is_spoilt() && !planted(Planted::TransactionLeftOpen);
        if self.connection.as_mut().is_none_or(spoilt) {
            let reader = matches!(self.lane, Lane::Read);
            self.connection = Some(self.place.open(reader, self.meters.clone(), Arc::clone(&self.clock))?);
        }
        // It was just made if it was not there.
        self.connection.as_mut().ok_or(Trouble::Closed)
    }
}
