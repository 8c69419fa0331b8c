//! The test programs of a changed workspace: each change is tried with the programs that reach it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
#[cfg(unix)]
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::sample::Mutant;
use super::tree::{ON, REACHED, Tree, messages};
use crate::check::say;
use crate::postgres;

/// The number of changes that are tried at the same time.
const WORKERS: usize = 2;

/// How long a program may take: this many times as long as without a change, but at least this long.
const PATIENCE: (u32, Duration) = (5, Duration::from_secs(60));

/// How long a program may take without a change.
const PATIENCE_WITHOUT: Duration = Duration::from_secs(1_800);

/// How many tests are left out because they fail under a change, but not on their own. After that, the program proves
/// nothing.
const UNSURE_MAX: usize = 5;

/// The programs that are run only for changes that all others have not noticed: they are slow, and others notice most
/// of what they notice.
const SLOW: [&str; 6] =
    ["crash", "soak", "rebuild", "promises on PostgreSQL", "crash on PostgreSQL", "soak on PostgreSQL"];

/// The suffix in the output for a test that must panic.
const SHOULD_PANIC: &str = " - should panic";

/// A program that uses a fixed folder, so that it cannot run twice at the same time.
const ALONE: &str = "rebuild";

/// The suffix of the name of a program that runs on a server.
const ON_POSTGRES: &str = " on PostgreSQL";

/// The variable that tells test kits to use a database on a server, and the test that sets it.
const ON_SERVER: (&str, &str) = ("DATAHUB_TEST_DATABASE", "all_of_it");

/// What the tests find about a change.
#[derive(Debug)]
pub(super) enum Asked {
    /// This test fails under it.
    Noticed { by: String },
    /// None of these programs, which reach it, fails.
    Missed { asked: Vec<String> },
}

/// The test programs, in the order in which they are run: the fastest first.
pub(super) struct Programs<'t> {
    programs: Vec<Program>,
    server: &'t str,
    alone: Mutex<()>,
}

struct Program {
    name: String,
    path: PathBuf,
    package: String,
    folder: PathBuf,
    on_server: bool,
    /// How long it takes without a change.
    takes: Duration,
    /// The changes that it reaches.
    reaches: BTreeSet<usize>,
}

/// How a run ended.
enum Ended {
    Well,
    /// Stopped at the first test that failed, with its name; `None` if the program itself failed.
    Failed(Option<String>),
    TooLate,
}

impl<'t> Programs<'t> {
    /// Builds the test programs, and runs each without a change: all must pass.
    pub(super) fn build(tree: &Tree, folder: &Path, server: &'t str) -> Result<Self, String> {
        // Incremental builds of a tree with many changes sometimes end with an internal error of rustc 1.95.
        let mut command = tree.cargo("test");
        command.env("CARGO_INCREMENTAL", "0");
        command.args(["--workspace", "--exclude=xtask", "--all-features", "--lib", "--bins", "--tests", "--no-run"]);
        let output = command.arg("--message-format=json").stderr(Stdio::null()).output();
        let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
        if !output.status.success() {
            let errors = messages(&output.stdout).filter(|message| message["message"]["level"] == "error");
            let first = errors.filter_map(|error| error["message"]["rendered"].as_str().map(str::to_owned)).next();
            let why = first.unwrap_or_else(|| output.status.to_string());
            return Err(format!("cannot build the tests of the changed workspace: {why}"));
        }
        let mut programs = Vec::new();
        for message in messages(&output.stdout).filter(|message| message["profile"]["test"] == true) {
            let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
            let Some(path) = text(&message["executable"]) else { continue };
            let manifest = text(&message["manifest_path"]).unwrap_or_default();
            let folder = Path::new(&manifest).parent().unwrap_or(&tree.folder).to_owned();
            let package = package_of(&message["package_id"]);
            let name = text(&message["target"]["name"]).unwrap_or_default();
            let program = |on_server| Program {
                name: if on_server { format!("{name}{ON_POSTGRES}") } else { name.clone() },
                path: PathBuf::from(&path),
                package: package.clone(),
                folder: folder.clone(),
                on_server,
                takes: Duration::ZERO,
                reaches: BTreeSet::new(),
            };
            let first = program(false);
            if first.again_on_server(server)? {
                programs.push(program(true));
            }
            programs.push(first);
        }
        say(&format!("{} test programs are built; they now run without a change", programs.len()));
        let (next, fails) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let places: Vec<Mutex<&mut Program>> = programs.iter_mut().map(Mutex::new).collect();
        side_by_side(|| {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(place) = places.get(at) else { return Ok(()) };
                let mut program = lock(place);
                let reached = folder.join(format!("reached-{at}"));
                // A program that fails once next to another one, but not the second time, is used nevertheless.
                if program.run_without(server, &reached)?.is_some()
                    && let Some(fault) = program.run_without(server, &reached)?
                {
                    lock(&fails).push(fault);
                }
            }
        })?;
        drop(places);
        if let Some(fault) = lock(&fails).first() {
            return Err(fault.clone());
        }
        programs.retain(|program| !program.reaches.is_empty());
        programs.sort_by_key(|program| (program.is_slow(), program.on_server, program.takes));
        Ok(Programs { programs, server, alone: Mutex::default() })
    }

    /// Tries each change that was not noticed before, with the slow programs only if the others have not noticed it,
    /// and writes a line about each result to a file as soon as it is known.
    pub(super) fn ask(
        &self,
        mutants: &[Mutant],
        holds: &BTreeSet<usize>,
        noticed_before: &BTreeSet<String>,
        file: File,
    ) -> Result<BTreeMap<usize, Asked>, String> {
        let told = Mutex::new((BTreeMap::new(), file));
        let mut open: Vec<usize> = Vec::new();
        for number in holds {
            if noticed_before.contains(&mutants[*number].key) {
                lock(&told).0.insert(*number, Asked::Noticed { by: "a previous run".to_owned() });
            } else {
                open.push(*number);
            }
        }
        for slow in [false, true] {
            say(&format!("trying {} changes with the {} programs", open.len(), if slow { "slow" } else { "fast" }));
            let next = AtomicUsize::new(0);
            side_by_side(|| {
                while let Some(number) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mutant = &mutants[*number];
                    let asked = self.ask_of(*number, &mutant.file, slow)?;
                    let (told, file) = &mut *lock(&told);
                    let (how, by) = match &asked {
                        Asked::Noticed { by } => ("noticed", by.clone()),
                        Asked::Missed { asked } => ("missed", asked.join(", ")),
                    };
                    say(&format!("{}/{}: {} is {how} by {by} [{number}]", told.len() + 1, holds.len(), mutant.name));
                    writeln!(file, "{how}\t{}\t{number}\t{by}", mutant.key)
                        .map_err(|error| format!("cannot write a result: {error}"))?;
                    told.insert(*number, asked);
                }
                Ok(())
            })?;
            open.retain(|number| matches!(lock(&told).0.get(number), Some(Asked::Missed { .. })));
        }
        Ok(told.into_inner().unwrap_or_else(PoisonError::into_inner).0)
    }

    fn ask_of(&self, number: usize, file: &str, slow: bool) -> Result<Asked, String> {
        let mut asked = Vec::new();
        // Code above the store is the same on both databases, except the test kits; the slow programs make sure.
        let both = ["/store", "sql", "/testing"].iter().any(|part| file.contains(part));
        let reaching = self.programs.iter().filter(|program| program.reaches.contains(&number));
        for program in reaching.clone().filter(|program| program.is_slow() == slow) {
            let on_sqlite = program
                .name
                .strip_suffix(ON_POSTGRES)
                .is_some_and(|name| reaching.clone().any(|other| other.name == name));
            if on_sqlite && !both && !slow {
                continue;
            }
            let alone = (program.name == ALONE).then(|| lock(&self.alone));
            let by = program.notices(self.server, number)?;
            drop(alone);
            if let Some(by) = by {
                return Ok(Asked::Noticed { by });
            }
            asked.push(program.name.clone());
        }
        Ok(Asked::Missed { asked })
    }
}

impl Program {
    fn is_slow(&self) -> bool {
        SLOW.contains(&&*self.name)
    }

    /// Whether it has a test that runs it again on a server.
    fn again_on_server(&self, server: &str) -> Result<bool, String> {
        let listed = self.command(server).args(["--list"]).output();
        let listed = listed.map_err(|error| format!("cannot run {}: {error}", self.name))?.stdout;
        Ok(String::from_utf8_lossy(&listed).contains(ON_SERVER.1))
    }

    /// Runs it without a change, and notes how long it takes and which changes it reaches. Returns the reason if it
    /// fails.
    fn run_without(&mut self, server: &str, reached: &Path) -> Result<Option<String>, String> {
        _ = std::fs::remove_file(reached);
        let begun = Instant::now();
        let ended = run(self.command(server).env(REACHED, reached), PATIENCE_WITHOUT)?;
        self.takes = begun.elapsed();
        let numbers = std::fs::read_to_string(reached).unwrap_or_default();
        self.reaches = numbers.lines().filter_map(|number| number.parse().ok()).collect();
        say(&format!("{}: {} s, {} changes", self.name, self.takes.as_secs(), self.reaches.len()));
        Ok(match ended {
            Ended::Well => None,
            Ended::Failed(Some(test)) => Some(format!("{}::{test} fails without a change", self.name)),
            Ended::Failed(None) => Some(format!("{} fails without a change", self.name)),
            Ended::TooLate => Some(format!("{} hangs without a change", self.name)),
        })
    }

    /// The test that fails under a change, fails again on its own, and does not fail without the change.
    fn notices(&self, server: &str, number: usize) -> Result<Option<String>, String> {
        let patience = (self.takes * PATIENCE.0).max(PATIENCE.1);
        let mut unsure: Vec<String> = Vec::new();
        while unsure.len() < UNSURE_MAX {
            let skipped: Vec<_> = unsure.iter().flat_map(|test| ["--skip", test]).collect();
            let (test, again) = match self.run(server, Some(number), &skipped, patience)? {
                Ended::Well => return Ok(None),
                Ended::TooLate => (None, "which hangs".to_owned()),
                Ended::Failed(None) => (None, "which fails".to_owned()),
                Ended::Failed(Some(test)) => (Some(test.clone()), test),
            };
            let alone = test.as_deref().map_or(skipped, |test| vec!["--exact", test]);
            if matches!(self.run(server, Some(number), &alone, patience)?, Ended::Well) {
                unsure.extend(test);
                continue;
            }
            // A test that also fails without the change proves nothing about any change.
            if !matches!(self.run(server, None, &alone, patience)?, Ended::Well) {
                return Err(format!(
                    "{}: {again} now fails without a change; check the disk space and the database",
                    self.name
                ));
            }
            return Ok(Some(match test {
                Some(test) => format!("{}::{test}", self.name),
                None => format!("{}, {again}", self.name),
            }));
        }
        Ok(None)
    }

    fn command(&self, server: &str) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder).env("CARGO_PKG_NAME", &self.package);
        if self.on_server {
            command.env(ON_SERVER.0, server).env(postgres::URL, server).args(["--skip", ON_SERVER.1]);
        } else {
            command.env("DATAHUB_TESTS", "sqlite-only").env_remove(postgres::URL);
        }
        // A random cell must be chosen again when its test runs alone.
        command.env("DATAHUB_CRASH_SEED", "16").env("DATAHUB_SOAK_SEED", "16");
        // The tests of a procedural macro are linked to the compiler's libraries.
        if let Some(libraries) = libraries() {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }

    fn run(
        &self,
        server: &str,
        number: Option<usize>,
        arguments: &[&str],
        patience: Duration,
    ) -> Result<Ended, String> {
        let mut command = self.command(server);
        command.env(ON, number.map_or(String::new(), |number| number.to_string())).args(arguments);
        run(&mut command, patience)
    }
}

/// Runs a program until it ends, one of its tests fails, or it takes too long.
fn run(command: &mut Command, patience: Duration) -> Result<Ended, String> {
    command.env("RUST_BACKTRACE", "0");
    #[cfg(unix)]
    command.process_group(0);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = child.map_err(|error| format!("cannot run {}: {error}", command.get_program().display()))?;
    let Some(output) = child.stdout.take() else { return Err("a child has no output".to_owned()) };
    let (sender, failures) = mpsc::channel();
    // The thread ends with the pipe, which closes when the process group ends.
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(test) = line.strip_prefix("test ").and_then(|line| line.strip_suffix("FAILED")) {
                // The receiver is dropped after the first failure.
                _ = sender
                    .send(test.trim_end().trim_end_matches("...").trim_end().trim_end_matches(SHOULD_PANIC).to_owned());
            }
        }
    });
    let begun = Instant::now();
    loop {
        if let Ok(test) = failures.recv_timeout(Duration::from_millis(20)) {
            end(&mut child);
            return Ok(Ended::Failed(Some(test)));
        }
        match child.try_wait() {
            Ok(Some(status)) if status.success() => {
                end(&mut child);
                return Ok(Ended::Well);
            }
            Ok(Some(_)) => {
                let test = failures.recv_timeout(Duration::from_millis(200)).ok();
                end(&mut child);
                return Ok(Ended::Failed(test));
            }
            Ok(None) if begun.elapsed() < patience => {
                // Its output may be closed, so wait for its end.
                std::thread::sleep(Duration::from_millis(10));
            }
            _ => {
                end(&mut child);
                return Ok(Ended::TooLate);
            }
        }
    }
}

/// Runs the same work in every worker and waits until all have ended.
fn side_by_side(work: impl Fn() -> Result<(), String> + Sync) -> Result<(), String> {
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(&work)).collect();
        let ended: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        ended.into_iter().try_for_each(|ended| ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends a program and the programs that it has started.
fn end(child: &mut Child) {
    _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).stderr(Stdio::null()).status();
    _ = child.kill();
    _ = child.wait();
}

fn package_of(id: &serde_json::Value) -> String {
    let id = id.as_str().unwrap_or_default();
    let name = id.rsplit(['/', '#']).next().unwrap_or_default();
    match (name.contains('@'), id.rsplit_once('#')) {
        (true, _) => name.split('@').next().unwrap_or_default().to_owned(),
        (false, Some((path, _))) => path.rsplit('/').next().unwrap_or_default().to_owned(),
        (false, None) => name.to_owned(),
    }
}

fn libraries() -> Option<String> {
    let output = Command::new("rustc").args(["--print", "target-libdir"]).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
