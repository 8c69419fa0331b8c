//! The body of a request that is wiped once it was sent.

use zeroize::Zeroizing;

/// A form that is wiped from memory once it was sent.
pub(super) struct Wiped(pub(super) Zeroizing<String>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
