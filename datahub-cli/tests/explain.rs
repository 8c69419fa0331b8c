//! `datahub explain` as its users see it: one code, all of them, and one that does not exist.
#![cfg(test)]

use std::process::{Command, Output};

fn explain(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_datahub")).arg("explain").args(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_code_is_explained_with_and_without_brackets() {
    for name in ["nullability", "[nullability]"] {
        let (code, text, _) = explain(&[name]);
        assert_eq!(code, Some(0));
        assert!(text.starts_with("nullability\n\n") && text.contains("Cure: make the field an `Option`"), "{text}");
    }
    let (_, json, _) = explain(&["--json", "no-key"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["code"], "no-key");
    let files = &json["example"]["files"];
    assert!(
        files["src/lib.rs"].as_str().unwrap().contains("pub struct Organisation {\n    #[cdms(\"Name\")]"),
        "{json}"
    );
    assert!(json["example"]["corrected"]["src/lib.rs"].as_str().unwrap().contains("#[cdms(key)]"), "{json}");
    assert_eq!(files["mappings/account.toml"], json["example"]["corrected"]["mappings/account.toml"]);
}

#[test]
fn all_codes_are_listed() {
    let (code, text, _) = explain(&[]);
    assert_eq!((code, text.lines().count()), (Some(0), datahub_model::diagnostic::Code::ALL.len()));
    assert!(text.contains("two-keys             Two fields are marked as the record's id"), "{text}");
    let whole =
        "faulty-toml          The contract, or `datahub.toml`, is not valid TOML, so nothing can be read from it\n";
    assert!(text.contains(whole), "a dot in a name does not end a sentence: {text}");
}

#[test]
fn machines_get_every_code_with_its_whole_explanation() {
    let (code, text, _) = explain(&["--json"]);
    let found: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = datahub_model::diagnostic::Code::ALL.iter().map(|code| {
        let explanation: &str = code.explanation();
        serde_json::json!({"code": code.name(), "explanation": explanation})
    });
    assert_eq!((code, found), (Some(0), expected.collect()));
}

#[test]
fn an_unknown_code_suggests_the_nearest() {
    let (code, _, error) = explain(&["nulability"]);
    assert_eq!(code, Some(2));
    assert_eq!(error, "error: unknown code `nulability`; did you mean `nullability`?\n");
}
