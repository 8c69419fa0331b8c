//! The `datahub` command: works on a project's files; without a network and a database unless asked.

mod command;
mod environment;
mod fetch;
mod file;
mod git;
mod output;
mod revision;
mod root;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use datahub_runtime::TlsStack;

use output::{Format, Output};

/// Works on a project's source, contracts, $metadata snapshot and migrations. Connects to no network and no database unless
/// asked.
///
/// The project's root is the nearest folder above with a `datahub.toml`.
///
/// Exit codes: 0 no faults, 1 faults were found, 2 a file or an option cannot be used.
#[derive(Debug, Parser)]
#[command(
    name = "datahub",
    version,
    after_long_help = "Examples:
  datahub init                   begins a project, or adds the first files to a crate
  datahub check                  whenever a struct, a contract or datahub.toml changed
  datahub explain nullability    what a code in a message means, with an example
  datahub help check             all options of a command, with examples"
)]
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
    /// Writes contracts from $metadata, solutions and the SOAP service, and merges what CDMS changed into them.
    Import(command::import::Options),
    /// Makes the documentation of all mappings, as a site or as Markdown.
    Docs(command::docs::Options),
    /// Compares the mappings of two revisions: what the change means for CDMS, for the database and for callers.
    Diff(command::diff::Options),
    /// Begins a project: a new crate, or the first files inside an existing one.
    Init(command::init::Options),
    /// Plans and runs migrations: the tables of the databases follow the models.
    #[command(
        subcommand,
        after_long_help = "Examples:
  datahub migrate new add_fax       after the models have changed
  datahub migrate check             in CI
  datahub migrate rebase            after a merge of two branches that both planned one
  datahub migrate run               on a database, before the new program is started
  datahub migrate run --contract    when the old programs are gone
  datahub migrate status            what is applied, and what is pending"
    )]
    Migrate(command::migrate::Migrate),
    /// Takes over a copy of another environment's database, so that it never writes to the CDMS of the original.
    ///
    /// Run it once, on the copy and never on the original. The copy's open writes are closed and not sent, and its hubs only
    /// read from CDMS.
    Adopt(command::adopt::Options),
    /// Corrects the name of the environment that a database belongs to.
    #[command(
        subcommand,
        after_long_help = "Examples:
  datahub environment rename prodction production    a program stated a misspelt name first"
    )]
    Environment(command::environment::Command),
    /// Explains the code that a message of the derives or of `check` ends with, such as `nullability`.
    #[command(after_long_help = "Examples:
  datahub explain                  lists all codes
  datahub explain nullability      what it means, an example, and how that is corrected
  datahub explain [wrong-type]     as it stands in a message
  datahub explain no-key --json    with the files of the example")]
    Explain {
        /// The code; without one, all of them are listed.
        code: Option<String>,
    },
    /// Prints what a shell needs to complete commands and options.
    Completions(command::completions::Options),
}

/// Runs the command that the program's arguments ask for, and prints what it has found. A running CDMS is reached by this TLS.
pub fn run(tls: TlsStack) -> ExitCode {
    let mut options = Arguments::try_parse().unwrap_or_else(|error| refuse(&error));
    match &mut options.command {
        Command::Check(check) => check.login.tls = tls,
        Command::Import(import) => import.login.tls = tls,
        _ => {}
    }
    let format = match &options.command {
        Command::Check(check) => check.format,
        _ => None,
    };
    let output = Output::new(format.unwrap_or(if options.json { Format::Json } else { Format::Text }));
    let result = match options.command {
        Command::Check(check) => root::find(options.root).and_then(|root| command::check::run(&root, &check, &output)),
        Command::Import(import) => {
            root::find(options.root).and_then(|root| command::import::run(&root, &import, &output))
        }
        Command::Docs(docs) => root::find(options.root).and_then(|root| command::docs::run(&root, &docs, &output)),
        Command::Diff(diff) => root::find(options.root).and_then(|root| command::diff::run(&root, &diff, &output)),
        Command::Init(options) => command::init::run(&options, &output),
        Command::Completions(options) => command::completions::run(&options, &output),
        Command::Migrate(command) => root::find(options.root).and_then(|root| command.run(&root, &output)),
        Command::Adopt(adopt) => root::find(options.root).and_then(|root| command::adopt::run(&root, &adopt, &output)),
        Command::Environment(command) => {
            root::find(options.root).and_then(|root| command::environment::run(&root, &command, &output))
        }
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

/// Ends the program because of options that cannot be used, or after the help that was asked for.
fn refuse(error: &clap::Error) -> ! {
    if error.use_stderr() && wants_json(std::env::args_os().skip(1)) {
        let text = error.to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
        Output::new(Format::Json).only_json(&serde_json::json!({ "error": text }));
    }
    error.exit()
}

/// Whether arguments ask for JSON, also if they cannot be used otherwise.
fn wants_json(arguments: impl Iterator<Item = OsString>) -> bool {
    let words: Vec<_> = arguments.map(|word| word.to_string_lossy().into_owned()).collect();
    let is_pair = |pair: &[String]| pair == ["--format", "json"];
    words.iter().any(|word| word == "--json" || word == "--format=json") || words.windows(2).any(is_pair)
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    #[test]
    fn the_grammar_contradicts_nothing() {
        super::Arguments::command().debug_assert();
    }

    /// Holds the help of a command, and of those within it, to its examples: each has some, and each of them is understood.
    fn hold(command: &Command, path: &str) {
        let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        let lines = help.split_once("Examples:").map(|(_, examples)| examples.lines()).into_iter().flatten();
        let examples: Vec<_> = lines.filter_map(|line| line.strip_prefix("  datahub")).collect();
        assert!(!examples.is_empty(), "the help of `{path}` has no example");
        for example in examples {
            let stated = example.trim_start().split("  ").next().unwrap();
            let words = std::iter::once("datahub").chain(stated.split_whitespace());
            let parsed = super::Arguments::command().try_get_matches_from(words);
            // The command that is asked for help prints it.
            let is_understood = parsed.as_ref().map_or_else(|error| !error.use_stderr(), |_| true);
            assert!(is_understood, "{path}: {stated}: {}", parsed.unwrap_err());
            assert!(format!("datahub {stated}").starts_with(path), "{stated} is no example of {path}");
        }
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            hold(inner, &format!("{path} {}", inner.get_name()));
        }
    }

    #[test]
    fn every_command_teaches_by_examples_that_work() {
        let mut command = super::Arguments::command();
        command.build();
        hold(&command, "datahub");
    }
}
