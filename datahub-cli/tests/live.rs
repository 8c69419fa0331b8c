//! `datahub check --live` against servers that do not send `$metadata`: each gets a clear error, and the exit code is 2.
#![cfg(test)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use cdms_odata::metadata::Metadata;
use cdms_simulator::{Expiry, Fault, FaultRule, Simulator};
use tempfile::TempDir;

const METADATA: &str = r#"<Edmx><Schema Namespace="Ns"><EntityType Name="Account"><Key><PropertyRef Name="AccountId"/></Key>
<Property Name="AccountId" Type="Edm.Guid"/><Property Name="ModifiedOn" Type="Edm.DateTime"/>
<Property Name="CreatedOn" Type="Edm.DateTime"/><Property Name="ModifiedBy" Type="Ns.EntityReference"/></EntityType>
<EntityContainer><EntitySet Name="AccountSet" EntityType="Ns.Account"/></EntityContainer></Schema></Edmx>"#;

fn project() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("mappings")).unwrap();
    fs::write(folder.path().join("datahub.toml"), "metadata = 'mappings/metadata.xml'").unwrap();
    fs::write(folder.path().join("mappings/metadata.xml"), METADATA).unwrap();
    fs::write(folder.path().join("mappings/account.toml"), "entity = 'Account'").unwrap();
    folder
}

/// The exit code, and the error.
fn check(address: &str) -> (Option<i32>, String) {
    let (code, _, error) = checked(&project(), &["--live", address]);
    (code, error)
}

/// The exit code, the results, and the error.
fn checked(folder: &TempDir, options: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_datahub"));
    let output = command.arg("check").args(options).current_dir(folder.path()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// What the files show does not depend on the network.
#[test]
fn everything_else_is_reported_without_cdms_too() {
    let folder = project();
    fs::write(folder.path().join("mappings/account.toml"), "entity = 'Account'\nsett = 'Accounts'").unwrap();
    let (_, without, _) = checked(&folder, &[]);
    assert!(without.contains("unknown key `sett`") && without.contains("1 fault"), "{without}");
    let (code, text, error) = checked(&folder, &["--live", "http://127.0.0.1:1/ORG"]);
    assert_eq!((code, &text), (Some(2), &without), "{error}");
    assert!(error.contains("cannot read http://127.0.0.1:1/ORG/"), "{error}");
    let (code, text, plain) = checked(&folder, &["--json", "--live", "http://127.0.0.1:1/ORG"]);
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(code == Some(2) && lines.iter().any(|line| line["code"] == "unknown-key"), "{text}");
    let last = lines.last().unwrap()["error"].as_str().unwrap();
    assert_eq!((format!("error: {last}\n"), &plain), (error, &plain));
}

fn simulator() -> Simulator {
    Simulator::builder().metadata(Metadata::parse(METADATA).unwrap()).start().unwrap()
}

#[test]
fn a_server_that_sends_no_metadata_gets_a_clear_error() {
    for (fault, part) in [
        (Fault::Unauthorized, "asks for a login (status 401); state the login as `[cdms]` in datahub.toml"),
        (Fault::RedirectToLogin, "redirects; most likely it asks for a login"),
        (Fault::RedirectTo("http://127.0.0.1:1/".to_owned()), "redirects; most likely it asks for a login"),
        (Fault::LoginForm, "sent a web page; most likely it asks for a login"),
        (Fault::Html(404), "no service at this address"),
        (Fault::Html(503), "answered with status 503"),
        (Fault::NotJson, "is not valid $metadata"),
        (Fault::DropBeforeCommit, "connection closed before message completed"),
        (Fault::Truncate, "the answer broke off"),
    ] {
        let simulator = simulator();
        let shown = format!("{fault:?}");
        simulator.fault(FaultRule::new(fault));
        let (code, error) = check(&simulator.root());
        assert!(code == Some(2) && error.contains(part), "{shown}: {code:?} {error}");
        assert_eq!(simulator.requests().len(), 1, "{shown}: nothing is repeated or followed");
    }
}

#[test]
fn a_login_is_named() {
    let login =
        Simulator::builder().metadata(Metadata::parse(METADATA).unwrap()).login("ada", "secret", Expiry::Unauthorized);
    let simulator = login.start().unwrap();
    let (code, error) = check(&simulator.root());
    assert!(code == Some(2) && error.contains("asks for a login"), "{code:?} {error}");
}

/// Sends a body without an end, of blanks, until the client goes away.
#[test]
fn a_document_without_an_end_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/ORG", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        _ = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n\r\n").unwrap();
        let blanks = vec![b' '; 1 << 20];
        // It ends when the client closes the connection, at the latest after four times what it accepts.
        (0..512).take_while(|_| stream.write_all(&blanks).is_ok()).count()
    });
    let (code, error) = check(&address);
    assert!(code == Some(2) && error.contains("the document is larger than 128 MiB"), "{code:?} {error}");
    let sent = server.join().unwrap();
    assert!((127..300).contains(&sent), "{sent} MiB were sent");
}
