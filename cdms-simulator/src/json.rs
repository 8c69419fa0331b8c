//! The server's side of the verbose JSON format: renders records and parses request bodies.

mod parse;
mod render;

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

pub(crate) use parse::parse;
pub(crate) use render::{Rendering, render};

/// JSON whose members keep the order of the service, which puts `__metadata` first.
#[derive(Debug)]
pub(crate) enum Shown<'s> {
    Plain(Json),
    Object(Vec<(&'s str, Shown<'s>)>),
    List(Vec<Shown<'s>>),
}

impl Shown<'_> {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Shown::Plain(Json::String(text.into()))
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Shown::Plain(json) => json.serialize(serializer),
            Shown::Object(members) => serializer.collect_map(members.iter().map(|(name, value)| (name, value))),
            Shown::List(elements) => serializer.collect_seq(elements),
        }
    }
}

/// The text of a body, with the slashes of dates escaped as the service escapes them.
pub(crate) fn text(json: &Shown<'_>) -> String {
    let text = serde_json::to_string(json).unwrap_or_else(|error| unreachable!("JSON of names and values: {error}"));
    text.replace("\"/Date(", "\"\\/Date(").replace(")/\"", ")\\/\"")
}
