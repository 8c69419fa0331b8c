//! Completions of every shell: each knows every command.
#![cfg(test)]

use std::process::Command;

#[test]
fn each_shell_completes_every_command() {
    let datahub = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_datahub")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let help = datahub(&["--help"]);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<_> = commands.filter(|line| !line.starts_with("   ")).collect();
    let names: Vec<_> = commands.iter().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert!(names.contains(&"check") && names.contains(&"completions"), "{names:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = datahub(&["completions", shell]);
        for name in names.iter().chain(&["dry-run", "live"]) {
            assert!(script.contains(name), "{shell} lacks {name}");
        }
    }
}
