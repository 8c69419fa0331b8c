//! A server for tests, which says and hears what a real one does only if something goes wrong.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use tokio_postgres::NoTls;

use super::line::Line;

/// Longer than any test takes.
pub(super) const LONG: Duration = Duration::from_secs(60);

/// A line to a server that lets the client in and then does this.
pub(super) fn line(patience: Duration, then: impl FnOnce(TcpStream) + Send + 'static) -> Line {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut server = listener.accept().unwrap().0;
        let mut startup = [0; 4];
        server.read_exact(&mut startup).unwrap();
        let mut parameters = vec![0; usize::try_from(u32::from_be_bytes(startup)).unwrap() - 4];
        server.read_exact(&mut parameters).unwrap();
        // Authentication succeeded, and the server is ready.
        server.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").unwrap();
        then(server);
    });
    let config = format!("host=127.0.0.1 port={port} user=test");
    Line::open(patience, async move || Ok(tokio_postgres::connect(&config, NoTls).await.unwrap())).unwrap()
}

/// What the server hears next.
pub(super) fn heard(socket: &mut TcpStream) -> String {
    let mut bytes = [0; 1024];
    let read = socket.read(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}

/// What the server hears until the client says goodbye.
pub(super) fn heard_to_the_end(mut socket: TcpStream) -> String {
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The goodbye.
pub(super) const GOODBYE: &str = "X\0\0\0\x04";

/// The answer to SQL without values that succeeded.
pub(super) const DONE: &[u8] = b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I";

/// The answer that a statement was cancelled, outside a transaction.
pub(super) const CANCELLED: &[u8] = b"E\0\0\0\x1eSERROR\0C57014\0Mcancelled\0\0Z\0\0\0\x05I";
