//! The command reads a CDMS of the same age.

use std::fs;
use std::process::Command;

use datahub_runtime::testing::Kit;

use crate::OLD;
use crate::front::{Certificates, Front};

#[test]
fn the_command_reads_metadata() {
    let certificates = Certificates::new();
    let kit = Kit::new(example_domain::METADATA);
    let front = Front::before(&kit.simulator.root(), &certificates.issue("localhost"), &OLD);
    let project = tempfile::tempdir().unwrap();
    fs::write(project.path().join("authority.pem"), fs::read(certificates.authority()).unwrap()).unwrap();
    let lines = format!("[cdms]\nurl = '{}'\nlogin = 'none'\nca-file = 'authority.pem'\n", front.root());
    fs::write(project.path().join("datahub.toml"), lines).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_datahub"));
    let output = command.args(["import", "--live", "--entity", "Account"]).current_dir(&project).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(project.path().join("mappings/account.toml").is_file());
}
