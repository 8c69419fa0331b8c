//! The stage of a story: a project with the real command, a simulated CDMS, a database, and the document that is written
//! meanwhile.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{fs, io};

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Models, Settling, Value};
use tempfile::TempDir;
use uuid::Uuid;

use crate::document::Part;
use crate::locks;
use crate::plain::Plain;

/// Where the models of a program are in the project.
const MODELS: &str = "src/models.rs";

/// What the command says while it waits for other programs.
const WAITING: [&str; 2] = [" open writes of older programs", ": its locks were not free; tried "];

/// The stage of a story on one database.
pub(crate) struct Stage {
    pub(crate) kit: Kit,
    story: &'static str,
    folder: TempDir,
    parts: Vec<Part>,
    plain: Plain,
    /// The folders of migrations that were shown.
    shown: Vec<String>,
}

/// What a command printed.
pub(crate) struct Ran {
    code: Option<i32>,
    text: String,
}

impl Ran {
    /// Asserts that it printed all of this.
    #[track_caller]
    pub(crate) fn says(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(self.text.contains(part), "{part:?} is missing in:\n{}", self.text);
        }
        self
    }
}

impl Stage {
    /// The stage of the story with this module, whose program before has these contracts; on PostgreSQL, if a server is
    /// given.
    pub(crate) fn new(story: &'static str, server: Option<&str>) -> Stage {
        let metadata = stories_before::METADATA;
        let kit = server.map_or_else(|| Kit::on_sqlite(metadata), |server| Kit::on_postgres(metadata, server));
        let folder = tempfile::tempdir().unwrap();
        let stage = Stage { kit, story, folder, parts: Vec::new(), plain: Plain::default(), shown: Vec::new() };
        stage.put("datahub.toml", "metadata = \"mappings/metadata.xml\"\ndatabases = [\"sqlite\", \"postgres\"]\n");
        stage.put("mappings/metadata.xml", metadata);
        stage
    }

    /// Gives the project the models of before, with a first migration that is applied, and starts its program.
    pub(crate) async fn begin(&mut self, models: Models) -> Hub {
        self.put_version("before");
        self.datahub(&["migrate", "new", "first"], 0).await;
        self.datahub(&["migrate", "run"], 0).await;
        self.shown = self.migrations();
        self.connect("old", models).await.unwrap()
    }

    /// Starts a program on the database.
    pub(crate) async fn connect(&self, program: &str, models: Models) -> Result<Hub, Error> {
        Hub::builder()
            .database(self.kit.database())
            .cdms(self.kit.simulator.root(), Anonymous)
            .models(models)
            .clock(self.kit.clock.clone())
            .settling(Settling::OnRequest)
            .program(program)
            .connect()
            .await
    }

    /// Replaces the models and contracts by those of after, and shows the difference.
    pub(crate) fn remodel(&mut self) {
        let before = self.files();
        self.put_version("after");
        let after = self.files();
        let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
        names.sort();
        names.dedup();
        // The models last: a contract is edited first.
        names.sort_by_key(|name| name.ends_with(".rs"));
        let none = String::new();
        for name in names {
            let (old, new) = (before.get(name).unwrap_or(&none), after.get(name).unwrap_or(&none));
            self.difference(name, old, new);
        }
    }

    /// Edits a file of the project by hand, and shows the difference.
    pub(crate) fn edit(&mut self, name: &str, edit: impl FnOnce(&str) -> String) {
        let before = fs::read_to_string(self.folder.path().join(name)).unwrap();
        let after = edit(&before);
        self.put(name, &after);
        let name = self.plain.text(name);
        let (before, after) = (self.plain.text(&before), self.plain.text(&after));
        self.difference(&name, &before, &after);
    }

    fn difference(&mut self, name: &str, old: &str, new: &str) {
        if old == new {
            return;
        }
        let diff = similar::TextDiff::from_lines(old, new);
        let mut unified = diff.unified_diff();
        let text = unified.context_radius(2).header(name, name).to_string();
        self.same(format!("```diff\n{text}```\n\n"));
    }

    /// Says something in plain words.
    pub(crate) fn say(&mut self, words: &str) {
        self.same(format!("{}\n\n", words.trim()));
    }

    /// Runs the command, which succeeds, and shows what it prints.
    pub(crate) async fn run(&mut self, arguments: &[&str]) -> Ran {
        self.shown_run(arguments, 0).await
    }

    /// Runs the command, which refuses, and shows what it prints.
    pub(crate) async fn refuses(&mut self, arguments: &[&str]) -> Ran {
        self.shown_run(arguments, 1).await
    }

    async fn shown_run(&mut self, arguments: &[&str], code: i32) -> Ran {
        let ran = self.datahub(arguments, code).await;
        let command = arguments.iter().map(|argument| shell(argument)).collect::<Vec<_>>().join(" ");
        // What the command waits for is not the same in each run.
        let lasting: Vec<_> =
            ran.text.split_inclusive('\n').filter(|line| !WAITING.iter().any(|wait| line.contains(wait))).collect();
        let text = self.plain.text(&lasting.concat());
        let shown = format!("```console\n$ datahub {command}\n{}```\n\n", ended(&text));
        self.parts.push(Part::Of(shown));
        ran
    }

    /// Shows the SQL of the migrations that are new.
    pub(crate) fn show_sql(&mut self) {
        let all = self.migrations();
        for (database, name) in [("sqlite", "SQLite"), ("postgres", "PostgreSQL")] {
            let mut text = String::new();
            for folder in all.iter().filter(|folder| folder.starts_with(database) && !self.shown.contains(folder)) {
                let file = format!("migrations/{folder}/up.sql");
                let sql = fs::read_to_string(self.folder.path().join(&file)).unwrap();
                text.push_str(&format!("-- {file}\n{}\n", ended(&sql)));
            }
            let text = self.plain.text(text.trim_end());
            self.same(format!(
                "<details><summary>The SQL for {name}</summary>\n\n```sql\n{text}\n```\n\n</details>\n\n"
            ));
        }
        self.shown = all;
    }

    /// The path of a file of the newest migration whose folder's name ends like this, on the stage's database.
    pub(crate) fn newest(&self, database: &str, end: &str, file: &str) -> String {
        let all = self.migrations();
        let found = all.iter().rfind(|folder| folder.starts_with(database) && folder.ends_with(end));
        format!("migrations/{}/{file}", found.unwrap_or_else(|| panic!("no {end} among {all:?}")))
    }

    /// Shows columns of the rows of a table whose first of these columns is one of these.
    pub(crate) fn show(&mut self, caption: &str, table: &str, columns: &[&str], firsts: &[&str]) {
        let mut rows = self.rows(table, columns);
        rows.retain(|row| firsts.contains(&row[0].as_str()));
        assert_eq!(rows.len(), firsts.len(), "{firsts:?}");
        let mut text = format!("{caption}\n\n| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
        for row in rows {
            let cells: Vec<_> = row.iter().map(|cell| if cell == "NULL" { "–" } else { cell }).collect();
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        self.same(text + "\n");
    }

    /// Says how much programs did meanwhile: each its rounds of reads and a save.
    pub(crate) fn tally(&mut self, old: u64, new: u64) {
        let text = format!(
            "In this run, the old program did {old} rounds, in each of which it read several records and saved one, and the new \
             one {new} rounds: without an error, and every save is in CDMS and in the history exactly once.\n\n"
        );
        self.parts.push(Part::Of(text));
    }

    /// Shows a report in Markdown.
    pub(crate) fn show_report(&mut self, report: &str) {
        let text = self.plain.text(report.trim_end());
        self.same(format!("````markdown\n{text}\n````\n\n"));
    }

    /// Shows an error that a program met.
    pub(crate) fn show_error(&mut self, error: &Error) {
        let text = self.plain.text(&error.to_string());
        self.same(format!("```text\nerror: {text}\n```\n\n"));
    }

    /// Columns of all rows of a table as text, in the order of the first column.
    pub(crate) fn rows(&self, table: &str, columns: &[&str]) -> Vec<Vec<String>> {
        let mut rows: Vec<Vec<String>> = self
            .kit
            .rows_of(table)
            .iter()
            .map(|row| columns.iter().map(|column| cell(row, column)).collect())
            .collect();
        rows.sort();
        rows
    }

    /// A record in CDMS.
    pub(crate) fn seed<const N: usize>(&self, entity: &str, values: [(&'static str, Value); N]) -> Uuid {
        self.kit.simulator.seed(entity, values)
    }

    /// A person changes a record in CDMS, a minute later.
    pub(crate) fn person_edits(&self, entity: &str, id: Uuid, attribute: &'static str, value: Value) {
        self.kit.advance(Duration::from_secs(60));
        self.kit.simulator.edit(entity, id, [(attribute, value)]);
    }

    /// An attribute of a record in CDMS.
    #[track_caller]
    pub(crate) fn attribute(&self, entity: &str, id: Uuid, name: &str) -> Value {
        let record = self.kit.simulator.record(entity, id).expect("it is in CDMS");
        record.get(name).cloned().unwrap_or(Value::Null)
    }

    /// How many writes of the hub CDMS committed to a record that contain this attribute.
    pub(crate) fn commits(&self, id: Uuid, attribute: &str) -> u64 {
        let hub = self.kit.simulator.service_user();
        let log = self.kit.simulator.log();
        let is_it = |sent: &[String]| sent.iter().any(|sent| sent == attribute);
        log.iter().filter(|commit| commit.id == id && commit.user == hub && is_it(&commit.sent)).count() as u64
    }

    /// The story so far.
    pub(crate) fn ends(self) -> Vec<Part> {
        self.parts
    }

    fn same(&mut self, text: String) {
        self.parts.push(Part::Same(text));
    }

    /// Writes a file of the project.
    pub(crate) fn put(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Gives the project the models of a version, and the contracts that they name.
    fn put_version(&self, version: &str) {
        let from = stories().join(version);
        let models = fs::read_to_string(from.join("src").join(self.story).with_extension("rs")).unwrap();
        self.put(MODELS, &models);
        let folder = self.folder.path().join("mappings");
        for entry in fs::read_dir(from.join("mappings")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if models.contains(&format!("\"{name}\"")) {
                fs::copy(&path, folder.join(name)).unwrap();
            } else if folder.join(&name).exists() && name.ends_with(".toml") {
                fs::remove_file(folder.join(name)).unwrap();
            }
        }
        // A contract that this version does not have at all.
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "toml")
                && !from.join("mappings").join(path.file_name().unwrap()).exists()
            {
                fs::remove_file(path).unwrap();
            }
        }
    }

    /// The contracts and models of the project.
    fn files(&self) -> BTreeMap<String, String> {
        let folder = self.folder.path().join("mappings");
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "toml") {
                let name = format!("mappings/{}", path.file_name().unwrap().to_str().unwrap());
                files.insert(name, fs::read_to_string(path).unwrap());
            }
        }
        files.insert(MODELS.to_owned(), fs::read_to_string(self.folder.path().join(MODELS)).unwrap());
        files
    }

    /// The folders of migrations, as `sqlite/20261130094500_add_fax`, in order.
    fn migrations(&self) -> Vec<String> {
        let mut folders = Vec::new();
        for database in ["sqlite", "postgres"] {
            match fs::read_dir(self.folder.path().join("migrations").join(database)) {
                Ok(entries) => folders.extend(
                    entries.map(|entry| format!("{database}/{}", entry.unwrap().file_name().to_str().unwrap())),
                ),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound),
            }
        }
        folders.sort();
        folders
    }

    /// Runs the command in the project, on the stage's database, and asserts how it ends.
    async fn datahub(&self, arguments: &[&str], code: i32) -> Ran {
        // Both streams in the order in which they are written.
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 2>&1", env!("CARGO_BIN_EXE_datahub")]);
        let runs = arguments.starts_with(&["migrate", "run"]);
        let database = if runs { locks::slowed(&self.kit) } else { self.kit.database() };
        command.args(arguments).current_dir(self.folder.path()).env("DATABASE_URL", database);
        let ran = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = String::from_utf8(ran.stdout).unwrap();
        let ran = Ran { code: ran.status.code(), text };
        assert_eq!(ran.code, Some(code), "datahub {}:\n{}", arguments.join(" "), ran.text);
        if runs {
            locks::are_short(&ran.text);
        }
        ran
    }
}

/// The folder of both versions.
pub(crate) fn stories() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/stories")
}

/// The value of a column in a row as [`Kit::rows_of`] has it, without quotes.
fn cell(row: &str, column: &str) -> String {
    let mut rest = row;
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').unwrap_or_else(|| panic!("{row}"));
        let (value, after) = match after.strip_prefix('\'') {
            Some(quoted) => {
                // Quotes in the values of stories would end them here.
                let (value, after) = quoted.split_once('\'').unwrap_or_else(|| panic!("{row}"));
                (value, after.trim_start())
            }
            None => match after.split_once(' ') {
                Some((value, after)) if !value.starts_with('X') => (value, after),
                Some((value, after)) => (value, after),
                None => (after, ""),
            },
        };
        if name == column {
            return value.to_owned();
        }
        rest = after;
    }
    panic!("no column {column} in {row}")
}

/// An argument as it is typed.
fn shell(argument: &str) -> String {
    if argument.contains([' ', '=', '*']) { format!("'{argument}'") } else { argument.to_owned() }
}

/// A text that ends with a line break.
fn ended(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}
