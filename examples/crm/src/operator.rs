//! What waits for an operator: records that do not fit, writes whose outcome is unknown, and the hub's health.

use askama::Template;
use axum::response::{IntoResponse as _, Redirect};
use datahub_runtime::{Health, Operation, QuarantineEntry};
use serde::Deserialize;

use crate::failure::Answer;
use crate::page::{Page, html};
use crate::request::Query;
use crate::user::Acting;

/// How many records and writes the page shows, and how many records a retry reads.
const SHOWN: u32 = 50;

/// What the button has done that led to the page.
#[derive(Deserialize)]
pub(crate) struct Done {
    retried: Option<u64>,
    settled: Option<u64>,
}

#[derive(Template)]
#[template(path = "operator.html")]
struct Waiting {
    page: Page,
    done: Done,
    health: Health,
    quarantine: Vec<QuarantineEntry>,
    writes: Vec<Operation>,
}

/// `GET /operator`
pub(crate) async fn show(Acting(hub): Acting, Query(done): Query<Done>) -> Answer {
    html(&Waiting {
        page: Page::of(&hub),
        done,
        health: hub.health().await,
        quarantine: hub.quarantine(SHOWN).await?,
        writes: hub.open_writes(SHOWN).await?,
    })
}

/// `POST /operator/retry`
pub(crate) async fn retry(Acting(hub): Acting) -> Answer {
    let report = hub.retry_quarantined(SHOWN).await?;
    Ok(Redirect::to(&format!("/operator?retried={}", report.left.len())).into_response())
}

/// `POST /operator/settle`
pub(crate) async fn settle(Acting(hub): Acting) -> Answer {
    let report = hub.settle().await?;
    Ok(Redirect::to(&format!("/operator?settled={}", report.settled.len())).into_response())
}
