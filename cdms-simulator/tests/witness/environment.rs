//! A Python with the client library that the simulator is tried with, in an environment of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where it stands, under the folder for the tests' own files.
const FOLDER: &str = "pyodata";

/// Its Python, made when it is asked for first, or when other versions are wanted than it has.
pub(crate) fn python() -> Result<PathBuf, String> {
    let wanted = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pyodata/requirements.txt");
    let versions = fs::read_to_string(&wanted).map_err(|error| format!("{}: {error}", wanted.display()))?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(FOLDER);
    let (python, made) = (folder.join("bin/python"), folder.join("versions"));
    if fs::read_to_string(&made).is_ok_and(|found| found == versions) {
        return Ok(python);
    }
    let advice = "it needs Python 3 with the module venv (on Debian: apt-get install python3-venv) and, the first \
                  time, a way to PyPI";
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder), advice)?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
    run(Command::new(&python).args(install).arg("--requirement").arg(&wanted), advice)?;
    // Last, so that one that was not finished is made anew.
    fs::write(&made, versions).map_err(|error| format!("{}: {error}", made.display()))?;
    Ok(python)
}

fn run(command: &mut Command, advice: &str) -> Result<(), String> {
    let told = match command.output() {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat(),
        Err(error) => error.to_string(),
    };
    Err(format!("the client library cannot be installed ({command:?}): {advice}\n{told}"))
}
