//! Challenge headers: whatever a server sends as `WWW-Authenticate`, only what it offers is taken for an offer, and what it
//! quotes is none.

use datahub_login::ntlm::{NoMessage, Offers, Scheme};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue};

/// Takes the lines for headers, and then for one header with commas, and all of it for a text in quotes.
pub fn run(data: &[u8]) {
    let lines: Vec<_> = data.split(|byte| *byte == b'\n').collect();
    let headers = headers(lines.iter().copied());
    let offers = Offers::of(&headers);
    let words = offers.in_words();
    let is_of_words = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | ',' | ' ');
    assert!(!words.is_empty() && words.len() <= 8 * 42 && words.chars().all(is_of_words), "an error shows {words:?}");
    for scheme in [Scheme::Ntlm, Scheme::Negotiate] {
        if let Ok(message) = offers.message(scheme) {
            assert!(offers.scheme().is_some(), "a message is offered by nobody");
            assert!(!message.is_empty() && message.len() <= 12 * 1024, "a message of {} bytes", message.len());
            let carried = self::headers([scheme.carrying(&message).as_bytes()]);
            assert_eq!(Offers::of(&carried).message(scheme), Ok(message), "a message comes back as it was");
        }
    }
    if offers.scheme().is_none() {
        assert_eq!(offers.message(Scheme::Ntlm), Err(NoMessage::Absent));
    }
    let is_plain = |byte: &u8| matches!(byte, 0x20..=0x7e) && *byte != b'"';
    if lines.iter().all(|line| line.iter().all(is_plain)) {
        let one = self::headers([&lines.join(&b", "[..])[..]]);
        assert_eq!(Offers::of(&one), offers, "several offers in one header are the same offers");
    }
    quoted(data);
}

/// No text in quotes is an offer, and none hides the offer behind it.
fn quoted(data: &[u8]) {
    let escaped = data.iter().filter(|byte| matches!(byte, 0x20..=0x7e)).flat_map(|byte| match byte {
        b'"' | b'\\' => vec![b'\\', *byte],
        byte => vec![*byte],
    });
    let realm = [&b"Basic realm=\""[..], &escaped.collect::<Vec<_>>(), b"\""].concat();
    let alone = headers([&realm[..]]);
    assert_eq!((Offers::of(&alone).scheme(), Offers::of(&alone).in_words().as_str()), (None, "Basic"));
    let before = headers([&[&realm[..], b", NTLM AAAA"].concat()[..]]);
    assert_eq!(Offers::of(&before).message(Scheme::Ntlm), Ok(vec![0; 3]));
}

fn headers<'l>(lines: impl IntoIterator<Item = &'l [u8]>) -> HeaderMap {
    let values = lines.into_iter().filter_map(|line| HeaderValue::from_bytes(line).ok());
    values.map(|value| (WWW_AUTHENTICATE, value)).collect()
}
