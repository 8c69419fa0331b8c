//! `datahub diff`: what a change of mappings means for CDMS, for the database and for callers.

mod database;
mod shown;

use std::path::Path;

use clap::Args;
use datahub_derive::project::Project;
use datahub_derive::tree::Tree;
use datahub_docs::Changes;

use super::check;
use crate::output::Output;
use crate::revision::Revision;
use database::Database;

/// What to compare.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Exit codes: 0 compared; with --exit-code 1 if something differs; 2 a revision or a file cannot be used, or has faults.

Examples:
  datahub diff main                         the working copy, compared with the branch main
  datahub diff v1.2 HEAD                    two revisions
  datahub diff main --markdown              for the description of a pull request
  datahub diff main --exit-code --json      for machines"
)]
pub(crate) struct Options {
    /// The revision before: a branch, a tag or a commit of git.
    #[arg(value_name = "A")]
    before: String,
    /// The revision after; without it, the files as they are.
    #[arg(value_name = "B")]
    after: Option<String>,
    /// Prints Markdown.
    #[arg(long)]
    markdown: bool,
    /// Exits with 1 if something differs.
    #[arg(long)]
    exit_code: bool,
}

/// The form of the result for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Markdown,
}

/// What differs between two states of a project.
struct Difference {
    before: String,
    after: String,
    changes: Changes,
    database: Database,
}

/// The state of a project that is no revision.
const NOW: &str = "the files as they are";

/// Compares two states of the project; returns whether nothing was found that the exit code must tell.
pub(crate) fn run(root: &Path, options: &Options, output: &Output) -> Result<bool, String> {
    let revision = |name: &str| -> Result<Tree, String> {
        let tree = Revision::check_out(root, name)?.tree()?;
        without_faults(root, tree, &format!("`{name}`"), output)
    };
    let before = revision(&options.before)?;
    let after = match &options.after {
        Some(name) => revision(name)?,
        None => {
            let project = Project::open(root).map_err(|error| error.to_string())?;
            let tree = Tree::read(&project).map_err(|error| error.to_string())?;
            without_faults(root, tree, NOW, output)?
        }
    };
    let difference = Difference {
        changes: Changes::between(&before, &after),
        database: Database::between(&before, &after),
        before: options.before.clone(),
        after: options.after.clone().unwrap_or_else(|| NOW.to_owned()),
    };
    let form = if options.markdown { Form::Markdown } else { Form::Text };
    output.result(&shown::text(&difference, form), &shown::json(&difference));
    Ok(!options.exit_code || difference.changes.is_empty())
}

/// A tree that can be compared: what has faults is left out of a tree, and would look as if it were added or removed.
fn without_faults(root: &Path, tree: Tree, name: &str, output: &Output) -> Result<Tree, String> {
    if tree.faults.is_empty() {
        return Ok(tree);
    }
    let faults = check::print_faults(root, &tree, "diff", output);
    let plural = if faults == 1 { "fault" } else { "faults" };
    Err(format!("nothing is compared: {faults} {plural} in {name}; compare states without faults"))
}
