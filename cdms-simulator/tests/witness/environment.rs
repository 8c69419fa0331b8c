//! A Python environment with the client library that tests the simulator.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Its folder, under the folder for temporary files of tests.
const FOLDER: &str = "pyodata";

/// The path of its Python. The environment is created on first use, and again when the required versions change.
pub(crate) fn python() -> Result<PathBuf, String> {
    let wanted = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pyodata/requirements.txt");
    let versions = fs::read_to_string(&wanted).map_err(|error| format!("{}: {error}", wanted.display()))?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(FOLDER);
    let (python, made) = (folder.join("bin/python"), folder.join("versions"));
    if fs::read_to_string(&made).is_ok_and(|found| found == versions) {
        return Ok(python);
    }
    let advice = "the client library needs Python 3 with the module venv (on Debian: apt-get install python3-venv) and \
                  for the first time access to PyPI";
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder), advice)?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
    run(Command::new(&python).args(install).arg("--requirement").arg(&wanted), advice)?;
    // Written last, so that an unfinished environment is created again.
    fs::write(&made, versions).map_err(|error| format!("{}: {error}", made.display()))?;
    Ok(python)
}

fn run(command: &mut Command, advice: &str) -> Result<(), String> {
    let output = match command.output() {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat(),
        Err(error) => error.to_string(),
    };
    Err(format!("cannot install the client library ({command:?}): {advice}\n{output}"))
}
