//! The table of twins: every test of `tests/http` has a twin in Python, or a reason why it needs none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const TABLE: &str = "tests/witness/twins.txt";

/// Separates a test from its twins.
const IS: &str = " = ";
/// Separates a test from the reason why it needs no twin.
const NEEDS_NONE: &str = " needs none: ";

/// The minimum number of words in a reason.
const REASON_WORDS_MIN: usize = 5;

#[test]
fn every_test_has_a_twin_or_a_reason() {
    let table = read(&at(TABLE));
    let found = faults(&table, &all("tests/http", "rs", "::", tests_in_rust), &tests_in_python());
    assert!(found.is_empty(), "{TABLE}:\n{}", found.join("\n"));
}

#[test]
fn gaps_and_mistakes_of_a_table_are_reported() {
    let (rust, python) = (["a::x".to_owned(), "a::y".to_owned()], ["test_a.test_x".to_owned()]);
    let reason = "a::y needs none: it is about the handle";
    assert_eq!(faults(&format!("# twins\n\na::x = test_a.test_x\n{reason}\n"), &rust, &python), Vec::<String>::new());
    for (table, reported) in [
        ("a::x = test_a.test_x".to_owned(), "a::y has neither a twin nor a reason"),
        (format!("a::x = test_a.test_z\n{reason}"), "unknown test in Python: test_a.test_z"),
        (format!("a::x = test_a.test_x, test_b.test_x\n{reason}"), "unknown test in Python: test_b.test_x"),
        (format!("a::x = test_a.test_x\na::z = test_a.test_x\n{reason}"), "unknown test of tests/http: a::z"),
        (format!("a::x = test_a.test_x\na::x = test_a.test_x\n{reason}"), "a::x is listed twice"),
        ("a::x = test_a.test_x\na::y needs none: no".to_owned(), "a::y: explain in a sentence why it needs no twin"),
        (format!("a::x: test_a.test_x\n{reason}"), "invalid line `a::x: test_a.test_x`"),
    ] {
        let found = faults(&table, &rust, &python);
        assert!(found.iter().any(|fault| fault.starts_with(reported)), "{found:?} does not contain: {reported}");
    }
    assert_eq!(faults(reason, &rust[1..], &[]), Vec::<String>::new());
    let twice = ["test_a.test_x".to_owned(), "test_a.test_x".to_owned()];
    assert!(faults(reason, &rust[1..], &twice)[0].starts_with("test_a.test_x is defined twice"));
}

#[test]
fn tests_are_found_in_the_sources_of_both_sides() {
    let rust = [
        "#[test]",
        "fn one() {}",
        "fn none() {}",
        "    #[tokio::test(flavor = \"multi_thread\")]",
        "    #[allow(x)]",
        "    async fn two() {",
        "        fn inner() {}",
    ];
    assert_eq!(tests_in_rust(&rust.join("\n")), ["one", "two"]);
    let python = [
        "def test_none():",
        "class One(Witness):",
        "    def setUp(self):",
        "    def test_one(self):",
        "        def test_inner():",
        "    # def test_no(self):",
    ];
    assert_eq!(methods_in_python(&python.join("\n")), ["test_one"]);
}

/// The names of all tests in Python, with the names of their files.
pub(crate) fn tests_in_python() -> Vec<String> {
    tests_in("tests/witness")
}

/// The names of the tests in Python in a folder, with the names of their files.
pub(crate) fn tests_in(folder: &str) -> Vec<String> {
    all(folder, "py", ".", methods_in_python)
}

/// What is wrong with a table, given the tests of both sides.
fn faults(table: &str, rust: &[String], python: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let mut named = BTreeSet::new();
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let test = if let Some((test, reason)) = line.split_once(NEEDS_NONE) {
            if reason.split_whitespace().count() < REASON_WORDS_MIN {
                found.push(format!("{test}: explain in a sentence why it needs no twin"));
            }
            test
        } else if let Some((test, twins)) = line.split_once(IS) {
            let strangers = twins.split(", ").filter(|twin| !python.iter().any(|test| test == twin));
            found.extend(
                strangers
                    .map(|twin| format!("unknown test in Python: {twin}; write it, or correct the line of {test}")),
            );
            test
        } else {
            found.push(format!("invalid line `{line}`: expected `test{IS}twins` or `test{NEEDS_NONE}reason`"));
            continue;
        };
        if !rust.iter().any(|known| known == test) {
            found.push(format!("unknown test of tests/http: {test}; remove the line"));
        }
        if !named.insert(test) {
            found.push(format!("{test} is listed twice: name all twins in one line"));
        }
    }
    let without = rust.iter().filter(|test| !named.contains(test.as_str()));
    found.extend(without.map(|test| {
        format!("{test} has neither a twin nor a reason: write the twin in Python and `{test}{IS}test_file.test_name`")
    }));
    let mut seen = BTreeSet::new();
    let twice = python.iter().filter(|test| !seen.insert(*test));
    found.extend(
        twice.map(|test| format!("{test} is defined twice in its file, and one may hide the other: rename one")),
    );
    found
}

/// The functions under `#[test]` or `#[tokio::test]`.
fn tests_in_rust(source: &str) -> Vec<String> {
    let mut lines = source.lines().map(str::trim);
    let mut names = Vec::new();
    while let Some(line) = lines.next() {
        if line == "#[test]" || line.starts_with("#[tokio::test") {
            names.extend(lines.find_map(|line| name_after(line.strip_prefix("async ").unwrap_or(line), "fn ")));
        }
    }
    names
}

/// The test methods of classes; functions that are nested or outside a class are not tests.
fn methods_in_python(source: &str) -> Vec<String> {
    let names = source.lines().filter_map(|line| name_after(line, "    def "));
    names.filter(|name| name.starts_with("test_")).collect()
}

fn name_after(line: &str, keyword: &str) -> Option<String> {
    line.strip_prefix(keyword)?.split('(').next().map(str::to_owned)
}

/// The names in the sources of a folder, each with the name of its file.
fn all(folder: &str, extension: &str, between: &str, names: fn(&str) -> Vec<String>) -> Vec<String> {
    let entries = std::fs::read_dir(at(folder)).unwrap_or_else(|error| panic!("cannot read {folder}: {error}"));
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let file = path.file_stem().unwrap_or_default().to_string_lossy();
        found.extend(names(&read(&path)).iter().map(|name| format!("{file}{between}{name}")));
    }
    assert!(!found.is_empty(), "no tests were found in {folder}");
    found
}

fn at(place: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(place)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}
