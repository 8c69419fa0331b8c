//! The examples that `datahub explain` shows: each is reported as it says, and nothing is at fault once it is corrected.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;

use cdms_odata::metadata::Metadata;
use datahub_derive::project::Project;
use datahub_derive::tree::{Fault, Tree};
use datahub_model::diagnostic::{Code, Example};

/// Everything that is found in a project of these files.
fn found(example: &Example, text: impl Fn(&str) -> String) -> Vec<Fault> {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let settings = example.metadata.map_or("", |_| "metadata = 'mappings/metadata.xml'");
    write("datahub.toml", settings);
    write("Cargo.toml", "[dependencies]\ndiesel = '2'");
    example.files().into_iter().for_each(|(file, stated)| write(file, &text(stated)));
    let tree = Tree::read(&Project::open(folder.path()).unwrap()).unwrap();
    let mut found = [tree.faults.clone(), tree.type_faults(), tree.program_faults(), tree.unlisted()].concat();
    found.extend(tree.questions().into_iter().map(|open| open.fault));
    if let Some(live) = example.live {
        let live = Metadata::parse(live).unwrap();
        found.extend(tree.drift(&live, "mappings/metadata.xml").into_iter().map(|drift| drift.fault));
    }
    found
}

#[test]
fn each_code_is_reported_by_its_example_and_by_no_other() {
    let wrong = Code::ALL.iter().filter_map(|code| {
        let example = code.example();
        let found = found(&example, str::to_owned);
        let codes: BTreeSet<_> = found.iter().map(|fault| fault.diagnostic.code).collect();
        let messages: Vec<_> = found.iter().map(|fault| fault.diagnostic.message.as_str()).collect();
        let is_right = codes == [*code].into() && messages[0] == example.message;
        (!is_right).then(|| format!("{code}: {codes:?} {messages:#?}"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_corrects_an_example_leaves_no_fault() {
    for code in Code::ALL {
        let example = code.example();
        let texts: String = example.files().into_iter().map(|(_, text)| text).collect();
        assert!(!example.corrections.is_empty(), "{code}");
        for (wrong, _) in example.corrections {
            assert_eq!(texts.matches(wrong).count(), 1, "{code}: {wrong} is found once");
        }
        let found = found(&example, |text| example.corrected(text));
        assert_eq!(found, [], "{code}");
    }
}
