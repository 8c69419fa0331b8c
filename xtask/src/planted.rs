//! Checks the checkers: each fault that can be planted in the shipped code must be caught by a checker, and each
//! checker must catch a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read};
#[cfg(unix)]
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use datahub_protocol::planted::Planted;

use crate::check::say;
use crate::postgres::{self, Server};

/// The test programs that must catch the faults, in the order in which they are run: the fastest first.
const CHECKERS: [&str; 5] = ["simulation", "promises", "search", "crash", "soak"];

/// How long a checker may take: this many times as long as without a fault, but at least this long.
const PATIENCE: (u32, Duration) = (4, Duration::from_secs(180));

/// How long a checker may take without a fault.
const PATIENCE_WITHOUT: Duration = Duration::from_secs(3_600);

/// What a checker reports.
enum Said {
    /// It found nothing wrong.
    Nothing,
    /// It found this.
    Caught(String),
    /// It failed without saying what is wrong, or did not end. This does not count as a catch.
    Failed(String),
}

impl Said {
    fn shown(&self) -> String {
        match self {
            Said::Nothing => "–".to_owned(),
            Said::Caught(what) => what.clone(),
            Said::Failed(how) => format!("({how})"),
        }
    }
}

/// Runs every checker without a fault, which must find nothing. Then plants every fault, or the named ones, and runs
/// the checkers one after another until one catches it, or all of them with `all`.
pub(crate) fn run(only: &[String], all: bool) -> ExitCode {
    match table(only, all) {
        Ok(missing) if missing.is_empty() => ExitCode::SUCCESS,
        Ok(missing) => {
            missing.iter().for_each(|missing| say(missing));
            ExitCode::FAILURE
        }
        Err(reason) => {
            say(&reason);
            ExitCode::FAILURE
        }
    }
}

/// Prints the table, and returns which faults are not caught and which checkers catch nothing.
fn table(only: &[String], all: bool) -> Result<Vec<String>, String> {
    if let Some(unknown) = only.iter().find(|name| !Planted::ALL.iter().any(|fault| fault.name() == *name)) {
        return Err(format!("unknown fault `{unknown}`; without names, all faults are planted"));
    }
    // The whole table covers both databases.
    let server = if all { Server::start()? } else { None };
    if all && server.is_none() {
        return Err("the whole table needs both databases; unset DATAHUB_TESTS".to_owned());
    }
    let url = server.as_ref().map(Server::url);
    let checker = |(name, program)| Checker { name, program, server: url, patience: PATIENCE_WITHOUT };
    let mut checkers: Vec<_> = build()?.into_iter().map(checker).collect();
    for checker in &mut checkers {
        let begun = Instant::now();
        match checker.ask(None)? {
            Said::Nothing => {}
            said => return Err(format!("{} fails without a fault: {}", checker.name, said.shown())),
        }
        say(&format!("{} passes without a fault, in {} s", checker.name, begun.elapsed().as_secs()));
        checker.patience = (begun.elapsed() * PATIENCE.0).max(PATIENCE.1);
    }
    let heads = if all { CHECKERS.join(" | ") } else { "caught by | by what".to_owned() };
    say(&format!("\n| fault | what it does | {heads} |\n|{}", "---|".repeat(2 + if all { CHECKERS.len() } else { 2 })));
    let mut missed = Vec::new();
    let mut idle: BTreeSet<_> = CHECKERS.into_iter().collect();
    for fault in Planted::ALL.iter().filter(|fault| only.is_empty() || only.iter().any(|name| name == fault.name())) {
        let mut cells = Vec::new();
        let mut is_caught = false;
        for checker in &checkers {
            let said = checker.ask(Some(*fault))?;
            if matches!(said, Said::Caught(_)) {
                is_caught = true;
                idle.remove(checker.name);
            }
            cells.push((checker.name, said));
            if is_caught && !all {
                break;
            }
        }
        let what = fault.what().trim().trim_end_matches('.');
        let shown = match cells.last() {
            _ if all => cells.iter().map(|(_, said)| said.shown()).collect::<Vec<_>>().join(" | "),
            Some((checker, said @ Said::Caught(_))) => format!("{checker} | {}", said.shown()),
            _ => {
                let strange = cells.iter().filter(|(_, said)| matches!(said, Said::Failed(_)));
                let strange: Vec<_> = strange.map(|(checker, said)| format!("{checker} {}", said.shown())).collect();
                format!("**none** | {}", strange.join(", "))
            }
        };
        say(&format!("| `{}` | {what} | {shown} |", fault.name()));
        if !is_caught {
            missed.push(format!("not caught: {}", fault.name()));
        }
    }
    // With only some faults, or only the first checker for each, nothing is known about the others.
    if all && only.is_empty() {
        missed.extend(idle.into_iter().map(|checker| format!("{checker} catches nothing")));
    }
    Ok(missed)
}

/// Builds the checkers with the faults, and returns their paths.
fn build() -> Result<Vec<(&'static str, PathBuf)>, String> {
    let failed = |reason: String| format!("cannot build the checkers: {reason}");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["test", "--workspace", "--all-features", "--no-run", "--message-format=json-render-diagnostics"]);
    command.args(CHECKERS.iter().flat_map(|name| ["--test", name]));
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    let mut programs = BTreeMap::new();
    for line in output.stdout.split(|byte| *byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<serde_json::Value>(line) else { continue };
        let (name, program) = (message["target"]["name"].as_str(), message["executable"].as_str());
        if let (Some(name), Some(program), true) = (name, program, message["profile"]["test"] == true) {
            programs.insert(name.to_owned(), PathBuf::from(program));
        }
    }
    let built = CHECKERS.into_iter().map(|name| match programs.remove(name) {
        Some(program) => Ok((name, program)),
        None => Err(failed(format!("unknown test program `{name}`"))),
    });
    built.collect()
}

/// A test program that looks for faults.
struct Checker<'s> {
    name: &'static str,
    program: PathBuf,
    /// The address of a PostgreSQL; without it only SQLite is tested.
    server: Option<&'s str>,
    patience: Duration,
}

/// The output of a checker: `report` is its standard output, `beside` its standard error.
struct Run {
    /// `None` if it did not end by itself.
    status: Option<ExitStatus>,
    /// Whether it was stopped because a test had failed, which is enough.
    is_stopped: bool,
    report: Vec<String>,
    beside: Vec<String>,
}

impl Checker<'_> {
    /// Runs it with or without a fault, and judges the result.
    fn ask(&self, fault: Option<Planted>) -> Result<Said, String> {
        let is_promises = self.name == "promises" && fault.is_some();
        let Some(mut run) = self.run(fault, &[], is_promises)? else { return Ok(Said::Nothing) };
        if !is_promises || failed_tests(&run.report).is_empty() {
            return Ok(judge(self.name, &run, self.patience));
        }
        // A test that fails once, but not again on its own, proves nothing about the fault.
        while let Some(test) = failed_tests(&run.report).first().map(|test| (*test).to_owned()) {
            let again =
                self.run(fault, &["--exact", &test], false)?.map(|again| judge(self.name, &again, self.patience));
            if matches!(again, Some(Said::Caught(_))) {
                return Ok(judge(self.name, &run, self.patience));
            }
            say(&format!("`{test}` failed with the others, but not on its own"));
            if run.is_stopped {
                let Some(whole) = self.run(fault, &[], false)? else { return Ok(Said::Nothing) };
                run = whole;
            }
            run.report.retain(|line| !line.starts_with(&format!("test {test} ")));
        }
        Ok(judge(self.name, &run, self.patience))
    }

    /// Runs it, to its end or to the first test that fails; `None` if it finds nothing wrong.
    fn run(&self, fault: Option<Planted>, arguments: &[&str], to_first: bool) -> Result<Option<Run>, String> {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        #[cfg(unix)]
        command.process_group(0);
        // Variables that are set for another run would change what it checks.
        for variable in ["SEED", "SEEDS", "SEARCH", "CRASH", "CRASH_SEED", "SOAK_OPERATIONS", "SOAK_SEED", "TESTS"] {
            command.env_remove(format!("DATAHUB_{variable}"));
        }
        match self.server {
            Some(url) => command.env(postgres::URL, url),
            None => command.env("DATAHUB_TESTS", "sqlite-only"),
        };
        let planted = fault.map_or("", Planted::name);
        command.env("DATAHUB_PLANTED", planted).env("RUST_BACKTRACE", "0");
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| format!("cannot run {}: {error}", self.program.display()))?;
        let (report, beside) = (Lines::of(child.stdout.take()), Lines::of(child.stderr.take()));
        let begun = Instant::now();
        let mut is_stopped = false;
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if begun.elapsed() < self.patience && !is_stopped => {
                    std::thread::sleep(Duration::from_millis(50));
                    is_stopped = to_first && !failed_tests(&report.sofar()).is_empty();
                }
                _ => {
                    // Also ends the programs that it started, which would disturb the next checker.
                    _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status();
                    _ = child.kill();
                    _ = child.wait();
                    break None;
                }
            }
        };
        if status.is_some_and(|status| status.success()) {
            return Ok(None);
        }
        // Programs that a killed checker started may keep its pipes open.
        let (report, beside) =
            if status.is_some() { (report.all(), beside.all()) } else { (report.sofar(), beside.sofar()) };
        Ok(Some(Run { status, is_stopped, report, beside }))
    }
}

/// Judges a checker that failed, or did not end in time.
fn judge(checker: &str, run: &Run, patience: Duration) -> Said {
    let ending = match run.status {
        Some(status) => format!("it ends with {status} without a reason"),
        None => format!("it hangs for {} s", patience.as_secs()),
    };
    match (evidence(checker, run), run.status) {
        (Some(evidence), _) if run.is_stopped => Said::Caught(evidence),
        (Some(evidence), Some(status)) if status.code().is_some() => Said::Caught(evidence),
        (Some(evidence), Some(status)) => Said::Caught(format!("{evidence}; then it ends with {status}")),
        (Some(evidence), None) => Said::Caught(format!("{evidence}; then {ending}")),
        (None, _) => Said::Failed(ending),
    }
}

/// The lines that a program prints, collected as they arrive.
struct Lines {
    said: Arc<Mutex<Vec<String>>>,
    reader: std::thread::JoinHandle<()>,
}

impl Lines {
    fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let lines = Arc::clone(&said);
        let reader = std::thread::spawn(move || {
            for line in pipe.map(BufReader::new).into_iter().flat_map(|pipe| pipe.lines().map_while(Result::ok)) {
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Lines { said, reader }
    }

    fn sofar(&self) -> Vec<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All lines, after the program has ended.
    fn all(self) -> Vec<String> {
        _ = self.reader.join();
        std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How lines begin in which the simulation, the search and the soak report a fault: a broken promise, or an event that
/// no longer happens.
const BROKEN: [&str; 3] = ["seed ", "it never came to this", "after "];

/// The number of characters of a report that are shown.
const LONGEST: usize = 160;

/// The beginning of a checker's report: the broken promise, or the failed tests. Only these count as a catch.
fn evidence(checker: &str, run: &Run) -> Option<String> {
    let said = run.report.iter().chain(&run.beside);
    if let Some(broken) = said.into_iter().find(|line| BROKEN.iter().any(|begin| line.starts_with(begin))) {
        let broken = broken.replace("00000000-0000-0000-0000-0000000000", "…").replace('|', "/");
        let cut = broken.char_indices().nth(LONGEST).map(|(at, _)| at);
        return Some(cut.map_or(broken.clone(), |at| format!("{} …", &broken[..at])));
    }
    // The soak is one test, which also fails if its programs cannot be started.
    if checker == "soak" {
        return None;
    }
    let passed = tests(&run.report).take_while(|(_, passed)| *passed).count();
    match failed_tests(&run.report).as_slice() {
        [] => None,
        [only] => Some(format!("`{only}`, after {passed} others")),
        [first, rest @ ..] => Some(format!("{} tests, `{first}` first of them, after {passed} others", rest.len() + 1)),
    }
}

/// The tests that a program reports as ended, and whether they passed, without the details of failures at the end.
fn tests(report: &[String]) -> impl Iterator<Item = (&str, bool)> {
    let lines = report.iter().take_while(|line| *line != "failures:");
    lines.filter_map(|line| {
        let line = line.strip_prefix("test ")?;
        let (name, passed) = line
            .strip_suffix("ok")
            .map(|name| (name, true))
            .or(line.strip_suffix("FAILED").map(|name| (name, false)))?;
        Some((name.trim_end().strip_suffix("...")?.trim_end(), passed))
    })
}

fn failed_tests(report: &[String]) -> Vec<&str> {
    tests(report).filter(|(_, passed)| !passed).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    /// A run that did not end in time.
    fn run(report: &str, beside: &str) -> Run {
        Run { status: None, is_stopped: false, report: lines(report), beside: lines(beside) }
    }

    #[test]
    fn only_a_broken_promise_or_a_failed_test_is_a_catch() {
        let said = |report: &str, beside: &str| evidence("promises", &run(report, beside));
        assert_eq!(said("running 2 tests\ntest a ... ok", "Killed"), None);
        assert_eq!(said("test a ... ok\ntest b ... FAILED", "").as_deref(), Some("`b`, after 1 others"));
        let two = "test b                    ... FAILED\ntest c ... FAILED\n\nfailures:\n\ntest d ... FAILED";
        assert_eq!(said(two, "").as_deref(), Some("2 tests, `b` first of them, after 0 others"));
        assert_eq!(said("", "seed 7: a promise").as_deref(), Some("seed 7: a promise"));
        let long = format!("seed 7: {}", "…".repeat(200));
        assert_eq!(said(&long, "").map(|shown| shown.chars().count()), Some(LONGEST + 2));
    }

    #[test]
    fn the_soak_catches_by_its_findings_and_not_by_failing() {
        let numbers = "test no_promise_is_broken ... 400 operations in 3.1 s\nviolations: 1\nFAILED\n\nfailures:\n\n";
        let found = "---- no_promise_is_broken ----\nafter 400 operations: invariant 6: lost; and 0 more violations";
        let said = evidence("soak", &run(&format!("{numbers}{found}"), ""));
        assert_eq!(said.as_deref(), Some("after 400 operations: invariant 6: lost; and 0 more violations"));
        let away = "test no_promise_is_broken ... FAILED\n\nfailures:\n\n---- no_promise_is_broken ----\nno space left";
        assert_eq!(evidence("soak", &run(away, "")), None);
    }

    #[test]
    fn a_hang_is_a_catch_only_after_a_report() {
        let patience = Duration::from_secs(180);
        let said = judge("promises", &run("running 2 tests", ""), patience);
        assert!(matches!(said, Said::Failed(how) if how == "it hangs for 180 s"));
        let said = judge("promises", &run("test b ... FAILED", ""), patience);
        assert!(matches!(said, Said::Caught(what) if what == "`b`, after 0 others; then it hangs for 180 s"));
    }
}
