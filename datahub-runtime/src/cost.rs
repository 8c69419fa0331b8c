//! What operations cost: requests, statements, bytes.

use std::fmt;
use std::ops::Sub;

/// Counts since a hub was connected; subtract two to get what happened between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Cost {
    /// HTTP requests sent to CDMS, logins included.
    pub requests: u64,
    /// Bytes of answers' bodies, after decompression.
    pub bytes_received: u64,
    /// Bytes of requests' bodies.
    pub bytes_sent: u64,
    /// SQL statements, without those that begin and end transactions.
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
