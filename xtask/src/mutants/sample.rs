//! A random sample of the changes that no part of `cargo xtask mutants` tries one by one, many of them in one build.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::asked::{Asked, Programs};
use super::switched::{Change, Genre, Place};
use super::tree::Tree;
use super::{LEFT, PARTS, PLANTED, Tried, judge, name};
use crate::check::{install, say};
use crate::postgres::Server;

/// The name of this part in the list of explained changes.
const PART: &str = "sample";

/// The shipped packages, without `datahub-protocol`, of which every change is tried.
const PACKAGES: [&str; 7] = [
    "cdms-odata",
    "cdms-simulator",
    "datahub-cli",
    "datahub-derive",
    "datahub-macros",
    "datahub-model",
    "datahub-runtime",
];

/// Files that are not behaviour of the product: planted faults, and the stops of the crash matrix.
const EXCLUDED: [&str; 2] = ["cdms-odata/src/planted.rs", "datahub-runtime/src/crash_points.rs"];

/// The percentage by which a larger sample is drawn, because many changes do not compile.
const SPARE_PERCENT: usize = 40;

/// The folder of the workspace's copy and of the results.
const FOLDER: &str = "target/mutants-of-sample";

/// A change that cargo-mutants knows.
#[derive(Debug)]
pub(super) struct Mutant {
    /// Its name with its line.
    pub(super) name: String,
    /// Its name without the line, and its number among changes of the same name.
    pub(super) key: String,
    pub(super) package: String,
    pub(super) file: String,
    pub(super) from: Place,
    pub(super) to: Place,
    pub(super) replacement: String,
    /// Where its function begins.
    pub(super) function: Place,
    genre: Genre,
}

impl Mutant {
    fn read(listed: &Value) -> Option<Mutant> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let place = |value: &Value| {
            let number = |name: &str| value[name].as_u64().and_then(|number| usize::try_from(number).ok());
            Some(Place { line: number("line")?, column: number("column")? })
        };
        let genre = match listed["genre"].as_str()? {
            "FnValue" => Genre::Body,
            "BinaryOperator" => Genre::Binary,
            "UnaryOperator" => Genre::Unary,
            "MatchArm" => Genre::Arm,
            "MatchArmGuard" => Genre::Guard,
            "StructField" => Genre::Field,
            _ => return None,
        };
        let from = place(&listed["span"]["start"])?;
        Some(Mutant {
            name: text(&listed["name"])?,
            key: String::new(),
            package: text(&listed["package"])?,
            file: text(&listed["file"])?,
            from,
            to: place(&listed["span"]["end"])?,
            replacement: text(&listed["replacement"])?,
            function: place(&listed["function"]["span"]["start"]).unwrap_or(from),
            genre,
        })
    }

    pub(super) fn change(&self, number: usize) -> Change {
        Change { number, genre: self.genre, place: self.from, replacement: self.replacement.clone() }
    }
}

/// Draws a sample, plants it, and runs the tests; with `again`, only for changes that no previous run has noticed.
pub(crate) fn run(count: usize, seed: Option<u64>, again: bool) -> Result<String, String> {
    let seed = seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let explained = std::fs::read_to_string(LEFT).map_err(|error| format!("cannot read {LEFT}: {error}"))?;
    let folder = std::path::absolute(FOLDER).map_err(|error| format!("{FOLDER}: {error}"))?;
    std::fs::create_dir_all(&folder).map_err(|error| format!("{FOLDER}: {error}"))?;
    let all = list()?;
    let of = all.len();
    let mut mutants = draw(all, count + count * SPARE_PERCENT / 100, seed);
    say(&format!("drew {} of {of} changes with seed {seed}", mutants.len()));
    let mut tree = Tree::plant(&folder, &mutants)?;
    let spare: Vec<_> = tree.holds.iter().copied().skip(count).collect();
    for number in spare {
        tree.holds.remove(&number);
    }
    say(&format!(
        "trying {}; {} of the sample do not compile, {} compile only without a switch",
        tree.holds.len(),
        tree.unviable.len(),
        tree.alone.len()
    ));
    let server = Server::start()?;
    let server = server.as_ref().map(Server::url).ok_or("a sample needs both databases; unset DATAHUB_TESTS")?;
    let programs = Programs::build(&tree, &folder, server)?;
    let told = folder.join("told.tsv");
    let before = if again { noticed_before(&told)? } else { BTreeSet::new() };
    let mut file = std::fs::OpenOptions::new();
    let file = if again { file.append(true) } else { file.write(true).truncate(true) }.create(true).open(&told);
    let file = file.map_err(|error| format!("{}: {error}", told.display()))?;
    let tried = programs.ask(&mutants, &tree.holds, &before, file)?;
    let mut missed = BTreeMap::new();
    let mut by_package: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (number, asked) in &tried {
        let mutant = &mut mutants[*number];
        let counted = by_package.entry(std::mem::take(&mut mutant.package)).or_default();
        counted.0 += 1;
        if let Asked::Missed { .. } = asked {
            counted.1 += 1;
            *missed.entry(name(&mutant.name)).or_default() += 1;
        }
    }
    say("\n| package | tried | not noticed |\n|---|---|---|");
    for (package, (tried, missed)) in by_package {
        say(&format!("| `{package}` | {tried} | {missed} |"));
    }
    // Explanations of changes that are not in this sample belong to other samples.
    let names: BTreeSet<_> = tried.keys().map(|number| name(&mutants[*number].name)).collect();
    let explained = explained.lines().filter(|line| line.starts_with('[') || names.contains(line.trim()));
    let explained = explained.collect::<Vec<_>>().join("\n");
    judge(PART, &Tried { noticed: tried.len() - missed.values().sum::<usize>(), missed }, &explained)
}

/// All changes of the shipped code, without those that a part tries.
fn list() -> Result<Vec<Mutant>, String> {
    install("cargo-mutants")?;
    let mut command = Command::new("cargo-mutants");
    command.args(["mutants", "--list", "--json", "--all-features"]);
    command.args(PACKAGES.map(|package| format!("--package={package}")));
    command.arg(PLANTED);
    command.args(EXCLUDED.map(|file| format!("--exclude={file}")));
    for part in &PARTS {
        let files = part.arguments.iter().filter_map(|argument| argument.strip_prefix("--file="));
        command.args(files.map(|files| format!("--exclude={files}")));
    }
    let output = command.output().map_err(|error| format!("cannot run cargo-mutants: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("cargo-mutants ended with {}: {}", output.status, why.trim()));
    }
    let listed: Vec<Value> = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("unknown format of cargo-mutants's list: {error}"))?;
    let read = |listed| Mutant::read(listed).ok_or_else(|| format!("unknown change in cargo-mutants's list: {listed}"));
    listed.iter().map(read).collect()
}

/// Chooses this number of changes by the seed and by their names without lines, so that edits elsewhere do not change
/// the sample.
fn draw(mut all: Vec<Mutant>, count: usize, seed: u64) -> Vec<Mutant> {
    all.sort_by_key(|mutant| (mutant.file.clone(), mutant.from));
    let mut times: BTreeMap<String, u64> = BTreeMap::new();
    for mutant in &mut all {
        let nth = times.entry(name(&mutant.name)).or_default();
        mutant.key = format!("{} ({nth})", name(&mutant.name));
        *nth += 1;
    }
    all.sort_by_cached_key(|mutant| lot(seed, &mutant.key));
    all.truncate(count);
    all
}

/// A pseudorandom number for a text and a seed.
fn lot(seed: u64, text: &str) -> u64 {
    text.bytes().fold(seed, |lot, byte| fastrand::Rng::with_seed(lot ^ u64::from(byte)).u64(..))
}

/// The changes that previous runs noticed.
fn noticed_before(told: &Path) -> Result<BTreeSet<String>, String> {
    let text = std::fs::read_to_string(told).map_err(|error| format!("{}: {error}", told.display()))?;
    let noticed = text.lines().filter_map(|line| line.strip_prefix("noticed\t"));
    Ok(noticed.map(|rest| rest.split('\t').next().unwrap_or_default().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutant(name: &str, line: usize) -> Mutant {
        let from = Place { line, column: 1 };
        Mutant {
            name: format!("src/a.rs:{line}:1: {name}"),
            key: String::new(),
            package: "a".to_owned(),
            file: "src/a.rs".to_owned(),
            from,
            to: from,
            replacement: String::new(),
            function: from,
            genre: Genre::Unary,
        }
    }

    fn drawn(all: Vec<Mutant>, seed: u64) -> Vec<String> {
        draw(all, 3, seed).into_iter().map(|mutant| mutant.key).collect()
    }

    #[test]
    fn a_seed_draws_the_same_changes_on_any_line() {
        let names =
            ["delete ! in f", "delete - in f", "delete ! in g", "delete ! in f", "delete ! in h", "delete - in i"];
        let at =
            |shift: usize| names.iter().zip(1..).map(|(name, line)| mutant(name, line + shift)).collect::<Vec<_>>();
        assert_eq!(drawn(at(0), 7), drawn(at(30), 7));
        assert!((8..20).any(|seed| drawn(at(0), seed) != drawn(at(0), 7)), "every seed draws the same");
        let twice =
            draw(at(0), 6, 1).into_iter().filter(|mutant| mutant.key.starts_with("src/a.rs: delete ! in f")).count();
        assert_eq!(twice, 2);
    }
}
