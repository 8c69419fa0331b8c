//! The cost of operations, in requests, bytes, statements, jobs and time, counted for the hub and for each operation.

use std::fmt;
use std::iter::successors;
use std::ops::{AddAssign, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::engine::budget::Account;

/// What operations cost: one of them ([`Synced::cost`](crate::Synced::cost) and the `cost` of reports), some of them
/// ([`Cost::of`]), or all of a hub since it was connected ([`Hub::cost`](crate::Hub::cost)).
///
/// Costs of one hub can be subtracted to get what happened in between.
///
/// A check that several callers share is paid by the caller that began it; for the others it costs time and nothing else.
/// So the costs of all operations add up to the hub's, together with what the background does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Cost {
    /// HTTP requests sent to CDMS, logins included.
    pub requests: u64,
    /// Bytes of response bodies, after decompression.
    pub bytes_received: u64,
    /// Bytes of request bodies.
    pub bytes_sent: u64,
    /// SQL statements, except those that begin and end transactions.
    pub statements: u64,
    /// Transactions that could write.
    pub transactions: u64,
    /// How often a server of the database was waited for. Statements whose results are not needed share the round trip of
    /// another. None with SQLite, which has no server.
    pub round_trips: u64,
    /// Jobs for the threads of the hub's database. Each is a hop to such a thread and back, with all statements of one
    /// transaction or of one load.
    pub jobs: u64,
    /// How long it took. Of a hub, the times of all operations that callers have waited for, added up.
    pub time: Duration,
}

impl Cost {
    /// Awaits a future, and returns its output with what the hub's operations in it cost, of any hub. For a whole handler
    /// of a web service, for an operation whose result has no cost of its own, and for one that fails.
    ///
    /// ```no_run
    /// # use datahub_runtime::{Cost, prelude::*};
    /// # #[derive(Clone, CdmsSynced)]
    /// # #[cdms(mapping = "account.toml", table = "organisations")]
    /// # struct Organisation {
    /// #     #[cdms(key)]
    /// #     id: Id<Organisation>,
    /// #     #[cdms("Name")]
    /// #     name: String,
    /// # }
    /// # async fn show(hub: &Hub, id: Id<Organisation>) -> Result<(), Error> {
    /// let (history, cost) = Cost::of(Organisation::history(hub, id)).await;
    /// println!("{} entries for {cost}", history?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Operations in tasks that the future spawns are not counted. Dropping the future drops the one that is awaited.
    pub async fn of<F: IntoFuture>(operations: F) -> (F::Output, Cost) {
        metered(operations.into_future()).await
    }
}

impl Sub for Cost {
    type Output = Cost;

    fn sub(self, earlier: Cost) -> Cost {
        Cost {
            requests: self.requests - earlier.requests,
            bytes_received: self.bytes_received - earlier.bytes_received,
            bytes_sent: self.bytes_sent - earlier.bytes_sent,
            statements: self.statements - earlier.statements,
            transactions: self.transactions - earlier.transactions,
            round_trips: self.round_trips - earlier.round_trips,
            jobs: self.jobs - earlier.jobs,
            time: self.time.saturating_sub(earlier.time),
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, more: Cost) {
        self.requests += more.requests;
        self.bytes_received += more.bytes_received;
        self.bytes_sent += more.bytes_sent;
        self.statements += more.statements;
        self.transactions += more.transactions;
        self.round_trips += more.round_trips;
        self.jobs += more.jobs;
        self.time += more.time;
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u64, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        write!(
            f,
            "{}, {}, {}",
            plural(self.requests, "request"),
            plural(self.statements, "statement"),
            plural(self.transactions, "transaction")
        )
    }
}

/// Counts that are still growing.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    requests: AtomicU64,
    bytes_received: AtomicU64,
    bytes_sent: AtomicU64,
    statements: AtomicU64,
    transactions: AtomicU64,
    round_trips: AtomicU64,
    jobs: AtomicU64,
    nanoseconds: AtomicU64,
    /// The meter of what this one is a part of.
    whole: Option<Arc<Meter>>,
    /// The place on a budget, of a caller's operation that has one.
    account: Option<Account>,
    /// Whether this is the meter of a caller's operation.
    is_call: bool,
}

impl Meter {
    /// The counts so far.
    fn read(&self) -> Cost {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Cost {
            requests: read(&self.requests),
            bytes_received: read(&self.bytes_received),
            bytes_sent: read(&self.bytes_sent),
            statements: read(&self.statements),
            transactions: read(&self.transactions),
            round_trips: read(&self.round_trips),
            jobs: read(&self.jobs),
            time: Duration::from_nanos(read(&self.nanoseconds)),
        }
    }

    /// This meter, and those of what it is a part of.
    fn and_wholes(&self) -> impl Iterator<Item = &Meter> {
        successors(Some(self), |meter| meter.whole.as_deref())
    }
}

tokio::task_local! {
    /// The meter of the operation that the current task carries out.
    static OPERATION: Arc<Meter>;
}

fn current() -> Option<Arc<Meter>> {
    OPERATION.try_with(Arc::clone).ok()
}

/// Runs an operation with its own meter, and returns its cost. It also counts for what it is a part of.
pub(crate) async fn metered<F: Future>(operation: F) -> (F::Output, Cost) {
    let meter = Meter { whole: current(), ..Meter::default() };
    on(meter, operation).await
}

/// Like [`metered`], for a caller's operation, with its place on a budget.
pub(crate) async fn metered_call<F: Future>(account: Option<Account>, operation: F) -> (F::Output, Cost) {
    let meter = Meter { whole: current(), account, is_call: true, ..Meter::default() };
    on(meter, operation).await
}

async fn on<F: Future>(meter: Meter, operation: F) -> (F::Output, Cost) {
    let (meter, begun) = (Arc::new(meter), Instant::now());
    let output = OPERATION.scope(Arc::clone(&meter), operation).await;
    let cost = Cost { time: begun.elapsed(), ..meter.read() };
    (output, cost)
}

/// A part of the current operation that runs in a task of its own: it counts for the operation, also if the operation's
/// future is dropped.
pub(crate) fn part<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let (meter, work) = (current(), Box::pin(work));
    async move {
        match meter {
            Some(meter) => OPERATION.scope(meter, work).await,
            None => work.await,
        }
    }
}

/// Whether the current task carries out a caller's operation, so that another one is a part of it.
pub(crate) fn is_within_call() -> bool {
    current().is_some_and(|meter| meter.and_wholes().any(|meter| meter.is_call))
}

/// Asks the current operation's place on its budget, if it has one.
pub(crate) fn with_account<R>(ask: impl FnOnce(&Account) -> R) -> Option<R> {
    let meter = current()?;
    let account = meter.and_wholes().find_map(|meter| meter.account.as_ref())?;
    Some(ask(account))
}

/// Where costs are counted: on the hub's meter and, within an operation, on the operation's own and those that it is a
/// part of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meters {
    hub: Arc<Meter>,
    operation: Option<Arc<Meter>>,
}

impl Meters {
    /// The cost of the hub so far.
    pub(crate) fn of_hub(&self) -> Cost {
        self.hub.read()
    }

    /// The hub's meter and that of the operation that the current task carries out.
    pub(crate) fn within_operation(&self) -> Self {
        Meters { hub: Arc::clone(&self.hub), operation: current() }
    }

    pub(crate) fn request(&self, bytes: usize) {
        self.add(|meter| &meter.requests, 1);
        self.add(|meter| &meter.bytes_sent, bytes as u64);
        self.all().filter_map(|meter| meter.account.as_ref()).for_each(Account::request);
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.add(|meter| &meter.bytes_received, bytes as u64);
    }

    pub(crate) fn statement(&self) {
        self.add(|meter| &meter.statements, 1);
    }

    pub(crate) fn transaction(&self) {
        self.add(|meter| &meter.transactions, 1);
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn round_trips(&self, count: u64) {
        self.add(|meter| &meter.round_trips, count);
    }

    pub(crate) fn job(&self) {
        self.add(|meter| &meter.jobs, 1);
    }

    /// Adds how long a caller's operation took to the hub's time.
    pub(crate) fn took(&self, time: Duration) {
        self.hub.nanoseconds.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn all(&self) -> impl Iterator<Item = &Meter> {
        let of_operation = self.operation.iter().flat_map(|meter| meter.and_wholes());
        std::iter::once(&*self.hub).chain(of_operation)
    }

    fn add(&self, count: impl Fn(&Meter) -> &AtomicU64, more: u64) {
        for meter in self.all() {
            count(meter).fetch_add(more, Ordering::Relaxed);
        }
    }
}
