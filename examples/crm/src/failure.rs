//! The hub's errors, and all others, as pages.

use std::fmt::Display;

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use datahub_runtime::prelude::*;

/// What a handler returns.
pub(crate) type Answer = Result<Response, Failure>;

/// A page about what went wrong.
#[derive(Template)]
#[template(path = "failure.html")]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    title: &'static str,
    pub(crate) words: &'static str,
    /// How many seconds to wait before trying again, if that is known.
    retry_after: Option<u64>,
}

impl Failure {
    const fn new(status: StatusCode, title: &'static str, words: &'static str) -> Self {
        Failure { status, title, words, retry_after: None }
    }

    pub(crate) const fn not_found() -> Self {
        Failure::new(StatusCode::NOT_FOUND, "Not found", "There is no such page.")
    }

    /// A request that no form of ours sends.
    pub(crate) const fn bad_request() -> Self {
        Failure::new(StatusCode::BAD_REQUEST, "Not understood", "This form cannot be read. Open it again.")
    }

    /// A mistake of ours.
    fn ours(error: impl Display) -> Self {
        tracing::error!(%error, "a page failed");
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "A mistake of ours", "It was logged.")
    }
}

/// What to answer, and to tell people, for an error of the hub. Its own text goes to the log: it repeats what CDMS says,
/// which can contain any value.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        tracing::warn!(%error, "the hub refused");
        let (status, title, words) = match error.kind() {
            ErrorKind::NotFound => (StatusCode::NOT_FOUND, "Not found", "There is no such record."),
            ErrorKind::Gone => {
                (StatusCode::GONE, "Deleted", "The record was deleted in CDMS. Its history is still here.")
            }
            ErrorKind::Erased => (StatusCode::GONE, "Erased", "These values were erased."),
            ErrorKind::Busy => (
                StatusCode::CONFLICT,
                "Being written",
                "Another change of this record is being written, and nothing else was changed. Try again in a moment.",
            ),
            ErrorKind::AlreadyExists | ErrorKind::Conflict => (
                StatusCode::CONFLICT,
                "Changed by someone else",
                "Someone else changed the record. Open it again, and decide what to change.",
            ),
            ErrorKind::Invalid => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "Not accepted",
                "CDMS would not accept this, so nothing was changed.",
            ),
            ErrorKind::Rejected => {
                (StatusCode::UNPROCESSABLE_ENTITY, "Refused", "CDMS refused this, so nothing was changed.")
            }
            // Not a failure: it may have been carried out.
            ErrorKind::Unsettled => (
                StatusCode::ACCEPTED,
                "Not known yet",
                "CDMS has not said whether it made the change. Do not repeat it: the hub finds out.",
            ),
            ErrorKind::LocalNewer => {
                (StatusCode::BAD_GATEWAY, "CDMS is behind", "CDMS has an older version of the record than the hub.")
            }
            ErrorKind::Quarantined => (
                StatusCode::BAD_GATEWAY,
                "In quarantine",
                "CDMS’s record does not fit. It can be used when someone has corrected it in CDMS.",
            ),
            ErrorKind::Unavailable | ErrorKind::LoginRefused => (
                StatusCode::SERVICE_UNAVAILABLE,
                "CDMS is away",
                "CDMS cannot be reached, so nothing was changed. Try again later.",
            ),
            ErrorKind::Overloaded | ErrorKind::Outdated | ErrorKind::Store => {
                (StatusCode::SERVICE_UNAVAILABLE, "Not now", "The hub cannot do this at the moment.")
            }
            // `Misconfigured`, `BudgetExceeded`, `TooExpensive`, and the kinds of later versions.
            _ => return Failure::ours(error),
        };
        let retry_after = error.retry_after().map(|pause| pause.as_secs().max(1));
        Failure { retry_after, ..Failure::new(status, title, words) }
    }
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        Failure::ours(error)
    }
}

impl From<diesel::ConnectionError> for Failure {
    fn from(error: diesel::ConnectionError) -> Self {
        Failure::ours(error)
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Failure::ours(error)
    }
}

impl From<tokio::task::JoinError> for Failure {
    fn from(error: tokio::task::JoinError) -> Self {
        Failure::ours(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let page = self.render().unwrap_or_else(|_| self.words.to_owned());
        let mut response = (self.status, Html(page)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
