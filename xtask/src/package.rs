//! Packages of the system that the tests need: installed where they are missing and that is allowed.

use std::process::Command;

use crate::check::say;

/// Installs a package with the system's own means: Debian's, by root. Whoever cannot has to be told what to do.
pub(crate) fn install(package: &str) -> Result<(), ()> {
    if !is_root() || Command::new("apt-get").arg("--version").output().is_err() {
        return Err(());
    }
    say(&format!("installing {package} …"));
    for arguments in [&["update", "--quiet=2"][..], &["install", "--quiet=2", "--yes", package]] {
        let status = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(());
        }
    }
    Ok(())
}

/// Whether this is root.
pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Sees that there is Python for the second witness, with what makes an environment for a client library.
pub(crate) fn python() -> Result<(), String> {
    for (package, has_it) in [("python3", &["--version"][..]), ("python3-venv", &["-c", "import ensurepip, venv"])] {
        if Command::new("python3").args(has_it).output().is_ok_and(|output| output.status.success()) {
            continue;
        }
        let advice = format!(
            "{package} is not installed, and the simulator's second witness needs it; on Debian: apt-get install \
             {package}"
        );
        install(package).map_err(|()| advice)?;
    }
    Ok(())
}
