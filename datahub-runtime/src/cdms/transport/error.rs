//! Why a request got no whole answer: nothing was sent, or it was sent and the answer is lost.

use std::error::Error;
use std::fmt::Write as _;
use std::io;

/// Why a request got no whole answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// Nothing was sent.
    #[error(transparent)]
    NotSent(#[from] NotSent),
    /// It was sent, at least in part.
    #[error(transparent)]
    Lost(#[from] Lost),
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSent {
    /// Its turn did not come.
    #[error(
        "{others} other requests are under way, and none came to an end; if CDMS bears more at once, raise \
         `concurrent_requests` on the hub's builder"
    )]
    NoTurn {
        /// How many requests may be under way at once.
        others: usize,
    },
    /// When its turn came it might not be sent any more.
    #[error("this program's lease on the record is nearly over")]
    Lease,
    /// Its address is none.
    #[error("{url} is no URL: {source}")]
    Address {
        /// What was given for it.
        url: String,
        /// What is wrong with it.
        source: url::ParseError,
    },
    /// The host has no address.
    #[error("{}", in_words(.0))]
    Dns(#[source] reqwest::Error),
    /// The host takes no connection.
    #[error("{}", in_words(.0))]
    Connect(#[source] reqwest::Error),
    /// The host cannot show who it is, or cannot speak in secret.
    #[error("{}", in_words(.0))]
    Tls(#[source] reqwest::Error),
    /// It is no request that can be sent.
    #[error("{}", in_words(.0))]
    Request(#[source] reqwest::Error),
}

/// Why the answer to a request that was sent is lost.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// None came in time.
    #[error("{}", in_words(.0))]
    TimedOut(#[source] reqwest::Error),
    /// The connection ended before it came, or what came is none.
    #[error("{}", in_words(.0))]
    Broken(#[source] reqwest::Error),
    /// It began and did not come to its end.
    #[error("the answer broke off: {}", in_words(.0))]
    Truncated(#[source] reqwest::Error),
    /// It is larger than the hub reads.
    #[error(
        "the answer is larger than {max} bytes, and the hub reads no more of one; if it is no mistake, raise \
         `max_answer_bytes` on its builder"
    )]
    TooLarge {
        /// The largest answer that is read, in bytes.
        max: usize,
    },
}

impl NoAnswer {
    /// What it means that sending a request ended with this error before an answer began.
    pub(super) fn of_sending(error: reqwest::Error) -> Self {
        // The address may carry what nobody should read in a log.
        let error = error.without_url();
        if error.is_connect() {
            return NoAnswer::NotSent(match hurdle(&error) {
                Hurdle::Dns => NotSent::Dns(error),
                Hurdle::Tls => NotSent::Tls(error),
                Hurdle::Other => NotSent::Connect(error),
            });
        }
        if error.is_builder() {
            return NoAnswer::NotSent(NotSent::Request(error));
        }
        NoAnswer::Lost(if error.is_timeout() { Lost::TimedOut(error) } else { Lost::Broken(error) })
    }

    /// What it means that reading an answer ended with this error.
    pub(super) fn of_reading(error: reqwest::Error) -> Self {
        NoAnswer::Lost(Lost::Truncated(error.without_url()))
    }

    /// Whether CDMS could not be reached. A connection that breaks is no outage yet.
    pub(super) fn is_outage(&self) -> bool {
        use NotSent::{Connect, Dns, Tls};
        matches!(self, NoAnswer::NotSent(Dns(_) | Connect(_) | Tls(_)) | NoAnswer::Lost(Lost::TimedOut(_)))
    }
}

/// What keeps a connection from being made.
enum Hurdle {
    Dns,
    Tls,
    Other,
}

fn hurdle(error: &(dyn Error + 'static)) -> Hurdle {
    // The HTTP client has no type for it.
    if error.to_string() == "dns error" {
        return Hurdle::Dns;
    }
    if error.is::<rustls::Error>() {
        return Hurdle::Tls;
    }
    // What an I/O error wraps is not its source.
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source()) {
        Some(inner) => hurdle(inner),
        None => Hurdle::Other,
    }
}

/// An error with all its causes, without the address.
pub(super) fn in_words(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "no answer in time".to_owned() } else { String::new() };
    let mut cause = error.source();
    while let Some(inner) = cause {
        let separator = if text.is_empty() { "" } else { ": " };
        // Writing to a string cannot fail.
        _ = write!(text, "{separator}{inner}");
        cause = inner.source();
    }
    if text.is_empty() { "the request failed".to_owned() } else { text }
}
