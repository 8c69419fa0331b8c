//! `datahub check --live` against servers that cannot be looked at: each gets a clear error, and the exit code is 2.
#![cfg(test)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use cdms_odata::metadata::Metadata;
use cdms_simulator::{Expiry, Fault, FaultRule, Operation, Simulator};
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

/// The exit code, and the results with the error.
fn check(address: &str) -> (Option<i32>, String) {
    let (code, text, error) = checked(&project(), &["--live", address]);
    (code, text + &error)
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
    let (found, rest) = text.split_once("CDMS at ").unwrap();
    let (steps, rest) = rest.split_once("\n\n").unwrap();
    let (connection, rest) = rest.split_once('\n').unwrap();
    let expected = format!("{}; CDMS could not be looked at\n", without.trim_end());
    assert_eq!((code, format!("{found}{rest}")), (Some(2), expected), "{error}");
    assert_eq!(connection, "connection 0 steps work, 1 fails, 5 not tried; 1 request");
    assert!(steps.contains("✗ address       127.0.0.1:1 cannot be reached: "), "{steps}");
    assert_eq!(error, "error: cannot connect to CDMS; see `address` above\n");
    let (code, text, plain) = checked(&folder, &["--json", "--live", "http://127.0.0.1:1/ORG"]);
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(code == Some(2) && lines.iter().any(|line| line["code"] == "unknown-key"), "{text}");
    let sum = &lines[lines.len() - 2];
    assert_eq!((&sum["faults"], &sum["failed"]), (&1.into(), &1.into()), "{sum}");
    let last = lines.last().unwrap()["error"].as_str().unwrap();
    assert_eq!((format!("error: {last}\n"), &plain), (error, &plain));
}

fn simulator() -> Simulator {
    Simulator::builder().metadata(Metadata::parse(METADATA).unwrap()).start().unwrap()
}

#[test]
fn a_server_that_cannot_be_looked_at_gets_a_clear_error() {
    let page = "what answers there is no data service of CRM 2011";
    for (fault, part, requests) in [
        (Fault::Unauthorized, "✗ login         CDMS asks for a login: it answered with an empty body (status 401)", 2),
        (Fault::RedirectToLogin, "✗ login         CDMS asks for a login: it answered with a redirect to", 2),
        (
            Fault::RedirectTo("http://127.0.0.1:1/".to_owned()),
            "✗ login         CDMS asks for a login: it answered with a",
            2,
        ),
        (
            Fault::LoginForm,
            "✗ login         CDMS asks for a login: it answered with a page that asks for a password",
            2,
        ),
        (Fault::Html(404), page, 2),
        (Fault::Html(503), "? organisation  CDMS does not answer properly: an HTML page (status 503)", 2),
        (Fault::NotJson, page, 2),
        (Fault::DropBeforeCommit, "✗ address       127.0.0.1:", 1),
        (Fault::Truncate, "gives no whole answer: the answer broke off", 1),
    ] {
        let simulator = simulator();
        let shown = format!("{fault:?}");
        simulator.fault(FaultRule::new(fault));
        let (code, error) = check(&simulator.root());
        assert!(code == Some(2) && error.contains(part), "{shown}: {code:?} {error}");
        assert_eq!(simulator.requests().len(), requests, "{shown}: nothing is repeated or followed");
    }
}

/// The first contact works, and the document alone cannot be used.
#[test]
fn a_document_that_cannot_be_used_is_told_after_what_works() {
    for (fault, part) in [
        (Fault::Html(503), "answered with status 503"),
        (Fault::NotJson, "the document is not valid"),
        (Fault::Truncate, "the answer broke off"),
        (Fault::DropBeforeCommit, "connection"),
    ] {
        let simulator = simulator();
        let shown = format!("{fault:?}");
        // The first request of this kind is for the service itself.
        simulator.fault(FaultRule::new(fault).on(Operation::Other).after(1));
        let (code, text, error) = checked(&project(), &["--live", &simulator.root()]);
        assert!(code == Some(2) && text.contains(part), "{shown}: {code:?} {text}");
        assert_eq!(error, "error: cannot look at all of CDMS; see `schema` above\n");
        assert!(text.ends_with("; not all of CDMS could be looked at\n"), "{text}");
        assert!(text.contains("✓ organisation  CDMS is organisation "), "{shown}: {text}");
        assert_eq!(simulator.requests().len(), 3, "{shown}: nothing is repeated or followed");
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
    let simulator = simulator();
    let upstream = simulator.root().trim_start_matches("http://").trim_end_matches("/ORG").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/ORG", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).unwrap();
            let head = String::from_utf8_lossy(&request[..length]).into_owned();
            if !head.contains("$metadata") {
                // One answer of the simulator's for each connection.
                let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
                let mut behind = TcpStream::connect(&upstream).unwrap();
                behind.write_all(head.as_bytes()).unwrap();
                std::io::copy(&mut behind, &mut stream).unwrap();
                continue;
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n\r\n").unwrap();
            let blanks = vec![b' '; 1 << 20];
            // It ends when the client closes the connection, at the latest after four times what it accepts.
            return (0..512).take_while(|_| stream.write_all(&blanks).is_ok()).count();
        }
        0
    });
    let (code, error) = check(&address);
    assert!(code == Some(2) && error.contains("the document is larger than 128 MiB"), "{code:?} {error}");
    let sent = server.join().unwrap();
    assert!((127..300).contains(&sent), "{sent} MiB were sent");
}

/// A project with one contract need not read of everything else that its CDMS has.
#[test]
fn what_the_snapshot_lacks_is_one_note_if_it_is_much() {
    let attributes: String = (0..18).map(|at| format!(r#"<Property Name="Extra{at}" Type="Edm.String"/>"#)).collect();
    let more = METADATA.replace("</EntityType>", &format!("{attributes}</EntityType>"));
    let entity = |name: &str| {
        let properties =
            METADATA.split_once("<EntityType Name=\"Account\">").unwrap().1.split_once("</EntityType>").unwrap().0;
        format!("<EntityType Name=\"{name}\">{}</EntityType>", properties.replace("AccountId", &format!("{name}Id")))
    };
    let with_an_entity = more
        .replace("<EntityContainer>", &format!("{}<EntityContainer>", entity("Fund")))
        .replace("</EntityContainer>", "<EntitySet Name=\"FundSet\" EntityType=\"Ns.Fund\"/></EntityContainer>");
    // The simulator has two more, `Organization` and `SystemUser`.
    let folded = "note: CDMS has 3 entities and 18 attributes that the snapshot lacks; none is used. `datahub import --live` \
                  saves CDMS's $metadata as the snapshot";
    for (metadata, is_folded) in [(more, false), (with_an_entity, true)] {
        let simulator = Simulator::builder().metadata(Metadata::parse(&metadata).unwrap()).start().unwrap();
        let (code, text, error) = checked(&project(), &["--live", &simulator.root()]);
        assert_eq!((code, text.contains(folded)), (Some(0), is_folded), "{text}{error}");
        let listed = text.lines().filter(|line| line.starts_with("note: CDMS has changed: ")).count();
        assert_eq!(listed, if is_folded { 0 } else { 20 }, "{text}");
        assert!(text.find("note: ") < text.find("CDMS at "), "{text}");
        let (_, text, _) = checked(&project(), &["--json", "--live", &simulator.root()]);
        let listed = text.lines().filter(|line| line.contains("\"cdms-changed\"")).count();
        assert_eq!(listed, if is_folded { 21 } else { 20 }, "{text}");
    }
}
