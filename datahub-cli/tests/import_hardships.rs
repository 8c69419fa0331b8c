//! `datahub import` in hard circumstances: addresses that refuse, folders that cannot be written, processes that are killed.
#![cfg(test)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

const METADATA: &str = include_str!("../../datahub-import/tests/fixtures/metadata.xml");
const REPLY: &str = include_str!("../../datahub-import/tests/fixtures/reply.xml");

fn project() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("datahub.toml"), "metadata = \"mappings/metadata.xml\"\n").unwrap();
    folder
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_datahub"));
    command.arg("import").args(arguments).current_dir(folder);
    command
}

fn import(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let run = command(folder, arguments).output().unwrap();
    (run.status.code(), String::from_utf8(run.stdout).unwrap() + &String::from_utf8(run.stderr).unwrap())
}

/// A server that answers each request as `answer` says, from its first line and its body; it sends what it was asked.
fn server(
    answer: impl Fn(&str, &str) -> (u16, &'static str, Vec<u8>) + Send + 'static,
) -> (String, mpsc::Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (asked, requests) = mpsc::channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut reader = BufReader::new(connection.unwrap());
            let (mut head, mut length) = (String::new(), 0);
            while head.is_empty() || !head.ends_with("\r\n\r\n") {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap() == 0 {
                    break;
                }
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let body = String::from_utf8(body).unwrap();
            let (status, kind, content) = answer(head.lines().next().unwrap_or_default(), &body);
            let length = content.len();
            // A client that has read enough may close the connection.
            let start = format!(
                "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            _ = reader.get_mut().write_all(start.as_bytes()).and_then(|()| reader.get_mut().write_all(&content));
            if asked.send((head, body)).is_err() {
                return;
            }
        }
    });
    (address, requests)
}

#[test]
fn an_organisations_root_is_asked_for_metadata_which_becomes_the_snapshot() {
    let (address, requests) = server(|_, _| (200, "application/xml", METADATA.as_bytes().to_vec()));
    let folder = project();
    let (code, said) = import(folder.path(), &[&format!("{address}/ORG/"), "--entity", "Task"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("mappings/metadata.xml: saved"), "{said}");
    assert_eq!(fs::read_to_string(folder.path().join("mappings/metadata.xml")).unwrap(), METADATA);
    let (head, _) = requests.recv().unwrap();
    assert!(head.starts_with("GET /ORG/XRMServices/2011/OrganizationData.svc/$metadata "), "{head}");
}

#[test]
fn the_soap_service_is_asked_about_each_entity() {
    let (address, requests) = server(|_, _| (200, "text/xml; charset=utf-8", REPLY.as_bytes().to_vec()));
    let folder = project();
    fs::create_dir(folder.path().join("mappings")).unwrap();
    fs::write(folder.path().join("mappings/metadata.xml"), METADATA).unwrap();
    let service = format!("{address}/ORG/XRMServices/2011/Organization.svc");
    let (code, said) = import(folder.path(), &[&service, "--entity", "acme_shipmentorder"]);
    assert_eq!(code, Some(0), "{said}");
    let contract = fs::read_to_string(folder.path().join("mappings/shipmentorder.toml")).unwrap();
    assert!(contract.contains("max-length = 150") && contract.contains("# from SOAP: "), "{contract}");
    let (head, body) = requests.recv().unwrap();
    assert!(head.starts_with("POST /ORG/XRMServices/2011/Organization.svc/web "), "{head}");
    assert!(head.to_lowercase().contains("iorganizationservice/execute"), "{head}");
    assert!(body.contains(">acme_shipmentorder<") && body.contains("RetrieveEntityRequest"), "{body}");
}

/// What the SOAP service answers about an entity that it does not let one see.
const FAULT: &str = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault>\
                     <faultstring>SecLib::CheckPrivilege failed</faultstring></s:Fault></s:Body></s:Envelope>";

#[test]
fn an_error_about_an_entity_that_nobody_named_does_not_stop_the_others() {
    let service = |is_only_fault: bool| {
        server(move |_, body| match body.contains(">acme_shipmentorder<") && !is_only_fault {
            true => (200, "text/xml; charset=utf-8", REPLY.as_bytes().to_vec()),
            false => (500, "text/xml; charset=utf-8", FAULT.as_bytes().to_vec()),
        })
    };
    let (address, requests) = service(false);
    let soap = format!("{address}/ORG/XRMServices/2011/Organization.svc");
    let folder = project();
    fs::create_dir(folder.path().join("mappings")).unwrap();
    fs::write(folder.path().join("mappings/metadata.xml"), METADATA).unwrap();
    let (code, said) = import(folder.path(), &[&soap, "--all"]);
    assert_eq!(code, Some(0), "{said}");
    for entity in ["Account", "SystemUser", "Task", "Team", "acme_carrier"] {
        let note = format!(
            "note: {entity}: the SOAP service does not describe it, and nothing is taken from there: SecLib::CheckPrivilege failed\n"
        );
        assert!(said.contains(&note), "{said}");
    }
    assert!(said.contains("6 contracts written"), "{said}");
    let contract = fs::read_to_string(folder.path().join("mappings/shipmentorder.toml")).unwrap();
    assert!(contract.contains("max-length = 150"), "{contract}");
    // It is not asked about entities that cannot be synced.
    let asked: Vec<String> = requests.try_iter().map(|(_, body)| body).collect();
    assert!(asked.len() == 6 && !asked.iter().any(|body| body.contains("privilegeobjecttypecodes")), "{asked:?}");
    // Contracts that exist are no names that a caller gave.
    let (code, said) = import(folder.path(), &[&soap]);
    assert!(code == Some(0) && said.contains("note: Task: the SOAP service does not describe it"), "{said}");
    let (code, said) = import(folder.path(), &[&soap, "--entity", "acme_shipmentorder", "--entity", "Task"]);
    assert!(code == Some(2) && said.contains("about task: is an error of the SOAP service: SecLib"), "{said}");
    // A service that describes nothing is of no use.
    let (address, _requests) = service(true);
    let (code, said) = import(folder.path(), &[&format!("{address}/ORG/XRMServices/2011/Organization.svc"), "--all"]);
    assert!(code == Some(2) && said.contains("is an error of the SOAP service: SecLib"), "{said}");
}

#[test]
fn an_edit_that_is_made_while_a_source_arrives_is_merged() {
    let folder = project();
    fs::write(folder.path().join("m.xml"), METADATA).unwrap();
    assert_eq!(import(folder.path(), &["m.xml", "--entity", "Task"]).0, Some(0));
    let contract = folder.path().join("mappings/task.toml");
    let edited = fs::read_to_string(&contract).unwrap().replace("max-length = \"?\"", "max-length = 200");
    let (at, text) = (contract.clone(), edited.clone());
    let (address, _requests) = server(move |_, _| {
        fs::write(&at, &text).unwrap();
        (200, "application/xml", with_percent_complete().into_bytes())
    });
    let (code, said) = import(folder.path(), &[&format!("{address}/ORG")]);
    assert_eq!(code, Some(0), "{said}");
    let merged = fs::read_to_string(&contract).unwrap();
    assert!(merged.contains("max-length = 200") && merged.contains("PercentComplete = "), "{merged}");
}

/// `$metadata` with a new attribute of tasks.
fn with_percent_complete() -> String {
    let subject = "<Property Name=\"Subject\" Type=\"Edm.String\" Nullable=\"true\"/>";
    assert!(METADATA.contains(subject));
    METADATA.replace(
        subject,
        &format!("{subject}<Property Name=\"PercentComplete\" Type=\"Edm.Int32\" Nullable=\"true\"/>"),
    )
}

#[test]
fn a_contract_that_is_edited_before_it_is_written_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("datahub.toml"), "metadata = \"snapshot/metadata.xml\"\n").unwrap();
    fs::write(folder.path().join("m.xml"), METADATA).unwrap();
    assert_eq!(import(folder.path(), &["m.xml", "--entity", "Task"]).0, Some(0));
    let contract = folder.path().join("mappings/task.toml");
    let edited = fs::read_to_string(&contract).unwrap() + "# edited meanwhile\n";
    // The snapshot is compared after the contracts are read and before they are written; a pipe in its place stops the import
    // there, until it is closed.
    fs::write(folder.path().join("m.xml"), with_percent_complete()).unwrap();
    let pipe = folder.path().join("snapshot/metadata.xml");
    fs::remove_file(&pipe).unwrap();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let running = command(folder.path(), &["m.xml"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (opened, opening) = mpsc::channel();
    thread::spawn(move || opened.send(fs::OpenOptions::new().write(true).open(pipe)));
    let writer = opening.recv_timeout(Duration::from_secs(60)).expect("the snapshot is not read").unwrap();
    fs::write(&contract, &edited).unwrap();
    drop(writer);
    let run = running.wait_with_output().unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(
        said.contains(
            "mappings/task.toml was changed while the command ran, so it is left as it is; run the command again"
        ),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&contract).unwrap(), edited);
    fs::remove_file(folder.path().join("snapshot/metadata.xml")).unwrap();
    let (code, said) = import(folder.path(), &["m.xml"]);
    assert_eq!(code, Some(0), "{said}");
    let merged = fs::read_to_string(&contract).unwrap();
    assert!(merged.contains("PercentComplete = ") && merged.contains("# edited meanwhile\n"), "{merged}");
}

#[test]
fn a_contract_that_names_no_entity_is_not_overwritten() {
    let folder = project();
    fs::write(folder.path().join("m.xml"), METADATA).unwrap();
    fs::create_dir(folder.path().join("mappings")).unwrap();
    let contract = folder.path().join("mappings/task.toml");
    fs::write(&contract, "# to be written\n").unwrap();
    let (code, said) = import(folder.path(), &["m.xml", "--entity", "Task"]);
    assert!(
        code == Some(2)
            && said.contains(
                "mappings/task.toml exists and names no entity; write `entity = \"Task\"` into it, or rename it"
            ),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&contract).unwrap(), "# to be written\n");
}

#[test]
fn addresses_that_do_not_answer_with_a_document_are_named_with_the_way_out() {
    type Answer = fn(&str, &str) -> (u16, &'static str, Vec<u8>);
    let cases: [(Answer, &str); 6] = [
        (|_, _| (401, "text/html", Vec::new()), "asks for a login"),
        (|_, _| (302, "text/html", Vec::new()), "redirects; most likely it asks for a login"),
        (|_, _| (200, "text/html", b"<html>Sign in</html>".to_vec()), "save the document, and import the file"),
        (|_, _| (404, "text/plain", Vec::new()), "CDMS has no service at this address (status 404)"),
        (|_, _| (500, "text/plain", Vec::new()), "CDMS answered with status 500"),
        (|_, _| (200, "application/xml", REPLY.as_bytes().to_vec()), "is not $metadata"),
    ];
    for (answer, expected) in cases {
        let (address, _requests) = server(answer);
        let folder = project();
        let (code, said) = import(folder.path(), &[&format!("{address}/ORG"), "--all"]);
        assert!(code == Some(2) && said.contains(expected), "{expected}: {said}");
        assert!(!folder.path().join("mappings").exists());
    }
    let (address, _requests) = server(|_, _| (200, "application/xml", vec![b' '; 130 << 20]));
    let (code, said) = import(project().path(), &[&format!("{address}/ORG"), "--all"]);
    assert!(code == Some(2) && said.contains("the document is larger than 128 MiB"), "{said}");
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, said) = import(project().path(), &[&format!("http://{unused}/ORG"), "--all"]);
    assert!(
        code == Some(2) && said.contains(&format!("cannot read http://{unused}/ORG/XRM")) && said.contains("refused"),
        "{said}"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_nothing_is_changed() {
    let folder = project();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.path().join("m.xml"), METADATA).unwrap();
    let mappings = folder.path().join("mappings");
    fs::create_dir(&mappings).unwrap();
    fs::set_permissions(&mappings, fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = command(folder.path(), &["m.xml", "--all"]);
    // Permissions do not stop an administrator.
    if fs::metadata(folder.path()).unwrap().uid() == 0 {
        command.uid(65_534);
    }
    let run = command.output().unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(
        said.contains("cannot write") && said.contains("Permission denied") && said.contains("nothing was changed"),
        "{said}"
    );
    assert_eq!(fs::read_dir(&mappings).unwrap().count(), 0);
}

/// An organisation of many entities, so that there is time to be killed.
fn large(entities: usize) -> String {
    let start = METADATA.find("<EntityType Name=\"acme_carrier\">").unwrap();
    let end = METADATA[start..].find("</EntityType>").unwrap() + start + "</EntityType>".len();
    let set = "<EntitySet Name=\"acme_carrierSet\" EntityType=\"Microsoft.Crm.Sdk.Data.Services.acme_carrier\"/>";
    let (mut types, mut sets) = (String::new(), String::new());
    for number in 0..entities {
        types.push_str(&METADATA[start..end].replace("acme_carrier", &format!("acme_carrier{number}")));
        sets.push_str(&set.replace("acme_carrier", &format!("acme_carrier{number}")));
    }
    let text = format!("{}{types}{}", &METADATA[..start], &METADATA[start..]);
    text.replace(set, &format!("{set}{sets}"))
}

#[test]
fn a_process_that_is_killed_loses_nothing_and_the_next_run_continues() {
    const ENTITIES: usize = 3_000;
    let folder = project();
    fs::write(folder.path().join("m.xml"), large(ENTITIES)).unwrap();
    let mappings = folder.path().join("mappings");
    let contracts = || {
        let entries = fs::read_dir(&mappings).into_iter().flatten().flatten();
        entries.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "toml")).count()
    };
    let mut killed = command(folder.path(), &["m.xml", "--all"]).stdout(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while contracts() < 20 {
        assert!(begun.elapsed() < Duration::from_secs(120), "nothing is written");
        assert!(killed.try_wait().unwrap().is_none(), "it was not stopped in time");
        thread::sleep(Duration::from_millis(1));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let written = contracts();
    assert!(written < ENTITIES, "it was not stopped in time");
    // Each contract that is there is whole.
    for entry in fs::read_dir(&mappings)
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "toml"))
    {
        let text = fs::read_to_string(entry.path()).unwrap();
        assert!(
            datahub_model::source::Contract::parse(&text).into_result().is_ok_and(|contract| contract.is_some()),
            "{text}"
        );
    }
    // A run of something else says what is missing.
    let (_, said) = import(folder.path(), &["m.xml", "--entity", "Task"]);
    assert!(
        said.contains("an earlier import was stopped before it had written")
            && said.contains("which are still missing"),
        "{said}"
    );
    let (code, said) = import(folder.path(), &["m.xml", "--all"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("an earlier import was stopped") && said.contains("; this one has"), "{said}");
    assert!(said.contains("0 conflicts"), "{said}");
    assert_eq!(contracts(), ENTITIES + 6);
    let leftover = |folder: &Path| {
        fs::read_dir(folder)
            .unwrap()
            .flatten()
            .any(|entry| entry.path().extension().is_some_and(|end| end == "datahub-draft"))
    };
    assert!(
        !leftover(&mappings) && !leftover(&mappings.join("imported")) && !mappings.join("imported/unfinished").exists()
    );
    let (code, said) = import(folder.path(), &[]);
    assert!(code == Some(0) && said.contains(&format!("{} contracts unchanged", ENTITIES + 6)), "{said}");
}

#[test]
fn an_organisation_without_a_soap_service_is_said_to_have_none() {
    let (address, _requests) = server(|_, _| (404, "text/plain", Vec::new()));
    let folder = project();
    let service = format!("{address}/ORG/XRMServices/2011/Organization.svc");
    let (code, said) = import(folder.path(), &[&service, "--entity", "Account"]);
    let expected = format!(
        "this organisation has no SOAP service (status 404); leave out `--soap`, or check the address with `datahub check \
         --live {address}/ORG`"
    );
    assert!(code == Some(2) && said.contains(&expected), "{said}");
}
