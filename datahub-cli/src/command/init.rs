//! `datahub init`: a new project that compiles, passes its tests and has a first migration, or the first files of one inside an existing crate.

mod files;
mod ignore;
mod manifest;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use datahub_derive::project::{MARK, Project, Settings};
use serde_json::json;

use super::migrate;
use crate::file::{self, Before};
use crate::output::Output;
use files::{File, Kind, LIBRARY, WORKFLOW};
use manifest::Origin;

/// What `datahub init` is told.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  datahub init hub --from ../data-hub-sync    a new project in the folder hub
  datahub init                                in an existing crate: only what it lacks
  datahub init --ci                           also the workflow for pull requests
  datahub init --ci --from https://git.example.org/data-hub-sync.git
                                              the same before Cargo.toml names the crates")]
pub(crate) struct Options {
    /// The folder; it is created if it does not exist.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Where the crates of Data Hub Sync are: a folder, or the address of a git repository. A new project needs it.
    #[arg(long, value_name = "FOLDER|URL")]
    from: Option<String>,
    /// Also writes .github/workflows/datahub.yml, which installs the command from where Cargo.toml has the crates, or from
    /// `--from`.
    #[arg(long)]
    ci: bool,
}

/// Writes the files of a project; files that exist are kept.
pub(crate) fn run(options: &Options, output: &Output) -> Result<bool, String> {
    let Options { folder, from, ci } = options;
    let origin = from.as_deref().map(|from| Origin::of(from, folder)).transpose()?;
    let is_new = !folder.join("Cargo.toml").exists();
    let mut written = Vec::new();
    if is_new {
        let Some(origin) = &origin else {
            return Err(format!(
                "a new project in {} needs to know where the crates of Data Hub Sync are, because they are not published \
                 yet; add `--from <FOLDER|URL>`, or run it inside a crate",
                folder.display()
            ));
        };
        written.extend(make_crate(folder)?);
        manifest::add_dependencies(folder, origin)?;
    }
    let name = manifest::package_name(folder)?;
    let kind = match () {
        () if is_new || is_unfinished(folder) => Kind::Crate,
        () if folder.join(MARK).exists() => Kind::Project,
        () => Kind::Existing,
    };
    let mut files = files::of(kind, &name);
    let mut doubt = None;
    if *ci {
        let Some(origin) = origin.clone().or_else(|| manifest::origin(folder)) else {
            return Err("the workflow installs `datahub`; say from where, with `--from <FOLDER|URL>`".to_owned());
        };
        files.insert(0, files::workflow(&origin, &settings(folder)?.docs));
        doubt = files::doubt(&origin);
    }
    let mut kept = Vec::new();
    if kind == Kind::Crate && ignore::complete(folder)? && !written.iter().any(|path| path == ignore::FILE) {
        written.push(ignore::FILE.to_owned());
    }
    if kind == Kind::Project {
        kept.push(MARK.to_owned());
    }
    for file in &files {
        // The models and `datahub.toml` are there, and the library, which is the last, shows that the project is finished.
        if kind == Kind::Crate && file.path == LIBRARY {
            let project = Project::open(folder).map_err(|error| error.to_string())?;
            written.extend(migrate::first(&project, output)?);
        }
        let list = if write(folder, file)? { &mut written } else { &mut kept };
        list.push(file.path.to_owned());
    }
    let mut text: String = written.iter().map(|path| format!("  written  {path}\n")).collect();
    text.extend(kept.iter().map(|path| format!("  kept     {path}\n")));
    if kind == Kind::Project && written.is_empty() {
        text.push_str("nothing is missing\n");
    }
    let doubt = doubt.filter(|_| written.iter().any(|path| path == WORKFLOW));
    if let Some(doubt) = &doubt {
        text.push_str(&format!("\nwarning: {doubt}\n"));
    }
    text.push_str(&next_steps(folder, kind)?);
    output.result(&text, &json!({"folder": folder, "new": is_new, "written": written, "kept": kept, "warning": doubt}));
    Ok(true)
}

/// Where a project has what; before it has begun, where it will.
fn settings(folder: &Path) -> Result<Settings, String> {
    if !folder.join(MARK).exists() {
        return Ok(Settings::default());
    }
    let project = Project::open(folder).map_err(|error| error.to_string())?;
    Ok(project.settings().clone())
}

/// A library crate, made by Cargo: it knows about workspaces and version control. Returns what Cargo wrote and nothing
/// replaces.
fn make_crate(folder: &Path) -> Result<Vec<String>, String> {
    let own = ["Cargo.toml", ignore::FILE, ".git/"];
    let new = own.into_iter().filter(|path| !folder.join(path).exists()).collect::<Vec<_>>();
    let tried = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["init", "--quiet", "--lib"])
        .arg(folder)
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if tried.status.success() {
        return Ok(new.into_iter().filter(|path| folder.join(path).exists()).map(str::to_owned).collect());
    }
    let said = String::from_utf8_lossy(&tried.stderr);
    // Cargo's way out is an option that this command does not have.
    let said: Vec<_> = said.lines().filter(|line| !line.contains("--name")).collect();
    let is_of_name = said.iter().any(|line| line.contains("in package name"));
    let help = if is_of_name { "\nhelp: give the folder a name that a package can have" } else { "" };
    Err(format!("cargo init failed:\n{}{help}", said.join("\n").trim_end()))
}

/// Whether an earlier run made the crate and was stopped before it had written everything.
fn is_unfinished(folder: &Path) -> bool {
    manifest::has_dependencies(folder) && is_cargos_sample(&folder.join(LIBRARY))
}

/// Whether a file is the sample that Cargo writes into a new library.
fn is_cargos_sample(path: &Path) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text.starts_with("pub fn add(left: u64, right: u64) -> u64 {"))
}

/// Writes a file, unless it exists; returns whether it was written. The sample that Cargo writes is replaced.
fn write(folder: &Path, File { path: name, text }: &File) -> Result<bool, String> {
    let path = folder.join(name);
    if *name == LIBRARY && is_cargos_sample(&path) {
        file::write(&path, text, Before::Anything)?;
        return Ok(true);
    }
    path.parent().into_iter().for_each(file::remove_drafts);
    match file::write(&path, text, Before::Nothing) {
        Ok(()) => Ok(true),
        Err(unwritten) if unwritten.is_changed() => Ok(false),
        Err(unwritten) => Err(unwritten.into()),
    }
}

/// What to do now.
fn next_steps(folder: &Path, kind: Kind) -> Result<String, String> {
    let mut steps = Vec::new();
    if folder != Path::new(".") {
        steps.push(format!("cd {}", folder.display()));
    }
    if kind != Kind::Crate && !manifest::has_runtime(folder) {
        steps.push(
            "add datahub-runtime to [dependencies], and to [dev-dependencies] with the feature `source`".to_owned(),
        );
        steps.push("add diesel, chrono, rust_decimal and uuid to [dependencies]".to_owned());
    }
    if kind != Kind::Crate {
        let missing = ignore::missing(folder);
        if !missing.is_empty() {
            let lines = missing.join(", ");
            steps.push(format!("add to {}: {lines}; a database and passwords are not for git", ignore::FILE));
        }
    }
    if kind != Kind::Project {
        steps.push("cargo test                 the first mapping, against a simulated CDMS".to_owned());
    }
    steps.push("datahub import <SOURCE>    contracts from your own CDMS".to_owned());
    steps.push(format!("datahub check              whenever a struct, a contract or {MARK} changed"));
    let has_migrations = folder.join(settings(folder)?.migrations).join("HEAD").exists();
    let which = if has_migrations {
        "the next migration, when a model has changed"
    } else {
        "the first migration, when a model is in src"
    };
    steps.push(format!("datahub migrate new        {which}"));
    let steps: String = steps.iter().map(|step| format!("  {step}\n")).collect();
    Ok(format!("\nNext:\n{steps}").trim_end().to_owned())
}
