//! A front end before CDMS that keeps each connection of a client to one connection of the server, as logins of connections
//! need it. It can end TLS, close a connection without a word after an answer, and send answers in two parts.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// The front end. It serves on a thread of its own until the process ends.
pub(crate) struct Front {
    address: SocketAddr,
    scheme: &'static str,
    connections: Arc<AtomicUsize>,
}

/// Whether the connection is closed after an answer that begins like this.
type Cut = dyn Fn(&str) -> bool + Send + Sync;

/// Between the head of an answer and its body, where they are sent apart.
const HALT: Duration = Duration::from_millis(2);

impl Front {
    /// Closes connections after the answers that `cut` picks by their heads.
    pub(crate) fn cutting(cdms: &str, cut: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Front::serve(cdms, None, false, Arc::new(cut))
    }

    /// Sends the body of an answer some time after its head.
    pub(crate) fn halting(cdms: &str) -> Self {
        Front::serve(cdms, None, true, Arc::new(|_: &str| false))
    }

    /// Ends TLS.
    pub(crate) fn tls(cdms: &str, config: ServerConfig) -> Self {
        Front::serve(cdms, Some(TlsAcceptor::from(Arc::new(config))), false, Arc::new(|_: &str| false))
    }

    /// The organisation's address here.
    pub(crate) fn root(&self) -> String {
        format!("{}://localhost:{}/ORG", self.scheme, self.address.port())
    }

    /// The number of connections that were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    fn serve(cdms: &str, tls: Option<TlsAcceptor>, halts: bool, cut: Arc<Cut>) -> Self {
        let upstream = cdms.strip_prefix("http://").and_then(|rest| rest.split('/').next()).unwrap().to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let connections = Arc::new(AtomicUsize::new(0));
        let accepted = Arc::clone(&connections);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((client, _)) = listener.accept().await {
                    accepted.fetch_add(1, Ordering::Relaxed);
                    // The second part of an answer does not wait for the client to acknowledge the first.
                    client.set_nodelay(true).unwrap();
                    let (tls, upstream, cut) = (tls.clone(), upstream.clone(), Arc::clone(&cut));
                    tokio::spawn(async move {
                        let server = TcpStream::connect(upstream).await.unwrap();
                        match tls {
                            None => relay(client, server, halts, &*cut).await,
                            // A client that does not trust us goes away.
                            Some(tls) => {
                                if let Ok(client) = tls.accept(client).await {
                                    relay(client, server, halts, &*cut).await;
                                }
                            }
                        }
                    });
                }
            });
        });
        Front { address, scheme, connections }
    }
}

/// Passes bytes on until either side closes, or an answer is cut.
async fn relay(mut client: impl AsyncRead + AsyncWrite + Unpin, mut server: TcpStream, halts: bool, cut: &Cut) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut answer = Vec::new();
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                answer.clear();
                if server.write_all(&asked[..count]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                answer.extend_from_slice(&answered[..count]);
                let end = answered[..count].windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
                let (head, body) = answered[..count].split_at(if halts { end } else { 0 });
                for part in [head, body].into_iter().filter(|part| !part.is_empty()) {
                    if client.write_all(part).await.is_err() || client.flush().await.is_err() {
                        return;
                    }
                    if halts {
                        tokio::time::sleep(HALT).await;
                    }
                }
                if let Some(head) = whole(&answer)
                    && cut(&head)
                {
                    _ = client.shutdown().await;
                    return;
                }
            }
        }
    }
}

/// The head of an answer that has come whole.
fn whole(answer: &[u8]) -> Option<String> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    (answer.len() - end >= length).then_some(head)
}
