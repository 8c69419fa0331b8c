//! The operating system's TLS, whose crate is no member of the workspace: checked and tried on servers of CRM 2011's age.

use std::process::Command;

use crate::check::passed;
use crate::package;
use crate::source::root;

/// Checks the crate, and runs its tests against `openssl s_server`.
pub(crate) fn reaches_old_servers() -> Result<(), String> {
    package::openssl()?;
    package::openssl_headers()?;
    let manifest = root().join("datahub-native-tls/Cargo.toml");
    for (task, arguments) in [
        ("fmt", &["--", "--check"][..]),
        ("clippy", &["--all-features", "--all-targets", "--", "--deny", "warnings"]),
        ("test", &["--all-features"]),
    ] {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.arg(task).arg("--manifest-path").arg(&manifest);
        // What the workspace has compiled already is not compiled again.
        if task != "fmt" && std::env::var_os("CARGO_TARGET_DIR").is_none() {
            cargo.arg("--target-dir").arg(root().join("target"));
        }
        passed(cargo.args(arguments))?;
    }
    Ok(())
}
