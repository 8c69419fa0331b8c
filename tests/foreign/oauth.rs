//! By hand: OAuth 2 against a server of someone else's, `oidc-provider` from npm.
//!
//! ```console
//! $ npm install --prefix tests/foreign/oidc-provider
//! $ cargo run -p datahub-tests --example foreign_oauth
//! ```
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a check that is run by hand")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datahub_runtime::login::secrecy::{ExposeSecret, SecretString};
use datahub_runtime::login::{OAuth, Secret};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use example_domain::Organisation;

const CLIENT: &str = "hub";
const SECRET: &str = "s3cret & more";
const RESOURCE: &str = "https://crm.example.gov.uk/";

/// The server, which ends with this program.
struct Provider {
    process: Child,
    token_url: String,
    refresh_token: String,
}

impl Provider {
    fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign/oidc-provider");
        let started = Command::new("node").arg("server.mjs").current_dir(folder).stdout(Stdio::piped()).spawn();
        let mut process = started.unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        // Its own notices come before, and after.
        let said = lines.find(|line| line.starts_with('{')).expect("the server has begun to listen");
        std::thread::spawn(move || lines.for_each(drop));
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let text = |name: &str| said[name].as_str().unwrap().to_owned();
        Provider { process, token_url: text("token_url"), refresh_token: text("refresh_token") }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// What a read of a new hub with a login comes to.
async fn read(kit: &Kit, login: OAuth) -> (Hub, Error) {
    let hub = kit.hub_with(example_domain::models(), login).connect().await.unwrap();
    let read = Organisation::get(&hub, Id::new()).await.unwrap_err();
    (hub, read)
}

fn refresh(provider: &Provider, token: &str, stored: &Arc<Mutex<Vec<String>>>) -> OAuth {
    let stored = Arc::clone(stored);
    let store = move |new: SecretString| {
        stored.lock().unwrap().push(new.expose_secret().to_owned());
        async { Ok::<_, std::io::Error>(()) }
    };
    let login = OAuth::refresh_token(&provider.token_url, CLIENT, Secret::new(token), store);
    login.unwrap().client_secret(Secret::new(SECRET)).resource(RESOURCE)
}

#[tokio::main]
async fn main() {
    let provider = Provider::start();
    // This CDMS takes any token; what is tried here is the other server.
    let kit = Kit::new(example_domain::METADATA);
    let credentials = |secret: &str, resource: &str| {
        let login = OAuth::client_credentials(&provider.token_url, CLIENT, Secret::new(secret));
        login.unwrap().resource(resource)
    };

    let (_, answer) = read(&kit, credentials(SECRET, RESOURCE)).await;
    assert_eq!(answer.kind(), ErrorKind::NotFound, "{answer}");
    println!("client credentials: a token");

    let (_, answer) = read(&kit, credentials("wrong", RESOURCE)).await;
    assert_eq!(answer.kind(), ErrorKind::LoginRefused, "{answer}");
    println!("a wrong secret: {answer}");

    let (_, answer) = read(&kit, credentials(SECRET, "https://other.example.gov.uk/")).await;
    assert_eq!(answer.kind(), ErrorKind::Unavailable, "{answer}");
    println!("another resource: {answer}");

    let stored = Arc::default();
    let (hub, answer) = read(&kit, refresh(&provider, &provider.refresh_token, &stored)).await;
    assert_eq!(answer.kind(), ErrorKind::NotFound, "{answer}");
    kit.advance(Duration::from_secs(600));
    let answer = Organisation::get(&hub, Id::new()).await.unwrap_err();
    assert_eq!(answer.kind(), ErrorKind::NotFound, "{answer}");
    assert_eq!(stored.lock().unwrap().len(), 2, "each use replaced the refresh token");
    println!("a refresh token: replaced and stored twice");

    // This server takes back all tokens of a login whose old one comes a second time.
    let (_, answer) = read(&kit, refresh(&provider, &provider.refresh_token, &stored)).await;
    assert_eq!(answer.kind(), ErrorKind::LoginRefused, "{answer}");
    println!("a refresh token that was replaced: {answer}");
}
