//! What all pages have: the user, and whether what they show was checked with CDMS.

use askama::Template;
use axum::response::{Html, IntoResponse as _};
use chrono::{DateTime, Utc};
use datahub_runtime::prelude::*;

use crate::failure::Answer;

/// The frame of a page.
pub(crate) struct Page {
    pub(crate) user: String,
    pub(crate) notice: Option<Notice>,
}

/// What a reader must know of everything on a page.
pub(crate) enum Notice {
    /// CDMS cannot be reached; this is what the hub has, as of the time if it is known.
    Away(Option<DateTime<Utc>>),
    /// A change of the record is under way, and what is shown is as it was before.
    Pending,
}

impl Page {
    pub(crate) fn of(hub: &Hub) -> Self {
        Page { user: hub.actor().to_owned(), notice: None }
    }

    /// A page that shows a record.
    pub(crate) fn showing(hub: &Hub, checked: Checked) -> Self {
        let notice = match checked {
            Checked::NotChecked { since } => Some(Notice::Away(since)),
            Checked::Pending { .. } => Some(Notice::Pending),
            _ => None,
        };
        Page { notice, ..Page::of(hub) }
    }

    pub(crate) fn away(self, since: Option<DateTime<Utc>>) -> Self {
        Page { notice: Some(Notice::Away(since)), ..self }
    }
}

/// A page as a response.
pub(crate) fn html(page: &impl Template) -> Answer {
    Ok(Html(page.render()?).into_response())
}

/// A time as people read it.
pub(crate) fn time(time: &DateTime<Utc>) -> String {
    time.format("%-d %B %Y, %H:%M:%S UTC").to_string()
}
