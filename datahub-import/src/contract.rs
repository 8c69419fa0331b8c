//! A new contract's text, and the words that an import uses in every contract.

use std::fmt::Write as _;

use toml_edit::{Array, InlineTable, Key as TomlKey, Value as Toml};

use crate::facts::{Entity, Fact, Facts, Key, Origin, Value};
use crate::naming::{distinct, in_a_comment, without_prefix};

/// The comment with which a new contract begins, after its entity.
pub const CONTRACT_HEADER: &str = "\
# Written by `datahub import`, and yours to edit: a later import keeps what you write. Facts are from $metadata, unless the\n\
# comment at an attribute names another source. `datahub check --questions` says where to look up what is \"?\".\n";

/// Whether an import wrote a contract, as its first comment says.
pub(crate) fn is_imports(text: &str) -> bool {
    let first = CONTRACT_HEADER.lines().next().unwrap_or_default();
    text.lines().any(|line| line == first)
}

/// Stands for a value that a person must look up.
pub(crate) const OPEN: &str = "?";

/// With this an import's own comment at an attribute begins.
const FROM: &str = "from ";

/// The longest line of an attribute that is written as one; a longer one becomes a table.
const LINE_MAX: usize = 160;

/// The file names of contracts: the logical name without the prefix, where no other entity has the same one.
pub fn file_names<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<String> {
    let candidates = names.into_iter().map(|name| {
        let logical = name.to_lowercase();
        (without_prefix(&logical).to_owned(), logical)
    });
    let candidates: Vec<_> = candidates.collect();
    distinct(&candidates).into_iter().map(|name| format!("{name}.toml")).collect()
}

/// What a contract says under a key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Written {
    /// Nothing.
    Absent,
    /// That it must be looked up.
    Open,
    /// A value.
    Is(Value),
}

impl Written {
    /// What an import writes of these facts under a key.
    pub(crate) fn of(facts: &Facts, key: Key) -> Self {
        match facts.get(key) {
            Some(_) if key == Key::Navigation => Written::navigation(facts, facts.targets()),
            Some(Fact { value: Value::Flag(false), .. }) => Written::Absent,
            Some(Fact { value: Value::Texts(texts), .. }) if texts.is_empty() => Written::Absent,
            Some(fact) => Written::Is(fact.value.clone()),
            None if facts.open().contains(&key) => Written::Open,
            None => Written::Absent,
        }
    }

    /// What is written of a lookup's navigation properties where the contract states these targets: for one target its own,
    /// for several each after its target.
    pub(crate) fn navigation(facts: &Facts, targets: &[String]) -> Self {
        let stated = facts.navigation().iter().filter(|(target, _)| targets.contains(target));
        let stated: Vec<_> = stated.cloned().collect();
        match (stated.as_slice(), targets) {
            ([], _) => Written::Absent,
            ([(_, only)], [_]) => Written::Is(Value::Text(only.clone())),
            _ => Written::Is(Value::Texts(stated)),
        }
    }

    /// As TOML; `None` if nothing is written.
    pub(crate) fn toml(&self) -> Option<Toml> {
        match self {
            Written::Absent => None,
            Written::Open => Some(OPEN.into()),
            Written::Is(value) => Some(toml(value)),
        }
    }

    /// In a message.
    pub(crate) fn shown(&self) -> String {
        self.toml().map_or_else(|| "nothing".to_owned(), |value| value.to_string().trim().to_owned())
    }
}

/// A value as TOML.
pub(crate) fn toml(value: &Value) -> Toml {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Number(number) => (*number).into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Names(names) => match names.as_slice() {
            [name] => name.as_str().into(),
            names => names.iter().map(String::as_str).collect::<Array>().into(),
        },
        Value::Options(options) => {
            options.iter().map(|(name, number)| (name.as_str(), i64::from(*number))).collect::<InlineTable>().into()
        }
        Value::Texts(texts) => {
            texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<InlineTable>().into()
        }
    }
}

/// The comment that says where an attribute's facts come from, without its mark; `None` if all are from `$metadata`.
pub(crate) fn origins<'f>(facts: impl Iterator<Item = (Key, &'f Fact)> + Clone) -> Option<String> {
    let mut parts = Vec::new();
    for origin in Origin::ALL.into_iter().filter(|origin| *origin != Origin::Metadata) {
        let keys = facts.clone().filter(|(_, fact)| fact.origin == origin).map(|(key, _)| key.name());
        let keys: Vec<_> = keys.collect();
        if !keys.is_empty() {
            parts.push(format!("{origin}: {}", keys.join(", ")));
        }
    }
    (!parts.is_empty()).then(|| format!("{FROM}{}", parts.join("; ")))
}

/// Whether a comment, without its mark, is one that an import wrote.
pub(crate) fn is_origins(comment: &str) -> bool {
    comment.strip_prefix(FROM).is_some_and(|rest| {
        rest.split("; ").all(|part| part.split_once(": ").is_some_and(|(origin, _)| Origin::named(origin).is_some()))
    })
}

/// The facts that an import writes into a contract.
pub(crate) fn written(facts: &Facts) -> impl Iterator<Item = (Key, &Fact)> + Clone {
    let all: Vec<_> = facts.iter().filter(|(key, _)| Written::of(facts, *key) != Written::Absent).collect();
    all.into_iter()
}

/// An attribute's facts as an inline table.
pub(crate) fn inline(facts: &Facts) -> InlineTable {
    let values = Key::ALL.into_iter().filter_map(|key| Some((key.name(), Written::of(facts, key).toml()?)));
    values.collect()
}

/// A key as TOML, with quotes if it needs them.
pub(crate) fn key(name: &str) -> String {
    TomlKey::new(name).display_repr().into_owned()
}

/// The text of a new contract.
pub(crate) fn text(entity: &Entity) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let mut line = |said: &str| _ = writeln!(text, "{said}");
    match &entity.label {
        Some(label) if *label != entity.name => {
            line(&format!("# {}: \"{}\" in CDMS.", entity.name, in_a_comment(label)));
        }
        _ => line(&format!("# {}.", entity.name)),
    }
    line(CONTRACT_HEADER.trim_end());
    line(&format!("entity = {}", Toml::from(entity.name.as_str())));
    for (name, value) in [("set", &entity.set), ("key", &entity.key)] {
        if let Some(value) = value {
            line(&format!("{name} = {}", Toml::from(value.as_str())));
        }
    }
    line("\n[attributes]");
    let mut tables = Vec::new();
    for (name, facts) in &entity.attributes {
        let comment = origins(written(facts));
        let said = format!("{} = {}", key(name), inline(facts));
        if said.len() > LINE_MAX && facts.get(Key::Choices).is_some() {
            tables.push((name, facts, comment));
        } else {
            line(&match comment {
                Some(comment) => format!("{said} # {comment}"),
                None => said,
            });
        }
    }
    for (name, facts, comment) in tables {
        let name = key(name);
        line("");
        if let Some(comment) = comment {
            line(&format!("# {comment}"));
        }
        line(&format!("[attributes.{name}]"));
        let values = Key::ALL.into_iter().filter_map(|key| Some((key.name(), Written::of(facts, key).toml()?)));
        let (tables, plain): (Vec<_>, Vec<_>) = values.partition(|(_, value)| value.is_inline_table());
        for (key, value) in plain {
            line(&format!("{key} = {value}"));
        }
        for (key, options) in tables {
            line(&format!("\n[attributes.{name}.{key}]"));
            for (option, value) in options.as_inline_table().into_iter().flatten() {
                line(&format!("{} = {}", self::key(option), value.to_string().trim()));
            }
        }
    }
    if !entity.unmapped.is_empty() {
        line("\n[unmapped]");
        for (name, reason) in &entity.unmapped {
            line(&format!("{} = {}", key(name), Toml::from(reason.as_str())));
        }
    }
    text
}

/// All of an attribute's facts as an inline table, also those that a contract need not state.
pub(crate) fn inline_facts(facts: &Facts) -> InlineTable {
    facts.iter().map(|(key, fact)| (key.name(), toml(&fact.value))).collect()
}
