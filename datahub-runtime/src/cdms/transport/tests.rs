//! Every way in which a request gets no whole answer, from sockets of the test's own.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener};

use cdms_odata::crm2011::Crm2011;

use super::*;
use crate::Anonymous;
use crate::engine::clock::SystemClock;

/// A transport that waits and reads little.
fn transport() -> Transport {
    let options = ClientOptions {
        time_limit: Duration::from_secs(2),
        body_max: 100,
        concurrent_requests: 1,
        ..ClientOptions::default()
    };
    let crm = Crm2011::at("https://crm.example.gov.uk/ORG").expect("it is an address");
    Transport::new(&crm, &options, Arc::new(SystemClock::default()), Meters::default())
        .expect("an HTTP client can be made")
}

async fn get(url: &str) -> NoResponse {
    send(&transport(), url, ALWAYS).await.expect_err("there is no answer")
}

async fn send(transport: &Transport, url: &str, may_send: MaySend<'_>) -> Result<HttpResponse, NoResponse> {
    let url = url.to_owned();
    let request = HttpRequest { about: "", method: Method::GET, url, headers: HeaderMap::new(), body: None };
    let received = transport.data_request(request, &Anonymous, None, may_send, Expecting::Answer).await;
    received.map(|received| received.response).map_err(no_response)
}

fn no_response(unanswered: Unanswered) -> NoResponse {
    match unanswered {
        Unanswered::NoResponse(no_response) => no_response,
        Unanswered::NotOpened(error) => panic!("there was nothing to open: {error}"),
    }
}

/// Accepts one connection, and answers its request with these bytes, or never.
fn server(answer: Option<&'static [u8]>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let address = listener.local_addr().expect("it has an address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client connects");
        _ = stream.read(&mut [0; 4096]);
        match answer {
            Some(answer) => {
                // A client that is gone has read enough.
                _ = stream.write_all(answer);
                _ = stream.shutdown(Shutdown::Write);
                _ = stream.read(&mut [0; 4096]);
            }
            // Until the client gives up and closes the connection.
            None => _ = stream.read(&mut [0; 4096]),
        }
    });
    address
}

/// Accepts one connection, reads a byte of its request, sends these bytes, and resets the connection.
fn resetting(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let address = listener.local_addr().expect("it has an address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client connects");
        _ = stream.read(&mut [0]);
        _ = stream.write_all(answer);
        // The client reads what has come before the end; what is left unread here makes the end a reset.
        std::thread::sleep(Duration::from_millis(50));
    });
    address
}

/// Accepts one connection, and answers its request with these bytes and then with others until the client has had enough.
/// Returns the address, and how many bytes were taken.
fn endless(begin: &'static str, again: &'static [u8]) -> (SocketAddr, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let address = listener.local_addr().expect("it has an address");
    let server = tokio::task::spawn_blocking(move || {
        let (mut stream, _) = listener.accept().expect("a client connects");
        _ = stream.read(&mut [0; 4096]);
        let mut taken = 0;
        _ = stream.write_all(begin.as_bytes());
        while stream.write_all(again).is_ok() {
            taken += again.len();
        }
        taken
    });
    (address, server)
}

/// The innermost of an error's causes.
fn root_of(error: &NoResponse) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(inner) = error.source() {
        error = inner;
    }
    error.to_string()
}

#[tokio::test]
async fn what_is_not_sent_says_what_is_in_the_way() {
    let unknown = get("https://crm.datahub.invalid/").await;
    assert!(matches!(unknown, NoResponse::NotSent(NotSent::Dns(_))), "{unknown:?}");
    assert!(unknown.to_string().contains("dns error"), "{unknown}");
    assert!(unknown.is_outage());
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        listener.local_addr().expect("it has an address")
    };
    let refused = get(&format!("http://{closed}/secret")).await;
    assert!(matches!(refused, NoResponse::NotSent(NotSent::Connect(_))), "{refused:?}");
    assert!(refused.to_string().contains(&root_of(&refused)), "{refused} does not tell {}", root_of(&refused));
    assert!(!format!("{refused} {refused:?}").contains("secret"), "{refused:?}");
    let plain = server(Some(b"this is no TLS"));
    let plain = get(&format!("https://{plain}/")).await;
    assert!(matches!(plain, NoResponse::NotSent(NotSent::Tls { .. })), "{plain:?}");
    let none = get("nowhere").await;
    assert_eq!(none.to_string(), "invalid URL nowhere: relative URL without a base");
    assert!(matches!(none, NoResponse::NotSent(NotSent::Address { .. })) && !none.is_outage());
    let over = send(&transport(), "http://127.0.0.1:9/", &|| false).await.expect_err("it may not be sent");
    assert_eq!(over.to_string(), "this program's lease on the record is nearly over");
    assert!(matches!(over, NoResponse::NotSent(NotSent::Lease)));
}

#[tokio::test]
async fn a_request_waits_for_its_turn_and_not_for_ever() {
    let transport = transport();
    let _turn = transport.shared.turn(Duration::ZERO).await;
    let waited = send(&transport, "http://127.0.0.1:9/", ALWAYS).await.expect_err("it has no turn");
    assert!(matches!(waited, NoResponse::NotSent(NotSent::NoTurn { others: 1 })), "{waited:?}");
}

/// A session with one connection of its own.
struct Owning(Connections);

impl Session for Owning {
    fn prepare(&self, _: &mut HeaderMap) {}

    fn connections(&self) -> Option<&Connections> {
        Some(&self.0)
    }
}

#[tokio::test]
async fn a_request_waits_for_its_sessions_connection_and_not_for_ever() {
    let transport = transport();
    let session = Owning(transport.connections(1).expect("an HTTP client can be made"));
    let _turn = session.0.turn(Duration::ZERO).await;
    let url = "http://127.0.0.1:9/".to_owned();
    let request = HttpRequest { about: "", method: Method::GET, url, headers: HeaderMap::new(), body: None };
    let waited = transport
        .data_request(request, &session, None, ALWAYS, Expecting::Answer)
        .await
        .err()
        .map(no_response)
        .expect("its connection is in use");
    assert!(matches!(waited, NoResponse::NotSent(NotSent::NoConnection { at_once: 1 })), "{waited:?}");
    assert!(send(&transport, "http://127.0.0.1:9/", ALWAYS).await.is_err_and(|error| error.is_outage()));
}

#[tokio::test]
async fn what_was_sent_and_is_lost_says_how() {
    let silent = get(&format!("http://{}/", server(None))).await;
    assert!(matches!(silent, NoResponse::Lost(Lost::TimedOut(_))), "{silent:?}");
    assert!(silent.to_string().starts_with("no answer in time"), "{silent}");
    assert!(silent.is_outage());
    let broken = get(&format!("http://{}/", server(Some(b"this is no HTTP\r\n\r\n")))).await;
    assert!(matches!(broken, NoResponse::Lost(Lost::Broken(_))), "{broken:?}");
    assert!(!broken.is_outage(), "a connection that breaks is no outage yet");
    for closed in [server(Some(b"")), resetting(b"")] {
        let closed = get(&format!("http://{closed}/")).await;
        assert!(matches!(closed, NoResponse::Lost(Lost::Closed(_))), "{closed:?}");
        assert!(closed.to_string().contains("closed the connection without an answer; if it speaks TLS"), "{closed}");
        assert!(!closed.is_outage());
    }
    let reset = get(&format!("http://{}/", resetting(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"))).await;
    assert!(matches!(reset, NoResponse::Lost(Lost::Truncated(_))), "{reset:?}");
    assert!(reset.to_string().contains("reset") && !reset.to_string().contains("TLS"), "{reset}");
    let cut = get(&format!("http://{}/", server(Some(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")))).await;
    assert!(matches!(cut, NoResponse::Lost(Lost::Truncated(_))), "{cut:?}");
    assert!(cut.to_string().starts_with("the answer broke off: "), "{cut}");
    assert!(!cut.is_outage());
    let large: &'static [u8] =
        format!("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n{}", "a".repeat(101)).leak().as_bytes();
    let large = get(&format!("http://{}/", server(Some(large)))).await;
    assert!(matches!(large, NoResponse::Lost(Lost::TooLarge { max: 100 })), "{large:?}");
}

/// An answer with so many headers of this length.
fn with_headers(number: usize, length: usize) -> &'static [u8] {
    let headers: String = (0..number).map(|number| format!("X-{number}: {}\r\n", "a".repeat(length))).collect();
    format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 2\r\n\r\n{{}}").leak().as_bytes()
}

#[tokio::test]
async fn headers_are_read_up_to_a_number_and_a_size() {
    let transport = transport();
    for name in ["shared", "own"] {
        for (number, length, is_read) in [
            (HEADERS_MAX - 1, 1, true),
            (HEADERS_MAX, 1, false),
            (50_000, 1, false),
            (2, HEADER_BYTES_MAX / 2 - 20, true),
            (2, HEADER_BYTES_MAX / 2, false),
            (1, 10 * 1024 * 1024, false),
        ] {
            // Connections of a session's own lead to one server.
            let session: Box<dyn Session> = match name {
                "own" => Box::new(Owning(transport.connections(1).expect("an HTTP client can be made"))),
                _ => Box::new(Anonymous),
            };
            let url = format!("http://{}/", server(Some(with_headers(number, length))));
            let request = HttpRequest { about: "", method: Method::GET, url, headers: HeaderMap::new(), body: None };
            let received =
                transport.data_request(request, &*session, None, ALWAYS, Expecting::Answer).await.map_err(no_response);
            match received {
                Ok(received) => assert!(is_read && received.response.body == b"{}", "{name}: {number} of {length}"),
                Err(error) => {
                    assert!(
                        !is_read && matches!(error, NoResponse::Lost(Lost::Headers)),
                        "{name}: {number}: {error:?}"
                    );
                    assert!(error.to_string().contains("more than 100 headers, or more than 64 KiB"), "{error}");
                    assert!(!error.is_outage(), "it was reached");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_head_that_never_ends_is_given_up() {
    let kib = &[b'a'; 1024];
    for (begin, again) in [
        ("HTTP/1.1 200 OK\r\nX: ", &kib[..]),
        ("HTTP/1.1 200 OK\r\n", &b"X: a\r\n"[..]),
        ("HTTP/1.1 200 ", &kib[..]),
        ("", &kib[..]),
    ] {
        let (address, server) = endless(begin, again);
        let error = get(&format!("http://{address}/")).await;
        assert!(matches!(error, NoResponse::Lost(Lost::Headers | Lost::Broken(_))), "{begin:?}: {error:?}");
        let taken = server.await.expect("it only writes");
        assert!(taken < 16 * 1024 * 1024, "{begin:?}: {taken} bytes were taken");
    }
    // Answers that announce another one are not kept, and have only the time of one.
    let (address, server) = endless("", b"HTTP/1.1 103 Early Hints\r\nX: a\r\n\r\n");
    let error = get(&format!("http://{address}/")).await;
    assert!(matches!(error, NoResponse::Lost(Lost::TimedOut(_))), "{error:?}");
    server.await.expect("it only writes");
    // What comes behind a body in pieces is no end either.
    let (address, server) = endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: a\r\n");
    let error = get(&format!("http://{address}/")).await;
    assert!(matches!(error, NoResponse::Lost(Lost::Truncated(_))), "{error:?}");
    server.await.expect("it only writes");
}
