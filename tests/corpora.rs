//! The fuzzer's corpora, file by file through the same targets: what once broke a promise never does so again.

#![allow(unreachable_pub, missing_docs, reason = "the targets are a library elsewhere")]

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::path::Path;

#[test]
fn every_file_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, target) in targets::TARGETS {
        let mut files: Vec<_> = root.join(name).read_dir().unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        assert!(files.len() > 10, "{} files are no corpus of {name}", files.len());
        for file in files {
            // A test's output is shown where it fails, and its last line then names the file.
            println!("{}", file.display());
            target(&fs::read(&file).unwrap());
        }
    }
}

#[test]
fn every_corpus_is_of_a_target() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for folder in root.read_dir().unwrap() {
        let name = folder.unwrap().file_name();
        assert!(targets::TARGETS.iter().any(|(known, _)| name == *known), "nothing reads the corpus {name:?}");
    }
}
