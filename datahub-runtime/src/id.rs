//! Typed identifiers: the GUID of a record, the same in the hub and in CDMS.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// The id of a record of model `T`. It has no default; the only way to make a new id is [`Id::new`].
///
/// It prints, parses and serializes as a lowercase GUID, so it can be used in URLs and forms.
pub struct Id<T> {
    guid: Uuid,
    model: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// A new, unused id. Later ids sort after earlier ones, which keeps indexes compact.
    #[allow(clippy::new_without_default, reason = "a default id would be an accident waiting to be stored")]
    pub fn new() -> Self {
        Uuid::now_v7().into()
    }

    /// The GUID itself.
    pub fn guid(self) -> Uuid {
        self.guid
    }

    /// The GUID, borrowed from the id.
    pub(crate) fn as_guid(&self) -> &Uuid {
        &self.guid
    }
}

impl<T> From<Uuid> for Id<T> {
    fn from(guid: Uuid) -> Self {
        Id { guid, model: PhantomData }
    }
}

impl<T> From<Id<T>> for Uuid {
    fn from(id: Id<T>) -> Self {
        id.guid
    }
}

/// A text that is not an id.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid id {0:?}; an id is a GUID, for example \"2b951fbc-5a1e-4b2f-8d3c-0e6f7a8b9c0d\"")]
pub struct InvalidId(String);

/// `main` prints an error that it returns in this form, so it is in words.
impl fmt::Debug for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How much of an invalid text the error repeats.
const SHOWN_MAX: usize = 80;

/// The beginning of a text, for an error that may be shown to the sender.
pub(crate) fn beginning(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl<T> FromStr for Id<T> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.parse::<Uuid>().map(Id::from).map_err(|_| InvalidId(beginning(text)))
    }
}

impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.guid.fmt(f)
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.guid)
    }
}

// Implemented by hand, because a derive would require the same of `T`.
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.guid == other.guid
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.guid.cmp(&other.guid)
    }
}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.guid.hash(state);
    }
}

impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.guid.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return Uuid::deserialize(deserializer).map(Id::from);
        }
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_its_guid() {
        let text = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
        let id: Id<()> = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(format!("{id:?}"), format!("Id({text})"));
    }
    /// Ids come from addresses and forms, and become parts of addresses and statements.
    #[test]
    fn what_is_no_guid_is_no_id() {
        let guid = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
        let mut texts: Vec<String> =
            ["", "1", "null", "../x", "*", "\u{661}\u{662}", "6f9619ff8b86d011b42d00c04fc964f\0"]
                .map(str::to_owned)
                .into();
        for more in ["'", "')", " ", "\n", "\0", "' or true", "?x=1", "/Contacts", "%00", "\u{202e}", "0"] {
            texts.extend([format!("{guid}{more}"), format!("{more}{guid}")]);
        }
        for text in texts {
            let error = text.parse::<Id<()>>().unwrap_err().to_string();
            assert!(!error.contains(char::is_control), "{error:?}");
            assert!(serde_json::from_value::<Id<()>>(serde_json::json!(text)).is_err(), "{text:?}");
        }
        assert!(serde_json::from_str::<Id<()>>("7").is_err());
        // What is accepted in another form goes on in this one.
        for text in [guid.to_uppercase(), format!("{{{guid}}}"), guid.replace('-', "")] {
            assert_eq!(text.parse::<Id<()>>().unwrap().to_string(), guid);
        }
    }
}
