//! What is kept of a refused secret: a digest with the database's own salt, which is slow to make, so that whoever reads it
//! has to pay for each guess.

use std::fmt;
use std::sync::Arc;

use pbkdf2::pbkdf2_hmac_array;
use pbkdf2::sha2::Sha256;
use zeroize::Zeroizing;

use crate::login::Presented;

/// How often a digest is digested again by default: what OWASP's Password Storage Cheat Sheet recommends for PBKDF2 with
/// HMAC-SHA256, some tenths of a second.
pub(crate) const ROUNDS: u32 = 600_000;

/// The most that is taken from a database.
const ROUNDS_MAX: u32 = 10_000_000;

/// The digest of a user and a secret. It shows as its rounds and its bytes.
#[derive(Clone)]
pub(super) struct Digested {
    presented: Arc<Presented>,
    rounds: u32,
    bytes: [u8; 32],
}

impl Digested {
    /// Makes a digest of so many rounds, on a thread that may be busy for long.
    pub(super) async fn of(presented: &Arc<Presented>, salt: &str, rounds: u32) -> Self {
        let (parts, salt) = (Zeroizing::new(presented.parts().concat()), salt.to_owned());
        let digest = move || pbkdf2_hmac_array::<Sha256, 32>(&parts, salt.as_bytes(), rounds);
        // A runtime that ends takes no more work.
        let bytes = match tokio::task::spawn_blocking(digest.clone()).await {
            Ok(bytes) => bytes,
            Err(_) => digest(),
        };
        Digested { presented: Arc::clone(presented), rounds, bytes }
    }

    /// How many rounds one has that shows as this.
    pub(super) fn rounds(shown: &str) -> Option<u32> {
        let (rounds, _) = shown.split_once(':')?;
        rounds.parse().ok().filter(|rounds| (1..=ROUNDS_MAX).contains(rounds))
    }

    /// Whether it is the digest of these credentials with so many rounds.
    pub(super) fn is_of(&self, presented: &Presented, rounds: u32) -> bool {
        self.rounds == rounds && *self.presented == *presented
    }
}

impl fmt::Display for Digested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.rounds, hexadecimal(&self.bytes))
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::{Credentials, Secret};

    async fn digest(user: &str, secret: &str, salt: &str, rounds: u32) -> String {
        let credentials = Credentials::new(user, &Secret::new(secret));
        let presented = Arc::new(Presented::read(credentials).await.expect("it can be read"));
        Digested::of(&presented, salt, rounds).await.to_string()
    }

    #[tokio::test]
    async fn a_digest_is_of_a_user_a_secret_and_a_salt_and_costs_what_it_says() {
        let shown = digest("hub", "hunter2", "salt", ROUNDS).await;
        assert!(shown.starts_with("600000:"), "{shown}");
        assert_eq!(Digested::rounds(&shown), Some(ROUNDS));
        let of_few = digest("hub", "hunter2", "salt", 3).await;
        // By Python: hashlib.pbkdf2_hmac("sha256", b"hub\nhunter2", b"salt", 3).hex()
        assert_eq!(of_few, "3:ce87b2037996d6f37907813db352cd6ca6b476a4cf4af40930b11e7afeb549a4");
        for other in [
            digest("other", "hunter2", "salt", 3).await,
            digest("hub", "hunter3", "salt", 3).await,
            digest("hub", "hunter2", "pepper", 3).await,
        ] {
            assert_ne!(other, of_few);
        }
    }

    #[test]
    fn a_database_cannot_ask_for_endless_work() {
        for shown in ["", "600000", "0:ab", "-1:ab", "x:ab", "10000001:ab", "99999999999999999999:ab"] {
            assert_eq!(Digested::rounds(shown), None, "{shown}");
        }
    }
}
