//! One case: its commands are run in a folder of their own.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use cdms_odata::metadata::Metadata;
use cdms_simulator::{Fault, FaultRule, Operation, Simulator};
use regex::Regex;
use tempfile::TempDir;

/// A copy of a case's project, and its CDMS if it has one.
pub(crate) struct Session {
    folder: TempDir,
    cdms: Option<Simulator>,
}

impl Session {
    pub(crate) fn of(case: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let projects = [case.join("project"), case.with_file_name("project")];
        if let Some(project) = projects.iter().find(|project| project.exists()) {
            copy(project, folder.path());
        }
        let cdms = fs::read_to_string(case.join("cdms.xml"))
            .ok()
            .map(|text| Simulator::builder().metadata(Metadata::parse(&text).unwrap()).start().unwrap());
        if let (Some(cdms), Ok(entities)) = (&cdms, fs::read_to_string(case.join("forbidden"))) {
            let forbidden = |entity: &str| FaultRule::new(Fault::NoPrivilege).on(Operation::List).entity(entity);
            entities.lines().for_each(|entity| cdms.fault(forbidden(entity)));
        }
        Session { folder, cdms }
    }

    /// The transcript again, with what the commands print now. Lines before the first command are kept.
    pub(crate) fn repeat(&self, recorded: &str) -> String {
        let mut transcript = String::new();
        let lines: Vec<&str> = recorded.lines().collect();
        let first = lines.iter().position(|line| line.starts_with("$ ")).unwrap_or(lines.len());
        lines[..first].iter().for_each(|line| transcript.push_str(&format!("{line}\n")));
        for command in lines.iter().filter_map(|line| line.strip_prefix("$ ")) {
            transcript.push_str(&format!("$ {command}\n{}", self.run(command)));
        }
        transcript
    }

    fn run(&self, line: &str) -> String {
        let address = self.cdms.as_ref().map(Simulator::root).unwrap_or_default();
        let line = line.replace("$CDMS", &address);
        let mut words = line.split_whitespace().peekable();
        let mut variables = Vec::new();
        while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
            variables.push((name, value));
            words.next();
        }
        let (program, mut arguments) = (words.next().unwrap(), words.collect::<Vec<_>>());
        let mut command = match program {
            "datahub" => Command::new(env!("CARGO_BIN_EXE_datahub")),
            "cat" => return fs::read_to_string(self.folder.path().join(arguments[0])).unwrap(),
            _ => {
                arguments = vec!["-c", &line];
                Command::new("sh")
            }
        };
        // Nothing depends on the settings of the machine.
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null").env("LC_ALL", "C");
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "DATAHUB_ROOT", "GIT_DIR", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
        let output = command.args(arguments).envs(variables).current_dir(self.folder.path()).output().unwrap();
        let mut text = String::from_utf8(output.stdout).unwrap();
        text.push_str(&String::from_utf8(output.stderr).unwrap());
        if let Some(code) = output.status.code().filter(|code| *code != 0) {
            text.push_str(&format!("? {code}\n"));
        }
        let folder = self.folder.path().canonicalize().unwrap();
        let text = text
            .replace(folder.to_str().unwrap(), "[PROJECT]")
            .replace(self.folder.path().to_str().unwrap(), "[PROJECT]");
        let text = match &self.cdms {
            Some(cdms) => {
                let host = address.trim_start_matches("http://").trim_end_matches("/ORG");
                let text = text.replace(&address, "[CDMS]").replace(host, "[HOST]");
                let text = text.replace(&cdms.organisation().to_string(), "[ORGANISATION]");
                text.replace(&cdms.service_user().to_string(), "[USER]")
            }
            None => text,
        };
        static TIME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b20\d{12}_").unwrap());
        TIME.replace_all(&text, "[TIME]_").replace('\u{1b}', "␛")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
