//! An unknown word: what a newer program wrote is kept and passed on unchanged, for that program to interpret.

use std::fmt;

use crate::planted::{Planted, planted};
use serde::de::{self, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest word that is kept whole, in bytes.
const LONGEST: usize = 47;

/// A word written by a newer program where one of a known set is expected: a kind, an origin, a verdict. It is shown
/// and passed on unchanged; a word longer than 47 bytes is truncated. If data comes with the word, only the word is
/// kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnknownWord {
    bytes: [u8; LONGEST],
    length: u8,
}

impl UnknownWord {
    /// Keeps a word.
    pub fn new(word: &str) -> Self {
        let mut end = word.len().min(LONGEST);
        while !word.is_char_boundary(end) {
            end -= 1;
        }
        let mut bytes = [0; LONGEST];
        bytes[..end].copy_from_slice(&word.as_bytes()[..end]);
        UnknownWord { bytes, length: u8::try_from(end).unwrap_or(0) }
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        // It was cut at a character boundary, so it is valid UTF-8.
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for UnknownWord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for UnknownWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl<'de> Visitor<'de> for Words {
            type Value = UnknownWord;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word, or an object with the word as its first key")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<UnknownWord, E> {
                if planted(Planted::UnknownWordIsCorrupt) {
                    return Err(E::custom("unknown word"));
                }
                Ok(UnknownWord::new(word))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UnknownWord, A::Error> {
                let word: String =
                    map.next_key()?.ok_or_else(|| de::Error::custom("expected a word, found an empty object"))?;
                map.next_value::<IgnoredAny>()?;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(UnknownWord::new(&word))
            }
        }

        deserializer.deserialize_any(Words)
    }
}
