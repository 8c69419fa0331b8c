//! The threads that own the connections. Each runs one job at a time. On SQLite one thread writes and the others read;
//! on PostgreSQL each does both. Their queues are fair and bounded.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use datahub_protocol::planted::{Planted, planted};
use tokio::sync::oneshot;

use super::connection::Connection;
use super::failure::Trouble;
use super::location::Location;
use super::queue::{Number, Place, Queue, Refused};
use super::seen::KnownNames;
use super::sequence::NewestKnown;
use crate::engine::clock::Clock;
use crate::engine::cost::Meters;

/// The maximum number of jobs that wait for a thread; further ones are rejected at once.
const WAITING_MAX: usize = 1_024;

/// How long a job waits for its turn before it is cancelled.
const WAITING_TIME_MAX: Duration = Duration::from_secs(30);

type Job = Box<dyn FnOnce(Result<&mut Connection, Trouble>) + Send>;

/// The threads and their queues.
#[derive(Debug)]
pub(crate) struct Workers {
    /// The same as the readers' queue if all connections can write.
    writer: Arc<Queue<Job>>,
    readers: Arc<Queue<Job>>,
    /// Each returns its connection at its end. The writer, if there is one, comes first.
    threads: Mutex<Vec<JoinHandle<Option<Connection>>>>,
    meters: Meters,
    /// The newest version that one of the connections has drawn.
    pub(super) newest_known: NewestKnown,
}

/// The kind of thread that a job needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lane {
    Read,
    Write,
}

impl Workers {
    /// Opens all connections and starts a thread for each. Blocks while the connections are opened.
    pub(crate) fn start(
        location: &Location,
        connections: usize,
        meters: &Meters,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Trouble> {
        // If only one connection at a time can write, the others only read; otherwise each does both.
        let has_one_writer = location.has_one_writer();
        let readers = Arc::new(Queue::new(WAITING_MAX));
        let writer = if has_one_writer { Arc::new(Queue::new(WAITING_MAX)) } else { Arc::clone(&readers) };
        // If a thread cannot be started, dropping this stops the others.
        let workers = Workers {
            writer,
            readers,
            threads: Mutex::default(),
            meters: meters.clone(),
            newest_known: NewestKnown::default(),
        };
        let known_names = KnownNames::default();
        let start = |name, lane, jobs| {
            let thread = Worker {
                location: location.clone(),
                lane,
                meters: meters.clone(),
                clock: Arc::clone(clock),
                connection: None,
                jobs: Arc::clone(jobs),
                newest_known: workers.newest_known.clone(),
                known_names: known_names.clone(),
            };
            let thread = thread.start(name)?;
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

    /// Runs a job on a thread and waits for its result. The first poll puts the job into the queue. Once a thread has
    /// taken the job, it runs to its end even if the returned future is dropped, so that no transaction is left open.
    /// If the future is dropped while the job is still waiting, the job is cancelled if it only reads, and runs in its
    /// turn if it writes. A job whose turn does not come in time is cancelled.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        job: impl FnOnce(&mut Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let (answer, mut answered) = oneshot::channel();
        let meters = self.meters.within_operation();
        meters.job();
        let job: Job = Box::new(move |connection| {
            let done = connection.and_then(|connection| {
                connection.count_at(meters);
                let value = job(connection);
                connection.count_round_trips();
                let value = value?;
                if connection.is_in_transaction() {
                    let reason = "a job left its transaction open, so it was rolled back; this is a bug";
                    return Err(Trouble::Other(reason.to_owned()));
                }
                Ok(value)
            });
            // If the caller's future was dropped, the result is not needed, but the work is done anyway.
            let _ = answer.send(done);
        });
        let queue = self.queue(lane);
        let Place { number, waits } = queue.bring(job).map_err(|refused| match refused {
            Refused::Closed => Trouble::Closed,
            Refused::Full => {
                Trouble::Overloaded(format!("{WAITING_MAX} jobs are waiting for it, which is the maximum"))
            }
        })?;
        let _leaving = matches!(lane, Lane::Read).then(|| LeavesOnDrop { queue, number });
        // To set a timer wakes the runtime, which costs as much as a small job.
        let in_time = if waits { tokio::time::timeout(WAITING_TIME_MAX, &mut answered).await.ok() } else { None };
        let answered = match in_time {
            Some(answered) => answered,
            None if waits && queue.leave(number).is_some() => {
                let seconds = WAITING_TIME_MAX.as_secs();
                return Err(Trouble::Overloaded(format!("a job waited {seconds} s for its turn and was cancelled")));
            }
            // A thread has taken the job, or is about to, and will return its result.
            None => answered.await,
        };
        answered.unwrap_or_else(|_| {
            Err(Trouble::Unavailable("a job panicked; this is a bug, see the panic's message".to_owned()))
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

    /// Stops accepting jobs.
    pub(crate) fn refuse(&self) {
        self.writer.close();
        self.readers.close();
    }

    /// Stops accepting jobs, lets the threads finish the waiting ones, and closes their connections one after the
    /// other: the last connection to a SQLite file merges the log into it and removes the log, but if two close at
    /// once, neither is the last. Blocks until that is done.
    pub(crate) fn join(&self) {
        self.refuse();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let mut connections = Vec::new();
        for thread in threads {
            match thread.join() {
                Ok(connection) => connections.push(connection),
                Err(_) => tracing::error!("a thread of the hub's database panicked; this is a bug"),
            }
        }
        // Read-only connections are closed first.
        while let Some(connection) = connections.pop() {
            drop(connection);
        }
    }
}

impl Drop for Workers {
    /// Lets the threads finish the waiting jobs and stop.
    fn drop(&mut self) {
        self.refuse();
    }
}

/// Takes a job back from the queue when the caller stops waiting, unless a thread has taken it.
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
    location: Location,
    lane: Lane,
    meters: Meters,
    clock: Arc<dyn Clock>,
    connection: Option<Connection>,
    jobs: Arc<Queue<Job>>,
    newest_known: NewestKnown,
    known_names: KnownNames,
}

impl Worker {
    fn start(mut self, name: &str) -> Result<JoinHandle<Option<Connection>>, Trouble> {
        self.connection()?;
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || self.work())
            .map_err(|error| Trouble::Unavailable(format!("a thread for it could not be started: {error}")))
    }

    fn work(mut self) -> Option<Connection> {
        while let Some(job) = self.jobs.take() {
            let is_spoilt = catch_unwind(AssertUnwindSafe(|| {
                job(self.connection());
                let is_left = |connection: &mut Connection| connection.is_spoilt() || connection.is_in_transaction();
                self.connection.as_mut().is_some_and(is_left) && !planted(Planted::TransactionLeftOpen)
            }));
            if is_spoilt.unwrap_or(true) {
                // Closing the connection rolls back whatever the job left open, and the next job gets a new connection.
                // Even if closing panics, the thread continues.
                let connection = self.connection.take();
                _ = catch_unwind(AssertUnwindSafe(|| drop(connection)));
            }
        }
        self.connection
    }

    fn connection(&mut self) -> Result<&mut Connection, Trouble> {
        // The database may have closed the connection while it was idle.
        let spoilt = |connection: &mut Connection| {
            connection.was_closed() || connection.is_spoilt() && !planted(Planted::TransactionLeftOpen)
        };
        if self.connection.as_mut().is_none_or(spoilt) {
            let reader = matches!(self.lane, Lane::Read);
            let opened = Connection::open(&self.location, reader, self.meters.clone(), Arc::clone(&self.clock))?;
            self.connection = Some(opened.tells(&self.newest_known).knows(&self.known_names));
        }
        // The connection was opened above if there was none.
        self.connection.as_mut().ok_or(Trouble::Closed)
    }
}
