//! The simulator as a program: `cdms-simulator --metadata FILE`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use cdms_odata::metadata::Metadata;
use cdms_simulator::Simulator;
use clap::Parser;

/// A faithful Dynamics CRM 2011 REST server to develop and test against.
///
/// Prints the service root as its first line and serves until it is stopped (ctrl-c or a signal). It protects nothing,
/// so it listens on loopback addresses only.
///
/// Exit code 2: a file or an option cannot be used.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// The organisation's schema: any $metadata document.
    #[arg(long, value_name = "FILE")]
    metadata: PathBuf,
    /// Records to begin with: JSON, a list of {"entity": "Account", "attributes": {"Name": "Acme"}}.
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Where to listen; port 0 is a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Serve /_control/clock, faults, late, log, requests and seed, to steer the simulator over HTTP.
    #[arg(long)]
    control: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
    };
    let metadata = Metadata::parse(&read(&options.metadata)?)
        .map_err(|error| format!("{}: {error}", options.metadata.display()))?;
    let simulator = Simulator::builder().metadata(metadata).listen(options.listen).control(options.control).start();
    let simulator = simulator.map_err(|error| format!("cannot listen at {}: {error}", options.listen))?;
    if let Some(path) = &options.seed {
        simulator.seed_json(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    // Nobody may be reading; the server runs all the same.
    _ = writeln!(std::io::stdout(), "{}", simulator.service_root());
    simulator.wait();
    Ok(())
}
