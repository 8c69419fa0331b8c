//! `datahub check`: everything about a project that can be told without a compiler, for its whole tree at once.

mod checks;
mod fix;
mod live;
mod report;
mod scratch;
mod standing;

use std::path::Path;

use clap::Args;
use datahub_derive::project::{MARK, NoProject, Project};
use datahub_derive::tree::{Fault, Tree};
use serde_json::json;

use crate::fetch::Login;
use crate::output::{Format, Output};
use checks::{CHECKS, Finding, Level, Outcome, Seen};
use live::{Incomplete, Looked, Summary};
use report::{Places, counted};

/// What `datahub check` is told.
#[derive(Debug, Default, Args)]
#[command(
    after_long_help = "Exit codes: 0 no faults, 1 faults were found, 2 a file or an option cannot be used, or CDMS \
                          cannot be looked at.

Examples:
  datahub check                    everything that needs no compiler
  datahub check --fix --dry-run    what --fix would correct
  datahub check --fix              misspelt names of which only one can be meant
  datahub check --format github    annotations in a workflow of GitHub
  datahub check --json             one object for each finding and each check
  datahub check --questions        everything that the contracts leave open
  datahub check --live             whether CDMS can be reached, and is still as the snapshot says
  datahub check --live https://crm.example.gov.uk/ORG
                                   the same for the CDMS at an address"
)]
pub(crate) struct Options {
    /// Corrects what is safe to correct: misspelt names of which only one can be meant, and names in the wrong case.
    #[arg(long)]
    fix: bool,
    /// Shows what `--fix` would change, and changes nothing.
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// Shows every question that a contract leaves open, not only those about attributes that models map.
    #[arg(long)]
    questions: bool,
    /// Also looks at a running CDMS: the one that `[cdms]` in datahub.toml names, or the one at an address. Tries address, TLS,
    /// login, organisation, and for each model the right to read and the schema; compares the $metadata snapshot with it. The
    /// login is the one that datahub.toml states. Nothing is written.
    #[arg(long, value_name = "URL", num_args = 0..=1)]
    live: Option<Option<String>>,
    #[command(flatten)]
    pub(crate) login: Login,
    /// Whom the output is for; `--json` is short for `--format json`.
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with = "json")]
    pub(crate) format: Option<crate::output::Format>,
}

/// Prints the faults of a tree for another command, which needs one without; returns how many there are.
pub(crate) fn print_faults(root: &Path, tree: &Tree, command: &str, output: &Output) -> usize {
    let places = Places::of(root);
    for fault in &tree.faults {
        let finding = Finding { level: Level::Error, fault: fault.clone() };
        report::print(command, &finding, &tree.files, &places, output);
    }
    tree.faults.len()
}

/// Checks a project; returns whether nothing is at fault.
pub(crate) fn run(root: &Path, options: &Options, output: &Output) -> Result<bool, String> {
    options.login.is_for(options.live.is_some())?;
    let project = Project::open(root).map_err(|error| unopened(root, error, output))?;
    let mut tree = read(&project)?;
    let is_empty = tree.contracts.is_empty() && tree.models.is_empty() && tree.faults.is_empty();
    if is_empty && options.live.is_none() {
        return Err(nothing_to_check(&project));
    }
    if options.fix {
        let fixed = fix::run(&project, &tree, options.dry_run, output)?;
        if fixed && !options.dry_run {
            tree = read(&project)?;
        }
    }
    let places = Places::of(root);
    let is_for_a_person = output.format() == Format::Text;
    let seen = Seen { project: &project, tree: &tree, all_questions: options.questions, is_for_a_person };
    let mut outcomes: Vec<(&str, Outcome)> = Vec::new();
    for check in &CHECKS {
        outcomes.push((check.name, (check.run)(&seen)));
    }
    // What else was found is shown all the same if CDMS cannot be looked at.
    let mut unread = None;
    let mut connection = None;
    if let Some(address) = &options.live {
        match live::run(address.as_deref(), &options.login, &project, &tree, output.is_json()) {
            Ok(mut looked) => {
                unread = looked.incomplete.take();
                let faults = looked.faults();
                outcomes.extend(looked.drift.take().map(|drift| ("live", drift)));
                connection = Some((looked, faults));
            }
            Err(incomplete) => unread = Some(incomplete),
        }
    }
    for (name, outcome) in &outcomes {
        outcome.findings.iter().for_each(|finding| report::print(name, finding, &tree.files, &places, output));
    }
    // Last, so that findings do not push it out of sight.
    let connection = connection.map(|(looked, faults)| {
        let last = outcomes.iter().flat_map(|(_, outcome)| &outcome.findings).last();
        print_steps(&looked, last, output);
        let Summary { text, tried, failed } = looked.summary();
        let json = json!({"check": "connection", "checked": tried, "failed": failed, "faults": faults});
        output.result(&format!("{:<10} {text}", "connection"), &json);
        Connection { faults, failed }
    });
    for (name, outcome) in &outcomes {
        let faults = outcome.faults();
        let text = format!("{name:<10} {}", outcome.summary);
        let mut json = json!({"check": name, "checked": outcome.checked, "faults": faults});
        if !outcome.left.is_empty() {
            json["left"] = outcome.left.as_slice().into();
        }
        output.result(&text, &json);
    }
    summary(&outcomes, connection.as_ref(), &tree, options, unread, output)
}

/// What the first contact with CDMS came to.
struct Connection {
    faults: usize,
    /// How many steps fail, also those that are no fault of the project.
    failed: usize,
}

/// Prints the steps of the first contact, apart from the last finding before them.
fn print_steps(looked: &Looked, last: Option<&Finding>, output: &Output) {
    let is_a_line = |finding: &Finding| match output.format() {
        Format::Text => finding.level == Level::Note && finding.fault.diagnostic.place.line == 0,
        Format::Github => true,
        Format::Json => false,
    };
    if output.is_json() {
        looked.steps().for_each(|step| output.only_json(&step));
    } else {
        let gap = if last.is_some_and(is_a_line) { "\n" } else { "" };
        output.line(&format!("{gap}{}\n", looked.connection));
    }
}

/// Why a project cannot be opened; a fault of `datahub.toml` is also a finding, except for people, who see it once.
fn unopened(root: &Path, error: NoProject, output: &Output) -> String {
    let said = error.to_string();
    if let (NoProject::Faulty(diagnostic), Format::Json | Format::Github) = (error, output.format()) {
        // Where a file cannot be read again, the finding has no range.
        let text = std::fs::read_to_string(root.join(MARK)).unwrap_or_default();
        let finding = Finding { level: Level::Error, fault: Fault::in_file(MARK, &text, diagnostic) };
        let files = [(MARK.to_owned(), text)].into();
        report::print("settings", &finding, &files, &Places::of(root), output);
    }
    said
}

fn read(project: &Project) -> Result<Tree, String> {
    Tree::read(project)
        .map_err(|unread| format!("cannot read {unread}; `models` in datahub.toml names the folders with the structs"))
}

/// What a project lacks that has neither contracts nor models.
fn nothing_to_check(project: &Project) -> String {
    let settings = project.settings();
    format!(
        "nothing to check: no contracts in {}, and no models in {}\n\
         A contract is a file such as {}/account.toml, and `contracts` in datahub.toml names the folder.\n\
         A model is a struct that derives CdmsSynced, and `models` in datahub.toml names the folders.\n\
         `datahub init` writes a first one of each.",
        settings.contracts,
        settings.models.join(", "),
        settings.contracts
    )
}

/// Prints the sum of all checks; returns whether nothing is at fault.
///
/// # Errors
///
/// The files that cannot be used, and why CDMS cannot be compared, if it is `unread`.
fn summary(
    outcomes: &[(&str, Outcome)],
    connection: Option<&Connection>,
    tree: &Tree,
    options: &Options,
    unread: Option<Incomplete>,
    output: &Output,
) -> Result<bool, String> {
    let findings = || outcomes.iter().flat_map(|(_, outcome)| &outcome.findings);
    let faults = connection.map_or(0, |connection| connection.faults)
        + findings().filter(|finding| finding.level == Level::Error).count();
    let fixable = findings().filter(|finding| report::edit(finding, &tree.files).is_some()).count();
    let mut text = counted(faults, "fault");
    if fixable > 0 && !options.fix {
        text.push_str(&format!(", of which `datahub check --fix` corrects {fixable}"));
    }
    if let Some(unread) = &unread {
        text.push_str(&format!("; {}", unread.so));
    }
    let mut json = json!({
        "contracts": tree.contracts.len(),
        "models": tree.models.len(),
        "metadata": tree.metadata.is_some(),
        "faults": faults,
        "fixable": fixable,
    });
    if let Some(connection) = connection {
        json["failed"] = connection.failed.into();
    }
    output.result(&text, &json);
    let unusable: Vec<_> =
        findings().filter(|finding| finding.is_about_a_file()).map(|finding| finding.fault.file.as_str()).collect();
    let unusable = (!unusable.is_empty()).then(|| format!("cannot use {}", unusable.join(", ")));
    let errors: Vec<_> = unusable.into_iter().chain(unread.map(|unread| unread.error)).collect();
    if errors.is_empty() { Ok(faults == 0) } else { Err(errors.join("\n")) }
}
