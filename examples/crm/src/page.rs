//! What all pages have: the user, and whether what they show was checked with CDMS.

use askama::Template;
use axum::response::{Html, IntoResponse as _};
use chrono::{DateTime, Utc};
use datahub_runtime::FreshReport;
use datahub_runtime::prelude::*;
use example_domain::{Contact, Organisation};

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
    /// A list goes on with the hub's rows, because CDMS could not be reached when it began.
    BegunAway(Option<DateTime<Utc>>),
    /// A change of the record is under way, and what is shown is as it was before.
    Pending,
}

impl Page {
    pub(crate) fn of(hub: &Hub) -> Self {
        Page { user: hub.actor().to_owned(), notice: None }
    }

    /// A page that shows a record.
    pub(crate) async fn showing(hub: &Hub, checked: Checked) -> Result<Self, Error> {
        let notice = match checked {
            Checked::NotChecked { since: Some(since) } => Some(Notice::Away(Some(since))),
            // No one has read it here yet, and a pull has brought it.
            Checked::NotChecked { since: None } => Some(Notice::Away(as_of(hub).await?)),
            Checked::Pending { .. } => Some(Notice::Pending),
            _ => None,
        };
        Ok(Page { notice, ..Page::of(hub) })
    }

    pub(crate) fn away(self, since: Option<DateTime<Utc>>) -> Self {
        Page { notice: Some(Notice::Away(since)), ..self }
    }
}

/// Before which time everything that had changed in CDMS is in the hub's rows.
pub(crate) async fn as_of(hub: &Hub) -> Result<Option<DateTime<Utc>>, Error> {
    let report = hub.ensure_fresh(models![Organisation, Contact], Freshness::LocalOnly).await?;
    Ok(oldest(&report))
}

/// The same, of a report.
pub(crate) fn oldest(report: &FreshReport) -> Option<DateTime<Utc>> {
    report.models.iter().map(|model| model.checked_at).min().flatten()
}

/// A page as a response.
pub(crate) fn html(page: &impl Template) -> Answer {
    Ok(Html(page.render()?).into_response())
}

/// A time as people read it.
pub(crate) fn time(time: &DateTime<Utc>) -> String {
    time.format("%-d %B %Y, %H:%M:%S UTC").to_string()
}
