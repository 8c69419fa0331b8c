//! What the source shows of the compiler's own findings: the tree reports them in the compiler's words, and none besides.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use datahub_derive::project::Project;
use datahub_derive::tree::{Fault, Tree};

/// A finding: file, line, and message with code and cure.
type Finding = (String, usize, String);

fn ui() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui").canonicalize().unwrap()
}

fn recorded(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            recorded(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "stderr") {
            files.push(path);
        }
    }
}

/// What the compiler found when it evaluated the checks of an expansion, as recorded for the cases that must not compile.
fn of_the_compiler() -> BTreeSet<Finding> {
    let mut files = Vec::new();
    recorded(&ui().join("fail"), &mut files);
    let mut found = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let Some(message) = line.strip_prefix("error[E0080]: evaluation panicked: ") else { continue };
            let help = lines[at + 1].trim_start();
            let place = lines[at + 1..].iter().find_map(|line| line.trim_start().strip_prefix("--> ")).unwrap();
            let [file, line, _] = place.split(':').collect::<Vec<_>>()[..] else { panic!("{place}") };
            found.insert((file.to_owned(), line.parse().unwrap(), format!("{message}\n{help}")));
        }
    }
    found
}

/// What the source of each case shows. Each is a program of its own, so each is a tree of its own.
fn of_the_source() -> BTreeSet<Finding> {
    let project = tempfile::tempdir().unwrap();
    let root = project.path();
    let copy = |from: &Path, to: &str| {
        let to = root.join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    for entry in fs::read_dir(ui().join("mappings")).unwrap() {
        let path = entry.unwrap().path();
        copy(&path, &format!("mappings/{}", path.file_name().unwrap().to_str().unwrap()));
    }
    copy(&ui().join("Cargo.toml"), "Cargo.toml");
    let settings = "metadata = 'mappings/metadata.xml'\ndiesel-columns = 64\nmodels = 'fail'";
    fs::write(root.join("datahub.toml"), settings).unwrap();
    let mut files = Vec::new();
    recorded(&ui().join("fail"), &mut files);
    let mut found = BTreeSet::new();
    for file in files {
        let file = file.with_extension("rs");
        let shown = file.strip_prefix(ui()).unwrap().to_str().unwrap();
        copy(&file, shown);
        let tree = Tree::read(&Project::open(root).unwrap()).unwrap();
        fs::remove_dir_all(root.join("fail")).unwrap();
        let of = |fault: &Fault| (fault.file.clone(), fault.diagnostic.place.line, fault.diagnostic.text(None));
        found.extend(tree.type_faults().iter().chain(&tree.program_faults()).map(of));
    }
    found
}

/// What only the compiler knows, by file and line: aliases, and types that implement `FieldType` themselves. The last four
/// belong to models that have other faults, which must be fixed first.
const ONLY_THE_COMPILER: [(&str, &[usize]); 7] = [
    ("fail/lookup_target/one_of_misplaced.rs", &[51, 53, 55, 57, 59]),
    ("fail/nullability/only_the_compiler_knows.rs", &[44, 46, 48, 50]),
    ("fail/wrong_kind/type_and_kind.rs", &[20, 31, 33]),
    ("fail/stub/faulty_models.rs", &[39]),
    ("fail/stub/faulty_models_listed.rs", &[35]),
    ("fail/whole_struct/with_the_compilers.rs", &[34, 38]),
    ("fail/whole_struct/with_the_derives.rs", &[12]),
];

#[test]
fn the_source_shows_what_the_compiler_finds_and_nothing_else() {
    let (compiler, source) = (of_the_compiler(), of_the_source());
    let invented: Vec<_> = source.difference(&compiler).collect();
    assert!(invented.is_empty(), "not found by the compiler: {invented:#?}");
    let is_known = |(file, line, _): &&Finding| {
        ONLY_THE_COMPILER.iter().any(|(known, lines)| file == known && lines.contains(line))
    };
    let left: Vec<_> = compiler.difference(&source).filter(|finding| !is_known(finding)).collect();
    assert!(left.is_empty(), "found by the compiler alone: {left:#?}");
    assert!(source.len() >= 30, "{} of {}", source.len(), compiler.len());
}
