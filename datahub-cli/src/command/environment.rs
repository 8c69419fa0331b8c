//! `datahub environment`: the name of the environment that a database belongs to.

use std::path::Path;

use clap::{Args, Subcommand};
use datahub_derive::project::Project;
use datahub_runtime::{ErrorKind, environment};
use serde_json::json;

use super::address::Address;
use super::migrate::progress;
use crate::output::Output;

/// What to do with it.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Corrects the name of a database's environment.
    Rename(Rename),
}

/// Which name becomes which.
#[derive(Debug, Args)]
#[command(
    long_about = "Corrects the name of a database's environment.

Nothing else changes: what is open stays open, and an original remains one. For a copy of another environment's database, use
`datahub adopt`: a copy that was only renamed would write to CDMS.",
    after_long_help = "Exit codes: 0 renamed, 1 the database does not belong to the environment that was named, 2 an option or the database cannot be used.

Examples:
  datahub environment rename prodction production
                                             a program stated a misspelt name first"
)]
pub(crate) struct Rename {
    /// The name that it has.
    old: String,
    /// The name that it is to have; its programs state it with `.environment(…)`.
    new: String,
    #[command(flatten)]
    address: Address,
}

/// Renames it; returns whether it had the name that was given.
pub(crate) fn run(root: &Path, command: &Command, output: &Output) -> Result<bool, String> {
    let Command::Rename(Rename { old, new, address }) = command;
    let project = Project::open(root).map_err(|error| error.to_string())?;
    let located = address.locate(&project)?;
    match progress::wait(environment::rename(located.url, old, new))? {
        Ok(()) => {
            let text = format!(
                "the database belongs to `{new}` now, and nothing else has changed; start its programs again, with \
                 `.environment({new:?})`"
            );
            output.result(&text, &json!({"environment": new, "from": old}));
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::Misconfigured => {
            output.error(&error.to_string());
            Ok(false)
        }
        Err(error) => Err(error.to_string()),
    }
}
