//! What only a server does: it can change its tables and its role while the program runs, it can be behind a pooler,
//! and it has a certificate.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::store::connection::Connection;
use crate::store::failure::Trouble;
use crate::store::{StoreError, quarantine};

/// The test's server, if the test runs on one.
pub(super) fn server(bench: &Bench) -> Option<SocketAddr> {
    let url = bench.is_on_postgres().then(|| url::Url::parse(&bench.url()).unwrap())?;
    Some(SocketAddr::new(url.host_str().unwrap().parse().unwrap(), url.port().unwrap_or(5432)))
}

/// The address of the test's database with another host and port, and more parameters.
fn by_way_of(bench: &Bench, host: &str, port: u16, parameters: &str) -> String {
    let mut url = url::Url::parse(&bench.url()).unwrap();
    url.set_host(Some(host)).unwrap();
    url.set_port(Some(port)).unwrap();
    format!("{url}&{parameters}")
}

pub(super) async fn open(bench: &Bench, url: &str) -> Result<Store, StoreError> {
    let options = StoreOptions { connections: Some(1), ..StoreOptions::default() };
    Store::open(url, Arc::new(bench.clock.clone()), options, Meters::default()).await
}

fn batch(sql: &'static str) -> impl FnOnce(&mut Connection) -> Result<(), Trouble> {
    move |connection| connection.batch(sql)
}

fn texts(sql: &'static str) -> impl FnOnce(&mut Connection) -> Result<Vec<String>, Trouble> {
    move |connection| connection.texts(sql)
}

#[tokio::test]
async fn a_column_may_be_widened_under_a_running_program() {
    let bench = Bench::empty();
    if server(&bench).is_none() {
        return;
    }
    let store = open(&bench, &bench.url()).await.unwrap();
    store.create_tables(&[&ORGANISATION]).await.unwrap();
    let version = done(&store, first_sight("Acme")).await;
    let version = done(&store, refresh(version, "Beta")).await;
    load(&store).await;
    bench.sql("ALTER TABLE organisations ALTER COLUMN rank TYPE BIGINT");
    assert!(load(&store).await.row_present);
    let version = done(&store, refresh(version, "Gamma")).await;
    // Now a transaction is the first to notice.
    bench.sql("ALTER TABLE organisations ALTER COLUMN notes TYPE VARCHAR(100)");
    done(&store, refresh(version, "Delta")).await;
    assert!(load(&store).await.row_present);
    // So can a page of one record, which uses the same statement.
    bench.sql("ALTER TABLE organisations ALTER COLUMN notes TYPE TEXT");
    super::rules::pull(&store, vec![super::rules::listing(1, "New", None)]).await.unwrap();
}

#[tokio::test]
async fn the_hub_reconnects_to_a_server_that_was_read_only() {
    let bench = Bench::empty();
    if server(&bench).is_none() {
        return;
    }
    let store = open(&bench, &bench.url()).await.unwrap();
    store.create_tables(&[&ORGANISATION]).await.unwrap();
    store.write(batch("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")).await.unwrap();
    let refused = store.commit(first_sight("Acme")).await.unwrap();
    assert!(matches!(&refused, Committed::Unavailable(reason) if reason.contains("read-only")), "{refused:?}");
    done(&store, first_sight("Acme")).await;
}

#[tokio::test]
async fn prepared_statements_that_are_gone_are_prepared_again() {
    let bench = Bench::empty();
    if server(&bench).is_none() {
        return;
    }
    let store = open(&bench, &bench.url()).await.unwrap();
    store.create_tables(&[&ORGANISATION]).await.unwrap();
    let version = done(&store, first_sight("Acme")).await;
    load(&store).await;
    store.write(batch("DEALLOCATE ALL")).await.unwrap();
    assert!(load(&store).await.row_present);
    store.write(batch("DEALLOCATE ALL")).await.unwrap();
    done(&store, refresh(version, "Beta")).await;
}

/// What a pooler does with the parameter that identifies a session.
#[derive(Clone, Copy)]
enum Pooler {
    Ignores,
    Refuses,
}

/// A client's first message.
async fn first_words(client: &mut TcpStream) -> String {
    let length = client.read_u32().await.unwrap();
    let mut first = vec![0; usize::try_from(length).unwrap() - 4];
    client.read_exact(&mut first).await.unwrap();
    String::from_utf8(first).unwrap()
}

/// Rejects a session before it begins.
async fn refuse(client: &mut TcpStream, code: &str, message: &str) {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
    client.write_u8(b'E').await.unwrap();
    client.write_u32(u32::try_from(fields.len()).unwrap() + 4).await.unwrap();
    client.write_all(fields.as_bytes()).await.unwrap();
}

/// A relay that treats a client's first message as a pooler would.
async fn pooler(server: SocketAddr, pooler: Pooler) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(server).await.unwrap();
            tokio::spawn(async move {
                let words = first_words(&mut client).await;
                let kept = words.find(" -c datahub.session=").map(|at| {
                    let end = at + words[at..].find('\0').unwrap();
                    format!("{}{}", &words[..at], &words[end..])
                });
                if let (Pooler::Refuses, Some(_)) = (pooler, &kept) {
                    return refuse(&mut client, "08P01", "unsupported startup parameter: options").await;
                }
                let first = kept.unwrap_or(words);
                server.write_u32(u32::try_from(first.len()).unwrap() + 4).await.unwrap();
                server.write_all(first.as_bytes()).await.unwrap();
                _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn behind_a_pooler_every_transaction_sets_what_the_promises_depend_on() {
    for kind in [Pooler::Ignores, Pooler::Refuses] {
        let bench = Bench::empty();
        let Some(server) = server(&bench) else { return };
        let pooler = pooler(server, kind).await;
        let url = by_way_of(&bench, "127.0.0.1", pooler.port(), "sslmode=disable");
        let store = open(&bench, &url).await.unwrap();
        store.create_tables(&[&ORGANISATION]).await.unwrap();
        let mut version = done(&store, first_sight("Acme")).await;
        for name in ["Beta", "Gamma"] {
            // The next transaction runs in a session that another program has changed.
            store.write(batch("DISCARD ALL")).await.unwrap();
            let session = "SET synchronous_commit = off; SET statement_timeout = 0; \
                           SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE";
            store.write(batch(session)).await.unwrap();
            let settings = texts(
                "SELECT concat_ws(' ', current_setting('synchronous_commit'), current_setting('statement_timeout'), \
                 current_setting('transaction_isolation'))",
            );
            let found = store.write(|connection| connection.write(settings)).await.unwrap();
            assert_eq!(found, ["on 30s read committed"]);
            assert!(load(&store).await.row_present);
            version = done(&store, refresh(version, name)).await;
        }
        let prepared = store.write(texts("SELECT name FROM pg_prepared_statements")).await.unwrap();
        assert_eq!(prepared, <[String; 0]>::default(), "a name may belong to another program");
    }
}

/// A relay that uses TLS with its clients, with a certificate for a name that is signed by the test's authority.
async fn with_certificate(server: SocketAddr, authority: &CertifiedIssuer<'_, KeyPair>, name: &str) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // The client's request for TLS, which is granted.
                assert_eq!(client.read_u64().await.unwrap(), 0x0000_0008_04D2_162F);
                client.write_u8(b'S').await.unwrap();
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut server = TcpStream::connect(server).await.unwrap();
                _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn a_servers_certificate_is_held_to_what_the_address_asks_for() {
    let bench = Bench::empty();
    let Some(server) = server(&bench) else { return };
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    let roots = format!("&sslrootcert={}", roots.display());
    let ours = with_certificate(server, &authority, "localhost").await;
    let other = with_certificate(server, &authority, "db.example.gov.uk").await;
    for (address, mode, roots, expected) in [
        (ours, "verify-full", roots.as_str(), None),
        (ours, "verify-ca", &roots, None),
        (ours, "require", &roots, None),
        (ours, "verify-full", "", Some("certificate")),
        (ours, "verify-ca", "", Some("certificate")),
        (other, "verify-ca", &roots, None),
        (other, "verify-full", &roots, Some("not valid for name")),
    ] {
        let url = by_way_of(&bench, "localhost", address.port(), &format!("sslmode={mode}{roots}"));
        let opened = open(&bench, &url).await.map(drop).map_err(|error| error.to_string());
        match expected {
            None => assert_eq!(opened, Ok(()), "{address} {mode}"),
            Some(part) => assert!(opened.as_ref().is_err_and(|error| error.contains(part)), "{mode}: {opened:?}"),
        }
    }
}

#[tokio::test]
async fn the_hub_connects_to_the_first_host_that_answers() {
    let bench = Bench::empty();
    let Some(server) = server(&bench) else { return };
    let gone = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let url = bench.url().replace(&server.to_string(), &format!("{gone},{server}"));
    let store = open(&bench, &url).await.unwrap();
    store.create_tables(&[&ORGANISATION]).await.unwrap();
    done(&store, first_sight("Acme")).await;
    // A host that accepts connections but does not answer leaves time for the next.
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let hosts = format!("{},{server}", silent.local_addr().unwrap());
    let url = format!("{}&connect_timeout=1", bench.url().replace(&server.to_string(), &hosts));
    assert!(load(&open(&bench, &url).await.unwrap()).await.row_present);
}

#[tokio::test]
async fn a_server_without_room_is_not_asked_twice() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            first_words(&mut client).await;
            refuse(&mut client, "53300", "sorry, too many clients already").await;
        }
    });
    let url = format!("postgres://hub@127.0.0.1:{port}/hub?sslmode=disable");
    let Err(error) = open(&Bench::empty(), &url).await else { panic!("there is no room") };
    assert!(error.to_string().contains("too many clients"), "{error}");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// Two programs that store the same records, each in one transaction, must not deadlock.
#[tokio::test]
async fn records_of_a_page_are_locked_in_one_order_whatever_the_pages() {
    let bench = Bench::empty();
    if server(&bench).is_none() {
        return;
    }
    let store = open(&bench, &bench.url()).await.unwrap();
    let other = open(&bench, &bench.url()).await.unwrap();
    // A name that only this test uses, because others may use the server too.
    let space = Uuid::new_v4().to_string();
    let pid = store.write(texts("SELECT pg_backend_pid()::text")).await.unwrap().remove(0);
    let (holds, held) = std::sync::mpsc::channel();
    let (go_on, waits) = std::sync::mpsc::channel::<()>();
    let holding = {
        let space = space.clone();
        other.write(move |connection| {
            connection.write(|connection| {
                connection.lock(&space, ["b".to_owned()])?;
                holds.send(()).unwrap();
                _ = waits.recv();
                // A transaction that waits for the second lock holds the first.
                connection
                    .texts(&format!("SELECT pg_try_advisory_xact_lock(hashtextextended('{space} a', 7253))::text"))
            })
        })
    };
    let locking = async {
        held.recv().unwrap();
        let names = ["b".to_owned(), "a".to_owned()];
        store.write(move |connection| connection.write(|connection| connection.lock(&space, names))).await
    };
    let watching = async {
        while bench.count(&format!("pg_locks WHERE pid = {pid} AND locktype = 'advisory' AND NOT granted")) == 0 {
            tokio::task::yield_now().await;
        }
        drop(go_on);
    };
    let (found, locked, ()) = tokio::join!(holding, locking, watching);
    locked.unwrap();
    assert_eq!(found.unwrap(), ["false"]);
}

/// A relay that counts the sessions that the server has ended.
async fn relay(server: SocketAddr) -> (SocketAddr, tokio::sync::watch::Receiver<u32>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (ended, ends) = tokio::sync::watch::channel(0);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (mut server, ended) = (TcpStream::connect(server).await.unwrap(), ended.clone());
            tokio::spawn(async move {
                let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
                    (client.split(), server.split());
                let to_client = async {
                    _ = tokio::io::copy(&mut from_server, &mut to_client).await;
                    _ = to_client.shutdown().await;
                    ended.send_modify(|count| *count += 1);
                };
                tokio::join!(to_client, tokio::io::copy(&mut from_client, &mut to_server)).1.ok();
            });
        }
    });
    (address, ends)
}

#[tokio::test]
async fn a_connection_that_was_cut_while_idle_costs_nothing() {
    let bench = Bench::empty();
    let Some(server) = server(&bench) else { return };
    let (address, mut ends) = relay(server).await;
    let store = open(&bench, &by_way_of(&bench, "127.0.0.1", address.port(), "sslmode=disable")).await.unwrap();
    store.create_tables(&[&ORGANISATION]).await.unwrap();
    let version = done(&store, first_sight("Acme")).await;
    let other = open(&bench, &bench.url()).await.unwrap();
    for lane in ["writes", "reads"] {
        let pid = texts("SELECT pg_backend_pid()::text");
        let pid = if lane == "writes" { store.write(pid).await } else { store.read(pid).await };
        let pid = pid.unwrap().remove(0);
        let cut =
            move |connection: &mut Connection| connection.texts(&format!("SELECT pg_terminate_backend({pid})::text"));
        let before = *ends.borrow();
        assert_eq!(other.write(cut).await.unwrap(), ["true"]);
        // From here on, the program's end of the connection says so.
        ends.wait_for(|ended| *ended > before).await.unwrap();
        assert!(load(&store).await.row_present, "a connection that {lane}");
        store.write(texts("SELECT 1::text")).await.unwrap();
    }
    done(&store, refresh(version, "Beta")).await;
}

#[tokio::test]
async fn statements_of_one_form_are_prepared_once_and_others_are_not_kept() {
    let bench = Bench::empty();
    if server(&bench).is_none() {
        return;
    }
    let store = open(&bench, &bench.url()).await.unwrap();
    store.create_tables(&[&ORGANISATION]).await.unwrap();
    let mut version = done(&store, first_sight("Acme")).await;
    let prepared = || store.write(texts("SELECT statement FROM pg_prepared_statements"));
    version = done(&store, refresh(version, "Beta")).await;
    let first = prepared().await.unwrap();
    assert!(first.iter().any(|statement| statement.contains("datahub_records")), "{first:#?}");
    done(&store, refresh(version, "Gamma")).await;
    for count in 2..6 {
        let ids: Vec<_> = (0..count).map(Uuid::from_u128).collect();
        store.write(move |connection| quarantine::clear(connection, &ORGANISATION, &ids)).await.unwrap();
    }
    assert_eq!(prepared().await.unwrap(), first, "each number of ids is another statement");
}
