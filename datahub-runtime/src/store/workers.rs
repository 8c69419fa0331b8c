//! The threads that own the connections, each running one job at a time. On SQLite one writes and the others read; on
//! PostgreSQL each does both. The queues before them are fair and bounded.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use datahub_protocol::planted::{Planted, planted};
use tokio::sync::oneshot;

use super::connection::{Connection, Location};
use super::failure::Trouble;
use super::queue::{Number, Queue, Refused};
use crate::engine::clock::Clock;
use crate::engine::cost::Meters;

/// How many jobs may wait for a thread; one more is refused at once.
const WAITING_MAX: usize = 1_024;

/// How long a job waits for its turn before it is taken back.
const WAITING_TIME_MAX: Duration = Duration::from_secs(30);

type Job = Box<dyn FnOnce(Result<&mut Connection, Trouble>) + Send>;

/// The threads, and the queues before them.
#[derive(Debug)]
pub(crate) struct Workers {
    /// Where connections are alike, it is the readers' queue.
    writer: Arc<Queue<Job>>,
    readers: Arc<Queue<Job>>,
    /// Each gives its connection back in the end. The writer, where there is one, comes first.
    threads: Mutex<Vec<JoinHandle<Option<Connection>>>>,
    meters: Meters,
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
        place: &Location,
        connections: usize,
        meters: &Meters,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Trouble> {
        // Where only one connection at a time can write, the others only read; elsewhere each does both.
        let has_one_writer = place.has_one_writer();
        let readers = Arc::new(Queue::new(WAITING_MAX));
        let writer = if has_one_writer { Arc::new(Queue::new(WAITING_MAX)) } else { Arc::clone(&readers) };
        // If a thread cannot be started, dropping this ends the others.
        let workers = Workers { writer, readers, threads: Mutex::default(), meters: meters.clone() };
        let start = |name, lane, jobs| {
            let thread = Worker::start(name, place, lane, meters, clock, jobs)?;
            workers.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
            Ok(())
        };
        if has_one_writer {
            start("datahub-writer", Lane::Write, &workers.writer)?;
        }
        let lane = if has_one_writer { Lane::Read } else { Lane::Write };
        for _ in 0..connections.max(1) {
            start("datahub-database", lane, &workers.readers)?;
        }
        Ok(workers)
    }

    /// Runs a job on a thread and waits for its answer. The first poll puts it into the queue. A job that a thread has
    /// taken runs to its end even if the returned future is dropped, so no transaction is ever left open. One that still
    /// waits then is taken back if it only reads, and done in its turn if it writes. One whose turn does not come in time
    /// is not done.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        job: impl FnOnce(&mut Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let (answer, mut answered) = oneshot::channel();
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
        let queue = self.queue(lane);
        let number = queue.bring(job).map_err(|refused| match refused {
            Refused::Closed => Trouble::Closed,
            Refused::Full => Trouble::Overloaded(format!("{WAITING_MAX} jobs wait for it, and no more are taken")),
        })?;
        let _leaving = matches!(lane, Lane::Read).then(|| LeavesOnDrop { queue, number });
        let answered = match tokio::time::timeout(WAITING_TIME_MAX, &mut answered).await {
            Ok(answered) => answered,
            Err(_) if queue.leave(number).is_some() => {
                let seconds = WAITING_TIME_MAX.as_secs();
                return Err(Trouble::Overloaded(format!("a job waited {seconds} s for its turn and did not get it")));
            }
            // A thread has taken it, and tells what came of it.
            Err(_) => answered.await,
        };
        answered.unwrap_or_else(|_| {
            Err(Trouble::Unavailable("a job on it panicked; this is a bug, see the panic's message".to_owned()))
        })
    }

    pub(crate) fn are_closed(&self) -> bool {
        self.writer.is_closed()
    }

    fn queue(&self, lane: Lane) -> &Queue<Job> {
        match lane {
            Lane::Read => &self.readers,
            Lane::Write => &self.writer,
        }
    }

    /// Takes no more jobs.
    pub(crate) fn refuse(&self) {
        self.writer.close();
        self.readers.close();
    }

    /// Takes no more jobs, lets the threads finish those that wait, and closes their connections one after the other: the
    /// last one to close a SQLite file takes its log in and removes it, and of two that close at once none is the last. It
    /// blocks for that long.
    pub(crate) fn join(&self) {
        self.refuse();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let mut connections = Vec::new();
        for thread in threads {
            match thread.join() {
                Ok(connection) => connections.push(connection),
                Err(_) => tracing::error!("a thread of the hub's database ended with a panic; this is a bug"),
            }
        }
        // Those that only read go first.
        while let Some(connection) = connections.pop() {
            drop(connection);
        }
    }
}

impl Drop for Workers {
    /// The threads finish what waits, and end.
    fn drop(&mut self) {
        self.refuse();
    }
}

/// Takes a job back from the queue, if it still waits there, when nobody waits for it any more.
struct LeavesOnDrop<'q> {
    queue: &'q Queue<Job>,
    number: Number,
}

impl Drop for LeavesOnDrop<'_> {
    fn drop(&mut self) {
        drop(self.queue.leave(self.number));
    }
}

struct Worker {
    place: Location,
    lane: Lane,
    meters: Meters,
    clock: Arc<dyn Clock>,
    connection: Option<Connection>,
    jobs: Arc<Queue<Job>>,
}

impl Worker {
    fn start(
        name: &str,
        place: &Location,
        lane: Lane,
        meters: &Meters,
        clock: &Arc<dyn Clock>,
        jobs: &Arc<Queue<Job>>,
    ) -> Result<JoinHandle<Option<Connection>>, Trouble> {
        let (place, meters, clock, jobs) = (place.clone(), meters.clone(), Arc::clone(clock), Arc::clone(jobs));
        let mut worker = Worker { place, lane, meters, clock, connection: None, jobs };
        worker.connection()?;
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || worker.work())
            .map_err(|error| Trouble::Unavailable(format!("no thread could be started for it: {error}")))
    }

    fn work(mut self) -> Option<Connection> {
        while let Some(job) = self.jobs.take() {
            let is_spoilt = catch_unwind(AssertUnwindSafe(|| {
                job(self.connection());
                self.connection.as_mut().is_some_and(Connection::is_spoilt) && !planted(Planted::TransactionLeftOpen)
            }));
            if is_spoilt.unwrap_or(true) {
                // Closing the connection rolls back whatever the job left; the next job gets a new one. Even if closing it
                // panics, the thread goes on.
                let connection = self.connection.take();
                _ = catch_unwind(AssertUnwindSafe(|| drop(connection)));
            }
        }
        self.connection
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
