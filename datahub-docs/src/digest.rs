//! Digests: a hash for each page of what the page is made from, which is committed, so that stale documentation is noticed
//! without committing the pages.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::atlas::{Atlas, Contract, Model};

/// The digests of a project's documentation, each with the name of its file. Every model and every contract has a file of its
/// own, so branches that change different ones do not conflict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digests(pub BTreeMap<String, Digest>);

/// A page's digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// What the page is about: ``model `Organisation` ``.
    pub subject: String,
    /// The hash.
    pub hash: String,
}

impl Digest {
    /// The digest in a file of this name; `None` if `datahub docs` writes no such file: its name begins with `model-` or
    /// `contract-`, and its text is one line with 16 digits of hexadecimal, a blank, and what the page is about.
    pub fn of_file(name: &str, content: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(content).ok()?.trim_end();
        let (hash, subject) = line.split_once(' ')?;
        let kind = KINDS.into_iter().find(|kind| is_name(name, kind))?;
        let is_hash = hash.len() == DIGITS && hash.chars().all(|digit| matches!(digit, '0'..='9' | 'a'..='f'));
        let is_subject =
            subject.starts_with(&format!("{kind} `")) && subject.ends_with('`') && !line.contains(['\n', '\r']);
        (is_hash && is_subject).then(|| Digest { subject: subject.to_owned(), hash: hash.to_owned() })
    }
}

/// What a digest can be about.
const KINDS: [&str; 2] = ["model", "contract"];

/// The digits of a hash.
const DIGITS: usize = 16;

/// Whether the file of a digest about this kind of page may have this name.
fn is_name(name: &str, kind: &str) -> bool {
    let slug = name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('-')?.strip_suffix(ENDING));
    slug.is_some_and(|slug| !slug.is_empty())
}

/// How a page of the documentation stands to its committed digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has none yet.
    Missing,
    /// What the page is made from has changed since.
    Stale,
    /// The digest of a page that does not exist any more.
    Leftover,
}

/// The ending of the files with digests.
pub const ENDING: &str = ".digest";

impl Digests {
    /// The digests of an atlas.
    pub fn of(atlas: &Atlas) -> Self {
        let models = atlas.models.iter().map(|model| {
            let digest =
                Digest { subject: format!("model `{}`", model.name), hash: hash(|words| model_words(model, words)) };
            (format!("model-{}{ENDING}", model.slug), digest)
        });
        let contracts = atlas.contracts.iter().map(|contract| {
            let subject = format!("contract `{}`", contract.file);
            let digest = Digest { subject, hash: hash(|words| contract_words(contract, words)) };
            (format!("contract-{}{ENDING}", contract.slug), digest)
        });
        Digests(models.chain(contracts).collect())
    }

    /// The texts of the files, by their names.
    pub fn files(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|(name, digest)| (name.as_str(), format!("{digest}\n")))
    }

    /// What differs from the committed files, whose texts are given by their names: the file, what it is about, and how.
    pub fn against(&self, committed: &BTreeMap<String, String>) -> Vec<(String, String, Standing)> {
        let mut found = Vec::new();
        for (name, digest) in &self.0 {
            match committed.get(name) {
                None => found.push((name.clone(), digest.subject.clone(), Standing::Missing)),
                Some(text) if text.split_whitespace().next() != Some(digest.hash.as_str()) => {
                    found.push((name.clone(), digest.subject.clone(), Standing::Stale));
                }
                Some(_) => {}
            }
        }
        for (name, text) in committed.iter().filter(|(name, _)| !self.0.contains_key(*name)) {
            let subject = text.trim().split_once(' ').map_or(name.as_str(), |(_, subject)| subject.trim());
            found.push((name.clone(), subject.to_owned(), Standing::Leftover));
        }
        found
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.hash, self.subject)
    }
}

/// The first eight bytes of the SHA-256 of some words, each of which ends where it ends.
fn hash(say: impl FnOnce(&mut Words)) -> String {
    let mut words = Words(Sha256::new());
    say(&mut words);
    words.0.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

struct Words(Sha256);

impl Words {
    fn say(&mut self, word: impl fmt::Display) {
        let word = word.to_string();
        self.0.update(word.len().to_le_bytes());
        self.0.update(word.as_bytes());
    }
}

/// What a model's page is made from, but for the models around it and the lines where things stand. The words of the page are
/// left out, so that another version of `datahub` does not make every page stale.
fn model_words(model: &Model, words: &mut Words) {
    for word in [&model.name, &model.file, &model.code] {
        words.say(word);
    }
    words.say(format_args!("{:?} {:016x}", model.contract, model.mapping_id));
    for attribute in model.fields.iter().flat_map(|field| &field.attributes) {
        words.say(&attribute.name);
        words.say(attribute.class.name());
        words.say(attribute.note.as_deref().unwrap_or_default());
        for option in &attribute.options {
            words.say(&option.label);
        }
    }
    for item in model.groups.iter().chain(&model.choices) {
        words.say(&item.code);
    }
}

/// What a contract's page is made from, but for the models that use it.
fn contract_words(contract: &Contract, words: &mut Words) {
    words.say(&contract.file);
    words.say(&contract.text);
    words.say(format_args!("{:?}", contract.not_mentioned));
}
