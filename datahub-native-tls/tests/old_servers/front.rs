//! A front end before CDMS that is as old as CRM 2011: `openssl s_server`, with the suites that Windows had then. Each
//! connection has a server of its own, whose input and output lead to CDMS.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What Windows Server 2008 R2 offers with an RSA certificate, apart from suites with RC4 and 3DES.
pub const CBC: &str = "AES128-SHA256:AES128-SHA:AES256-SHA256:AES256-SHA:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA:\
                       ECDHE-RSA-AES256-SHA";

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// An authority, a server's certificate and one for a client, all with RSA keys, in files.
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    pub fn new() -> Self {
        let certificates = Certificates { folder: tempfile::tempdir().unwrap() };
        let authority = &["-x509", "-subj", "/CN=an authority", "-days", "2"];
        certificates.make("authority", authority);
        certificates
    }

    pub fn authority(&self) -> PathBuf {
        self.file("authority")
    }

    /// A file with a certificate for this name, of the authority, and its key.
    pub fn issue(&self, name: &str) -> PathBuf {
        let authority = self.authority();
        let authority = authority.to_str().unwrap();
        let (subject, names) = (format!("/CN={name}"), format!("subjectAltName=DNS:{name}"));
        let options =
            ["-x509", "-days", "2", "-CA", authority, "-CAkey", authority, "-subj", &subject, "-addext", &names];
        self.make(name, &[&options[..], &["-addext", "basicConstraints=critical,CA:FALSE"]].concat());
        self.file(name)
    }

    /// As [`issue`](Certificates::issue), with a certificate that has expired.
    pub fn issue_expired(&self, name: &str) -> PathBuf {
        let (subject, names) = (format!("/CN={name}"), format!("subjectAltName=DNS:{name}"));
        self.make("request", &["-new", "-subj", &subject, "-addext", &names]);
        let settings = "[ca]\ndefault_ca = ours\n[ours]\ndatabase = index.txt\nserial = serial\nnew_certs_dir = .\n\
                        default_md = sha256\npolicy = policy\ncopy_extensions = copy\n[policy]\ncommonName = supplied\n";
        for (file, text) in [("ca.cnf", settings), ("index.txt", ""), ("serial", "01\n")] {
            std::fs::write(self.folder.path().join(file), text).unwrap();
        }
        let mut openssl = Command::new("openssl");
        openssl.args([
            "ca",
            "-batch",
            "-notext",
            "-config",
            "ca.cnf",
            "-cert",
            "authority.pem",
            "-keyfile",
            "authority.pem",
        ]);
        openssl.args(["-startdate", "20200101000000Z", "-enddate", "20200229000000Z", "-in", "request.pem"]);
        run(openssl.args(["-out", "expired.pem"]).current_dir(&self.folder));
        self.with_key("expired", "request");
        self.file("expired")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.pem"))
    }

    /// A key, and a file with a certificate or a request for one, by these options, and the key.
    fn make(&self, name: &str, options: &[&str]) {
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-newkey", "rsa:2048", "-nodes", "-keyout", &format!("{name}.key")]);
        run(openssl.args(["-out", &format!("{name}.pem")]).args(options).current_dir(&self.folder));
        self.with_key(name, name);
    }

    /// Appends a key to a file.
    fn with_key(&self, name: &str, key: &str) {
        let key = std::fs::read_to_string(self.folder.path().join(format!("{key}.key"))).unwrap();
        let both = std::fs::read_to_string(self.file(name)).unwrap() + &key;
        std::fs::write(self.file(name), both).unwrap();
    }
}

fn run(openssl: &mut Command) {
    let output = openssl.output().expect("OpenSSL is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The front end.
pub struct Front {
    port: u16,
}

impl Front {
    /// Stands before the CDMS at an address, with the certificate in this file and these options of the server.
    pub fn before(cdms: &str, identity: &Path, options: &[&str]) -> Self {
        let cdms = cdms.trim_start_matches("http://").split('/').next().unwrap().to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let front = Front { port: listener.local_addr().unwrap().port() };
        let identity = identity.to_owned();
        let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, cdms, identity, options) =
                    (client.unwrap(), cdms.clone(), identity.clone(), options.clone());
                thread::spawn(move || serve(client, &cdms, &identity, &options));
            }
        });
        front
    }

    /// The organisation's address here.
    pub fn root(&self) -> String {
        format!("https://localhost:{}/ORG", self.port)
    }
}

/// Serves one connection by a server of its own.
fn serve(client: TcpStream, cdms: &str, identity: &Path, options: &[String]) {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let mut openssl = Command::new("openssl");
    openssl.args(["s_server", "-quiet", "-naccept", "1", "-accept", &format!("127.0.0.1:{port}"), "-cert"]);
    openssl.arg(identity).arg("-key").arg(identity).args(options);
    let openssl = openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Ended(openssl.spawn().expect("OpenSSL is installed"));
    let begun = Instant::now();
    let secured = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "OpenSSL does not listen: {error}"),
        }
        thread::sleep(Duration::from_millis(5));
    };
    let cdms = TcpStream::connect(cdms).unwrap();
    let (input, output) = (server.0.stdin.take().unwrap(), server.0.stdout.take().unwrap());
    let up = [pass(client.try_clone().unwrap(), secured.try_clone().unwrap()), pass(output, cdms.try_clone().unwrap())];
    pass(cdms.try_clone().unwrap(), input);
    // Where this one ends, because the handshake failed or either side is done, the rest has no purpose.
    pass(secured.try_clone().unwrap(), client.try_clone().unwrap()).join().unwrap();
    for stream in [client, secured, cdms] {
        // It may be closed already.
        _ = stream.shutdown(Shutdown::Both);
    }
    drop(server);
    up.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Passes bytes on until there are no more.
fn pass(mut from: impl Read + Send + 'static, mut to: impl Write + Send + 'static) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut bytes = [0; 16_384];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if to.write_all(&bytes[..count]).and_then(|()| to.flush()).is_err() {
                return;
            }
        }
    })
}

/// A process that ends when this is dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}
