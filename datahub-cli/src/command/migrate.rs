//! `datahub migrate`: the migrations of a project's databases.

mod ask;
mod check;
mod fault;
mod git;
mod graph;
mod journal;
mod models;
mod new;
mod rebase;
mod state;

use std::path::Path;

use clap::Subcommand;
use datahub_derive::project::Project;

use crate::output::Output;

/// What to do with migrations.
#[derive(Debug, Subcommand)]
pub(crate) enum Migrate {
    /// Writes a migration from the schema after the last one to what the models need.
    New(new::Options),
    /// Checks that models, schema and migrations agree, and changes nothing.
    #[command(after_long_help = "Exit codes: 0 they agree, 1 they do not, 2 a file or an option cannot be used.

Examples:
  datahub migrate check           for CI: was a migration forgotten?
  datahub migrate check --json    one object for each finding")]
    Check,
    /// Plans a branch's migration again, after two branches have each planned one.
    ///
    /// Run it after a merge that left conflicts in `migrations/`. The branch that planned first stays as it is; the folders
    /// of the other are replaced.
    Rebase(rebase::Options),
}

impl Migrate {
    /// Runs the command; returns whether no fault was found.
    pub(crate) fn run(&self, root: &Path, output: &Output) -> Result<bool, String> {
        let project = Project::open(root).map_err(|error| error.to_string())?;
        match self {
            Migrate::New(options) => new::run(&project, options, output),
            Migrate::Check => check::run(&project, output),
            Migrate::Rebase(options) => rebase::run(&project, options, output),
        }
    }
}
