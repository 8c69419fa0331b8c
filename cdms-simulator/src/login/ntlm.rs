//! NTLM as IIS does it: three messages that log a connection in, and not a request.

mod message;
mod proof;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use uuid::Uuid;

use super::{Account, Incoming};
use crate::http::Answer;
use message::{Authenticate, Challenge, Message, Negotiate, flags, pair, pairs_written, wide};
use proof::{Expected, binding_digest, check};

/// The name under which the server introduces itself.
const COMPUTER: &str = "CRM01";

/// Windows Server 2008 R2, as CRM 2011 runs on it.
const VERSION: [u8; 8] = [6, 1, 0xb1, 0x1d, 0, 0, 0, 0x0f];

/// A second between 1601, where Windows counts from, and 1970.
const EPOCH_SECONDS: i64 = 11_644_473_600;

/// How many connections the server remembers.
const LINES_MAX: usize = 10_000;

/// What the server takes from a client if the client offers it.
const NEGOTIABLE: u32 = flags::UNICODE
    | flags::REQUEST_TARGET
    | flags::SIGN
    | flags::SEAL
    | flags::NTLM
    | flags::ALWAYS_SIGN
    | flags::EXTENDED_SESSION_SECURITY
    | flags::VERSION
    | flags::BITS_128
    | flags::KEY_EXCHANGE
    | flags::BITS_56;

/// A server that logs connections in by NTLM, with one user.
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is given to `SimulatorBuilder::ntlm`"]
pub struct NtlmServer {
    domain: String,
    user: String,
    password: String,
    schemes: Vec<String>,
    binding: ChannelBinding,
    per_request: bool,
    closes_after_challenge: bool,
}

/// Whether the last message must be bound to the TLS connection (IIS: Extended Protection, `tokenChecking`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelBinding {
    /// It is not looked at.
    Ignored,
    /// It must be right, if there is one. The hash of the certificate with which TLS ends, of RFC 5929.
    Allowed(Vec<u8>),
    /// It must be there, and right.
    Required(Vec<u8>),
}

/// What a server has seen of logins by NTLM. A last message that is refused counts as a failed login
/// ([`Simulator::failed_logins`](crate::Simulator::failed_logins)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NtlmCounts {
    /// First messages, each of which was answered with a challenge.
    pub begun: u64,
    /// Last messages that logged their connection, or their request, in.
    pub accepted: u64,
    /// Last messages that were refused.
    pub refused: u64,
    /// Last messages on another connection than that of their challenge, which prove nothing.
    pub astray: u64,
    /// First messages with a body, which was sent for nothing.
    pub bodies_wasted: u64,
}

impl NtlmServer {
    /// A server that offers `Negotiate` and `NTLM`, and logs in this user.
    pub fn new(domain: impl Into<String>, user: impl Into<String>, password: impl Into<String>) -> Self {
        NtlmServer {
            domain: domain.into(),
            user: user.into(),
            password: password.into(),
            schemes: vec!["Negotiate".to_owned(), "NTLM".to_owned()],
            binding: ChannelBinding::Ignored,
            per_request: false,
            closes_after_challenge: false,
        }
    }

    /// The offers of a 401, each a `WWW-Authenticate` header, in this order. Only NTLM's messages are understood, whichever
    /// scheme carries them.
    pub fn offering(mut self, schemes: &[&str]) -> Self {
        self.schemes = schemes.iter().map(|scheme| (*scheme).to_owned()).collect();
        self
    }

    /// Whether the last message must be bound to the TLS connection. Default: it is not looked at.
    pub fn channel_binding(mut self, binding: ChannelBinding) -> Self {
        self.binding = binding;
        self
    }

    /// Logs each request in anew (IIS: `authPersistSingleRequest`), and says so by `Persistent-Auth: false`.
    pub fn per_request(mut self) -> Self {
        self.per_request = true;
        self
    }

    /// Closes the connection after each challenge, so that no login ever comes to its end.
    pub fn closing_after_challenge(mut self) -> Self {
        self.closes_after_challenge = true;
        self
    }
}

/// The login while the server runs.
#[derive(Debug)]
pub(crate) struct Ntlm {
    server: NtlmServer,
    pub(crate) account: Account,
    /// How far each connection has come, by its number.
    lines: BTreeMap<u64, Progress>,
    pub(crate) counts: NtlmCounts,
}

/// How far a connection has come.
#[derive(Clone, Debug)]
enum Progress {
    /// Its first message, and the challenge that answered it.
    Challenged { negotiate: Vec<u8>, challenge: [u8; 8], message: Vec<u8> },
    /// The request that is being answered is logged in.
    Admitted { lasts: bool },
    /// Every request is.
    LoggedIn,
}

impl Ntlm {
    pub(crate) fn new(server: NtlmServer) -> Self {
        let account = Account::new(&server.user, &server.password);
        Ntlm { server, account, lines: BTreeMap::new(), counts: NtlmCounts::default() }
    }

    /// The answer to a request on a connection that is not logged in; `None` for any other.
    pub(super) fn answer(&mut self, incoming: &Incoming<'_>) -> Option<Answer> {
        let progress = self.lines.remove(&incoming.connection);
        let authorization = incoming.parts.headers.get("authorization").and_then(|value| value.to_str().ok());
        let Some((scheme, token)) = authorization.and_then(|value| value.split_once(' ')) else {
            let Some(Progress::LoggedIn) = progress else { return Some(self.server.offer()) };
            self.note(incoming.connection, Progress::LoggedIn);
            return None;
        };
        let scheme = self.server.schemes.iter().find(|offered| offered.eq_ignore_ascii_case(scheme)).cloned();
        let token = BASE64.decode(token.trim()).unwrap_or_default();
        match (scheme, Message::read(&token), progress) {
            (Some(scheme), Some(Message::Negotiate(first)), _) => {
                self.counts.begun += 1;
                self.counts.bodies_wasted += u64::from(!incoming.body.is_empty());
                let challenge = challenge();
                let message = self.server.challenge(&first, challenge, incoming.now_ms);
                let carried = format!("{scheme} {}", BASE64.encode(&message));
                let answer = unauthorized().with_header("www-authenticate", carried);
                if self.server.closes_after_challenge {
                    return Some(answer.with_header("connection", "close".to_owned()));
                }
                self.note(incoming.connection, Progress::Challenged { negotiate: token, challenge, message });
                Some(answer)
            }
            (
                Some(_),
                Some(Message::Authenticate(last)),
                Some(Progress::Challenged { negotiate, challenge, message }),
            ) => {
                let is_right = self.accepts(&last, challenge, &negotiate, &message);
                if !self.account.judge(is_right) {
                    self.counts.refused += 1;
                    return Some(self.server.offer());
                }
                self.counts.accepted += 1;
                self.note(incoming.connection, Progress::Admitted { lasts: !self.server.per_request });
                None
            }
            (Some(_), Some(Message::Authenticate(_)), _) => {
                self.counts.astray += 1;
                Some(self.server.offer())
            }
            _ => Some(self.server.offer()),
        }
    }

    /// Adds to the answer of a request that was logged in just now whether its connection is.
    pub(super) fn tell(&mut self, connection: u64, answer: Answer) -> Answer {
        let Some(Progress::Admitted { lasts }) = self.lines.get(&connection) else { return answer };
        let lasts = *lasts;
        self.lines.remove(&connection);
        if lasts {
            self.note(connection, Progress::LoggedIn);
        }
        answer.with_header("persistent-auth", lasts.to_string())
    }

    /// Goes on in another way, with the same account.
    pub(crate) fn change(&mut self, server: NtlmServer) {
        self.server = server;
        self.lines.clear();
    }

    pub(super) fn expire(&mut self) {
        self.lines.retain(|_, progress| !matches!(progress, Progress::LoggedIn));
    }

    fn note(&mut self, connection: u64, progress: Progress) {
        self.lines.insert(connection, progress);
        // Connections end without a word; the oldest have.
        while self.lines.len() > LINES_MAX {
            self.lines.pop_first();
        }
    }

    fn accepts(&self, last: &Authenticate, challenge: [u8; 8], negotiate: &[u8], message: &[u8]) -> bool {
        let expected = Expected {
            user: &self.account.user,
            domain: &self.server.domain,
            password: &self.account.password,
            challenge,
            negotiate,
            challenge_message: message,
        };
        match (check(last, &expected), &self.server.binding) {
            (Err(_), _) => false,
            (Ok(_), ChannelBinding::Ignored) | (Ok(None), ChannelBinding::Allowed(_)) => true,
            (Ok(bound), ChannelBinding::Allowed(hash) | ChannelBinding::Required(hash)) => {
                bound == Some(binding_digest(hash))
            }
        }
    }
}

/// 401 with a page, which a client must read to its end before it can use the connection again.
fn unauthorized() -> Answer {
    let page = "<html><head><title>401 - Unauthorized</title></head><body><h2>Access is denied.</h2></body></html>";
    Answer::html(401, page)
}

impl NtlmServer {
    /// 401 with the schemes that the server offers.
    fn offer(&self) -> Answer {
        let schemes = self.schemes.iter();
        schemes.fold(unauthorized(), |answer, scheme| answer.with_header("www-authenticate", scheme.clone()))
    }

    /// The message with a challenge.
    fn challenge(&self, first: &Negotiate, challenge: [u8; 8], now_ms: i64) -> Vec<u8> {
        let since_1601 = (now_ms + EPOCH_SECONDS * 1_000) * 10_000;
        let dns = format!("{}.example.gov.uk", self.domain.to_lowercase());
        let target_info = pairs_written(&[
            (pair::DOMAIN, wide(&self.domain)),
            (pair::COMPUTER, wide(COMPUTER)),
            (pair::DNS_DOMAIN, wide(&dns)),
            (pair::DNS_COMPUTER, wide(&format!("{}.{dns}", COMPUTER.to_lowercase()))),
            (pair::TIMESTAMP, since_1601.to_le_bytes().to_vec()),
        ]);
        let flags = (first.flags & NEGOTIABLE) | flags::UNICODE | flags::TARGET_TYPE_DOMAIN | flags::TARGET_INFO;
        Challenge { flags, challenge, target: &self.domain, target_info: &target_info, version: VERSION }.write()
    }
}

/// Whether a client's last message proves that it knows the password of this user.
pub(crate) fn accepts_last_message(
    domain: &str,
    user: &str,
    password: &str,
    [negotiate, challenge_message, last]: [&[u8]; 3],
) -> bool {
    let challenge = challenge_message.get(24..32).and_then(|challenge| challenge.try_into().ok());
    let (Some(challenge), Some(Message::Authenticate(last))) = (challenge, Message::read(last)) else { return false };
    check(&last, &Expected { user, domain, password, challenge, negotiate, challenge_message }).is_ok()
}

/// A challenge that was never used before.
fn challenge() -> [u8; 8] {
    let [c0, c1, c2, c3, c4, c5, .., c6, c7] = Uuid::new_v4().into_bytes();
    [c0, c1, c2, c3, c4, c5, c6, c7]
}
