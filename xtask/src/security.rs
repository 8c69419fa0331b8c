//! Checks that the cases of docs/security.md are numbered and have tests.

use std::fs;

use crate::source::root;

/// The page with the cases.
const PAGE: &str = "docs/security.md";

/// Checks that each case has the next number, and names tests that exist and are run.
pub(crate) fn cases_have_tests() -> Result<(), String> {
    let text = fs::read_to_string(root().join(PAGE)).map_err(|error| format!("{PAGE}: {error}"))?;
    let faults = faults(&text, |file| fs::read_to_string(root().join(file)).ok());
    if faults.is_empty() { Ok(()) } else { Err(faults.join(", ")) }
}

/// What is wrong with the cases of a page; `read` gives the text of a file.
fn faults(page: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let cases = page.lines().filter_map(case);
    let mut count = 0;
    for (number, tests) in cases {
        count += 1;
        if number != count {
            faults.push(format!("{PAGE}: expected case {count}, found {number}"));
        }
        if tests.is_empty() {
            faults.push(format!("{PAGE}: case {number} names no test"));
        }
        faults.extend(tests.iter().filter_map(|test| {
            let fault = |what: &str| Some(format!("{PAGE}: case {number}: {test} {what}"));
            let Some((file, function)) = test.split_once("::") else { return fault("is not `file::test`") };
            let Some(text) = read(file) else { return fault("is in no file") };
            let Some(at) = text.find(&format!("fn {function}(")) else { return fault("does not exist") };
            // The attributes stand right above the function.
            let above = text[..at].rsplit("\n\n").next().unwrap_or_default();
            let is_test = above.contains("test]") || above.contains("::test(");
            if is_test && !above.contains("#[ignore") { None } else { fault("is not run") }
        }));
    }
    if count == 0 {
        faults.push(format!("{PAGE} has no cases"));
    }
    faults
}

/// The number and the tests of a line that is a case.
fn case(line: &str) -> Option<(usize, Vec<&str>)> {
    let mut cells = line.trim().trim_matches('|').split(" | ").map(str::trim);
    let number = cells.next()?.parse().ok()?;
    let tests = cells.nth(1).unwrap_or_default();
    Some((number, tests.split('`').skip(1).step_by(2).collect()))
}

#[cfg(test)]
mod tests {
    use super::faults;

    const TESTS: &str = "#[test]\nfn holds() {}\n\n#[tokio::test(flavor = \"multi_thread\")]\nasync fn waits() {}\n\nfn helps() {}\n\n#[test]\n#[ignore]\nfn later() {}\n";

    fn found(page: &str) -> Vec<String> {
        faults(page, |file| (file == "a.rs").then(|| TESTS.to_owned()))
    }

    #[test]
    fn cases_with_tests_are_fine() {
        let page = "| no. | case | shown by |\n|---|---|---|\n| 1 | one | `a.rs::holds`, `a.rs::waits` |\n| 2 | two | `a.rs::waits` |";
        assert_eq!(found(page), Vec::<String>::new());
    }

    #[test]
    fn what_shows_nothing_is_a_fault() {
        for (page, fault) in [
            ("| no. | case |", "docs/security.md has no cases"),
            ("| 2 | one | `a.rs::holds` |", "docs/security.md: expected case 1, found 2"),
            ("| 1 | one | looked at |", "docs/security.md: case 1 names no test"),
            ("| 1 | one | `a.rs` |", "docs/security.md: case 1: a.rs is not `file::test`"),
            ("| 1 | one | `b.rs::holds` |", "docs/security.md: case 1: b.rs::holds is in no file"),
            ("| 1 | one | `a.rs::gone` |", "docs/security.md: case 1: a.rs::gone does not exist"),
            ("| 1 | one | `a.rs::helps` |", "docs/security.md: case 1: a.rs::helps is not run"),
            ("| 1 | one | `a.rs::later` |", "docs/security.md: case 1: a.rs::later is not run"),
        ] {
            assert_eq!(found(page), [fault]);
        }
    }
}
