//! Outgoing proxies, explicit and of the environment, and plain http to the hosts that were named.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{Anonymous, CdmsConfig, HubBuilder};
use example_domain::Organisation;

use crate::certificates::{Authority, server};
use crate::front::Front;
use crate::login_ntlm;
use crate::scene::{failed, says};

/// A proxy that knows where the hosts of a test are, and nothing else.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// The head of a request to a proxy.
#[derive(Clone, Debug)]
struct Asked {
    line: String,
    login: Option<String>,
}

impl Proxy {
    /// Passes on to these ports of this machine; with a login, only to those who give it.
    fn new(hosts: &[(&str, u16)], login: Option<&'static str>) -> Self {
        let hosts: HashMap<_, _> = hosts.iter().map(|(host, port)| ((*host).to_owned(), *port)).collect();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let proxy = Proxy { port: listener.local_addr().unwrap().port(), asked: Arc::default() };
        let asked = Arc::clone(&proxy.asked);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, hosts, asked) = (client.unwrap(), hosts.clone(), Arc::clone(&asked));
                std::thread::spawn(move || pass_on(client, &hosts, &asked, login));
            }
        });
        proxy
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn pass_on(
    mut client: TcpStream,
    hosts: &HashMap<String, u16>,
    asked: &Mutex<Vec<Asked>>,
    login: Option<&str>,
) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let line = head.lines().next()?.to_owned();
    let given = head.lines().find_map(|line| line.strip_prefix("proxy-authorization: ").map(str::to_owned));
    asked.lock().unwrap().push(Asked { line: line.clone(), login: given.clone() });
    if login.is_some() && login != given.as_deref() {
        let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return client.write_all(answer.as_bytes()).ok();
    }
    let target = line.split(' ').nth(1)?;
    let host = target.trim_start_matches("http://").split(['/', ':']).next()?;
    let mut server = TcpStream::connect(("127.0.0.1", *hosts.get(host)?)).unwrap();
    if line.starts_with("CONNECT ") {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    } else {
        server.write_all(head.as_bytes()).ok()?;
    }
    let (mut up, mut down) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || copy(&mut server, &mut down));
    copy(&mut reader, &mut up)
}

fn copy(from: &mut impl std::io::Read, to: &mut TcpStream) -> Option<()> {
    let mut bytes = [0; 16_384];
    loop {
        let count = from.read(&mut bytes).ok()?;
        if count == 0 {
            return to.shutdown(std::net::Shutdown::Write).ok();
        }
        to.write_all(&bytes[..count]).ok()?;
    }
}

fn port(root: &str) -> u16 {
    root.split([':', '/']).find_map(|part| part.parse().ok()).unwrap()
}

async fn reads(hub: HubBuilder) {
    failed(Organisation::get(&hub.connect().await.unwrap(), Id::new()).await, ErrorKind::NotFound);
}

#[tokio::test]
async fn an_explicit_proxy_leads_every_connection_to_cdms() {
    let ours = Authority::new();
    let kit = login_ntlm::kit(login_ntlm::server());
    let front = Front::tls(&kit.simulator.root(), server(&ours.issue("crm.example.internal")));
    // `hub:pass`, in base64.
    let proxy = Proxy::new(&[("crm.example.internal", port(&front.root()))], Some("Basic aHViOnBhc3M="));
    let root = "https://crm.example.internal/ORG";
    let hub = || {
        let hub = kit.hub_with(example_domain::models(), login_ntlm::login()).cdms(root, login_ntlm::login());
        hub.ca_file(ours.file())
    };
    let with_login = proxy.url().replace("http://", "http://hub:pass@");
    reads(hub().proxy(&with_login)).await;
    let asked = proxy.asked();
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|asked| asked.line == "CONNECT crm.example.internal:443 HTTP/1.1"), "{asked:?}");
    assert!(asked.iter().all(|asked| asked.login.is_some()), "{asked:?}");
    // Without its login, and at a name that it does not know.
    let error = Organisation::get(&hub().proxy(proxy.url()).connect().await.unwrap(), Id::new()).await;
    let named = format!("the proxy {} (`proxy` in [cdms], or `.proxy(…)`) gives no connection", proxy.url());
    says(&failed(error, ErrorKind::Unavailable), &[&named, "authorization required"]);
    let gone = {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap()
    };
    for (address, host, help) in [
        (proxy.url(), proxy.url(), "datahub.toml takes no password"),
        (
            format!("http://hub:pass@{gone}"),
            format!("http://{gone}"),
            "check `proxy` in [cdms], or HTTPS_PROXY and NO_PROXY",
        ),
        ("http://proxy.invalid:8080".to_owned(), "http://proxy.invalid:8080".to_owned(), "HTTPS_PROXY and NO_PROXY"),
    ] {
        let report = hub().proxy(address).connect().await.unwrap().check_connection().await.unwrap().to_string();
        assert!(report.contains(&format!("the proxy {host} (`proxy` in [cdms]")) && report.contains(help), "{report}");
        assert!(!report.contains("pass@") && !report.contains("machine's DNS"), "{report}");
    }
    for (address, fault) in [
        ("proxy.example.gov.uk:8080", "must begin with http:// or https://"),
        ("socks5://hub:pass@proxy:1080", "cannot use the proxy …@proxy:1080: it must begin with http:// or https://"),
        ("http://proxy/path", "it must have no path"),
        ("http://hub:pass@proxy:99999", "cannot use the proxy …@proxy:99999"),
    ] {
        let error = failed(hub().proxy(address).connect().await, ErrorKind::Misconfigured);
        says(&error, &[fault, "http://proxy.example.gov.uk:8080"]);
        assert!(!format!("{error} {error:?}").contains("pass"), "{error:?}");
    }
}

#[tokio::test]
async fn a_configuration_names_the_proxy_too() {
    let ours = Authority::new();
    let kit = Kit::new(example_domain::METADATA);
    let front = Front::tls(&kit.simulator.root(), server(&ours.issue("crm.example.internal")));
    let proxy = Proxy::new(&[("crm.example.internal", port(&front.root()))], None);
    ours.file();
    let toml = ours.folder().join("datahub.toml");
    let text = format!(
        "[cdms]\nurl = 'https://crm.example.internal/ORG'\nlogin = 'none'\nca-file = 'authority.pem'\nproxy = '{}'\n",
        proxy.url()
    );
    std::fs::write(&toml, text).unwrap();
    let config = CdmsConfig::read(&toml).unwrap();
    assert!(!config.documents().unwrap().metadata().await.unwrap().is_empty());
    reads(kit.hub(example_domain::models()).cdms_from(config)).await;
    assert!(proxy.asked().len() >= 2, "{:?}", proxy.asked());
}

/// The environment belongs to the whole process, so this test runs itself once more.
#[test]
fn the_environment_names_a_proxy_and_the_hosts_without_one() {
    const INSIDE: &str = "DATAHUB_TESTS_OF_PROXIES";
    if let Ok(inside) = std::env::var(INSIDE) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let [root, authority, explicit] = inside.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let kit = Kit::new(example_domain::METADATA);
        let hub = |root: &str| kit.hub(example_domain::models()).cdms(root, Anonymous).ca_file(authority);
        runtime.block_on(async {
            // By the proxy of the environment, because its name is known there alone.
            reads(hub("https://crm.example.internal/ORG")).await;
            // Past it, and past an explicit one.
            reads(hub(root)).await;
            reads(hub(root).proxy(explicit)).await;
        });
        return;
    }
    let ours = Authority::new();
    let kit = Kit::new(example_domain::METADATA);
    let names = rcgen::CertificateParams::new(["crm.example.internal".to_owned(), "localhost".to_owned()]).unwrap();
    let front = Front::tls(&kit.simulator.root(), server(&ours.issue_from(names)));
    let (proxy, explicit) = (Proxy::new(&[("crm.example.internal", port(&front.root()))], None), Proxy::new(&[], None));
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "proxies::the_environment_names_a_proxy_and_the_hosts_without_one"])
        .env(INSIDE, format!("{} {} {}", front.root(), ours.file().display(), explicit.url()))
        .env("HTTPS_PROXY", proxy.url())
        .env("NO_PROXY", "localhost")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let asked = proxy.asked();
    assert!(!asked.is_empty() && asked.iter().all(|asked| asked.line.contains("crm.example.internal")), "{asked:?}");
    assert!(explicit.asked().is_empty());
}

#[tokio::test]
async fn plain_http_leaves_the_machine_only_to_hosts_that_were_named() {
    let kit = Kit::new(example_domain::METADATA);
    let proxy = Proxy::new(&[("crm.example.internal", port(&kit.simulator.root()))], None);
    let root = "http://crm.example.internal/ORG";
    let hub = || kit.hub(example_domain::models()).cdms(root, Anonymous).proxy(proxy.url());
    for hub in [hub(), hub().plain_http_to("sts.example.internal"), hub().plain_http_to("example.internal")] {
        let error = failed(hub.connect().await, ErrorKind::Misconfigured);
        says(
            &error,
            &["http:// to crm.example.internal would send records and passwords unprotected", "`plain_http_to(…)`"],
        );
    }
    assert!(proxy.asked().is_empty());
    reads(hub().plain_http_to("crm.example.internal")).await;
    assert!(proxy.asked().iter().all(|asked| asked.line.starts_with("GET http://crm.example.internal/ORG/")));
    let folder = tempfile::tempdir().unwrap();
    let toml = folder.path().join("datahub.toml");
    let text = format!(
        "[cdms]\nurl = '{root}'\nlogin = 'none'\nplain-http = 'CRM.example.internal'\nproxy = '{}'\n",
        proxy.url()
    );
    std::fs::write(&toml, text).unwrap();
    let config = CdmsConfig::read(&toml).unwrap();
    assert!(!config.documents().unwrap().metadata().await.unwrap().is_empty());
    reads(kit.hub(example_domain::models()).cdms_from(config)).await;
}
