//! A copy of the workspace that holds many changes behind a switch, built with all those that compile.

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

/// The number of the change that is on, for a program and for those that it starts.
pub(super) const ON: &str = "DATAHUB_MUTANT";

/// A file to which a program adds the numbers of the changes that it comes to.
pub(super) const REACHED: &str = "DATAHUB_MUTANTS_REACHED";

/// The switch, which is built into test programs only: a change that cannot be noted has to end the test, so it panics. It
/// allocates nothing after its first question, since there are tests that count allocations.
const SWITCH_SOURCE: &str = r#"//! Says which change is on, and notes which changes a program comes to.

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
            file.expect("the file of the changes that are reached")
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

/// The copy, and what became of the changes that were to be in it.
pub(super) struct Tree {
    pub(super) folder: PathBuf,
    pub(super) target: PathBuf,
    /// The packages that are changed. What uses a derive is not checked, whose changes would show there.
    packages: BTreeSet<String>,
    /// The changes that are in it, by number.
    pub(super) holds: BTreeSet<usize>,
    /// Those that do not compile, whether with a switch or without.
    pub(super) unviable: BTreeSet<usize>,
    /// Those that compile on their own alone: in a constant, say, where no switch can be asked.
    pub(super) alone: BTreeSet<usize>,
}

impl Tree {
    /// Copies the workspace to a folder, changes it and checks it until all that is left compiles.
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
        // First what compiles without a switch; the others can be tried in no way.
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

    /// Writes changes in one way, and takes out those that do not compile, until the rest does: those in it, and the others.
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
            say(&format!("{} of {} changes do not compile and are taken out", culprits.len(), kept.len()));
            kept.retain(|number| !culprits.contains(number));
            out.extend(culprits);
        }
    }

    /// Checks the packages; the changes that errors are about.
    fn check(&self, written: &Written) -> Result<BTreeSet<usize>, String> {
        let mut command = self.cargo("check");
        command.args(["--lib", "--bins", "--all-features", "--keep-going"]);
        command.args(self.packages.iter().map(|package| format!("--package={package}")));
        let output = command.arg("--message-format=json").stderr(Stdio::null()).output();
        let output = output.map_err(|error| format!("cargo cannot be run: {error}"))?;
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
            let first = first.unwrap_or_else(|| "nothing said why".to_owned());
            return Err(format!("the changed workspace does not compile, and no change is where it fails: {first}"));
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

/// The lines of a cargo command's output that are messages.
pub(super) fn messages(output: &[u8]) -> impl Iterator<Item = Value> {
    output.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
}

/// Each changed file, with where in it the changes are.
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
            .map_err(|error| format!("{file} cannot be read as Rust: {error}"))?;
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
            // What was changed before stands behind this.
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

/// Changes none of which stands in the function of another, since one fault may hide another there, and the rest.
fn apart(mutants: &[Mutant], of: &BTreeSet<usize>) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let mut functions = BTreeSet::new();
    of.iter().partition(|number| functions.insert((&mutants[**number].file, mutants[**number].function)))
}

/// The change that an error is about: the smallest one around a place that the error shows, or else the nearest.
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

/// Copies what git knows, as it is now, and takes out of the copy what is gone.
fn copy(to: &Path) -> Result<(), String> {
    let listed = Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]).output();
    let listed = listed.map_err(|error| format!("git cannot be run: {error}"))?;
    if !listed.status.success() {
        return Err(format!("git ls-files ended with {}", listed.status));
    }
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    // A file that is deleted and not committed yet is listed too.
    let files: BTreeSet<&Path> = listed.lines().map(Path::new).filter(|file| file.is_file()).collect();
    for file in &files {
        let failed = |error: std::io::Error| format!("{}: {error}", file.display());
        let now = std::fs::read(file).map_err(failed)?;
        // A file that stays as it is keeps its time, so that cargo need not build it again.
        if std::fs::read(to.join(file)).ok().as_ref() != Some(&now) {
            create(&to.join(file), &now)?;
            let mode = std::fs::metadata(file).map_err(failed)?.permissions();
            std::fs::set_permissions(to.join(file), mode).map_err(failed)?;
        }
    }
    remove_others(to, Path::new(""), &files)
}

/// Removes the Rust files of a folder of the copy that are none of these: cargo would build them.
fn remove_others(copy: &Path, folder: &Path, files: &BTreeSet<&Path>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", copy.join(folder).display());
    for entry in std::fs::read_dir(copy.join(folder)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = folder.join(entry.file_name());
        if entry.file_type().map_err(failed)?.is_dir() {
            // What tests build stands in folders of that name.
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
            return Err(format!("{} has no `{from}`", file.display()));
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
    std::fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}

/// Writes a file unless it is so already.
fn write(file: &Path, text: &str) -> Result<(), String> {
    if std::fs::read(file).is_ok_and(|now| now == text.as_bytes()) {
        return Ok(());
    }
    create(file, text.as_bytes())
}

fn create(file: &Path, bytes: &[u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{} cannot be written: {error}", file.display());
    file.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
    std::fs::write(file, bytes).map_err(failed)
}
