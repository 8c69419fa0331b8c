//! Who changed what of an organisation, when, and by which way; and back to any version.

use askama::Template;
use axum::response::{IntoResponse as _, Redirect};
use datahub_runtime::prelude::*;
use datahub_runtime::{HistoryEntry, Origin, Version};
use example_domain::Organisation;
use serde::Deserialize;

use crate::failure::Answer;
use crate::page::{Page, html};
use crate::request::{Form, Path};
use crate::user::Acting;

/// How many entries the page shows.
const ENTRIES: u32 = 100;

#[derive(Template)]
#[template(path = "history.html")]
struct History {
    page: Page,
    id: Id<Organisation>,
    name: String,
    /// Newest first.
    entries: Vec<HistoryEntry>,
}

/// `GET /organisations/{id}/history`
pub(crate) async fn show(Acting(hub): Acting, Path(id): Path<Id<Organisation>>) -> Answer {
    let mut entries = Organisation::history(&hub, id).limit(ENTRIES).await?;
    entries.reverse();
    // A record that is gone has a history, too.
    let row = Organisation::get(&hub, id).freshness(Freshness::LocalOnly).await;
    let name = row.map_or_else(|_| "an organisation".to_owned(), |organisation| organisation.name.clone());
    html(&History { page: Page::of(&hub), id, name, entries })
}

#[derive(Deserialize)]
pub(crate) struct Back {
    version: Version,
}

/// `POST /organisations/{id}/revert`
pub(crate) async fn revert(Acting(hub): Acting, Path(id): Path<Id<Organisation>>, Form(back): Form<Back>) -> Answer {
    Organisation::revert(&hub, id, back.version).await?;
    Ok(Redirect::to(&format!("/organisations/{id}/history")).into_response())
}

/// By which way a change came.
fn way(entry: &HistoryEntry) -> &'static str {
    match entry.origin {
        Origin::Hub => "Data Hub",
        Origin::Revert => "Data Hub, back to a version",
        Origin::Settle => "Data Hub, settled later",
        Origin::Cdms => "CDMS, found by a read",
        Origin::Pull => "CDMS, found by a pull",
        _ => "another program",
    }
}
