//! The program `datahub`.

use std::process::ExitCode;

use datahub_runtime::TlsStack;

fn main() -> ExitCode {
    datahub_cli::run(TlsStack::default())
}
