//! Runs a session of commands in a project whose migrations were planned from schemas, and writes down what they say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::NaiveDate;
use datahub_migrate::{Answers, Plan, SchemaHash, Snapshot, folder_of, plan};
use datahub_model::schema::Database;
use datahub_runtime::testing::Kit;
use tempfile::TempDir;

/// A project with its migrations, and a database.
struct Project {
    folder: TempDir,
    kit: Kit,
    planned: i64,
}

/// The transcript of a session: each command, its exit code, and what it says.
///
/// `plan NAME` writes the migrations that lead to `schemas/NAME.toml`, and commits them; `sql …` changes the database;
/// `write FILE TEXT` changes a file; `datahub …` runs the command.
pub(crate) fn transcript(case: &Path) -> String {
    let commands = fs::read_to_string(case.join("commands.txt")).unwrap();
    let mut project = Project::new();
    let mut transcript = String::new();
    for command in commands.lines().filter(|line| !line.is_empty()) {
        transcript.push_str(&format!("$ {command}\n"));
        let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
        match word {
            "plan" => project.plan(&case.parent().unwrap().join("schemas").join(format!("{rest}.toml")), rest),
            "sql" => project.kit.run_sql(rest).unwrap(),
            "write" => {
                let (file, text) = rest.split_once(' ').unwrap();
                fs::write(project.folder.path().join(file), format!("{text}\n")).unwrap();
            }
            "datahub" => transcript.push_str(&project.datahub(rest)),
            other => panic!("unknown command {other}"),
        }
    }
    transcript
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("datahub.toml"), "databases = [\"sqlite\", \"postgres\"]\n").unwrap();
        let project = Project { folder, kit: Kit::new(example_domain::METADATA), planned: 0 };
        project.git(&["init", "-q"]);
        project
    }

    fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
        let ran =
            Command::new("git").arg("-C").arg(self.folder.path()).args(identity).args(arguments).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }

    /// Plans what leads to a schema, and commits it.
    fn plan(&mut self, schema: &Path, name: &str) {
        let migrations = self.folder.path().join("migrations");
        let before = fs::read_to_string(migrations.join("schema.toml")).ok();
        let from = before.as_deref().map_or_else(Snapshot::default, |text| Snapshot::parse(text).unwrap());
        let to = Snapshot::parse(&fs::read_to_string(schema).unwrap()).unwrap();
        let (planned, answers) = agreed(&from, &to);
        self.planned += 1;
        let time = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
        let time = time + chrono::TimeDelta::minutes(self.planned);
        let databases = [Database::Sqlite, Database::Postgres];
        let files = planned.files(before.as_deref().map(SchemaHash::of), name, time, &databases, &answers);
        for folder in &files.folders {
            let path = migrations.join(folder_of(folder.database)).join(&folder.name);
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("up.sql"), &folder.up).unwrap();
            fs::write(path.join("metadata.toml"), &folder.metadata).unwrap();
        }
        fs::write(migrations.join("schema.toml"), &files.schema).unwrap();
        fs::write(migrations.join("HEAD"), &files.head).unwrap();
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", name]);
    }

    fn datahub(&self, arguments: &str) -> String {
        let address = self.kit.database();
        let arguments = arguments.split(' ').map(|word| word.replace("DATABASE", &address));
        let mut command = Command::new(env!("CARGO_BIN_EXE_datahub"));
        command.args(arguments).current_dir(self.folder.path()).env_remove("DATABASE_URL");
        let ran = command.output().unwrap();
        let out = String::from_utf8(ran.stdout).unwrap();
        let err = String::from_utf8(ran.stderr).unwrap();
        let said =
            format!("{out}{err}").replace(&address, "DATABASE").replace(self.folder.path().to_str().unwrap(), "");
        format!("{said}? {}\n", ran.status.code().unwrap_or(-1))
    }
}

/// The plan with consent to everything that it loses.
fn agreed(from: &Snapshot, to: &Snapshot) -> (Plan, Answers) {
    let mut answers = Answers::default();
    if let Err(undecided) = plan(from, to, &answers) {
        answers.drop.extend(undecided.losses.into_iter().map(|loss| loss.name));
    }
    (plan(from, to, &answers).unwrap(), answers)
}

/// The cases, each a folder.
pub(crate) fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/migrate_run");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = entries.filter(|path| path.join("commands.txt").is_file()).collect();
    cases.sort();
    cases
}
