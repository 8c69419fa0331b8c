//! The `datahub` command: works on contracts and metadata, without a network.

mod command;
mod fetch;
mod output;
mod root;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::{Format, Output};

/// Works on a project's contracts and its $metadata snapshot, without a network and without a database.
///
/// The project's root is the nearest folder above with a `datahub.toml`.
///
/// Exit codes: 0 no faults, 1 faults were found, 2 a file or an option cannot be used.
#[derive(Debug, Parser)]
#[command(name = "datahub", version)]
struct Arguments {
    /// The project's root, instead of the nearest folder above with a `datahub.toml`.
    #[arg(long, global = true, value_name = "FOLDER")]
    root: Option<PathBuf>,
    /// Prints JSON for machines instead of text for people.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks the whole tree: contracts, models, groups and choices, against each other and the $metadata snapshot.
    Check(command::check::Options),
    /// Begins a project: a new crate, or the first files inside an existing one.
    Init(command::init::Options),
    /// Explains the code that a message of the derives or of `check` ends with, such as `nullability`.
    Explain {
        /// The code; without one, all of them are listed.
        code: Option<String>,
    },
}

fn main() -> ExitCode {
    let options = Arguments::parse();
    let format = match &options.command {
        Command::Check(check) => check.format,
        _ => None,
    };
    let output = Output::new(format.unwrap_or(if options.json { Format::Json } else { Format::Text }));
    let result = match options.command {
        Command::Check(check) => root::find(options.root).and_then(|root| command::check::run(&root, &check, &output)),
        Command::Init(options) => command::init::run(&options, &output),
        Command::Explain { code } => command::explain::run(code.as_deref(), &output),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            output.error(&error);
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_grammar_contradicts_nothing() {
        super::Arguments::command().debug_assert();
    }
}
