//! The SQL of migrations for PostgreSQL, checked by squawk: it takes no long lock, and surprises no running program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::check::say;
use crate::{package, source};

/// The release that is installed.
const RELEASE: &str = "squawk-cli==2.70.0";

/// The rule that is left out: CDMS's integers have 32 bits, and so have their columns.
const EXCLUDED: &str = "--exclude=prefer-bigint-over-int";

/// Writes the SQL of every kind of change, and checks it.
pub(crate) fn accepts_migrations() -> Result<(), String> {
    package::python()?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| source::root().join("target"), PathBuf::from);
    let (squawk, folder) = (installed(&target.join("squawk"))?, target.join("squawk-sql"));
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let test =
        ["test", "--workspace", "--all-features", "--test", "migrating", "golden::the_sql_is_written_for_squawk"];
    run(Command::new("cargo").args(test).env("DATAHUB_SQUAWK", &folder))?;
    for (how, options) in [("transaction", &["--assume-in-transaction"][..]), ("statements", &[])] {
        let files = sql_files(&folder, how)?;
        run(Command::new(&squawk).args(options).arg(EXCLUDED).args(files))?;
    }
    Ok(())
}

/// The files whose parts are executed in this way.
fn sql_files(folder: &Path, how: &str) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let ending = format!(".{how}.sql");
    let files: Vec<_> = files.filter(|path| path.to_string_lossy().ends_with(&ending)).collect();
    if files.is_empty() { Err(format!("{} has no files for squawk", folder.display())) } else { Ok(files) }
}

/// The program, which is installed into a virtual environment if it is missing.
fn installed(environment: &Path) -> Result<PathBuf, String> {
    let program = environment.join("bin/squawk");
    if !program.exists() {
        say("installing squawk …");
        run(Command::new("python3").args(["-m", "venv"]).arg(environment))?;
        run(Command::new(environment.join("bin/pip")).args(["install", "--quiet", RELEASE]))?;
    }
    Ok(program)
}

fn run(command: &mut Command) -> Result<(), String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown}: {status}")),
        Err(error) => Err(format!("cannot run {shown}: {error}")),
    }
}
