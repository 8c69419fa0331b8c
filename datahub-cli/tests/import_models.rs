//! First models of `datahub import --model`: the derives' own reading finds no fault in them, whatever the entity.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use datahub_derive::project::Project;
use datahub_derive::tree::Tree;
use tempfile::TempDir;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn project(settings: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("datahub.toml"), settings).unwrap();
    folder
}

fn import(folder: &Path, arguments: &[&str]) -> String {
    let run =
        Command::new(env!("CARGO_BIN_EXE_datahub")).arg("import").args(arguments).current_dir(folder).output().unwrap();
    let said = String::from_utf8(run.stdout).unwrap() + &String::from_utf8(run.stderr).unwrap();
    assert!(run.status.code().is_some_and(|code| code < 2), "{said}");
    said
}

/// Every model is read, and nothing is wrong with it; returns how many there are.
fn sound(folder: &Path) -> usize {
    let tree = Tree::read(&Project::open(folder).unwrap()).unwrap();
    let faults: Vec<_> = tree.faults.iter().map(|fault| fault.diagnostic.render(&fault.file)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(tree.models.len(), tree.contracts.len());
    for model in &tree.models {
        let fields = model.mapping.columns.len();
        assert!(fields > 0, "{} has no columns", model.name());
    }
    tree.models.len()
}

#[test]
fn the_derives_accept_first_models_of_all_of_the_examples_entities() {
    let folder = project("metadata = \"mappings/metadata.xml\"\ndiesel-columns = 64\n");
    let metadata = workspace().join("mappings/metadata.xml");
    import(folder.path(), &[metadata.to_str().unwrap(), "--all", "--model"]);
    let text = fs::read_to_string(&metadata).unwrap();
    let entities = text.matches("<EntityType ").count();
    assert!(entities > 15);
    assert_eq!(sound(folder.path()), entities);
    // The answers of a person make lookups possible; the models that exist are kept.
    let account = folder.path().join("mappings/account.toml");
    let answered = fs::read_to_string(&account).unwrap().replace(
        "optevia_Country = { kind = \"lookup\", target = \"?\" }",
        "optevia_Country = { kind = \"lookup\", target = \"optevia_country\" }",
    );
    fs::write(&account, answered).unwrap();
    let model = folder.path().join("src/account.rs");
    let before = fs::read_to_string(&model).unwrap();
    let said = import(folder.path(), &["--entity", "Account", "--model"]);
    assert!(said.contains("mappings/account.toml: no first model, because src/account.rs has a model of it"), "{said}");
    assert_eq!(fs::read_to_string(&model).unwrap(), before);
    fs::remove_file(&model).unwrap();
    import(folder.path(), &["--entity", "Account", "--model"]);
    let after = fs::read_to_string(&model).unwrap();
    assert!(
        after.contains("use crate::country::Country;") && after.contains("pub country: Option<Id<Country>>,"),
        "{after}"
    );
    sound(folder.path());
}

#[test]
fn labels_that_are_no_identifiers_become_variants_that_compile() {
    let fixtures = workspace().join("datahub-import/tests/fixtures");
    let folder = project("");
    let solution = fs::read_to_string(fixtures.join("customizations.xml")).unwrap();
    let first = "<option value=\"1\"><labels><label description=\"North\"";
    assert!(solution.contains(first));
    let option = |number: u8, label: &str| {
        format!(
            "<option value=\"{number}\"><labels><label description=\"{label}\" languagecode=\"1033\" /></labels></option>"
        )
    };
    let labels = ["m²", "m", "½", "①", "Option4", "²", "²1"];
    let options: String = (11..).zip(labels).map(|(number, label)| option(number, label)).collect();
    let solution = solution.replacen(first, &format!("{options}{first}"), 1);
    fs::write(folder.path().join("customizations.xml"), solution).unwrap();
    let metadata = fixtures.join("metadata.xml");
    let entity = ["--entity", "acme_shipmentorder", "--model"];
    import(folder.path(), &[&[metadata.to_str().unwrap(), "customizations.xml"], entity.as_slice()].concat());
    assert_eq!(sound(folder.path()), 1);
    let model = fs::read_to_string(folder.path().join("src/shipment_order.rs")).unwrap();
    let variants = "    #[cdms(\"m²\")]\n    M,\n    #[cdms(\"m\")]\n    MOption2,\n    #[cdms(\"½\")]\n    Option3,\n    #[cdms(\"①\")]\n    \
                    Option4,\n    #[cdms(\"option4\")]\n    Option4Option5,\n    #[cdms(\"²\")]\n    Option6,\n    #[cdms(\"²1\")]\n    N1,\n    North,\n";
    assert!(model.contains(variants), "{model}");
}

#[test]
fn first_models_of_a_whole_organisation_are_as_they_were_compiled() {
    let fixtures = workspace().join("datahub-import/tests/fixtures");
    let expected = workspace().join("tests/imported");
    let folder = project(&fs::read_to_string(expected.join("datahub.toml")).unwrap());
    let sources = ["metadata.xml", "customizations.xml", "reply.xml"].map(|name| fixtures.join(name));
    let mut arguments: Vec<&str> = sources.iter().map(|path| path.to_str().unwrap()).collect();
    arguments.extend(["--all", "--model", "--zone", "Europe/London"]);
    import(folder.path(), &arguments);
    sound(folder.path());
    let is_renewed = std::env::var("DATAHUB_DOCS").is_ok_and(|said| said == "overwrite");
    let mut count = 0;
    for below in ["mappings", "mappings/imported", "src"] {
        for entry in fs::read_dir(folder.path().join(below)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let kept = expected.join(below).join(path.file_name().unwrap());
            if is_renewed {
                fs::create_dir_all(kept.parent().unwrap()).unwrap();
                fs::copy(&path, &kept).unwrap();
            }
            let (is, was) = (fs::read_to_string(&path).unwrap(), fs::read_to_string(&kept).unwrap_or_default());
            assert_eq!(is, was, "{} differs; DATAHUB_DOCS=overwrite renews it", kept.display());
            count += 1;
        }
    }
    assert_eq!(count, 6 * 3 + 1);
}
