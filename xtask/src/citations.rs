//! Checks citations in documents and code: pages, their numbered sections, and links between files.

use std::collections::BTreeSet;
use std::fs;

use crate::source::{root, tracked_files};

/// The page about CRM 2011 whose sections code and fixtures cite.
const PROTOCOL: &str = "docs/protocol.md";

/// Checks that everything that is cited is in the repository: pages of `docs`, sections by number, sources, and the
/// targets of links.
pub(crate) fn resolve() -> Result<(), String> {
    let mut faults = Vec::new();
    for name in tracked_files(&[])? {
        // Some inputs of the fuzzer are not text, and cite nothing.
        let Ok(text) = fs::read_to_string(root().join(&name)) else { continue };
        faults.extend(missing_from(&name, &text).into_iter().map(|missing| format!("{name} cites {missing}")));
    }
    let protocol = fs::read_to_string(root().join(PROTOCOL)).map_err(|error| format!("{PROTOCOL}: {error}"))?;
    faults.extend(unlisted_sources(&protocol).into_iter().map(|source| format!("{PROTOCOL} does not list {source}")));
    if faults.is_empty() { Ok(()) } else { Err(faults.join(", ")) }
}

/// What a file of this name and text cites that the repository does not have.
fn missing_from(name: &str, text: &str) -> Vec<String> {
    // Templates and transcripts are about the files of other projects.
    if name.contains("/templates/") || name.contains("/transcripts/") {
        return Vec::new();
    }
    let mut citations = cited(text);
    if name.ends_with(".http") {
        let fact = |section| Citation { page: PROTOCOL.to_owned(), section: Some(section) };
        citations.extend(facts(text).into_iter().map(fact));
    }
    let mut missing: Vec<_> = citations.iter().filter_map(missing).collect();
    if name.ends_with(".md") {
        let path = root().join(name);
        let folder = path.parent().unwrap_or(root());
        missing.extend(links(text).into_iter().filter(|link| !folder.join(link).exists()).map(str::to_owned));
    }
    missing
}

/// A page of `docs`, and a section of it if the citation names one.
#[derive(Debug, PartialEq, Eq)]
struct Citation {
    page: String,
    section: Option<String>,
}

/// What a citation names that is not in the repository, or `None`.
fn missing(Citation { page, section }: &Citation) -> Option<String> {
    let Ok(text) = fs::read_to_string(root().join(page)) else { return Some(page.clone()) };
    let section = section.as_ref()?;
    (!sections(&text).contains(section.as_str())).then(|| format!("{page}, {section}"))
}

/// The citations in a text: `docs/protocol.md`, alone or as `docs/protocol.md, 3.1 and 5`.
fn cited(text: &str) -> Vec<Citation> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("docs/") {
        // `datahub-runtime/docs/…` is another folder; `../docs/…` and `/docs/…` are links.
        let before = text[..at].chars().next_back();
        if before.is_some_and(|sign| sign.is_alphanumeric() || matches!(sign, '/' | '-' | '_' | '.')) {
            continue;
        }
        let is_of_path = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '/' | '-' | '_' | '.');
        let path: &str = text[at..].split(|sign| !is_of_path(sign)).next().unwrap_or_default();
        let Some(end) = path.find(".md") else { continue };
        let page = &path[..end + ".md".len()];
        let rest = text[at + page.len()..].trim_start_matches('`');
        let numbers = rest.strip_prefix(", ").map(numbers).unwrap_or_default();
        if numbers.is_empty() {
            found.push(Citation { page: page.to_owned(), section: None });
        }
        found.extend(numbers.into_iter().map(|number| Citation { page: page.to_owned(), section: Some(number) }));
    }
    found
}

/// The section numbers that a text begins with: `3.1 and 5)` has two.
fn numbers(text: &str) -> Vec<String> {
    let mut numbers = Vec::new();
    let mut rest = text;
    while let Some(number) = number(rest) {
        rest = &rest[number.len()..];
        numbers.push(number.to_owned());
        let Some(next) = rest.strip_prefix(" and ").or_else(|| rest.strip_prefix(", ")) else { break };
        rest = next;
    }
    numbers
}

/// The section number that a text begins with; a full stop after it is not part of it.
fn number(text: &str) -> Option<&str> {
    let end = text.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(text.len());
    let number = text[..end].trim_end_matches('.');
    number.starts_with(|sign: char| sign.is_ascii_digit()).then_some(number)
}

/// The sections that the comments of a fixture cite: `# 2.1, S: …` and `…; 5, S`.
fn facts(fixture: &str) -> Vec<String> {
    let comments = fixture.lines().take_while(|line| line.starts_with('#')).filter(|line| !line.starts_with("# given"));
    let mut found = Vec::new();
    for comment in comments {
        for (at, _) in comment.match_indices(", ") {
            let mark = comment[at + 2..].split(|sign: char| !sign.is_ascii_alphanumeric()).next();
            let before = comment[..at].rsplit(|sign: char| !sign.is_ascii_digit() && sign != '.').next();
            if let (Some("S" | "L" | "U"), Some(section)) = (mark, before.filter(|section| !section.is_empty())) {
                found.push(section.to_owned());
            }
        }
    }
    found
}

/// The numbers of a page's sections: `## 3. Queries`, `### 3.1 Filters`.
fn sections(page: &str) -> BTreeSet<&str> {
    let headings = page.lines().filter_map(|line| line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")));
    headings.filter_map(number).collect()
}

/// The targets of links to files in a Markdown text; rustdoc's links to items are left out.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let targets = targets.filter_map(|target| target.split('#').next());
    let is_file = |target: &&str| {
        let is_elsewhere = target.contains("://") || target.starts_with("mailto:");
        !is_elsewhere && !target.contains("::") && (target.contains('/') || target.contains('.'))
    };
    targets.filter(is_file).collect()
}

/// The sources that the last column of a table names and the list of sources at the end of the page lacks.
fn unlisted_sources(page: &str) -> BTreeSet<String> {
    let (body, list) = page.rsplit_once("\n## ").unwrap_or((page, ""));
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim_matches([' ', '|']).to_owned()).collect()
    };
    let listed = list.lines().filter(|line| line.starts_with('|'));
    let listed: BTreeSet<_> =
        listed.flat_map(|line| cells(line)[0].split(", ").map(str::to_owned).collect::<Vec<_>>()).collect();
    let mut unlisted = BTreeSet::new();
    let mut has_sources = false;
    for line in body.lines() {
        if !line.starts_with('|') {
            has_sources = false;
        } else if line.ends_with("| source |") {
            has_sources = true;
        } else if has_sources && !line.starts_with("|---") {
            let sources = cells(line).pop().unwrap_or_default();
            let sources = sources.split(", ").filter(|source| *source != "–" && !listed.contains(*source));
            unlisted.extend(sources.map(str::to_owned));
        }
    }
    unlisted
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Page\n\n## 3. Queries\n\n| fact | mark | source |\n|---|---|---|\n| a | S | one, two |\n| b | L | – |\n\n### 3.1 Filters\n\n| x |\n\n## 12. Sources\n\n| source | where |\n|---|---|\n| one, three | there |\n";

    /// The citations in a comment in code, of a page that only this test has.
    fn of(rest: &str) -> Vec<Citation> {
        cited(&format!("// ({}/x.md{rest}", "docs"))
    }

    fn sections_of(rest: &str) -> Vec<Option<String>> {
        of(rest).into_iter().map(|citation| citation.section).collect()
    }

    #[test]
    fn everything_that_is_cited_is_in_the_repository() {
        assert_eq!(resolve(), Ok(()));
    }

    #[test]
    fn missing_targets_are_reported_for_code_fixtures_and_documents() {
        assert_eq!(missing_from("a.rs", &format!("// {PROTOCOL}, 3.9")), [format!("{PROTOCOL}, 3.9")]);
        assert_eq!(missing_from("a.http", "# 3.9, S: a fact"), [format!("{PROTOCOL}, 3.9")]);
        assert_eq!(missing_from(PROTOCOL, "[a](protocol.md) [b](absent.md)"), ["absent.md"]);
        assert_eq!(missing_from("a.rs", "# 3.9, S: a fact, [b](absent.md)"), [""; 0]);
    }

    #[test]
    fn a_citation_is_a_page_with_or_without_section_numbers() {
        let section = |number: &str| Some(number.to_owned());
        assert_eq!(sections_of(")"), [None]);
        assert_eq!(sections_of(", which says so)"), [None]);
        assert_eq!(sections_of(", 3.1)"), [section("3.1")]);
        assert_eq!(sections_of(", 3.1."), [section("3.1")]);
        assert_eq!(sections_of(", 2.2: dates are"), [section("2.2")]);
        assert_eq!(sections_of(", 3.1 and 5)"), [section("3.1"), section("5")]);
        assert_eq!(sections_of("`, 4 and more)"), [section("4")]);
    }

    #[test]
    fn a_path_in_another_folder_is_not_a_citation() {
        assert_eq!(cited(&format!("datahub-runtime/{}/x.md", "docs")), []);
        assert_eq!(cited("docs/target"), []);
    }

    #[test]
    fn unknown_pages_and_sections_are_missing() {
        let citation = |page: &str, section: &str| Citation { page: page.into(), section: Some(section.into()) };
        assert_eq!(missing(&citation(PROTOCOL, "3.1")), None);
        assert_eq!(missing(&citation(PROTOCOL, "3.9")), Some(format!("{PROTOCOL}, 3.9")));
        let absent = format!("{}/absent.md", "docs");
        assert_eq!(missing(&citation(&absent, "1")), Some(absent.clone()));
    }

    #[test]
    fn a_fixture_cites_the_section_before_each_mark() {
        let fixture =
            "# 2.1, S and L: one, two\n# 5, S: empty; 3.2, L: more (10, U)\n# given A {\"a\":\"9, S\"}\nGET 7, S";
        assert_eq!(facts(fixture), ["2.1", "5", "3.2", "10"]);
    }

    #[test]
    fn sections_are_the_numbered_headings() {
        assert_eq!(sections(PAGE), BTreeSet::from(["12", "3", "3.1"]));
    }

    #[test]
    fn links_lead_to_files() {
        let text = "[a](b.md#c) [d](https://e.f/g) [h](#i) [j](crate::K) [l](../m) `[n](o)`";
        assert_eq!(links(text), ["b.md", "../m"]);
    }

    #[test]
    fn a_source_that_is_not_listed_is_found() {
        assert_eq!(unlisted_sources(PAGE), BTreeSet::from(["two".to_owned()]));
    }
}
