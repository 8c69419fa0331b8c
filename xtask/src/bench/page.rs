//! `docs/performance.md`: the parts of it that are made from measurements, between marks, among those that people write.

use std::fs;
use std::path::PathBuf;

use super::goals;
use super::results::{self, Suite};
use super::tables;
use crate::source::root;

/// A suite's part of the page.
struct Part {
    suite: &'static str,
    /// The headings of ours, and of what it is compared with.
    sides: [&'static str; 2],
}

/// The suites, in the order of their measurement.
const PARTS: [Part; 8] = [
    Part { suite: "operations", sides: ["hub", "floor"] },
    Part { suite: "round-trips", sides: ["hub", "floor"] },
    Part { suite: "callers", sides: ["hub", "floor"] },
    Part { suite: "pull", sides: ["hub", "floor"] },
    Part { suite: "size", sides: ["bytes", "rows"] },
    Part { suite: "growth", sides: ["hub", "floor"] },
    Part { suite: "history", sides: ["hub", "floor"] },
    Part { suite: "lists", sides: ["hub", "without"] },
];

/// The part with the goals.
const GOALS: &str = "goals";

/// Checks that the page is what the measurements say, that every goal has been measured, and that there is a reason for
/// every goal that is missed.
pub(crate) fn is_up_to_date() -> Result<(), String> {
    let suites = results::read()?;
    let text = read()?;
    let mut faults = goals::faults(&suites);
    if with_measurements(&text, &suites)? != text {
        faults.push(
            "docs/performance.md is not what docs/performance.jsonl says; run `cargo xtask bench --render`".to_owned(),
        );
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join(", ")) }
}

/// Writes the parts of the page that are made from measurements.
pub(super) fn render(suites: &[Suite]) -> Result<(), String> {
    let text = with_measurements(&read()?, suites)?;
    fs::write(path(), text).map_err(|error| format!("{}: {error}", path().display()))
}

/// The table of a suite.
pub(super) fn table(suite: &Suite) -> String {
    let [ours, beside] =
        PARTS.iter().find(|part| part.suite == suite.name).map_or(["ours", "beside"], |part| part.sides);
    tables::of_suite(suite, ours, beside)
}

fn path() -> PathBuf {
    root().join("docs/performance.md")
}

fn read() -> Result<String, String> {
    fs::read_to_string(path()).map_err(|error| format!("{}: {error}", path().display()))
}

/// The page with its measured parts made again.
fn with_measurements(page: &str, suites: &[Suite]) -> Result<String, String> {
    let (mut text, mut rest, mut made) = (String::with_capacity(page.len()), page, Vec::new());
    while let Some(begin) = rest.find(BEGIN) {
        let name_at = begin + BEGIN.len();
        let after_name = name_at + rest[name_at..].find(CLOSE).ok_or("a mark in docs/performance.md is not closed")?;
        let name = &rest[name_at..after_name];
        let end = rest[after_name..]
            .find(END)
            .ok_or_else(|| format!("the part `{name}` of docs/performance.md has no end"))?;
        text.push_str(&rest[..after_name]);
        text.push_str(CLOSE);
        text.push_str("\n\n");
        text.push_str(&part(name, suites)?);
        text.push('\n');
        text.push_str(END);
        rest = &rest[after_name + end + END.len()..];
        made.push(name);
    }
    text.push_str(rest);
    let missing = PARTS.iter().map(|part| part.suite).chain([GOALS]).find(|name| !made.contains(name));
    match missing {
        Some(name) => Err(format!("docs/performance.md has no part `{BEGIN}{name}{CLOSE}`")),
        None => Ok(text),
    }
}

/// A measured part begins with this and its name, …
const BEGIN: &str = "<!-- measured: ";

/// … this, and ends with the next.
const CLOSE: &str = " -->";

const END: &str = "<!-- end -->";

fn part(name: &str, suites: &[Suite]) -> Result<String, String> {
    if name == GOALS {
        return Ok(goals::table(suites));
    }
    if !PARTS.iter().any(|part| part.suite == name) {
        return Err(format!("unknown part `{name}` in docs/performance.md"));
    }
    Ok(suites.iter().find(|suite| suite.name == name).map_or_else(|| "Not measured yet.\n".to_owned(), table))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> String {
        let parts = PARTS.iter().map(|part| part.suite).chain([GOALS]);
        parts.map(|name| format!("By hand.\n\n<!-- measured: {name} -->\nold\n<!-- end -->\n")).collect()
    }

    #[test]
    fn measured_parts_are_made_again_and_the_others_stay() {
        let once = with_measurements(&page(), &[]).unwrap();
        assert!(!once.contains("old"), "{once}");
        assert_eq!(once.matches("By hand.").count(), PARTS.len() + 1);
        assert_eq!(with_measurements(&once, &[]), Ok(once.clone()), "it is the same when it is made again");
    }

    #[test]
    fn a_page_without_a_part_is_refused() {
        let without = page().replace("measured: pull", "measured: growth");
        assert_eq!(
            with_measurements(&without, &[]),
            Err("docs/performance.md has no part `<!-- measured: pull -->`".to_owned())
        );
        let unknown = page().replace("measured: pull", "measured: puls");
        assert_eq!(with_measurements(&unknown, &[]), Err("unknown part `puls` in docs/performance.md".to_owned()));
    }
}
