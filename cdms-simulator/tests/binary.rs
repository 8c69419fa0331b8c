//! The simulator as a program: its first line, scenes, control, and the messages for wrong input.
#![allow(clippy::unwrap_used, reason = "functions next to the tests unwrap values that the tests wrote")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value as Json;

const DOCUMENT: &str = r#"<Schema Namespace="N"><EntityType Name="Account"><Key><PropertyRef Name="AccountId"/></Key>
<Property Name="AccountId" Type="Edm.Guid"/><Property Name="Name" Type="Edm.String"/></EntityType>
<EntityContainer Name="C"><EntitySet Name="AccountSet" EntityType="N.Account"/></EntityContainer></Schema>"#;

/// A separate folder for each test.
fn folder(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("metadata.xml"), DOCUMENT).unwrap();
    folder
}

fn program(folder: &PathBuf, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cdms-simulator"));
    command.current_dir(folder).args(arguments);
    command
}

/// A running program, which ends with the test.
struct Serving {
    process: Child,
    root: String,
    output: BufReader<ChildStdout>,
}

impl Serving {
    fn start(folder: &PathBuf, arguments: &[&str]) -> Self {
        let mut process = program(folder, arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut root = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut root).unwrap();
        Serving { process, root: root.trim_end().to_owned(), output }
    }

    /// The value of the next line, which is a key of `[cdms]`.
    fn stated(&mut self, key: &str) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let value = line.strip_prefix(&format!("{key} = \"http://")).and_then(|rest| rest.strip_suffix("\"\n"));
        value.unwrap_or_else(|| panic!("{line}")).to_owned()
    }

    /// Status line and body of a GET.
    fn get(&self, path: &str) -> (String, String) {
        let (host, root) = self.root.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let path = if path.starts_with("/_control") { path.to_owned() } else { format!("/{root}{path}") };
        let mut stream = TcpStream::connect(host).unwrap();
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn the_first_line_is_the_service_root_which_serves_until_the_program_is_stopped() {
    let mut serving = Serving::start(&folder("serves"), &["--metadata", "metadata.xml"]);
    assert!(serving.root.starts_with("http://127.0.0.1:"), "{}", serving.root);
    assert!(serving.root.ends_with("/XRMServices/2011/OrganizationData.svc"), "{}", serving.root);
    assert_eq!(serving.get("/AccountSet"), ("HTTP/1.1 200 OK".to_owned(), r#"{"d":{"results":[]}}"#.to_owned()));
    assert_eq!(serving.get("/_control/log").0, "HTTP/1.1 404 Not Found", "`/_control` needs --control");
    assert!(serving.process.try_wait().unwrap().is_none(), "the program still runs");
}

#[test]
fn a_scene_is_seeded_before_the_first_line() {
    let folder = folder("seeds");
    std::fs::write(folder.join("scene.json"), r#"[{"entity": "Account", "attributes": {"Name": "Acme"}}]"#).unwrap();
    let serving = Serving::start(&folder, &["--metadata", "metadata.xml", "--seed", "scene.json", "--control"]);
    let rows: Json = serde_json::from_str(&serving.get("/AccountSet?$select=Name").1).unwrap();
    assert_eq!(rows["d"]["results"][0]["Name"], "Acme");
    assert_eq!(serving.get("/_control/log"), ("HTTP/1.1 200 OK".to_owned(), "[]".to_owned()));
}

#[test]
fn the_scene_of_the_readme_is_served_as_it_stands() {
    let home = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = std::fs::read_to_string(home.join("README.md")).unwrap();
    let command = "cargo run -p cdms-simulator -- --metadata mappings/metadata.xml --seed scene.json";
    let after = readme.split_once(command).unwrap_or_else(|| panic!("README: {command}")).1;
    let scene = after.split_once("```json\n").and_then(|(_, rest)| rest.split_once("```")).unwrap().0;
    let folder = folder("readme");
    std::fs::write(folder.join("scene.json"), scene).unwrap();
    let metadata = home.join("mappings/metadata.xml");
    let serving = Serving::start(&folder, &["--metadata", metadata.to_str().unwrap(), "--seed", "scene.json"]);
    let rows: Json = serde_json::from_str(&serving.get("/AccountSet").1).unwrap();
    let [account] = &rows["d"]["results"].as_array().unwrap()[..] else { panic!("{rows}") };
    assert_eq!((&account["Name"], &account["NumberOfEmployees"]), (&Json::from("Acme Ltd"), &Json::from(5)));
    assert_eq!(account["Revenue"]["Value"], "5000000.0000");
    assert_eq!(account["optevia_Sector"]["Name"], "Aerospace");
    assert_eq!((&account["IndustryCode"]["Value"], &account["DoNotPhone"]), (&Json::from(7), &Json::from(true)));
    assert_eq!(account["optevia_LastVerified"], "/Date(1472338800000)/");
}

#[test]
fn a_scene_in_another_form_is_refused_with_its_place_and_the_right_form() {
    let folder = folder("forms");
    let account = |attributes: &str| format!(r#"[{{"entity": "Account", "attributes": {attributes}}}]"#);
    let id = "7a4814f9-b0b8-ea11-a812-000d3a122b89";
    let record = r#"{"entity": "Account", "attributes": {"Name": "A"}}"#;
    let twice = format!(r#"{{"entity": "Account", "attributes": {{"AccountId": {{"guid": "{id}"}}}}}}"#);
    for (scene, said) in [
        (account(r#"{"Name": 5}"#), "record 1 (Account): Account.Name has the type Edm.String"),
        (account(&format!(r#"{{"AccountId": "{id}"}}"#)), "write {\"guid\": "),
        (format!("[{record}, {record}, {}]", &account(r#"{"Name": true}"#)[1..].trim_end_matches(']')), "record 3"),
        (account(r#"{"Name": {"Value": "x"}}"#), "line 1 column"),
        (account(r#"{"Name": ["x"]}"#), "line 1 column"),
        (account(r#"{"Name": 1.5}"#), "line 1 column"),
        (r#"{"Account": [{"Name": "A"}]}"#.to_owned(), "[{\"entity\": \"Account\", \"attributes\": {"),
        (r#"[{"Name": "A"}]"#.to_owned(), "`Name`"),
        (r#"[{"entity": "Account"}]"#.to_owned(), "missing field `attributes`"),
        (r#"[{"entity": "Acount", "attributes": {}}]"#.to_owned(), "record 1 (Acount)"),
        (format!("[{twice}, {twice}]"), "record 2 (Account): an earlier record of the scene also has the id"),
    ] {
        std::fs::write(folder.join("scene.json"), &scene).unwrap();
        let output = program(&folder, &["--metadata", "metadata.xml", "--seed", "scene.json"]).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(2), &b""[..]), "{scene}: {text}");
        assert!(text.starts_with("error: scene.json: "), "{scene}: {text}");
        assert!(text.contains(said), "{scene}: {text} does not say: {said}");
    }
}

#[test]
fn it_listens_on_the_given_address() {
    let serving = Serving::start(&folder("listens"), &["--metadata", "metadata.xml", "--listen", "[::1]:0"]);
    assert!(serving.root.starts_with("http://[::1]:"), "{}", serving.root);
    assert_eq!(serving.get("/AccountSet").0, "HTTP/1.1 200 OK");
}

#[test]
fn wrong_input_is_reported_with_its_place_and_exit_code_2() {
    let folder = folder("mistakes");
    std::fs::write(folder.join("broken.xml"), "<Schema").unwrap();
    std::fs::write(folder.join("broken.json"), "[{]").unwrap();
    std::fs::write(folder.join("unknown.json"), r#"[{"entity": "Account", "attributes": {"Nmae": "x"}}]"#).unwrap();
    let seeded = |file| ["--metadata", "metadata.xml", "--seed", file];
    let cases: [(&[&str], &[&str]); 16] = [
        (&[], &["--metadata <FILE>"]),
        (&["--metadata", "nothing.xml"], &["cannot read nothing.xml"]),
        (&["--metadata", "broken.xml"], &["broken.xml", "line 1"]),
        (&seeded("nothing.json"), &["cannot read nothing.json"]),
        (&seeded("broken.json"), &["broken.json", "line 1"]),
        (&seeded("unknown.json"), &["unknown.json", "Account", "'Nmae'"]),
        (&["--metadata", "metadata.xml", "--listen", "0.0.0.0:0"], &["0.0.0.0:0", "loopback"]),
        (&["--metadata", "metadata.xml", "--listen", "here"], &["--listen <ADDRESS>", "here"]),
        (&["--metadata", "metadata.xml", "--login", "hub"], &["--login <USER:PASSWORD>", "expected USER:PASSWORD"]),
        (&["--metadata", "metadata.xml", "--ntlm", "hub:secret"], &["--ntlm <", "expected DOMAIN\\USER:PASSWORD"]),
        (&["--metadata", "metadata.xml", "--adfs", ":secret"], &["--adfs <", "expected USER:PASSWORD"]),
        (&["--metadata", "metadata.xml", "--oauth", "hub"], &["--oauth <", "expected CLIENT:SECRET"]),
        (&["--metadata", "metadata.xml", "--oauth", "a:b", "--adfs", "a:b"], &["cannot be used with"]),
        (
            &["--metadata", "metadata.xml", "--max-length", "Account.Nmae=5"],
            &["--max-length Account.Nmae", "metadata.xml has no such attribute"],
        ),
        (
            &["--metadata", "metadata.xml", "--relation", "x=y"],
            &["--relation <NAME=", "expected NAME=CHILD.LOOKUP:PARENT"],
        ),
        (
            &["--metadata", "metadata.xml", "--relation", "x=Account.Name:Account"],
            &["--relation x: metadata.xml has no lookup Account.Name, or no entity Account"],
        ),
    ];
    for (arguments, said) in cases {
        let Output { status, stdout, stderr } = program(&folder, arguments).output().unwrap();
        let text = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(2), "{arguments:?}: {text}");
        assert_eq!(stdout, b"", "{arguments:?}: no root without a server");
        assert!(text.starts_with("error: "), "{arguments:?}: {text}");
        for part in said {
            assert!(text.contains(part), "{arguments:?}: {text} does not say: {part}");
        }
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let folder = folder("taken");
    let first = Serving::start(&folder, &["--metadata", "metadata.xml"]);
    let address = first.root.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let second = program(&folder, &["--metadata", "metadata.xml", "--listen", address]).output().unwrap();
    let text = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(2), "{text}");
    assert!(text.contains(&format!("cannot listen on {address}")), "{text}");
}

#[test]
fn the_help_lists_all_options_and_the_exit_code() {
    let output = program(&folder("help"), &["--help"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for part in [
        "--metadata <FILE>",
        "--seed <FILE>",
        "--listen <ADDRESS>",
        "--control",
        "--clock <MS>",
        "--login <USER:PASSWORD>",
        "--ntlm <DOMAIN\\USER:PASSWORD>",
        "--adfs <USER:PASSWORD>",
        "--oauth <CLIENT:SECRET>",
        "--expiry <ANSWER>",
        "--page-size <RECORDS>",
        "--max-length <ENTITY.ATTRIBUTE=LENGTH>",
        "--option-set <ENTITY.ATTRIBUTE=OPTIONS>",
        "--ignore-bare-nulls",
        "--refuse-dangling-lookups",
        "--refuse-read-only",
        "--statuses <ENTITY.STATE=STATUSES>",
        "--precision <ENTITY.ATTRIBUTE=DIGITS>",
        "--parental <ENTITY.LOOKUP>",
        "--money-needs-currency",
        "--base-amounts",
        "--log-limit <ENTRIES>",
        "Exit code 2",
        "/_control/",
    ] {
        assert!(text.contains(part), "{text} does not say: {part}");
    }
}

/// What `datahub.toml` must say of the login is printed, and leads to where the login is.
#[test]
fn a_login_is_asked_for_and_what_to_configure_is_printed() {
    let folder = folder("logins");
    let mut adfs = Serving::start(&folder, &["--metadata", "metadata.xml", "--adfs", "EXAMPLE\\ada:secret"]);
    let sign_in = adfs.stated("sign-in");
    let (status, _) = adfs.get("/AccountSet");
    assert!(status.contains(" 302 "), "{status}");
    TcpStream::connect(sign_in.split('/').next().unwrap()).unwrap();

    let mut oauth = Serving::start(&folder, &["--metadata", "metadata.xml", "--oauth", "hub:secret"]);
    let token_url = oauth.stated("token-url");
    let (status, _) = oauth.get("/AccountSet");
    assert!(status.contains(" 401 "), "{status}");
    let (host, path) = token_url.split_once('/').unwrap();
    for (secret, expected) in [("wrong", "invalid_client"), ("secret", "access_token")] {
        let body = format!("grant_type=client_credentials&client_id=hub&client_secret={secret}&resource=x");
        let mut stream = TcpStream::connect(host).unwrap();
        let head = format!(
            "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(expected), "{answer}");
    }
}
