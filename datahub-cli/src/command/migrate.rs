//! `datahub migrate`: the tables of a project's databases follow its models.

mod ask;
mod back;
mod check;
mod fault;
mod folder;
mod graph;
mod journal;
mod models;
mod new;
pub(crate) mod progress;
mod rebase;
mod revert;
mod run;
mod shown;
mod state;
mod status;

use std::path::Path;

use clap::Subcommand;
use datahub_derive::project::Project;

pub(crate) use check::Migrations;
pub(crate) use new::first;

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
    /// Runs what is pending, up to the first step that older programs cannot live with.
    ///
    /// Exit codes: 0 done, 1 the data or another program stands in the way, 2 a file, an option or the database cannot be
    /// used.
    #[command(after_long_help = "Examples:
  datahub migrate run               on the database of DATABASE_URL
  datahub migrate run --contract    also what older programs cannot live with
  datahub migrate run --database sqlite://datahub.db --dry-run
                                    what would be run")]
    Run(run::Options),
    /// Says what is applied on a database, and what is pending.
    ///
    /// Exit codes: 0 nothing has to be run, 1 something has, 2 a file, an option or the database cannot be used.
    #[command(after_long_help = "Examples:
  datahub migrate status           on the database of DATABASE_URL
  datahub migrate status --json    for a deployment that waits for it")]
    Status(status::Options),
    /// Plans the way back from the database's real state to the schema before, shows it, and carries it out if you agree.
    ///
    /// If the database has migrations that the working copy does not have, such as those of another branch or those that
    /// `datahub migrate rebase` has replaced, the schema before is the one before the first of them. Otherwise it is the one
    /// that the last plan began with. It is found in git.
    ///
    /// Exit codes: 0 done, 1 not done, because values would be lost or something stands in the way, 2 a file, an option or
    /// the database cannot be used.
    #[command(after_long_help = "Examples:
  datahub migrate revert                        to the schema of the working copy, or to the one before
  datahub migrate revert --drop contacts.fax    agrees that these values are lost")]
    Revert(revert::Options),
}

impl Migrate {
    /// Runs the command; returns whether all is well.
    pub(crate) fn run(&self, root: &Path, output: &Output) -> Result<bool, String> {
        let project = Project::open(root).map_err(|error| error.to_string())?;
        match self {
            Migrate::New(options) => new::run(&project, options, output),
            Migrate::Check => check::run(&project, output),
            Migrate::Rebase(options) => rebase::run(&project, options, output),
            Migrate::Run(options) => run::run(&project, options, output),
            Migrate::Status(options) => status::run(&project, options, output),
            Migrate::Revert(options) => revert::run(&project, options, output),
        }
    }
}
