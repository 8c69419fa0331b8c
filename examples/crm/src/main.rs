//! `cargo run -p example-crm`: a small web application on a hub, with a simulated CDMS to try it on.

use std::error::Error;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use datahub_runtime::prelude::*;
use datahub_runtime::progress;
use example_crm::{App, demo, router};
use example_domain::{Contact, Organisation, Sector};
use tokio::net::TcpListener;

/// A small web application over organisations and contacts, which stay in step with CDMS.
///
/// Without options it starts a simulated CDMS with records in it and keeps the hub's rows in a temporary SQLite file; both
/// are gone when it ends. It prints the address of the application, and that of the simulated CDMS's control interface,
/// which can change its clock and order outages.
#[derive(Parser)]
struct Options {
    /// Address to listen on; port 0 selects a free port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// SQLite database to keep the hub's rows in, such as sqlite://crm.db. It belongs to one CDMS, and a simulated one is
    /// another one each time. Default: a temporary one, or sqlite://crm.db with --cdms.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// A CDMS that asks for no login, instead of a simulated one: the address of its organisation.
    #[arg(long, value_name = "URL", conflicts_with_all = ["records", "seed"])]
    cdms: Option<String>,
    /// Number of organisations in the simulated CDMS; there are three times as many contacts.
    #[arg(long, value_name = "NUMBER", default_value_t = 3_000)]
    records: usize,
    /// Number from which the simulated records follow: the same number makes the same records. Default: another one each
    /// time, which is printed.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

/// How often the rows are brought up to date, and how often deletions are looked for.
const EVERY: Duration = Duration::from_secs(60);
const SWEEP_EVERY: Duration = Duration::from_secs(24 * 3600);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_writer(io::stderr).init();

    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
    let simulated = options.cdms.is_none().then(|| demo::cdms(options.records, seed));
    let (cdms, database) = match &simulated {
        Some(kit) => (kit.simulator.root(), kit.database()),
        None => (options.cdms.unwrap_or_default(), "sqlite://crm.db".to_owned()),
    };
    let database = options.database.unwrap_or(database);

    let hub = Hub::builder()
        .database(&database)
        .cdms(cdms, Anonymous) // or `.cdms_from(CdmsConfig::read("datahub.toml")?)`, with the login of `[cdms]`
        .models(example_domain::models())
        .program("crm")
        .create_tables() // or your migrations
        .connect()
        .await?;
    match load(&hub).await {
        // The pages show what the hub has, and the watch loads the rest once CDMS is back.
        Err(error) if error.kind() == ErrorKind::Unavailable => tracing::warn!(%error, "CDMS is away"),
        loaded => loaded?,
    }
    let watch = hub.watch(models![Sector, Organisation, Contact], EVERY).sweep_every(SWEEP_EVERY).await?;

    let listener = TcpListener::bind(options.listen).await?;
    writeln!(io::stdout(), "Data Hub CRM: http://{}", listener.local_addr()?)?;
    if let Some(kit) = &simulated {
        writeln!(io::stdout(), "CDMS control: {}/_control", kit.simulator.root().trim_end_matches("/ORG"))?;
        writeln!(io::stdout(), "Records: {} organisations from seed {seed}", options.records)?;
    }
    axum::serve(listener, router(App { hub: hub.clone(), database })).with_graceful_shutdown(stopped()).await?;
    watch.stop().await;
    hub.shutdown(Duration::from_secs(10)).await;
    Ok(())
}

/// Loads the records that the hub does not have yet, and shows how far it is.
async fn load(hub: &Hub) -> Result<(), datahub_runtime::Error> {
    hub.pull::<Sector>().on_page(progress("Sector")).await?;
    hub.pull::<Organisation>().on_page(progress("Organisation")).await?;
    hub.pull::<Contact>().on_page(progress("Contact")).await?;
    Ok(())
}

/// Waits until the program is to stop: ctrl-c, or a signal of whatever started it.
async fn stopped() {
    #[cfg(unix)]
    let terminated = async {
        if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            signal.recv().await;
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
