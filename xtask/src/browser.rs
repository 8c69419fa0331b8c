//! The generated documentation in a real browser: that of the example domain, and that of a project of a real CDMS's size.
//!
//! Chromium and Node come from the distribution's packages, the driver and axe from npm with a committed lock file; what is
//! missing is installed if this user may do so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::check::passed;
use crate::many;
use crate::package;
use crate::source::root;

/// Makes both sites and checks them.
pub(crate) fn documentation_works() -> Result<(), String> {
    let folder = root().join("target/browser");
    let tests = installed(&folder.join("node"))?;
    let (whole, many) = (folder.join("whole"), folder.join("many"));
    documentation(root(), &whole, None)?;
    let project = folder.join("many-project");
    many::write(&project, many::ENTITIES)?;
    commit(&project)?;
    remodel(&project)?;
    documentation(&project, &many, Some("HEAD"))?;
    for (site, kind) in [(&whole, "whole"), (&many, "many")] {
        let mut check = Command::new("node");
        check.arg(tests.join("documentation.mjs")).arg(site).arg(kind).arg(folder.join("screenshots"));
        passed(&mut check)?;
    }
    Ok(())
}

fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// Copies the tests to a folder and installs there what they need, so that nothing of it is among the sources. The browser,
/// Node and npm are installed if they are missing.
fn installed(folder: &Path) -> Result<PathBuf, String> {
    package::chromium()?;
    copy(&root().join("tests/browser"), folder)?;
    passed(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder))?;
    Ok(folder.to_path_buf())
}

/// Copies the files of a folder, and those of its folders.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("{}: {error}", from.display());
    fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    for entry in fs::read_dir(from).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}

/// Runs `datahub docs` for a project, into a folder that is empty before.
fn documentation(project: &Path, site: &Path, since: Option<&str>) -> Result<(), String> {
    if site.exists() {
        fs::remove_dir_all(site).map_err(|error| format!("{}: {error}", site.display()))?;
    }
    let mut docs = cargo();
    docs.args(["run", "--quiet", "--package", "datahub-cli", "--", "docs", "--root"]).arg(project);
    docs.arg("--out").arg(site).args(since.map(|since| format!("--since={since}")));
    passed(&mut docs)
}

/// Puts a project under version control, so that there is a revision to compare with.
fn commit(project: &Path) -> Result<(), String> {
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &["-c", "user.name=tests", "-c", "user.email=tests@example.org", "commit", "--quiet", "--message=As it was"],
    ] {
        passed(Command::new("git").args(arguments).current_dir(project))?;
    }
    Ok(())
}

/// Changes a model and a contract, for the page of changes.
fn remodel(project: &Path) -> Result<(), String> {
    let edit = |name: &str, from: &str, to: &str| {
        let path: PathBuf = project.join(name);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if !text.contains(from) {
            return Err(format!("{} has no `{from}`", path.display()));
        }
        fs::write(&path, text.replace(from, to)).map_err(|error| format!("{}: {error}", path.display()))
    };
    edit("src/account_record.rs", "pub our_notes", "pub internal_notes")?;
    edit("mappings/account_record.toml", "max-length = 40", "max-length = 60")
}
