//! `source_test!` fails where the command line would read other models than the program has.
#![cfg(test)]

use std::fs;
use std::panic;
use std::path::Path;

use datahub_runtime::testing::source_is_read;
use example_domain::{Sector, Team};

/// The message of a failed test, for the domain's sectors and teams and this text as their source.
fn message(edit: impl Fn(&str) -> String) -> String {
    let folder = tempfile::tempdir().unwrap();
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let write = |file: &str, text: String| {
        fs::create_dir_all(folder.path().join(file).parent().unwrap()).unwrap();
        fs::write(folder.path().join(file), text).unwrap();
    };
    let read = |file: &str| fs::read_to_string(project.join(file)).unwrap();
    write("datahub.toml", "models = 'models'".to_owned());
    for contract in ["sector.toml", "businessunit.toml"] {
        write(&format!("mappings/{contract}"), read(&format!("mappings/{contract}")));
    }
    for file in ["reference.rs", "adviser.rs"] {
        let text = read(&format!("examples/domain/src/{file}"));
        let sound = Path::new("models").join(file);
        write(sound.to_str().unwrap(), edit(&text));
    }
    let models = datahub_runtime::models![Sector, Team];
    let failed = panic::catch_unwind(panic::AssertUnwindSafe(|| source_is_read(&models, folder.path())));
    failed.err().map_or(String::new(), |message| *message.downcast::<String>().unwrap())
}

#[test]
fn models_that_are_read_as_they_are_compiled_pass() {
    assert_eq!(message(str::to_owned), "");
}

#[test]
fn a_model_that_is_not_found_is_named_with_the_folders() {
    let text = message(|source| source.replace("struct Sector", "struct Branch").replace("<Sector>", "<Branch>"));
    assert!(text.contains("`Sector` is in none of its files; write it as a struct in a file below models"), "{text}");
}

#[test]
fn a_column_that_differs_is_named_with_the_place() {
    let text = message(|source| source.replace("pub name: String", "pub name: Option<String>"));
    assert!(text.contains("`Sector` (models/reference.rs:"), "{text}");
    assert!(text.contains("the column `name` string or null, no column `name` string"), "{text}");
    let text = message(|source| source.replace("table = \"sectors\"", "table = \"branches\""));
    assert!(text.contains("is read with the table `branches`, and compiled with `sectors`"), "{text}");
}
