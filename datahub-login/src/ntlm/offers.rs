//! What a server offers in its `WWW-Authenticate` headers, and NTLM's messages in them (MS-NTHT 2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// The longest message that is read, in letters of base64; a challenge of Windows has a few hundred.
const MESSAGE_MAX: usize = 16 * 1024;

/// How many schemes of a server are named in an error.
const NAMED_MAX: usize = 8;

/// The schemes that carry NTLM's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// NTLM's own.
    Ntlm,
    /// The one that else carries Kerberos.
    Negotiate,
}

impl Scheme {
    /// Its name in headers.
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Ntlm => "NTLM",
            Scheme::Negotiate => "Negotiate",
        }
    }

    /// The value of an `Authorization` header with a message.
    pub fn carrying(self, message: &[u8]) -> String {
        format!("{} {}", self.name(), BASE64.encode(message))
    }
}

/// The schemes that a response offers, with what follows each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offers<'h>(Vec<(&'h str, &'h str)>);

/// Why there is no message where there should be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMessage {
    /// The scheme is not offered, or has no message.
    Absent,
    /// What follows the scheme is not base64, or too long.
    Unreadable,
}

impl<'h> Offers<'h> {
    /// Reads the headers of a response. Several offers may be in one header, with commas between them.
    pub fn of(headers: &'h HeaderMap) -> Self {
        let values = headers.get_all(WWW_AUTHENTICATE).into_iter().filter_map(|value| value.to_str().ok());
        Offers(values.flat_map(parts).filter_map(offer).collect())
    }

    /// The scheme to use. NTLM's own comes first, because a server whose name is not registered for Kerberos fails on the
    /// other one.
    pub fn scheme(&self) -> Option<Scheme> {
        [Scheme::Ntlm, Scheme::Negotiate].into_iter().find(|scheme| self.find(*scheme).is_some())
    }

    /// The message that the server sends under a scheme.
    ///
    /// # Errors
    ///
    /// There is none, or it cannot be read.
    pub fn message(&self, scheme: Scheme) -> Result<Vec<u8>, NoMessage> {
        let token = self.find(scheme).filter(|token| !token.is_empty()).ok_or(NoMessage::Absent)?;
        if token.len() > MESSAGE_MAX {
            return Err(NoMessage::Unreadable);
        }
        BASE64.decode(token).map_err(|_| NoMessage::Unreadable)
    }

    /// The offers in words, for an error.
    pub fn in_words(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|(name, _)| *name).take(NAMED_MAX).collect();
        if names.is_empty() { "no way to log in".to_owned() } else { names.join(", ") }
    }

    /// What follows a scheme, preferably a message.
    fn find(&self, scheme: Scheme) -> Option<&'h str> {
        let mut found = self.0.iter().filter(|(name, _)| name.eq_ignore_ascii_case(scheme.name()));
        let first = found.next()?;
        Some(if first.1.is_empty() { found.next().unwrap_or(first).1 } else { first.1 })
    }
}

/// The parts of a header's value between commas that are not quoted.
fn parts(value: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    value.split(move |letter| {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ',' => return !is_quoted,
            _ => {}
        }
        false
    })
}

/// A scheme and what follows it; `None` for a further parameter of the offer before.
fn offer(part: &str) -> Option<(&str, &str)> {
    let part = part.trim();
    let (name, rest) = part.split_once([' ', '\t']).unwrap_or((part, ""));
    let is_name = !name.is_empty() && name.len() <= 40;
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    (is_name && is_word && !rest.trim_start().starts_with('=')).then_some((name, rest.trim()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (WWW_AUTHENTICATE, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn ntlm_is_preferred_wherever_it_stands() {
        for (values, scheme) in [
            (&["Negotiate", "NTLM"][..], Some(Scheme::Ntlm)),
            (&["negotiate, ntlm"], Some(Scheme::Ntlm)),
            (&["Basic realm=\"a, NTLM\", Negotiate"], Some(Scheme::Negotiate)),
            (&["Basic realm=\"a \\\", NTLM\"", "Digest qop = auth, NTLM = x"], None),
            (&["Bearer authorization_uri=https://login.example/, resource_id=1"], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(Offers::of(&headers(values)).scheme(), scheme, "{values:?}");
        }
    }

    #[test]
    fn a_message_is_that_of_its_scheme() {
        let headers = headers(&["Negotiate", "NTLM", "NTLM TlRMTVNTUAA=", "Digest nonce=\"x\""]);
        let offers = Offers::of(&headers);
        assert_eq!(offers.message(Scheme::Ntlm).as_deref(), Ok(&b"NTLMSSP\0"[..]));
        assert_eq!(offers.message(Scheme::Negotiate), Err(NoMessage::Absent));
        assert_eq!(offers.in_words(), "Negotiate, NTLM, NTLM, Digest");
    }

    #[test]
    fn what_is_no_base64_or_too_long_is_no_message() {
        for token in ["TlRM TVNT", "TlRMTVNTUAA", "%%%"] {
            let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, format!("NTLM {token}").parse().unwrap())]);
            assert_eq!(Offers::of(&headers).message(Scheme::Ntlm), Err(NoMessage::Unreadable), "{token}");
        }
        let long = format!("NTLM {}", "A".repeat(MESSAGE_MAX + 4));
        let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, long.parse().unwrap())]);
        assert_eq!(Offers::of(&headers).message(Scheme::Ntlm), Err(NoMessage::Unreadable));
    }

    #[test]
    fn a_message_goes_there_and_back() {
        let value = Scheme::Negotiate.carrying(&[0, 255, 7]);
        assert_eq!(value, "Negotiate AP8H");
        let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, value.parse().unwrap())]);
        assert_eq!(Offers::of(&headers).message(Scheme::Negotiate), Ok(vec![0, 255, 7]));
    }
}
