//! The three messages over one connection, each with a request that changes nothing, and what the answers mean.

use datahub_login::ntlm::{Exchange, Identity, NoMessage, Offers, Scheme, end_point};
use http::header::{AUTHORIZATION, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use secrecy::SecretString;

use super::carrying;
use crate::login::{LoginError, LoginReply, LoginRequests};

/// Says of an answer whether the connection remains logged in (MS-N2HT 2.2.2).
const PERSISTENT_AUTH: &str = "persistent-auth";

/// How often a handshake is begun whose connection ends before the password was checked.
const BEGINNINGS: usize = 2;

/// What a server has logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoggedIn {
    /// The connection.
    Connection(Scheme),
    /// One request, so that the next one needs a handshake of its own.
    Request(Scheme),
    /// Nothing: it takes anyone.
    Unasked,
}

/// A handshake over one connection.
pub(super) struct Handshake<'h> {
    pub(super) identity: &'h Identity,
    pub(super) password: &'h SecretString,
    pub(super) requests: &'h LoginRequests<'h>,
}

/// How a handshake ended.
enum End {
    LoggedIn(LoggedIn),
    /// The connection did not last, so that nothing was checked.
    Apart,
}

/// The server's answer to a first message.
enum Answered {
    /// With a challenge, over a connection that is still open.
    Challenge { challenge: Vec<u8>, end_point: Option<Vec<u8>> },
    /// As if the connection was logged in.
    Welcome,
    /// The connection ends with it.
    Apart,
}

impl Handshake<'_> {
    /// Asks the server how it wants clients to log in, and logs in.
    ///
    /// # Errors
    ///
    /// The password is refused, the server offers no NTLM, or it cannot be reached.
    pub(super) async fn run(&self) -> Result<LoggedIn, LoginError> {
        let asked = self.requests.harmless(HeaderMap::new()).await?;
        if asked.status() != StatusCode::UNAUTHORIZED {
            elsewhere(&asked)?;
            return Ok(LoggedIn::Unasked);
        }
        let offers = Offers::of(asked.headers());
        match offers.scheme() {
            Some(scheme) => self.run_in(scheme).await,
            None => Err(LoginError::new(format!(
                "CDMS offers {} and no NTLM; ask its administrator how programs log in",
                offers.in_words()
            ))),
        }
    }

    /// Logs in by a scheme that the server is known to offer.
    ///
    /// # Errors
    ///
    /// As [`Handshake::run`].
    pub(super) async fn run_in(&self, scheme: Scheme) -> Result<LoggedIn, LoginError> {
        for _ in 0..BEGINNINGS {
            if let End::LoggedIn(logged_in) = self.once(scheme).await? {
                return Ok(logged_in);
            }
        }
        Err(apart())
    }

    /// The header with the last message, for the request that follows over the connection.
    ///
    /// # Errors
    ///
    /// The server offers no NTLM any more, or cannot be reached.
    pub(super) async fn last_message(&self, scheme: Scheme) -> Result<HeaderValue, LoginError> {
        for _ in 0..BEGINNINGS {
            let (exchange, answered) = self.begin(scheme).await?;
            match answered {
                Answered::Challenge { challenge, end_point } => return answer(exchange, scheme, challenge, end_point),
                Answered::Welcome => return Err(LoginError::new("CDMS does not ask for a login any more")),
                Answered::Apart => {}
            }
        }
        Err(apart())
    }

    async fn once(&self, scheme: Scheme) -> Result<End, LoginError> {
        let (exchange, answered) = self.begin(scheme).await?;
        let (challenge, end_point) = match answered {
            Answered::Challenge { challenge, end_point } => (challenge, end_point),
            Answered::Welcome => return Ok(End::LoggedIn(LoggedIn::Connection(scheme))),
            Answered::Apart => return Ok(End::Apart),
        };
        let last = answer(exchange, scheme, challenge, end_point)?;
        let sent = self.requests.harmless(HeaderMap::from_iter([(AUTHORIZATION, last)])).await;
        // It is not known whether the password was checked, so it is not tried again at once.
        let reply = sent.map_err(|error| error.in_words(|why| format!("NTLM's last message got no answer: {why}")))?;
        match reply.status() {
            StatusCode::UNAUTHORIZED if !reply.continues() => Ok(End::Apart),
            StatusCode::UNAUTHORIZED => Err(LoginError::refused(refusal(self.identity))),
            _ => {
                elsewhere(&reply)?;
                let lasts = reply.headers().get(PERSISTENT_AUTH).and_then(|value| value.to_str().ok());
                let is_once = lasts.is_some_and(|lasts| lasts.trim().eq_ignore_ascii_case("false"));
                Ok(End::LoggedIn(if is_once { LoggedIn::Request(scheme) } else { LoggedIn::Connection(scheme) }))
            }
        }
    }

    /// Sends the first message.
    async fn begin(&self, scheme: Scheme) -> Result<(Exchange, Answered), LoginError> {
        let (exchange, first) =
            Exchange::begin(self.identity, self.password).map_err(|error| LoginError::new(error.to_string()))?;
        let reply = self.requests.harmless(HeaderMap::from_iter([(AUTHORIZATION, carrying(scheme, &first))])).await?;
        if reply.status() != StatusCode::UNAUTHORIZED {
            elsewhere(&reply)?;
            return Ok((exchange, Answered::Welcome));
        }
        if !reply.stays_open() {
            return Ok((exchange, Answered::Apart));
        }
        let challenge = Offers::of(reply.headers()).message(scheme).map_err(|no_message| {
            LoginError::new(match no_message {
                NoMessage::Absent => format!(
                    "CDMS offers {} and answers NTLM's first message without a challenge; ask its administrator whether NTLM \
                     is switched off",
                    scheme.name()
                ),
                NoMessage::Unreadable => "CDMS answers NTLM's first message with what is no challenge".to_owned(),
            })
        })?;
        let end_point = reply.certificate().and_then(end_point);
        Ok((exchange, Answered::Challenge { challenge, end_point }))
    }
}

fn answer(
    exchange: Exchange,
    scheme: Scheme,
    challenge: Vec<u8>,
    end_point: Option<Vec<u8>>,
) -> Result<HeaderValue, LoginError> {
    match exchange.answer(challenge, end_point.as_deref()) {
        Ok(last) => Ok(carrying(scheme, &last)),
        Err(error) => Err(LoginError::new(format!("CDMS's NTLM challenge cannot be read: {error}"))),
    }
}

/// Whether an answer that is no 401 comes from CDMS itself, as far as can be seen.
fn elsewhere(reply: &LoginReply) -> Result<(), LoginError> {
    let status = reply.status();
    if status.is_redirection() {
        let to = reply.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        let host = to.and_then(|to| url::Url::parse(to).ok()).and_then(|to| to.host_str().map(str::to_owned));
        let host = host.map_or_else(|| "another page".to_owned(), |host| format!("`{host}`"));
        return Err(LoginError::new(format!(
            "CDMS sends logins to {host}, so it does not take NTLM; ask its administrator how programs log in"
        )));
    }
    if [
        StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ]
    .contains(&status)
    {
        return Err(LoginError::new(format!("CDMS, or a server in front of it, answered the login with {status}")));
    }
    Ok(())
}

fn apart() -> LoginError {
    LoginError::new(
        "NTLM's messages did not stay on one connection, so the password was not checked; a proxy or a load balancer in front \
         of CDMS must keep a client's connection to one connection of the server",
    )
}

/// Why a password was refused, in words.
pub(super) fn refusal(identity: &Identity) -> String {
    format!(
        "it does not take the user `{}` with this password: one of them is wrong, the account is locked, or CDMS demands a \
         channel binding (Extended Protection) that something between ends; check user and password",
        identity.name()
    )
}
