//! The series of a hub, as Prometheus reads them.
//!
//! `cargo run -p example-metrics` uses a simulated CDMS for a while, and prints what a service would answer at `/metrics`.
//! A service calls `PrometheusBuilder::new().with_http_listener(([0, 0, 0, 0], 9000)).install()?` instead, which also
//! answers Prometheus, before it connects its hub.

use std::error::Error;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use datahub_runtime::Value;
use datahub_runtime::WatchEvent;
use datahub_runtime::metrics::{Measure, SERIES};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::simulator::{Expiry, Fault, FaultRule, Operation};
use datahub_runtime::testing::{FormLogin, Kit};
use example_domain::Organisation;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tokio::sync::Notify;

/// Buckets for times, in seconds: without them the exporter makes summaries, which cannot be added up over programs.
const BUCKETS: [f64; 9] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut exporter = PrometheusBuilder::new();
    for series in SERIES.iter().filter(|series| series.measure == Measure::Seconds) {
        exporter = exporter.set_buckets_for_metric(Matcher::Full(series.name.to_owned()), &BUCKETS)?;
    }
    let page = exporter.install_recorder()?;
    a_day_at_the_office().await?;
    io::stdout().write_all(page.render().as_bytes())?;
    Ok(())
}

/// Reads, writes, and what goes wrong with them.
async fn a_day_at_the_office() -> Result<(), Box<dyn Error>> {
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.login("hub", "secret", Expiry::Unauthorized));
    let acme = kit.simulator.seed("Account", [("Name", Value::text("Acme"))]);
    // It fits no organisation, because it has no name.
    let unfit = kit.simulator.seed("Account", [("Name", Value::Null)]);
    let hub = kit.hub_with(example_domain::models(), FormLogin::new("hub", "secret")).connect().await?;

    // A service keeps its watch while it serves; this one ends when it has pulled and swept once.
    let swept = Arc::new(Notify::new());
    let tell = Arc::clone(&swept);
    let watch = hub.watch(models![Organisation], Duration::from_secs(60)).sweep_every(Duration::from_secs(24 * 3600));
    let watch = watch.on_event(move |event| {
        if let WatchEvent::Swept { .. } = event {
            tell.notify_one();
        }
    });
    let watch = watch.await?;
    swept.notified().await;
    watch.stop().await;

    _ = Organisation::get(&hub, unfit.into()).await.map_err(|error| error.kind());
    let mut organisation = Organisation::get(&hub, acme.into()).await?;

    // CDMS carries out a write, and its answer is lost; settling finds out.
    kit.simulator.fault(FaultRule::new(Fault::DropAfterCommit).on(Operation::Update).times(1));
    organisation.name = "Acme Foods".into();
    _ = organisation.save(&hub).await.map_err(|error| error.kind());
    kit.advance(Duration::from_secs(600));
    hub.settle().await?;

    // A row that is returned before it is checked.
    Organisation::get(&hub, acme.into()).await?;
    kit.advance(Duration::from_secs(60));
    let at_once = Freshness::StaleWhileRevalidate { fresh_for: Duration::ZERO, at_most: Duration::from_secs(600) };
    Organisation::get(&hub, acme.into()).freshness(at_once).await?;

    // An outage, and its end.
    kit.simulator.go_away();
    _ = Organisation::get(&hub, acme.into()).await.map_err(|error| error.kind());
    kit.simulator.come_back();
    Organisation::get(&hub, acme.into()).await?;

    // A probe brings the series about what waits up to date; the hub's background does so too, every minute.
    hub.health().await;
    hub.shutdown(Duration::from_secs(10)).await;
    Ok(())
}
