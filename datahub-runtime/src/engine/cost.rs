//! The cost of operations, in requests, statements and bytes, counted for the hub and for each operation.

use std::fmt;
use std::ops::Sub;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since a hub was connected. Subtract two to get what happened in between.
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
        }
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
}

impl Meter {
    /// The counts so far.
    pub(crate) fn read(&self) -> Cost {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Cost {
            requests: read(&self.requests),
            bytes_received: read(&self.bytes_received),
            bytes_sent: read(&self.bytes_sent),
            statements: read(&self.statements),
            transactions: read(&self.transactions),
        }
    }
}

tokio::task_local! {
    /// The meter of the operation that the current task carries out.
    static OPERATION: Arc<Meter>;
}

/// Runs an operation with its own meter, and returns its cost.
pub(crate) async fn metered<F: Future>(operation: F) -> (F::Output, Cost) {
    let meter = Arc::new(Meter::default());
    let output = OPERATION.scope(Arc::clone(&meter), operation).await;
    (output, meter.read())
}

/// Where costs are counted: on the hub's meter and, within an operation, on the operation's own.
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
        Meters { hub: Arc::clone(&self.hub), operation: OPERATION.try_with(Arc::clone).ok() }
    }

    pub(crate) fn request(&self, bytes: usize) {
        self.add(|meter| &meter.requests, 1);
        self.add(|meter| &meter.bytes_sent, bytes);
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.add(|meter| &meter.bytes_received, bytes);
    }

    pub(crate) fn statement(&self) {
        self.add(|meter| &meter.statements, 1);
    }

    pub(crate) fn transaction(&self) {
        self.add(|meter| &meter.transactions, 1);
    }

    fn add(&self, count: impl Fn(&Meter) -> &AtomicU64, more: usize) {
        for meter in std::iter::once(&self.hub).chain(&self.operation) {
            count(meter).fetch_add(more as u64, Ordering::Relaxed);
        }
    }
}
