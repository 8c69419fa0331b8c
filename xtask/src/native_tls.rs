//! The operating system's TLS, whose crate is no member of the workspace: checked and tried on servers of CRM 2011's age.

use crate::check::{cargo_outside, passed};
use crate::package;

/// Checks the crate, and runs its tests against `openssl s_server`.
pub(crate) fn reaches_old_servers() -> Result<(), String> {
    package::openssl()?;
    package::openssl_headers()?;
    for (task, arguments) in [
        ("fmt", &["--", "--check"][..]),
        ("clippy", &["--all-features", "--all-targets", "--", "--deny", "warnings"]),
        ("test", &["--all-features"]),
    ] {
        passed(cargo_outside(task, "datahub-native-tls/Cargo.toml").args(arguments))?;
    }
    Ok(())
}
