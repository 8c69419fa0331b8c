//! `datahub adopt`, as its users see it, on both databases: transcripts, a folder each in `tests/adopt`.
//!
//! `SNAPSHOTS=overwrite` renews what the command answers.
#![cfg(test)]

#[path = "../../../tests/on_postgres.rs"]
mod on_postgres;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cdms_odata::Value;
use cdms_simulator::{Fault, FaultRule, Operation};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use example_domain::Organisation;
use snapbox::{Assert, Data};
use tokio::runtime::Runtime;

#[test]
fn all_of_it_holds_on_postgresql() {
    on_postgres::run_again().unwrap_or_else(|error| panic!("{error}"));
}

/// A database with one organisation, and its CDMS.
struct Stage {
    kit: Kit,
    runtime: Runtime,
    folder: tempfile::TempDir,
    organisation: Id<Organisation>,
}

impl Stage {
    fn new() -> Self {
        let kit = Kit::new(example_domain::METADATA);
        // Empty, as one of PostgreSQL is at first.
        if let Some(file) = kit.database().strip_prefix("sqlite://") {
            fs::write(file, "").unwrap();
        }
        let organisation = kit.simulator.seed("Account", [("Name", Value::text("Acme"))]).into();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("datahub.toml"), "").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Stage { kit, runtime, folder, organisation }
    }

    /// The transcript of a session: each command, what it says, and its exit code.
    ///
    /// `datahub …` runs the command; `read ENVIRONMENT` and `write ENVIRONMENT` let a program of an environment do that, and
    /// `lose ENVIRONMENT` lets it write while the network fails. `-` stands for a program that states none.
    fn replayed(&self, transcript: &str) -> String {
        let mut replayed = String::new();
        for command in transcript.lines().filter_map(|line| line.strip_prefix("$ ")) {
            let said = match command.split_once(' ').unwrap() {
                ("datahub", arguments) => self.datahub(arguments),
                (deed, environment) => {
                    let said = self.runtime.block_on(self.program(deed, environment));
                    said.unwrap_or_else(|error| format!("error: {error}")) + "\n"
                }
            };
            replayed.push_str(&format!("$ {command}\n{said}"));
        }
        // What differs from run to run and between databases.
        let replayed = replayed.replace(&self.organisation.to_string(), "[ID]");
        let database = regex::Regex::new(r"the database \S+ has no tables").unwrap();
        database.replace_all(&replayed, "the database [DATABASE] has no tables").into_owned()
    }

    /// What a program says that does one thing.
    async fn program(&self, deed: &str, environment: &str) -> Result<String, Error> {
        let hub = self.kit.hub(example_domain::models());
        let hub = if environment == "-" { hub } else { hub.environment(environment) };
        let hub = hub.connect().await?;
        let mut organisation = Organisation::get(&hub, self.organisation).await?;
        if deed == "read" {
            return Ok(format!("CDMS has {:?}", organisation.name));
        }
        if deed == "lose" {
            self.kit.simulator.fault(FaultRule::new(Fault::DropBeforeCommit).on(Operation::Update).times(1));
        }
        organisation.name.push('!');
        match organisation.save(&hub).await {
            Ok(_) => Ok("written".to_owned()),
            Err(error) if error.kind() == ErrorKind::Unsettled => Ok("it is not known whether CDMS has it".to_owned()),
            Err(error) => Err(error),
        }
    }

    fn datahub(&self, arguments: &str) -> String {
        let address = self.kit.database();
        let arguments = arguments.split(' ').map(|word| word.replace("DATABASE", &address));
        let mut command = Command::new(env!("CARGO_BIN_EXE_datahub"));
        command.args(arguments).current_dir(self.folder.path()).env_remove("DATABASE_URL").env("COLUMNS", "120");
        let ran = command.output().unwrap();
        let said = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        let said = said.replace(&address, "DATABASE").replace(&self.folder.path().display().to_string(), "[PROJECT]");
        match ran.status.code() {
            Some(0) => said,
            code => format!("{said}? {}\n", code.unwrap()),
        }
    }
}

#[test]
fn transcripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/adopt");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(cases.len() >= 4, "{cases:?}");
    let assert = Assert::new().action_env("SNAPSHOTS");
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let path = case.join("transcript.txt");
            let replayed = Stage::new().replayed(&fs::read_to_string(&path).unwrap());
            let expected = Data::read_from(&path, None).raw();
            assert.try_eq(Some(&path.display()), replayed.into(), expected).err().map(|error| error.to_string())
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
