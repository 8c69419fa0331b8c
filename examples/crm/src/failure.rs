//! The hub's errors, and all others, as pages.

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
    status: StatusCode,
    words: &'static str,
    retry_after: Option<u64>,
}

/// The status of an error of the hub, and what to tell people. The error's own text is for the log: it repeats what CDMS
/// says, which can contain any value.
pub(crate) fn explained(error: &Error) -> (StatusCode, &'static str) {
    match error.kind() {
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, "There is no such record."),
        ErrorKind::Gone => (StatusCode::GONE, "The record was deleted in CDMS. The hub still has its history."),
        ErrorKind::Erased => (StatusCode::GONE, "These values were erased."),
        ErrorKind::Busy => {
            (StatusCode::CONFLICT, "Another change of this record is being written. Try again in a moment.")
        }
        ErrorKind::AlreadyExists | ErrorKind::Conflict => {
            (StatusCode::CONFLICT, "Someone else changed the record. Open it again, and decide what to change.")
        }
        ErrorKind::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "CDMS would not accept this, so nothing was changed."),
        ErrorKind::Rejected => (StatusCode::UNPROCESSABLE_ENTITY, "CDMS refused this, so nothing was changed."),
        ErrorKind::Unsettled => {
            (StatusCode::ACCEPTED, "CDMS has not said whether it made the change. Do not repeat it: the hub finds out.")
        }
        ErrorKind::LocalNewer => (StatusCode::BAD_GATEWAY, "CDMS has an older version of the record than the hub."),
        ErrorKind::Quarantined => {
            (StatusCode::BAD_GATEWAY, "CDMS’s record does not fit. It waits until someone corrects it there.")
        }
        ErrorKind::Unavailable | ErrorKind::LoginRefused => {
            (StatusCode::SERVICE_UNAVAILABLE, "CDMS cannot be reached, so nothing was changed. Try again later.")
        }
        ErrorKind::Overloaded | ErrorKind::Outdated | ErrorKind::Store => {
            (StatusCode::SERVICE_UNAVAILABLE, "The hub cannot do this at the moment. Nothing was begun.")
        }
        // `Misconfigured`, `BudgetExceeded` and `TooExpensive` are mistakes of ours, and there are kinds of later versions.
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "This is a mistake of ours. It was logged."),
    }
}

impl Failure {
    pub(crate) fn not_found() -> Self {
        Failure { status: StatusCode::NOT_FOUND, words: "There is no such page.", retry_after: None }
    }

    /// A request that no form of ours sends.
    pub(crate) fn bad_request() -> Self {
        Failure {
            status: StatusCode::BAD_REQUEST,
            words: "This form cannot be read. Open it again.",
            retry_after: None,
        }
    }

    /// A mistake of ours.
    fn ours(error: impl std::error::Error) -> Self {
        tracing::error!(%error, "a page failed");
        Failure {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            words: "This is a mistake of ours. It was logged.",
            retry_after: None,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        tracing::warn!(%error, "the hub refused");
        let (status, words) = explained(&error);
        Failure { status, words, retry_after: error.retry_after().map(|pause| pause.as_secs().max(1)) }
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
