//! The program `datahub`, which reaches CDMS by the operating system's TLS.

use std::process::ExitCode;

fn main() -> ExitCode {
    datahub_cli::run(datahub_native_tls::TLS)
}
