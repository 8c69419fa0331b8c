//! The walk of a new user, `docs/walk.md`: from an empty folder to a deployed change, against a simulated CDMS over HTTP.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use datahub_runtime::testing::Kit;
use datahub_runtime::{Reference, Value};
use libtest_mimic::Failed;
use tempfile::TempDir;

use crate::document;
use crate::plain::Plain;

/// The walk as it is recorded.
const PAGE: &str = "walk.md";

/// The address of CDMS, as the page shows it.
const SHOWN: &str = "http://127.0.0.1:8000/ORG";

/// The address of the hub's database.
const DATABASE: &str = "sqlite://hub.db";

pub(crate) fn is_walked() -> Result<(), Failed> {
    let kit = Kit::on_sqlite(include_str!("crm/metadata.xml"));
    let acme = kit.simulator.seed(
        "Account",
        [
            ("Name", Value::text("Acme")),
            ("AccountNumber", Value::text("A-1")),
            ("WebSiteURL", Value::text("https://acme.example")),
            ("Fax", Value::text("0113 496 0001")),
            ("StateCode", Value::Choice(0)),
        ],
    );
    kit.simulator.seed(
        "new_course",
        [
            ("new_name", Value::text("First aid")),
            ("new_Level", Value::Choice(1)),
            ("new_Places", Value::Integer(12)),
            ("new_Organiser", Value::Lookup(Reference { logical_name: "account".into(), id: acme })),
        ],
    );
    let mut walk = Walk::begin(&kit);
    walk.say(
        "From an empty folder to a deployed change. Everything on this page was executed; a simulated CDMS stood in for the \
         real one. You need Rust, this repository, and the `datahub` command: `cargo install --path datahub-cli`.",
    );

    walk.say("## A new project");
    let from = workspace();
    walk.datahub(&["init", "data-hub", "--from", from.to_str().ok_or("the workspace's path is not Unicode")?]);
    walk.enters("data-hub");
    walk.say(
        "It has a first contract, which says what CDMS has, and a first model, which says what the hub makes of it. Both are \
         checked against each other without a compiler, a network or a database. It also has a first migration, which makes \
         the tables:",
    );
    walk.datahub(&["check"]);

    walk.say("## Your own CDMS");
    walk.say(
        "`datahub import` reads what CDMS says of itself: names and kinds from `$metadata`, and from an exported solution \
         the lengths, the options with their labels, and what lookups point to. `--model` also writes a first struct. Here \
         is an entity that this organisation added to its CDMS:",
    );
    walk.brings("customizations.xml", include_str!("crm/customizations.xml"));
    let address = kit.simulator.root();
    walk.datahub(&["import", &address, "customizations.xml", "--entity", "new_course", "--model"]);
    walk.shows("mappings/course.toml");
    walk.shows("src/course.rs");
    walk.say(
        "The struct is yours to change. It joins the models of the program, and lookups to accounts become typed:",
    );
    walk.edits("src/lib.rs", |text| {
        text.replace("mod organisation;", "mod course;\nmod organisation;")
            .replace("pub use organisation", "pub use course::{Course, CourseLevel};\npub use organisation")
            .replace("models![Organisation]", "models![Course, Organisation]")
            .replace("mapping_tests!(super::Organisation)", "mapping_tests!(super::Course, super::Organisation)")
    });
    walk.datahub(&["check"]);

    walk.say("## A database");
    walk.say("The new model needs a table of its own. The command compares the models with the last migration:");
    walk.datahub(&["migrate", "new", "add_courses"]);
    walk.say("Migrations are embedded in the program, which runs what is pending when it starts:");
    walk.quotes("src/main.rs", "    let builder = ", "    let hub = ");

    walk.say("## The first read");
    walk.say("The project's own tests run against a simulated CDMS, with random records through each mapping:");
    walk.cargo_test();
    walk.say("And this is the program, with an account that exists:");
    walk.program(&acme.to_string()).says(&["Acme", "https://acme.example"]);
    walk.say("The database has its tables now:");
    walk.datahub(&["migrate", "status"]).says(&["_first", "_add_courses"]);

    walk.say("## A change");
    walk.say(
        "A team needs the fax number. The contract gets the attribute, and the model a field. If they did not fit each \
         other or CDMS, the compiler and `check` would say so, on the very word:",
    );
    walk.edits("mappings/account.toml", |text| {
        text.replace("StateCode =", "Fax = { kind = \"sting\", max-length = 50 }\nStateCode =")
    });
    walk.edits("src/organisation.rs", |text| {
        text.replace(
            "    #[cdms(\"StateCode\")]",
            "    #[cdms(\"Fax\")]\n    pub fax: Option<String>,\n    #[cdms(\"StateCode\")]",
        )
    });
    walk.refuses(&["check"]).says(&["sting"]);
    walk.say("What is certain, the command corrects itself:");
    walk.datahub(&["check", "--fix"]);
    walk.shows("mappings/account.toml");
    walk.datahub(&["migrate", "new", "add_fax"]);
    walk.say("What is executed is there to be read and reviewed:");
    let up = walk.newest("migrations/sqlite", "_add_fax");
    walk.shows(&format!("{up}/up.sql"));
    walk.say(
        "The program would run this migration at its next start, too. The command needs no new program, and its user may be \
         another one, so that the program's needs no right to change tables:",
    );
    walk.datahub(&["migrate", "run"]);
    walk.cargo_test();
    walk.program(&acme.to_string()).says(&["0113 496 0001"]);

    walk.say("## Deployed");
    walk.say(
        "The pages that people read are generated, and CI checks that they are up to date, and that no migration was forgotten. `datahub init --ci` writes the \
         workflow.",
    );
    walk.datahub(&["docs"]);
    walk.datahub(&["docs", "--check"]);
    walk.datahub(&["migrate", "check"]);
    walk.say(
        "In production, a user who may change tables runs `datahub migrate run` before the new version starts, or the \
         program does it when it starts, as this one. [Remodelling stories](stories/README.md) shows what happens to programs that \
         are running meanwhile, and what to do for every other kind of change.",
    );
    walk.ends();
    Ok(())
}

/// A walk, and the page that is written meanwhile.
struct Walk {
    /// Removed with the walk.
    _folder: TempDir,
    at: PathBuf,
    address: String,
    page: String,
    plain: Plain,
}

/// What a command printed.
struct Printed(String);

impl Printed {
    #[track_caller]
    fn says(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.0.contains(part), "{part:?} is missing in:\n{}", self.0);
        }
    }
}

impl Walk {
    fn begin(kit: &Kit) -> Walk {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().to_path_buf();
        let page = "# A walk\n\n".to_owned();
        Walk { _folder: folder, at, address: kit.simulator.root(), page, plain: Plain::default() }
    }

    fn say(&mut self, words: &str) {
        self.page.push_str(&format!("{words}\n\n"));
    }

    fn enters(&mut self, folder: &str) {
        self.at = self.at.join(folder);
        // With the versions of this workspace, which are downloaded already.
        fs::copy(workspace().join("Cargo.lock"), self.at.join("Cargo.lock")).unwrap();
        let exports = format!("$ export CDMS_URL={SHOWN}\n$ export DATABASE_URL={DATABASE}");
        self.page.push_str(&format!("```console\n$ cd {folder}\n{exports}\n```\n\n"));
    }

    /// A file that is there already.
    fn brings(&self, name: &str, text: &str) {
        fs::write(self.at.join(name), text).unwrap();
    }

    fn datahub(&mut self, arguments: &[&str]) -> Printed {
        self.datahub_ends(arguments, 0)
    }

    fn refuses(&mut self, arguments: &[&str]) -> Printed {
        self.datahub_ends(arguments, 1)
    }

    fn datahub_ends(&mut self, arguments: &[&str], code: i32) -> Printed {
        let mut command = Command::new(env!("CARGO_BIN_EXE_datahub"));
        let (ended, text) = self.output(command.args(arguments));
        assert_eq!(ended, Some(code), "datahub {}:\n{text}", arguments.join(" "));
        self.console(&format!("datahub {}", arguments.join(" ")), &text);
        Printed(text)
    }

    /// Builds the project and runs its tests, in a target directory that is kept.
    fn cargo_test(&mut self) {
        let mut command = Command::new("cargo");
        command.args(["test", "--offline"]).env("CARGO_TARGET_DIR", target()).env("CARGO_PROFILE_DEV_DEBUG", "0");
        let (ended, text) = self.output(&mut command);
        assert_eq!(ended, Some(0), "cargo test:\n{text}");
        assert!(!text.contains("warning"), "{text}");
        let mut tests: Vec<_> =
            text.lines().filter(|line| line.starts_with("test ") && line.ends_with(" ok")).collect();
        tests.sort_unstable();
        self.console("cargo test", &format!("…\n{}\n", tests.join("\n")));
    }

    /// Runs the program that the tests have built.
    fn program(&mut self, argument: &str) -> Printed {
        let mut command = Command::new(target().join("debug/data-hub"));
        let (ended, text) = self.output(command.arg(argument));
        assert_eq!(ended, Some(0), "data-hub:\n{text}");
        self.console(&format!("cargo run --quiet -- {argument}"), &text);
        Printed(text)
    }

    fn output(&self, command: &mut Command) -> (Option<i32>, String) {
        let command = command.current_dir(&self.at).env("CDMS_URL", &self.address).env("DATABASE_URL", DATABASE);
        let ran = command.output().unwrap();
        let text = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (ran.status.code(), text)
    }

    fn edits(&mut self, name: &str, edit: impl FnOnce(&str) -> String) {
        let before = fs::read_to_string(self.at.join(name)).unwrap();
        let after = edit(&before);
        assert_ne!(before, after, "{name} is not edited:\n{before}");
        fs::write(self.at.join(name), &after).unwrap();
        let diff = similar::TextDiff::from_lines(&before, &after)
            .unified_diff()
            .context_radius(2)
            .header(name, name)
            .to_string();
        self.page.push_str(&format!("```diff\n{diff}```\n\n"));
    }

    fn shows(&mut self, name: &str) {
        let text = fs::read_to_string(self.at.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let language = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let language = if language == "rs" { "rust,ignore" } else { language };
        let (name, text) = (self.plain(name), self.plain(&text));
        self.page.push_str(&format!("`{name}`:\n\n```{language}\n{}\n```\n\n", text.trim_end()));
    }

    /// Shows the lines of a Rust file from the one that begins like this to the one that begins like that.
    fn quotes(&mut self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.at.join(name)).unwrap();
        let lines = text.lines().skip_while(|line| !line.starts_with(from));
        let end = lines.clone().position(|line| line.starts_with(to)).unwrap_or_else(|| panic!("{name}:\n{text}"));
        let quoted: Vec<_> = lines.take(end + 1).collect();
        self.page.push_str(&format!("In `{name}`:\n\n```rust,ignore\n{}\n```\n\n", quoted.join("\n")));
    }

    /// The newest migration of a folder, whose name ends like this.
    fn newest(&self, folder: &str, end: &str) -> String {
        let names = fs::read_dir(self.at.join(folder)).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap()).filter(|name| name.ends_with(end));
        format!("{folder}/{}", names.max().expect("it was planned"))
    }

    fn console(&mut self, command: &str, text: &str) {
        let shown = self.plain(&format!("$ {command}\n{text}"));
        self.page.push_str(&format!("```console\n{}\n```\n\n", shown.trim_end()));
    }

    fn plain(&mut self, text: &str) -> String {
        let text = text
            .replace(workspace().to_str().unwrap(), "../data-hub-sync")
            .replace(&format!("{}/", self.at.display()), "")
            .replace(&self.address, SHOWN);
        self.plain.text(&text)
    }

    fn ends(self) {
        let end = "---\n\nThis page was written by `DATAHUB_DOCS=overwrite cargo test --workspace --all-features --test \
            stories`. Ids, hashes and times in names are replaced.\n";
        document::is_recorded(PAGE, &(self.page + end));
    }
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The target directory in which new projects are built, here and by the test of `init`.
fn target() -> PathBuf {
    workspace().join("target/init")
}
