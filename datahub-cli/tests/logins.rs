//! `datahub import` and `datahub check --live` with a login, as their users see them: transcripts, a folder each in
//! `tests/logins`. A project's CDMS asks for the login that its `datahub.toml` states.
//!
//! `SNAPSHOTS=overwrite` renews what the commands answer.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cdms_odata::metadata::Metadata;
use cdms_simulator::{AdFsServer, NtlmServer, OAuthServer, Simulator};
use snapbox::{Assert, Data};

const METADATA: &str = include_str!("../../datahub-import/tests/fixtures/metadata.xml");
const REPLY: &str = include_str!("../../datahub-import/tests/fixtures/reply.xml");

const USER: &str = r"EXAMPLE\ada";
const CLIENT: &str = "7b1e1c6a-0d6f-4b0e-8e0a-8a7a3d8f1f10";
const SECRET: &str = "canary & more";

/// The CDMS of a project, by what its `datahub.toml` states.
fn cdms(settings: &str) -> Simulator {
    let builder =
        Simulator::builder().metadata(Metadata::parse(METADATA).unwrap()).soap_reply("acme_shipmentorder", REPLY);
    let builder = if settings.contains("\"oauth\"") {
        builder.oauth(OAuthServer::new(CLIENT, SECRET))
    } else if settings.contains("\"ntlm\"") {
        builder.ntlm(NtlmServer::new("EXAMPLE", "ada", SECRET))
    } else {
        builder.adfs(AdFsServer::new(USER, SECRET).token_services(2))
    };
    builder.lock_after(3).start().unwrap()
}

/// Runs the commands of a transcript in a new project with these settings, and writes it down again. Addresses have names
/// instead of ports.
fn replayed(settings: &str, transcript: &str) -> String {
    let cdms = cdms(settings);
    let names = [("[CDMS]", cdms.root()), ("[TOKEN-URL]", cdms.token_url())];
    let services = cdms.token_services();
    let services = services.iter().zip(["[STS]", "[RESOURCE-STS]"]).map(|(service, name)| (name, service.clone()));
    let names: Vec<_> = names.into_iter().chain(services).collect();
    let folder = tempfile::tempdir().unwrap();
    let settings = names.iter().fold(settings.to_owned(), |settings, (name, address)| settings.replace(name, address));
    fs::write(folder.path().join("datahub.toml"), settings).unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_datahub")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut replayed = String::new();
    for command in transcript.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let run = Command::new("sh")
            .args(["-c", &format!("{{ {command}\n}} 2>&1")])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env("COLUMNS", "120")
            .env("CDMS", cdms.root())
            .env_remove("DATAHUB_USER")
            .env_remove("DATAHUB_PASSWORD")
            .env_remove("DATAHUB_PASSWORD_FILE")
            .output()
            .unwrap();
        let mut said = String::from_utf8(run.stdout).unwrap();
        assert!(!said.contains("canary"), "`{command}` shows a secret: {said}");
        for (name, address) in &names {
            said = said.replace(address, name);
        }
        let host = cdms.root().trim_start_matches("http://").trim_end_matches("/ORG").to_owned();
        said = said.replace(&host, "[HOST]").replace(&cdms.organisation().to_string(), "[ORGANISATION]");
        said = said.replace(&folder.path().display().to_string(), "[PROJECT]");
        replayed.push_str(&format!("$ {command}\n{said}"));
        assert!(replayed.ends_with('\n'), "the output of `{command}` does not end with a line");
        if let Some(code) = run.status.code().filter(|code| *code != 0) {
            replayed.push_str(&format!("? {code}\n"));
        }
    }
    replayed.push_str(&format!("# wrong passwords: {}\n", cdms.failed_logins()));
    replayed
}

#[test]
fn transcripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logins");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 5);
    let assert = Assert::new().action_env("SNAPSHOTS");
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let path = case.join("transcript.txt");
            let settings = fs::read_to_string(case.join("datahub.toml")).unwrap();
            let replayed = replayed(&settings, &fs::read_to_string(&path).unwrap());
            assert
                .try_eq(Some(&path.display()), replayed.into(), Data::read_from(&path, None).raw())
                .err()
                .map(|error| error.to_string())
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
