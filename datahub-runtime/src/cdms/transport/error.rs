//! Why a request got no complete response: it was not sent, or it was sent and the response is lost.

use std::error::Error;
use std::fmt::Write as _;
use std::io;

use super::Network;
use super::handshake;
use super::{HEADER_BYTES_MAX, HEADERS_MAX};

/// Why a request got no complete response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoResponse {
    /// The request was not sent.
    #[error(transparent)]
    NotSent(#[from] NotSent),
    /// The request was sent, at least in part.
    #[error(transparent)]
    Lost(#[from] Lost),
}

/// Why a request was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSent {
    /// Too many other requests were under way.
    #[error(
        "{others} other requests are under way, and none came to an end; if CDMS bears more at once, raise \
         `concurrent_requests` on the hub's builder"
    )]
    NoTurn {
        /// How many requests may be under way at once.
        others: usize,
    },
    /// All connections of its session were in use.
    #[error("all connections of the session ({at_once}) are in use, and none came free")]
    NoConnection {
        /// How many requests may use them at once.
        at_once: usize,
    },
    /// When its turn came the lease was too short.
    #[error("this program's lease on the record is nearly over")]
    Lease,
    /// The address is not a URL.
    #[error("invalid URL {url}: {source}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        source: url::ParseError,
    },
    /// The name of the host could not be resolved.
    #[error("{}", in_words(.0))]
    Dns(#[source] reqwest::Error),
    /// The proxy gave no connection to the server.
    #[error("{proxy} gives no connection: {}", in_words(.source))]
    Proxy {
        /// Which proxy, and where it is stated.
        proxy: String,
        /// Whether it asks for a login of its own.
        asks_for_login: bool,
        /// The error of the HTTP client.
        source: reqwest::Error,
    },
    /// No connection could be made.
    #[error("{}", in_words(.0))]
    Connect(#[source] reqwest::Error),
    /// The connection could not be secured with TLS.
    #[error("no secure connection to {host}: {words}")]
    Tls {
        /// The host, which is CDMS's or that of a token service.
        host: String,
        /// What went wrong, and what to do.
        words: String,
        /// The error of the HTTP client.
        source: reqwest::Error,
    },
    /// The request is not valid.
    #[error("{}", in_words(.0))]
    Request(#[source] reqwest::Error),
}

/// Why the response to a request that was sent is lost.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// It did not come in time.
    #[error("{}", in_words(.0))]
    TimedOut(#[source] reqwest::Error),
    /// The connection ended before it began, or what came is not HTTP.
    #[error("{}", in_words(.0))]
    Broken(#[source] reqwest::Error),
    /// A server without TLS ended the connection before an answer came.
    #[error("the server closed the connection without an answer; if it speaks TLS, write https:// in its address")]
    Closed(#[source] reqwest::Error),
    /// It has more headers, or larger ones, than the hub reads.
    #[error(
        "the answer has more than {HEADERS_MAX} headers, or more than {} KiB of them, which no CDMS sends; look for a proxy or \
         a firewall that adds them",
        HEADER_BYTES_MAX / 1024
    )]
    Headers,
    /// It began and was cut off.
    #[error("the answer broke off: {}", in_words(.0))]
    Truncated(#[source] reqwest::Error),
    /// It is larger than the hub reads.
    #[error(
        "the answer is larger than the limit of {max} bytes; if such an answer is expected, raise `max_answer_bytes` on \
         the hub's builder"
    )]
    TooLarge {
        /// The largest body that is read, in bytes.
        max: usize,
    },
}

impl NoResponse {
    /// Classifies an error that occurred before a response began.
    pub(super) fn of_sending(error: reqwest::Error, network: &Network) -> Self {
        // The address may contain what must not be logged.
        let url = error.url().cloned();
        let error = error.without_url();
        if error.is_connect() {
            if let Some(fault) = of_tunnel(&error) {
                let asks_for_login = fault.contains("authorization required");
                return NotSent::Proxy { proxy: network.proxy_in_words(), asks_for_login, source: error }.into();
            }
            if is_of_dns(&error) {
                return NotSent::Dns(error).into();
            }
            // A proxy ends connections, too, and is reached without TLS.
            let host =
                url.filter(|url| url.scheme() == "https").map(|url| url.host_str().unwrap_or_default().to_owned());
            let words = handshake::in_words(&error);
            return NoResponse::NotSent(match host.zip(words) {
                Some((host, words)) => NotSent::Tls { host, words, source: error },
                None => NotSent::Connect(error),
            });
        }
        if error.is_builder() {
            return NoResponse::NotSent(NotSent::Request(error));
        }
        NoResponse::Lost(match error.is_timeout() {
            true => Lost::TimedOut(error),
            false if has_too_large_a_head(&error) => Lost::Headers,
            false if url.is_some_and(|url| url.scheme() == "http") && is_closed(&error) => Lost::Closed(error),
            false => Lost::Broken(error),
        })
    }

    /// Classifies an error that occurred while a response was read.
    pub(super) fn of_reading(error: reqwest::Error) -> Self {
        NoResponse::Lost(Lost::Truncated(error.without_url()))
    }

    /// Whether CDMS could not be reached. A connection that breaks is not an outage yet.
    pub(super) fn is_outage(&self) -> bool {
        use NotSent::{Connect, Dns, Proxy, Tls};
        matches!(
            self,
            NoResponse::NotSent(Dns(_) | Proxy { .. } | Connect(_) | Tls { .. }) | NoResponse::Lost(Lost::TimedOut(_))
        )
    }
}

/// What a proxy, through which a connection is made, has done wrong.
fn of_tunnel(error: &(dyn Error + 'static)) -> Option<String> {
    // The HTTP client passes on no type for it.
    causes(error).iter().map(ToString::to_string).find(|cause| cause.starts_with("tunnel error"))
}

/// Whether the name of a host could not be resolved.
fn is_of_dns(error: &(dyn Error + 'static)) -> bool {
    // The HTTP client has no public type for it.
    causes(error).iter().any(|cause| cause.to_string() == "dns error")
}

/// An error and its causes, from the outside in.
pub(super) fn causes<'e>(error: &'e (dyn Error + 'static)) -> Vec<&'e (dyn Error + 'static)> {
    let mut causes = vec![error];
    while let Some(last) = causes.last().copied() {
        // The error that an I/O error wraps is not its source.
        let wrapped = last.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| last.source()) {
            Some(inner) => causes.push(inner),
            None => break,
        }
    }
    causes
}

/// Whether the HTTP client gave up an answer before the end of its headers.
fn has_too_large_a_head(error: &(dyn Error + 'static)) -> bool {
    // The HTTP client has a public test for it only in its server.
    std::iter::successors(Some(error), |error| (*error).source())
        .any(|error| error.to_string() == "message head is too large")
}

/// Whether the server ended the connection before an answer had come.
fn is_closed(error: &(dyn Error + 'static)) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    let is_end = |cause: &&(dyn Error + 'static)| match cause.downcast_ref::<io::Error>() {
        Some(error) => matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset),
        // The HTTP client passes on no type for it.
        None => cause.to_string() == "connection closed before message completed",
    };
    causes(error).iter().any(is_end)
}

/// An error and its causes in words, without the address.
pub(super) fn in_words(error: &reqwest::Error) -> String {
    // With TLS 1.3, a server may end a handshake after the request was sent, and says why.
    if let Some(words) = handshake::fault_in_words(error).filter(|_| !error.is_connect()) {
        return words;
    }
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
