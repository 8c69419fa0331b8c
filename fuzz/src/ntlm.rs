//! NTLM: whatever a server's headers are, the client answers a challenge so that a server takes it, or not at all.

use datahub_login::ntlm::{Exchange, Identity, Offers, end_point};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;

/// Takes the lines for `WWW-Authenticate` headers, and the bytes after a zero for the server's certificate.
pub fn run(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (lines, certificate) = data.split_at(end);
    let values = lines.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    let headers: HeaderMap = values.map(|value| (WWW_AUTHENTICATE, value)).collect();
    let end_point = certificate.get(1..).and_then(end_point);
    let offers = Offers::of(&headers);
    assert!(!offers.in_words().is_empty(), "an error names what is offered");
    let Some(scheme) = offers.scheme() else { return };
    let Ok(challenge) = offers.message(scheme) else { return };
    let user = Identity { domain: "CDMS".into(), user: "datahub".into(), workstation: None };
    let (exchange, first) =
        Exchange::begin(&user, &SecretString::from("secret")).expect("a first message asks nothing");
    let Ok(last) = exchange.answer(challenge.clone(), end_point.as_deref()) else { return };
    let all = [&first[..], &challenge, &last];
    assert!(cdms_simulator::ntlm_accepts("CDMS", "datahub", "secret", all), "{all:?}");
    assert!(!cdms_simulator::ntlm_accepts("CDMS", "datahub", "wrong", all), "{all:?}");
}
