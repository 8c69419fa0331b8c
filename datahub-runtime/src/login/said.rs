//! What servers say, as a message may repeat it: on one line, not too long, and never with the secret in it.

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

/// What stands for a secret, and for what was cut off.
const LEFT_OUT: &str = "…";

/// The words of a server, in at most so many characters. A secret in them, also as a form sends it, is left out; words that
/// have it in another disguise (other spaces, capitals) are left out as a whole.
pub(crate) fn repeated<'s>(
    said: &str,
    characters: usize,
    secrets: impl IntoIterator<Item = &'s SecretString>,
) -> String {
    let mut said = Zeroizing::new(said.to_owned());
    for secret in secrets {
        let secret = secret.expose_secret();
        if secret.is_empty() {
            continue;
        }
        let sent = Zeroizing::new(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>());
        said = Zeroizing::new(said.replace(secret, LEFT_OUT).replace(sent.as_str(), LEFT_OUT));
        let bare = bare(secret);
        if !bare.is_empty() && self::bare(&said).contains(bare.as_str()) {
            return LEFT_OUT.to_owned();
        }
    }
    let mut shown: String =
        said.chars().take(characters).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if said.chars().count() > characters {
        shown.push_str(LEFT_OUT);
    }
    shown
}

/// A text without spaces, control characters and capitals.
fn bare(text: &str) -> Zeroizing<String> {
    let letters = text.chars().filter(|letter| !letter.is_whitespace() && !letter.is_control());
    Zeroizing::new(letters.flat_map(char::to_lowercase).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_repeated_whatever_it_looks_like() {
        let secrets = [SecretString::from("Canary  & 1"), SecretString::from("other"), SecretString::from("")];
        for (said, expected) in [
            ("", ""),
            ("Wrong.", "Wrong."),
            ("two\r\nlines\u{7}", "two  lines "),
            ("Canary  & 1 is wrong, and other", "… is wrong, and …"),
            ("p=Canary++%26+1", "p=…"),
            ("Canary & 1 is wrong", "…"),
            ("CANARY\u{7}&1", "…"),
            ("0123456789012345678901234567890", "012345678901234567890123456789…"),
            // Only what is left of it after the cut would be shown.
            ("01234567890123456789012345 Canary  & 1", "01234567890123456789012345 …"),
        ] {
            assert_eq!(repeated(said, 30, &secrets), expected, "{said}");
        }
    }
}
