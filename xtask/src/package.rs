//! System packages that the tests need: installed if they are missing and this user may install them.

use std::process::Command;

use crate::check::say;

/// Installs a package, as root on Debian. On error the caller must report what to do.
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

/// Whether the user is root.
pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Makes sure that Chromium, Node and npm are installed for the tests in a browser.
pub(crate) fn chromium() -> Result<(), String> {
    for (package, program) in [("chromium", "chromium"), ("nodejs", "node"), ("npm", "npm")] {
        if Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success()) {
            continue;
        }
        let advice = format!(
            "the tests in a browser need {program}, which is not installed; on Debian: apt-get install {package}"
        );
        install(package).map_err(|()| advice)?;
    }
    Ok(())
}

/// Makes sure that OpenSSL's command is installed, whose server offers what no other one does any more.
pub(crate) fn openssl() -> Result<(), String> {
    if Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    install("openssl").map_err(|()| {
        "the tests of TLS need openssl, which is not installed; on Debian: apt-get install openssl".to_owned()
    })
}

/// Makes sure that OpenSSL's library can be linked, for the one crate that does.
pub(crate) fn openssl_headers() -> Result<(), String> {
    let is_found = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    for (package, missing) in [
        ("pkg-config", !is_found(Command::new("pkg-config").arg("--version"))),
        ("libssl-dev", !is_found(Command::new("pkg-config").args(["--exists", "openssl"]))),
    ] {
        if missing {
            let advice = format!(
                "the crate datahub-native-tls needs {package}, which is not installed; on Debian: apt-get install {package}"
            );
            install(package).map_err(|()| advice)?;
        }
    }
    Ok(())
}

/// Makes sure that valgrind is installed, which counts instructions.
pub(crate) fn valgrind() -> Result<(), String> {
    if Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    install("valgrind").map_err(|()| {
        "counting instructions needs valgrind, which is not installed; on Debian: apt-get install valgrind".to_owned()
    })
}

/// Makes sure that Python is installed for the second witness, with the modules for a virtual environment.
pub(crate) fn python() -> Result<(), String> {
    for (package, has_it) in [("python3", &["--version"][..]), ("python3-venv", &["-c", "import ensurepip, venv"])] {
        if Command::new("python3").args(has_it).output().is_ok_and(|output| output.status.success()) {
            continue;
        }
        let advice = format!(
            "the simulator's second witness needs {package}, which is not installed; on Debian: apt-get install \
             {package}"
        );
        install(package).map_err(|()| advice)?;
    }
    Ok(())
}
