//! The command as its users see it: a folder for each case, with a project and a transcript.
//!
//! A transcript has commands, after `$ `, each with what it prints, and its exit code after `? ` if it is not 0. The commands
//! run one after the other in a copy of the case's folder `project`, or of its topic's if the case has none; a shell runs what
//! is neither `datahub` nor `cat FILE`. If the case has a file `cdms.xml`, a simulated CDMS with that `$metadata` runs meanwhile, whose address is `$CDMS`; its user may not read the
//! entities in the case's file `forbidden`. Escape characters are
//! written as `␛`, and the time in a migration's name as `[TIME]`. `SNAPSHOTS=overwrite` renews the transcripts.
#![cfg(test)]

mod session;

use std::fs;
use std::path::{Path, PathBuf};

use session::Session;
use snapbox::{Assert, Data};

fn cases(topic: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(topic);
    let mut cases: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    // What cases without a project begin with.
    cases.retain(|case| !case.ends_with("project"));
    cases.sort();
    cases
}

/// Runs all cases of a topic and reports each that differs.
fn hold(topic: &str) {
    let cases = cases(topic);
    assert!(!cases.is_empty());
    let failed = cases.iter().filter_map(|case| {
        let path = case.join("transcript.txt");
        let recorded = fs::read_to_string(&path).unwrap();
        let transcript = Session::of(case).repeat(&recorded);
        let assert = Assert::new().action_env("SNAPSHOTS").normalize_paths(false);
        assert.try_eq(None, Data::text(transcript), Data::read_from(&path, None)).err()
    });
    let failed: Vec<_> = failed.map(|difference| difference.to_string()).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What the page about checks shows is what the command prints.
#[test]
fn the_page_about_checks_shows_a_real_transcript() {
    let page = include_str!("../../../docs/check.md");
    let transcript = include_str!("check/one_fault/transcript.txt");
    let block = |language: &str| {
        let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
        rest.split_once("```").unwrap().0
    };
    assert!(transcript.contains(&format!("{}? 1\n", block("console"))), "docs/check.md shows something else");
    let shown: serde_json::Value = serde_json::from_str(block("json")).unwrap();
    let (_, json) = transcript.split_once("$ datahub check --json\n").unwrap();
    let printed: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(shown, printed);
}

/// What the page about differences shows is what the command prints.
#[test]
fn the_page_about_differences_shows_a_real_transcript() {
    let page = include_str!("../../../docs/diff.md");
    let transcript = include_str!("diff/a_remodelling/transcript.txt");
    let shown = page.split("```console\n").nth(2).unwrap().split_once("```").unwrap().0;
    assert!(!shown.is_empty() && transcript.contains(shown), "docs/diff.md shows something else");
}

#[test]
fn explain() {
    hold("explain");
}

#[test]
fn shell() {
    hold("shell");
}

#[test]
fn check() {
    hold("check");
}

#[test]
fn docs() {
    hold("docs");
}

#[test]
fn diff() {
    hold("diff");
}

#[test]
fn init() {
    hold("init");
}
