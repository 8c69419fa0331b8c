//! A server between the hub and CDMS that passes requests on and meddles with the answers, byte by byte.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// The server. Its threads end with the connections that they serve.
pub(crate) struct Meddler {
    address: SocketAddr,
    /// Their heads.
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

/// What is done with a request.
pub(crate) enum Deed {
    /// It is passed on, and the answer back.
    Pass,
    /// It is passed on, and the body of the answer replaced.
    Body(fn(Vec<u8>) -> Vec<u8>),
    /// It is passed on, and the answer loses its date.
    Undated,
    /// It is not passed on; these bytes are the answer, and the connection is closed.
    Answer(Vec<u8>),
    /// It is not passed on; these bytes are the answer.
    Keep(Vec<u8>),
    /// It is passed on, the answer is dropped, and these bytes are sent in its place.
    Instead(Vec<u8>),
    /// It is passed on, and the connection is closed after the answer although that does not say so.
    PassAndClose,
    /// Nothing is ever answered.
    Hang,
}

type Rule = dyn Fn(&str) -> Deed + Send + Sync;

impl Meddler {
    /// Meddles with what `rule` picks by the request's first line.
    pub(crate) fn before(cdms: &str, rule: impl Fn(&str) -> Deed + Send + Sync + 'static) -> Self {
        let upstream = cdms.strip_prefix("http://").and_then(|rest| rest.split('/').next()).unwrap().to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (seen, rule): (_, Arc<Rule>) = (Arc::clone(&requests), Arc::new(rule));
        let accepted = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                accepted.fetch_add(1, Ordering::Relaxed);
                let (seen, rule, upstream) = (Arc::clone(&seen), Arc::clone(&rule), upstream.clone());
                thread::spawn(move || serve(&stream, &upstream, &seen, &*rule));
            }
        });
        Meddler { address, requests, connections }
    }

    /// The organisation's address here.
    pub(crate) fn root(&self) -> String {
        format!("http://{}/ORG", self.address)
    }

    /// The first lines of all requests that arrived whole.
    pub(crate) fn requests(&self) -> Vec<String> {
        let heads = self.requests.lock().unwrap();
        heads.iter().map(|head| head.lines().next().unwrap().to_owned()).collect()
    }

    /// The number of connections that were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// What all requests that arrived whole have in this header, each with its first word.
    pub(crate) fn headers(&self, name: &str) -> Vec<(String, Option<String>)> {
        let heads = self.requests.lock().unwrap();
        let method = |head: &String| head.split(' ').next().unwrap().to_owned();
        heads.iter().map(|head| (method(head), header(head, name).map(str::to_owned))).collect()
    }
}

/// Serves one connection until either side has had enough.
fn serve(stream: &TcpStream, upstream: &str, seen: &Mutex<Vec<String>>, rule: &Rule) {
    let mut reader = BufReader::new(stream);
    while let Some((head, body)) = read_message(&mut reader) {
        let first = head.lines().next().unwrap().to_owned();
        seen.lock().unwrap().push(head.clone());
        let pass = || pass_on(upstream, &head, &body);
        let (answer, keep) = match rule(&first) {
            Deed::Pass => (pass(), true),
            Deed::PassAndClose => (pass(), false),
            Deed::Body(change) => (with_body(&pass(), change), true),
            Deed::Undated => (without_date(&pass()), true),
            Deed::Answer(bytes) => (bytes, false),
            Deed::Keep(bytes) => (bytes, true),
            Deed::Instead(bytes) => {
                pass();
                (bytes, false)
            }
            Deed::Hang => {
                // Until the client hangs up.
                _ = reader.read(&mut [0]);
                return;
            }
        };
        // A client that has gone away is what some of these answers ask for.
        if (&mut &*stream).write_all(&answer).is_err() || !keep {
            return;
        }
    }
}

/// A message's head and body.
fn read_message(reader: &mut impl std::io::BufRead) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        head.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The whole answer of CDMS.
fn pass_on(upstream: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(upstream).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut reader = BufReader::new(stream);
    let (head, body) = read_message(&mut reader).expect("the simulator answers");
    [head.into_bytes(), body].concat()
}

fn with_body(answer: &[u8], change: fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let (head, body) = read_message(&mut BufReader::new(answer)).unwrap();
    let body = change(body);
    let mut lines: Vec<_> = head.lines().filter(|line| !line.to_lowercase().starts_with("content-length:")).collect();
    lines.retain(|line| !line.is_empty());
    [format!("{}\r\nContent-Length: {}\r\n\r\n", lines.join("\r\n"), body.len()).into_bytes(), body].concat()
}

/// An answer with this status line, these headers and this body.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// The same answer without its date.
fn without_date(answer: &[u8]) -> Vec<u8> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(answer.len());
    let (head, rest) = answer.split_at(end);
    let head = std::str::from_utf8(head).unwrap();
    let lines: Vec<_> = head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("date:")).collect();
    [lines.join("\r\n").as_bytes(), rest].concat()
}
