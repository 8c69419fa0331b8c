//! A report over all organisations: the hub brings its rows up to date, and Diesel asks them.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, Utc};
use datahub_runtime::Cost;
use datahub_runtime::prelude::*;
use diesel::connection::SimpleConnection as _;
use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use example_domain::{Organisation, Sector, organisations, sectors};

use crate::App;
use crate::failure::{Answer, Failure};
use crate::page::{Page, html, oldest};
use crate::user::Acting;

/// How old the rows of a report may be.
const AGE: Duration = Duration::from_secs(60);

#[derive(Template)]
#[template(path = "report.html")]
struct Report {
    page: Page,
    as_of: Option<DateTime<Utc>>,
    cost: Cost,
    by_sector: Vec<Bar>,
    per_month: Vec<Bar>,
}

/// A number of organisations, and its share of the largest number in percent.
struct Bar {
    name: String,
    count: i64,
    share: i64,
}

/// `GET /report`
pub(crate) async fn show(Acting(hub): Acting, State(app): State<App>) -> Answer {
    let models = || models![Organisation, Sector];
    let (page, fresh) = match hub.ensure_fresh(models(), Freshness::MaxAge(AGE)).await {
        Ok(fresh) => (Page::of(&hub), fresh),
        Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::LoginRefused) => {
            let fresh = hub.ensure_fresh(models(), Freshness::LocalOnly).await?;
            (Page::of(&hub).away(oldest(&fresh)), fresh)
        }
        Err(error) => return Err(error.into()),
    };
    let counted = tokio::task::spawn_blocking(move || count(&app.database)).await?;
    let (by_sector, per_month) = counted?;
    html(&Report {
        page,
        as_of: oldest(&fresh),
        cost: fresh.cost,
        by_sector: bars(by_sector),
        per_month: bars(per_month),
    })
}

/// The organisations of each sector, and those created in each month: names and numbers.
type Counts = (Vec<(Option<String>, i64)>, Vec<(Option<String>, i64)>);

/// Counts the hub's rows. The tables are the models', and everything that Diesel can do can be done with them.
fn count(database: &str) -> Result<Counts, Failure> {
    let mut connection = SqliteConnection::establish(database.trim_start_matches("sqlite://"))?;
    // Only reads, and waits for who writes.
    connection.batch_execute("PRAGMA query_only = on; PRAGMA busy_timeout = 5000")?;
    let by_sector = organisations::table
        .left_join(sectors::table)
        .group_by(sectors::name)
        .select((sectors::name.nullable(), count_star()))
        .order(count_star().desc())
        .load(&mut connection)?;
    // Times are microseconds.
    let month = || sql::<Nullable<Text>>("strftime('%Y-%m', created / 1000000, 'unixepoch')");
    let per_month =
        organisations::table.group_by(month()).select((month(), count_star())).order(month()).load(&mut connection)?;
    Ok((by_sector, per_month))
}

fn bars(counts: Vec<(Option<String>, i64)>) -> Vec<Bar> {
    let largest = counts.iter().map(|(_, count)| *count).max().unwrap_or(1);
    let bars = counts.into_iter().map(|(name, count)| {
        let name = name.unwrap_or_else(|| "not known".to_owned());
        Bar { name, count, share: count * 100 / largest }
    });
    bars.collect()
}
