//! A copy of the workspace with many changes, each behind a switch, built with all that compile.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::sample::Mutant;
use super::switched::{Change, replace, switch};
use crate::check::say;

/// The package with the switch that all changed packages depend on.
const SWITCH_PACKAGE: &str = "mutant-switch";

/// The variable with the number of the change that is on, for a program and the programs that it starts.
pub(super) const ON: &str = "DATAHUB_MUTANT";

/// The variable with the file to which a program adds the numbers of the changes that it reaches.
pub(super) const REACHED: &str = "DATAHUB_MUTANTS_REACHED";

/// The switch, which is built only into test programs. It panics if it cannot note a change, because that must end the
/// test. It allocates only when it is first called, because some tests count allocations.
const SWITCH_SOURCE: &str = r#"//! Tells which change is on, and notes which changes a program reaches.

use std::fs::File;
use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether this change is on.
pub fn is_on(number: usize) -> bool {
    static ON: OnceLock<(Option<usize>, Option<File>)> = OnceLock::new();
    static REACHED: [AtomicBool; 10_000] = [const { AtomicBool::new(false) }; 10_000];
    let (on, reached) = ON.get_or_init(|| {
        let on = std::env::var("DATAHUB_MUTANT").ok().and_then(|number| number.parse().ok());
        let reached = std::env::var_os("DATAHUB_MUTANTS_REACHED").map(|path| {
            let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
            file.expect("the file of reached changes")
        });
        (on, reached)
    });
    if let Some(mut file) = reached.as_ref()
        && !REACHED[number].swap(true, Ordering::Relaxed)
    {
        let mut line = [0; 16];
        let mut rest = &mut line[..];
        writeln!(rest, "{number}").expect("a number is short");
        let length = 16 - rest.len();
        file.write_all(&line[..length]).expect("a line is written");
    }
    *on == Some(number)
}
"#;

/// The copy, and the changes in it.
pub(super) struct Tree {
    pub(super) folder: PathBuf,
    pub(super) target: PathBuf,
    /// The changed packages. Code that uses a derive is not checked, because changes of the derive would show there.
    packages: BTreeSet<String>,
    /// The numbers of the changes in the copy.
    pub(super) holds: BTreeSet<usize>,
    /// The changes that do not compile, with or without a switch.
    pub(super) unviable: BTreeSet<usize>,
    /// The changes that compile only without a switch, for example in a constant, where a switch cannot be read.
    pub(super) alone: BTreeSet<usize>,
}

impl Tree {
    /// Copies the workspace to a folder, changes it, and removes changes until the rest compiles.
    pub(super) fn plant(folder: &Path, mutants: &[Mutant]) -> Result<Tree, String> {
        let mut tree = Tree {
            folder: folder.join("tree"),
            target: folder.join("target"),
            packages: mutants.iter().map(|mutant| mutant.package.clone()).collect(),
            holds: (0..mutants.len()).collect(),
            unviable: BTreeSet::new(),
            alone: BTreeSet::new(),
        };
        copy(&tree.folder)?;
        add_switch(&tree.folder, mutants)?;
        // First without a switch; changes that do not compile then cannot be tried at all.
        let mut literal: BTreeSet<usize> = tree.holds.clone();
        let mut compile_alone = BTreeSet::new();
        while !literal.is_empty() {
            let (now, later) = apart(mutants, &literal);
            let (compiles, fails) = tree.settle(mutants, now, write_literal)?;
            say(&format!("{} of {} changes compile by themselves", compiles.len(), compiles.len() + fails.len()));
            compile_alone.extend(compiles);
            tree.unviable.extend(fails);
            literal = later;
        }
        let (holds, fails) = tree.settle(mutants, compile_alone, write_switched)?;
        (tree.holds, tree.alone) = (holds, fails);
        Ok(tree)
    }

    /// Writes changes in one way, and removes those that do not compile until the rest does. Returns the changes that
    /// compile, and the others.
    fn settle(
        &self,
        mutants: &[Mutant],
        mut kept: BTreeSet<usize>,
        write: Write,
    ) -> Result<(BTreeSet<usize>, BTreeSet<usize>), String> {
        let mut out = BTreeSet::new();
        loop {
            let written = write(&self.folder, mutants, &kept)?;
            let placed: BTreeSet<usize> = written.values().flat_map(BTreeMap::keys).copied().collect();
            out.extend(kept.difference(&placed));
            kept = placed;
            let culprits = self.check(&written)?;
            if culprits.is_empty() {
                return Ok((kept, out));
            }
            say(&format!("{} of {} changes do not compile and are removed", culprits.len(), kept.len()));
            kept.retain(|number| !culprits.contains(number));
            out.extend(culprits);
        }
    }

    /// Checks the packages, and returns the changes that errors are about.
    fn check(&self, written: &Written) -> Result<BTreeSet<usize>, String> {
        let mut command = self.cargo("check");
        command.args(["--lib", "--bins", "--all-features", "--keep-going"]);
        command.args(self.packages.iter().map(|package| format!("--package={package}")));
        let output = command.arg("--message-format=json").stderr(Stdio::null()).output();
        let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
        let mut culprits = BTreeSet::new();
        let mut first = None;
        for message in messages(&output.stdout) {
            let message = &message["message"];
            if message["level"] == "error" {
                culprits.extend(culprit(message, written));
                first = first.or_else(|| message["rendered"].as_str().map(str::to_owned));
            }
        }
        if culprits.is_empty() && !output.status.success() {
            let first = first.unwrap_or_else(|| "unknown reason".to_owned());
            return Err(format!("the changed workspace does not compile, and no change explains why: {first}"));
        }
        Ok(culprits)
    }

    /// A cargo command in the copy.
    pub(super) fn cargo(&self, task: &str) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.arg(task).current_dir(&self.folder).env("CARGO_TARGET_DIR", &self.target);
        command
    }
}

/// The messages in the output of a cargo command.
pub(super) fn messages(output: &[u8]) -> impl Iterator<Item = Value> {
    output.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
}

/// Each changed file, with the ranges of its changes.
type Written = BTreeMap<String, BTreeMap<usize, Range<usize>>>;

/// A way to write changes.
type Write = fn(&Path, &[Mutant], &BTreeSet<usize>) -> Result<Written, String>;

fn write_switched(folder: &Path, mutants: &[Mutant], kept: &BTreeSet<usize>) -> Result<Written, String> {
    let mut written = Written::new();
    for file in files(mutants) {
        let original = read(Path::new(file))?;
        let of_file = kept.iter().filter(|number| mutants[**number].file == file);
        let changes: Vec<Change> = of_file.map(|number| mutants[*number].change(*number)).collect();
        let switched = switch(&original, &changes.iter().collect::<Vec<_>>())
            .map_err(|error| format!("cannot parse {file}: {error}"))?;
        write(&folder.join(file), &switched.text)?;
        written.insert(file.to_owned(), switched.at);
    }
    Ok(written)
}

fn write_literal(folder: &Path, mutants: &[Mutant], kept: &BTreeSet<usize>) -> Result<Written, String> {
    let mut written = Written::new();
    for file in files(mutants) {
        let mut text = read(Path::new(file))?;
        let mut of_file: Vec<_> = kept.iter().copied().filter(|number| mutants[*number].file == file).collect();
        of_file.sort_by_key(|number| std::cmp::Reverse(mutants[*number].from));
        let mut at: BTreeMap<usize, Range<usize>> = BTreeMap::new();
        for number in of_file {
            let mutant = &mutants[number];
            let old = text.len();
            let Some(begin) = super::switched::offset(&text, mutant.from) else { continue };
            let Some(changed) = replace(&text, mutant.from, mutant.to, &mutant.replacement) else { continue };
            // Earlier changes are further back in the text.
            let shift = changed.len().wrapping_sub(old);
            for range in at.values_mut() {
                *range = range.start.wrapping_add(shift)..range.end.wrapping_add(shift);
            }
            at.insert(number, begin..begin + mutant.replacement.len());
            text = changed;
        }
        write(&folder.join(file), &text)?;
        written.insert(file.to_owned(), at);
    }
    Ok(written)
}

/// Separates changes into one per function and the rest, because an error may hide another one in the same function.
fn apart(mutants: &[Mutant], of: &BTreeSet<usize>) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let mut functions = BTreeSet::new();
    of.iter().partition(|number| functions.insert((&mutants[**number].file, mutants[**number].function)))
}

/// The change that an error is about: the smallest one around a place in the error, or else the nearest.
fn culprit(message: &Value, written: &Written) -> Option<usize> {
    let spans = message["spans"].as_array()?;
    let places: Vec<_> = spans
        .iter()
        .filter_map(|span| {
            let at = written.get(span["file_name"].as_str()?)?;
            let (start, end) = (span["byte_start"].as_u64()?, span["byte_end"].as_u64()?);
            Some((at, usize::try_from(start).ok()?..usize::try_from(end).ok()?))
        })
        .collect();
    let around = places.iter().flat_map(|(at, place)| {
        let around = at.iter().filter(|(_, range)| range.start <= place.start && place.start <= range.end);
        around.map(|(number, range)| (range.len(), *number))
    });
    let nearest = places.iter().flat_map(|(at, place)| {
        at.iter().map(|(number, range)| (range.start.abs_diff(place.start).min(range.end.abs_diff(place.end)), *number))
    });
    around.min().or_else(|| nearest.min()).map(|(_, number)| number)
}

fn files(mutants: &[Mutant]) -> BTreeSet<&str> {
    mutants.iter().map(|mutant| &*mutant.file).collect()
}

/// Copies the files that git knows, in their present state, and removes other files from the copy.
fn copy(to: &Path) -> Result<(), String> {
    let listed = Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]).output();
    let listed = listed.map_err(|error| format!("cannot run git: {error}"))?;
    if !listed.status.success() {
        return Err(format!("git ls-files ended with {}", listed.status));
    }
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    // Deleted files are also listed until the deletion is committed.
    let files: BTreeSet<&Path> = listed.lines().map(Path::new).filter(|file| file.is_file()).collect();
    for file in &files {
        let failed = |error: std::io::Error| format!("{}: {error}", file.display());
        let now = std::fs::read(file).map_err(failed)?;
        // An unchanged file keeps its time, so that cargo does not build it again.
        if std::fs::read(to.join(file)).ok().as_ref() != Some(&now) {
            create(&to.join(file), &now)?;
            let mode = std::fs::metadata(file).map_err(failed)?.permissions();
            std::fs::set_permissions(to.join(file), mode).map_err(failed)?;
        }
    }
    remove_others(to, Path::new(""), &files)
}

/// Removes all other Rust files from a folder of the copy, because cargo would build them.
fn remove_others(copy: &Path, folder: &Path, files: &BTreeSet<&Path>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", copy.join(folder).display());
    for entry in std::fs::read_dir(copy.join(folder)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = folder.join(entry.file_name());
        if entry.file_type().map_err(failed)?.is_dir() {
            // Tests build in folders of that name.
            if path != Path::new(SWITCH_PACKAGE) && !path.ends_with("target") {
                remove_others(copy, &path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && !files.contains(&*path) {
            std::fs::remove_file(copy.join(&path)).map_err(failed)?;
        }
    }
    Ok(())
}

/// Adds the package of the switch, and makes each changed package depend on it.
fn add_switch(folder: &Path, mutants: &[Mutant]) -> Result<(), String> {
    let edit = |file: &Path, from: &str, to: &str| -> Result<(), String> {
        let text = read(file)?;
        if text.contains(SWITCH_PACKAGE) {
            return Ok(());
        }
        let edited = text.replacen(from, to, 1);
        if edited == text {
            return Err(format!("no `{from}` in {}", file.display()));
        }
        write(&folder.join(file), &edited)
    };
    edit(Path::new("Cargo.toml"), "members = [", &format!("members = [\n    \"{SWITCH_PACKAGE}\","))?;
    let packages: BTreeSet<_> = mutants.iter().map(|mutant| &*mutant.package).collect();
    for package in packages {
        let line = format!("[dependencies]\n{SWITCH_PACKAGE} = {{ path = \"../{SWITCH_PACKAGE}\" }}");
        edit(&Path::new(package).join("Cargo.toml"), "[dependencies]", &line)?;
    }
    let manifest = format!("[package]\nname = \"{SWITCH_PACKAGE}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n");
    write(&folder.join(SWITCH_PACKAGE).join("Cargo.toml"), &manifest)?;
    write(&folder.join(SWITCH_PACKAGE).join("src/lib.rs"), SWITCH_SOURCE)
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
}

/// Writes a file unless its text is unchanged.
fn write(file: &Path, text: &str) -> Result<(), String> {
    if std::fs::read(file).is_ok_and(|now| now == text.as_bytes()) {
        return Ok(());
    }
    create(file, text.as_bytes())
}

fn create(file: &Path, bytes: &[u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot write {}: {error}", file.display());
    file.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
    std::fs::write(file, bytes).map_err(failed)
}
