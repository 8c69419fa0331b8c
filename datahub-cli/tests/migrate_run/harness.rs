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
/// `plan NAME` writes the migrations that lead to `schemas/NAME.toml`, and commits them, `plan NAME FROM=TO` with a rename;
/// `sql …` changes the database, `sqlite …` and `postgres …` only one of them; `write FILE TEXT` changes a file; `epochs`
/// shows the epochs of programs of the last schema and of the database; `models` shows which tables the history names; `datahub …` runs the command.
pub(crate) fn transcript(case: &Path) -> String {
    let commands = fs::read_to_string(case.join("commands.txt")).unwrap();
    let mut project = Project::new();
    let mut transcript = String::new();
    for command in commands.lines().filter(|line| !line.is_empty()) {
        transcript.push_str(&format!("$ {command}\n"));
        let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
        match word {
            "plan" => {
                let (name, rename) = rest.split_once(' ').unwrap_or((rest, ""));
                project.plan(&case.parent().unwrap().join("schemas").join(format!("{name}.toml")), name, rename);
            }
            "sqlite" | "postgres" => {
                if project.kit.is_on_postgres() == (word == "postgres") {
                    project.kit.run_sql(rest).unwrap();
                }
            }
            "models" => transcript.push_str(&project.models()),
            "epochs" => transcript.push_str(&project.epochs()),
            "sql" => project.kit.run_sql(rest).unwrap(),
            "write" => {
                let (file, text) = rest.split_once(' ').unwrap();
                let file = project.folder.path().join(file);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, format!("{text}\n")).unwrap();
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
    fn plan(&mut self, schema: &Path, name: &str, rename: &str) {
        let migrations = self.folder.path().join("migrations");
        let before = fs::read_to_string(migrations.join("schema.toml")).ok();
        let from = before.as_deref().map_or_else(Snapshot::default, |text| Snapshot::parse(text).unwrap());
        let to = Snapshot::parse(&fs::read_to_string(schema).unwrap()).unwrap();
        let (planned, answers) = agreed(&from, &to, rename);
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

    fn epochs(&self) -> String {
        let schema = fs::read_to_string(self.folder.path().join("migrations/schema.toml")).unwrap();
        let settings = self.kit.rows_of("datahub_settings");
        let of_database = |table: &str| {
            let name = format!("'epoch:{table}'");
            let setting = settings.iter().find(|setting| setting.contains(&name));
            setting.map_or("0", |setting| setting.split('\'').rev().nth(1).unwrap())
        };
        let tables = Snapshot::parse(&schema).unwrap().tables;
        let lines = tables.iter().map(|(name, table)| {
            format!("{name}: {} in programs, {} in the database\n", table.epoch, of_database(name))
        });
        lines.collect()
    }

    fn models(&self) -> String {
        let history = self.kit.rows_of("datahub_history");
        let model = |row: &String| {
            let named = row.split("model='").nth(1).and_then(|rest| rest.split('\'').next());
            format!("the history has an entry of {}\n", named.unwrap())
        };
        history.iter().map(model).collect()
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
fn agreed(from: &Snapshot, to: &Snapshot, rename: &str) -> (Plan, Answers) {
    let rename = rename.split_once('=').map(|(from, to)| (from.to_owned(), to.to_owned()));
    let mut answers = Answers { rename: rename.into_iter().collect(), ..Answers::default() };
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
