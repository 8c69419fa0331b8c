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
        time_limit: Duration::from_millis(500),
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
    for nonsense in [&b""[..], b"this is no HTTP\r\n\r\n"] {
        let broken = get(&format!("http://{}/", server(Some(nonsense)))).await;
        assert!(matches!(broken, NoResponse::Lost(Lost::Broken(_))), "{broken:?}");
        assert!(!broken.is_outage(), "a connection that breaks is no outage yet");
    }
    let cut = get(&format!("http://{}/", server(Some(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")))).await;
    assert!(matches!(cut, NoResponse::Lost(Lost::Truncated(_))), "{cut:?}");
    assert!(cut.to_string().starts_with("the answer broke off: "), "{cut}");
    assert!(!cut.is_outage());
    let large: &'static [u8] =
        format!("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n{}", "a".repeat(101)).leak().as_bytes();
    let large = get(&format!("http://{}/", server(Some(large)))).await;
    assert!(matches!(large, NoResponse::Lost(Lost::TooLarge { max: 100 })), "{large:?}");
}
