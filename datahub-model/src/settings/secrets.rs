//! Secrets that someone has written into `datahub.toml`: recognised by their keys, and not repeated in messages.

use crate::diagnostic::{Code, Diagnostic, Spot};
use crate::nearest::nearest;

/// What the name of a key with a secret contains, without case, hyphens and underscores.
const SECRETS: [&str; 10] =
    ["password", "passwd", "pwd", "passphrase", "secret", "token", "credential", "apikey", "privatekey", "bearer"];

/// Keys that are named after tokens and contain none.
const HARMLESS: [&str; 2] = ["token-url", "token-services"];

/// Whether a key names a secret, perhaps misspelt.
fn is_secret(key: &str) -> bool {
    let plain: String = key.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect();
    !HARMLESS.contains(&key)
        && (SECRETS.iter().any(|secret| plain.contains(secret)) || nearest(&plain, SECRETS).is_some())
}

/// The fault of a key that names a secret, at its place; `None` if this one does not.
pub fn secret_key(text: &str, key: &str, offset: usize) -> Option<Diagnostic<Spot>> {
    let message = || format!("`{key}` must not be in datahub.toml, which goes into version control; secrets never do");
    let help = "remove it, and set DATAHUB_PASSWORD in the environment, or DATAHUB_PASSWORD_FILE to the path of a file \
                with the secret; if the file was committed or shared, change the secret";
    is_secret(key)
        .then(|| Diagnostic::of(Code::UnknownKey, without_values(Spot::at(text, offset)), message()).cure(help))
}

/// The place without the values of its line, where they may be secret: if a word of the line names a secret, or the line
/// has an address with a user.
pub fn without_values(spot: Spot) -> Spot {
    let mut words = spot.text.split(|letter: char| !(letter.is_alphanumeric() || letter == '-' || letter == '_'));
    if !(words.any(|word| word.len() > 2 && is_secret(word)) || spot.text.contains('@')) {
        return spot;
    }
    // Without a key there is nothing to tell a value by.
    let Some((before, _)) = spot.text.split_once('=') else { return without_text(spot) };
    let text = format!("{before}= …");
    Spot { column: spot.column.min(text.chars().count()), text, ..spot }
}

/// The place by its line and column alone: where a file is no TOML, any part of it may be a secret.
pub fn without_text(spot: Spot) -> Spot {
    Spot { text: String::new(), ..spot }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_keys() {
        for key in [
            "password",
            "Password",
            "pass-word",
            "pasword",
            "client-secret",
            "client_secret",
            "refresh-token",
            "pwd",
            "api-key",
            "adfs_passphrase",
            "token",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in [
            "token-url",
            "token-services",
            "user",
            "domain",
            "client-id",
            "ca-file",
            "client-certificate",
            "proxy",
            "plain-http",
            "url",
            "scope",
            "tenant",
        ] {
            assert!(!is_secret(key), "{key}");
        }
    }
}
