//! What makes a build run the derives again: a changed contract, a changed `datahub.toml` and another root; and what does
//! not. A package of its own is built for that, with what the cases that must not compile have built already.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

const CODE: &str = r#"//! A model and a choice.

use datahub_runtime::prelude::*;

/// A model.
#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror")]
pub struct Organisation {
    #[cdms(key)]
    pub id: Id<Organisation>,
    #[cdms("Name")]
    pub name: Option<String>,
}

/// A model that CDMS has nothing of.
#[derive(Clone, CdmsSynced)]
#[cdms(table = "notes", mode = "detached")]
pub struct Note {
    #[cdms(key)]
    pub id: Id<Note>,
    #[cdms(local, sql_type = "string")]
    pub text: Option<String>,
}

/// A choice.
#[derive(Clone, Copy, CdmsChoice)]
#[cdms(mapping = "trade.toml", attribute = "Trade")]
pub enum Trade {
    Food,
    #[cdms(other)]
    Other(i32),
}
"#;

const ACCOUNT: &str = "entity = \"Account\"\n[attributes]\nName = { kind = \"string\" }\n";
const TRADE: &str = "entity = \"Trade\"\n[attributes]\nTrade = { kind = \"choice\", choices = { food = 1 } }\n";

/// A package with contracts, in the target folder.
struct Package(PathBuf);

/// What became of a check.
#[derive(Debug, PartialEq)]
enum Checked {
    /// Nothing was to be done.
    Fresh,
    /// The compiler ran, and was content.
    Built,
    /// The compiler ran, and had these errors; where it has said nothing of the package, Cargo's words.
    Refused(Vec<String>),
}

impl Package {
    fn new() -> Self {
        let package = Package(Path::new(env!("CARGO_TARGET_TMPDIR")).join("rebuild"));
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("this package is in the workspace");
        let lock = fs::read_to_string(root.join("Cargo.lock")).expect("the workspace has a lock file");
        for (file, text) in [
            ("Cargo.toml", manifest(root)),
            ("Cargo.lock", lock),
            ("src/lib.rs", CODE.to_owned()),
            ("datahub.toml", String::new()),
            ("mappings/account.toml", ACCOUNT.to_owned()),
            ("mappings/trade.toml", TRADE.to_owned()),
            ("mappings/nobodys.toml", String::new()),
            ("elsewhere/datahub.toml", String::new()),
            ("elsewhere/mappings/account.toml", ACCOUNT.replace("Name", "Title")),
            ("elsewhere/mappings/trade.toml", TRADE.to_owned()),
        ] {
            package.write(file, &text);
        }
        package
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("the target folder can be written");
        fs::write(path, text).expect("the target folder can be written");
    }

    /// Checks the package as trybuild checks its cases, so that their dependencies need not be built again.
    fn check(&self, elsewhere: bool) -> Checked {
        let flags = r#"["--cfg", "trybuild", "--verbose", "-A", "dead_code"]"#;
        let target = host();
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["check", "--offline", "--message-format=json", "--target", &target]);
        cargo.arg(format!("--config=build.rustflags={flags}"));
        cargo.arg(format!("--config=target.{target}.rustflags={flags}"));
        cargo.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tests").join("trybuild"));
        cargo.env("CARGO_INCREMENTAL", "0").env_remove("RUSTFLAGS").env_remove("DATAHUB_ROOT").current_dir(&self.0);
        if elsewhere {
            cargo.env("DATAHUB_ROOT", self.0.join("elsewhere"));
        }
        let output = cargo.output().expect("cargo can be run");
        let said = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<Json> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let is_ours = |line: &&Json| line["target"]["name"] == "datahub_rebuild_tests";
        if !output.status.success() {
            let messages = lines.iter().filter(is_ours).map(|line| &line["message"]);
            let errors = messages.filter(|message| message["level"] == "error");
            let mut told: Vec<_> = errors.filter_map(|error| error["message"].as_str().map(str::to_owned)).collect();
            if told.is_empty() {
                told.push(String::from_utf8_lossy(&output.stderr).into());
            }
            return Checked::Refused(told);
        }
        let built = lines.iter().filter(is_ours).find(|line| line["reason"] == "compiler-artifact");
        match built.expect("cargo tells what it has built")["fresh"].as_bool() {
            Some(true) => Checked::Fresh,
            _ => Checked::Built,
        }
    }

    /// Refused with a fault that both items have, of which one tells it, and with nothing else.
    #[track_caller]
    fn is_refused_once(&self, fault: &str) {
        let checked = self.check(false);
        let is_alone = matches!(&checked, Checked::Refused(told) if told.len() == 1 && told[0].contains(fault));
        assert!(is_alone, "not refused once and alone with {fault}: {checked:?}");
    }

    #[track_caller]
    fn is_refused(&self, elsewhere: bool, fault: &str) {
        let checked = self.check(elsewhere);
        assert!(
            matches!(&checked, Checked::Refused(told) if told.iter().any(|told| told.contains(fault))),
            "not refused with {fault}: {checked:?}"
        );
    }
}

/// The manifest that trybuild would write: this package's own dependencies, as the workspace has them.
fn manifest(root: &Path) -> String {
    let read = |path: PathBuf| fs::read_to_string(path).expect("a manifest can be read");
    let section = |text: &str, name: &str| {
        let lines = text.lines().skip_while(|line| *line != name).skip(1).take_while(|line| !line.starts_with('['));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let here = section(&read(root.join("tests/ui/Cargo.toml")), "[dev-dependencies]");
    let workspace = section(&read(root.join("Cargo.toml")), "[workspace.dependencies]");
    let workspace = workspace.replace("path = \"", &format!("path = \"{}/", root.display()));
    format!(
        "[package]\nname = \"datahub-rebuild-tests\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\
         [dependencies]\n{here}[workspace]\n[workspace.dependencies]\n{workspace}"
    )
}

/// The machine's own target, as the compiler calls it.
fn host() -> String {
    let told = Command::new("rustc").arg("-vV").output().expect("rustc can be run");
    let told = String::from_utf8_lossy(&told.stdout);
    told.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc tells its host").to_owned()
}

#[test]
fn a_derive_runs_again_when_what_it_read_has_changed_and_only_then() {
    let package = Package::new();
    let first = package.check(false);
    assert!(!matches!(first, Checked::Refused(_)), "{first:?}");
    assert_eq!(package.check(false), Checked::Fresh);

    package.write("mappings/nobodys.toml", "entity = \"Nobody\"\n");
    assert_eq!(package.check(false), Checked::Fresh, "a contract that no model has was changed");

    package.write("mappings/account.toml", &ACCOUNT.replace("Name", "Title"));
    package.is_refused(false, "unknown attribute `Name` in the contract of `Account` [unknown-attribute]");
    package.write("mappings/account.toml", ACCOUNT);
    assert_eq!(package.check(false), Checked::Built, "the contract was put back");

    package.write("mappings/trade.toml", &TRADE.replace("food", "drink"));
    package.is_refused(false, "[unknown-choice]");
    package.write("mappings/trade.toml", TRADE);
    assert_eq!(package.check(false), Checked::Built, "the other contract was put back");

    package.write("datahub.toml", "contracts = \"nowhere\"\n");
    package.is_refused_once("missing folder `nowhere` of the contracts [missing-key]");
    package.write("datahub.toml", "");
    assert_eq!(package.check(false), Checked::Built, "the project's file was put back");

    // The snapshot is read too where the project has one.
    let snapshot = include_str!("../mappings/metadata.xml");
    let trade = &TRADE.replace("Trade =", "IndustryCode =").replace("entity = \"Trade\"", "entity = \"Account\"");
    package.write("src/lib.rs", &CODE.replace("attribute = \"Trade\"", "attribute = \"IndustryCode\""));
    package.write("mappings/trade.toml", trade);
    package.write("metadata.xml", snapshot);
    package.write("datahub.toml", "metadata = \"metadata.xml\"\n");
    assert_eq!(package.check(false), Checked::Built, "with a snapshot");
    assert_eq!(package.check(false), Checked::Fresh);
    package.write(
        "metadata.xml",
        &snapshot.replacen("Name=\"Name\" Type=\"Edm.String\"", "Name=\"Name\" Type=\"Edm.Int32\"", 1),
    );
    package.is_refused(false, "[wrong-kind]");
    package.write("metadata.xml", snapshot);
    assert_eq!(package.check(false), Checked::Built, "the snapshot was put back");

    package.write("datahub.toml", "metdata = \"metadata.xml\"\n");
    package.is_refused_once("unknown key `metdata` in datahub.toml [unknown-key]");
    package.write("datahub.toml", "metadata = \"mappings/trade.toml\"\n");
    package.is_refused_once("cannot read the $metadata snapshot `mappings/trade.toml`");
    // Which hides no faults of the struct.
    let misspelt = fs::read_to_string(package.0.join("src/lib.rs")).expect("it was written");
    package.write("src/lib.rs", &misspelt.replace("\"Name\"", "\"Nmae\""));
    package.is_refused(false, "[unknown-attribute]");
    package.is_refused(false, "cannot read the $metadata snapshot `mappings/trade.toml`");
    for (file, text) in [("datahub.toml", ""), ("mappings/trade.toml", TRADE), ("src/lib.rs", CODE)] {
        package.write(file, text);
    }
    assert_eq!(package.check(false), Checked::Built, "all is as it was");

    let manifest = fs::read_to_string(package.0.join("Cargo.toml")).expect("it was written");
    let lines = manifest.lines().filter(|line| !line.starts_with("diesel = { workspace"));
    package.write("Cargo.toml", &lines.map(|line| format!("{line}\n")).collect::<String>());
    package.is_refused(false, "missing dependency `diesel`");
    package.write("Cargo.toml", &manifest);
    assert!(!matches!(package.check(false), Checked::Refused(_)), "diesel is a dependency again");

    fs::remove_file(package.0.join("mappings/account.toml")).expect("it is there");
    fs::create_dir(package.0.join("mappings/account.toml")).expect("the target folder can be written");
    package.is_refused(false, "cannot read the contract `mappings/account.toml`");
    fs::remove_dir(package.0.join("mappings/account.toml")).expect("it is there");
    package.write("mappings/account.toml", ACCOUNT);
    assert_eq!(package.check(false), Checked::Built, "all is as it was again");

    package.is_refused(true, "unknown attribute `Name` in the contract of `Account` [unknown-attribute]");
    fs::remove_file(package.0.join("elsewhere/datahub.toml")).expect("it is there");
    package.is_refused(true, "cannot read `datahub.toml`");
    assert_eq!(package.check(false), Checked::Built, "the root is the package again");
    assert_eq!(package.check(false), Checked::Fresh);
}
