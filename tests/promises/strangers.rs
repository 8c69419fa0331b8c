//! Addresses that CDMS sends: whatever the login, nothing goes to a host, a port, a scheme or a path that was not configured.

use std::io::ErrorKind::WouldBlock;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use datahub_runtime::HubBuilder;
use datahub_runtime::login::{Ntlm, StaticHeaders};
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation};
use example_domain::{Contact, Organisation};

use crate::front::Front;
use crate::login_ntlm_over_tls::certified;
use crate::meddler::{Deed, Meddler, answer};
use crate::scene::{PAST_QUIET, Scene};
use crate::{login_adfs, login_ntlm, login_oauth};

/// A host that nobody configured. It listens on every name of this machine.
struct Stranger(TcpListener);

impl Stranger {
    fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Stranger(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Asserts that nothing has connected, and that it would have been noticed.
    #[track_caller]
    fn was_never_met(&self, what: &str) {
        assert_eq!(self.0.accept().unwrap_err().kind(), WouldBlock, "{what} led to a stranger");
        let _visitor = TcpStream::connect(("localhost", self.port())).unwrap();
        let met = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(1));
            self.0.accept().is_ok()
        });
        assert!(met, "it listens");
    }

    /// Addresses that are not of the CDMS at this one: by their host, port, scheme or path.
    fn addresses(&self, cdms: &str) -> Vec<String> {
        let (port, host) = (self.port(), cdms.split('/').nth(2).unwrap());
        vec![
            format!("http://127.0.0.1:{port}/ORG/XRMServices/2011/OrganizationData.svc/AccountSet?$skiptoken=1"),
            format!("http://localhost:{port}/ORG"),
            format!("https://127.0.0.1:{port}/ORG"),
            format!("//localhost:{port}/ORG"),
            format!("http://{host}@127.0.0.1:{port}/ORG"),
            format!("http://{host}/stray/../stray/login"),
            format!("/stray?http://127.0.0.1:{port}/"),
            "file:///etc/passwd".to_owned(),
        ]
    }
}

/// A kit whose CDMS asks for a login, and a hub that logs in to the CDMS at an address.
type Guarded = (&'static str, Kit, fn(&Kit, &str) -> HubBuilder);

/// Every login.
fn every_login() -> [Guarded; 4] {
    fn hub(kit: &Kit, root: &str, login: impl datahub_runtime::login::Authenticator) -> HubBuilder {
        kit.hub(example_domain::models()).cdms(root, login)
    }
    [
        ("AdFs", login_adfs::kit(|adfs| adfs), |kit, root| {
            hub(kit, root, login_adfs::login(kit, login_adfs::PASSWORD))
        }),
        ("Ntlm", login_ntlm::kit(login_ntlm::server()), |kit, root| hub(kit, root, login_ntlm::login())),
        ("OAuth", login_oauth::kit(|server| server), |kit, root| {
            hub(kit, root, login_oauth::login(kit, login_oauth::SECRET))
        }),
        ("StaticHeaders", Kit::new(example_domain::METADATA), |kit, root| {
            hub(kit, root, StaticHeaders::bearer("a token"))
        }),
    ]
}

/// Asserts that the simulator has met no request outside of the organisation and its token services.
#[track_caller]
fn nothing_strayed(kit: &Kit, what: &str) {
    let stray = kit.simulator.requests().into_iter().find(|request| request.target.contains("stray"));
    assert!(stray.is_none(), "{what}: {stray:?}");
}

/// Reads, lists and writes, whatever comes of it.
async fn works(scene: &Scene) {
    scene.minute();
    _ = scene.get().await;
    _ = scene.hub.pull::<Organisation>().await;
    if let Ok(mut org) = scene.row().await {
        org.name.push('!');
        _ = org.save(&scene.hub).await;
    }
    _ = Contact::create(&scene.hub, Contact::named("Lovelace")).await;
    scene.kit.advance(PAST_QUIET);
    _ = scene.hub.settle().await;
}

#[tokio::test]
async fn redirects_and_links_of_cdms_lead_nowhere_whatever_the_login() {
    for (login, kit, hub) in every_login() {
        let stranger = Stranger::new();
        let root = kit.simulator.root();
        let hub = hub(&kit, &root);
        let scene = Scene::with_kit(kit, hub).await;
        scene.get().await.unwrap();
        for address in stranger.addresses(&root) {
            let deferred = format!(r#"{{"__deferred":{{"uri":"{address}"}},"__metadata":{{"uri":"{address}"}}}}"#);
            let corrupt = |attribute: &str| Fault::Corrupt { attribute: attribute.to_owned(), json: deferred.clone() };
            let mut faults = vec![Fault::RedirectTo(address.clone()), Fault::HostileNext(address.clone())];
            if address.ends_with("/ORG") {
                faults.extend([corrupt("ParentAccountId"), corrupt("Name")]);
            }
            for fault in faults {
                for operation in
                    [Operation::Read, Operation::List, Operation::Create, Operation::Update, Operation::Delete]
                {
                    scene.kit.simulator.fault(FaultRule::new(fault.clone()).on(operation).times(1));
                }
                works(&scene).await;
                // What was not met is over.
                scene.kit.simulator.clear_faults();
            }
            nothing_strayed(&scene.kit, &format!("{login}: {address}"));
        }
        assert!(scene.kit.simulator.requests_met() > 100, "{login} has worked");
        stranger.was_never_met(login);
        assert_eq!(scene.kit.simulator.failed_logins(), 0, "{login}");
    }
}

/// The headers by which a browser would go elsewhere, or send what it has elsewhere.
fn leading_to(address: &str) -> String {
    let host = address.split('/').nth(2).unwrap_or_default();
    format!(
        "WWW-Authenticate: Bearer authorization_uri=\"{address}\", resource_id=\"{address}\"\r\n\
         WWW-Authenticate: Basic realm=\"{address}\"\r\nLocation: {address}\r\nContent-Location: {address}\r\n\
         Refresh: 0; url={address}\r\nLink: <{address}>; rel=next\r\nAlt-Svc: http/1.1=\"{host}\"\r\n\
         Set-Cookie: a=b; domain={host}\r\nContent-Type: text/html\r\nConnection: close\r\n"
    )
}

#[tokio::test]
async fn no_answer_makes_a_login_talk_to_a_stranger() {
    for (login, kit, hub) in every_login() {
        let stranger = Stranger::new();
        for address in stranger.addresses(&kit.simulator.root()) {
            for status in ["401 Unauthorized", "302 Found", "307 Temporary Redirect", "200 OK"] {
                let page = format!(
                    "<html><head><base href='{address}'><meta http-equiv=refresh content='0;url={address}'></head>\
                     <form method=post action='{address}'><input name=UserName><input type=password name=Password></form>\
                     <img src='{address}'><script src='{address}'></script></html>"
                );
                let bytes = answer(status, &leading_to(&address), page.as_bytes());
                let cdms = Meddler::before(&kit.simulator.root(), move |_| Deed::Answer(bytes.clone()));
                let hub = hub(&kit, &cdms.root()).connect().await.unwrap();
                let error = Organisation::get(&hub, Id::new()).await.unwrap_err();
                assert_ne!(error.kind(), ErrorKind::NotFound, "{login} {status}: {error}");
                let requests = cdms.requests();
                assert!(!requests.is_empty() && requests.len() < 20, "{login} {status}: {requests:?}");
                // The pages of CDMS's own host belong to a login by pages; nothing is posted to them.
                let is_page = |line: &String| login == "AdFs" && line.starts_with("GET ");
                let is_of_cdms = |line: &String| is_page(line) || line.contains(" /ORG") && !line.contains("stray");
                assert!(requests.iter().all(is_of_cdms), "{login} {status}: {requests:?}");
            }
        }
        stranger.was_never_met(login);
        assert_eq!(kit.simulator.passwords_tried(), 0, "{login}: no page but that of the login gets a password");
    }
}

#[tokio::test]
async fn nothing_is_sent_by_http_where_https_was_configured() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    let (config, _) = certified(&rcgen::PKCS_ECDSA_P256_SHA256, Path::new(&authority));
    let with = |kit: &Kit, front: &Front, login: Ntlm| {
        kit.hub(example_domain::models()).cdms(front.root(), login).ca_file(authority.clone())
    };
    let stranger = Stranger::new();
    let kit = login_ntlm::kit(login_ntlm::server());
    let front = Front::tls(&kit.simulator.root(), config);
    let hub = with(&kit, &front, login_ntlm::login());
    let scene = Scene::with_kit(kit, hub).await;
    scene.get().await.unwrap();
    let plain = front.root().replace("https:", "http:");
    let set = "ORG/XRMServices/2011/OrganizationData.svc/AccountSet?$skiptoken=1";
    for address in [plain, format!("http://localhost:{}/{set}", stranger.port())] {
        let connections = front.connections();
        for fault in [Fault::RedirectTo(address.clone()), Fault::HostileNext(address.clone())] {
            for operation in [Operation::Read, Operation::List, Operation::Create, Operation::Update] {
                scene.kit.simulator.fault(FaultRule::new(fault.clone()).on(operation).times(1));
            }
            works(&scene).await;
            scene.kit.simulator.clear_faults();
        }
        assert!(front.connections() - connections < 20, "CDMS is met over the connections that are there");
        scene.get().await.unwrap();
    }
    stranger.was_never_met("https");
    assert_eq!(scene.kit.simulator.failed_logins(), 0);
}
