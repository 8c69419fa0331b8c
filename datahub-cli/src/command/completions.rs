//! `datahub completions`: what a shell needs to complete commands and options.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::Arguments;
use crate::output::Output;

/// What `datahub completions` is told.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  datahub completions bash         put the output into ~/.local/share/bash-completion/completions/datahub
  datahub completions zsh          into a file named _datahub in a folder of $fpath
  datahub completions fish         into ~/.config/fish/completions/datahub.fish
  datahub completions powershell   add the output to the file that $PROFILE names
  datahub completions elvish       into a file that ~/.config/elvish/rc.elv reads with `eval`")]
pub(crate) struct Options {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions.
pub(crate) fn run(options: &Options, output: &Output) -> Result<bool, String> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "datahub", &mut script);
    let script = String::from_utf8(script).map_err(|error| format!("cannot print the completions: {error}"))?;
    output.line(script.trim_end());
    Ok(true)
}
