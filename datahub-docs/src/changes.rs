//! The comparison of two trees: what was added, removed and changed between two states of a project's mappings.
//!
//! It is shared by the page of changes and by `datahub diff`. Models are recognised by their
//! tables, then by `was`, then by their names; fields by their columns, then by `was`, then by their names. What a difference
//! means for CDMS and for callers follows from its [`Aspect`]: its [`Meaning`].

mod contract;
mod meaning;
mod model;

use std::fmt;

use datahub_derive::tree::Tree;

pub use meaning::Meaning;

/// Stands between the kind of a field and its attributes.
const FROM: &str = " from ";

/// The differences between two trees, models first, each in the order of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(pub Vec<Change>);

/// What changed since a revision of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Since {
    /// The revision, as it was given.
    pub revision: String,
    /// The differences; none if something is unread.
    pub changes: Changes,
    /// The files of that revision that have faults, because of which nothing was compared: what has faults would look as if it
    /// were new.
    pub unread: Vec<String>,
}

/// What happened to a model or a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is.
    pub subject: Subject,
    /// Its name now, or as it was if it was removed: a model's struct, or a contract's file from the project's root.
    pub name: String,
    /// What happened.
    pub turn: Turn,
    /// The differences; for what was added or removed, its fields or attributes.
    pub details: Vec<Detail>,
}

/// What can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A model.
    Model,
    /// A contract.
    Contract,
}

/// What happened to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is new.
    Added,
    /// It does not exist any more.
    Removed,
    /// It differs.
    Changed,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// The field or the attribute; empty: the model or the contract itself.
    pub part: String,
    /// What differs.
    pub aspect: Aspect,
    /// What it was; `None` if it was not there.
    pub before: Option<String>,
    /// What it is; `None` if it is not there any more.
    pub after: Option<String>,
}

/// In which respect something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aspect {
    /// Whether the field or the attribute exists; its text is what it maps to, or its kind.
    Existence,
    /// The name of the struct or of the field.
    Name,
    /// The table.
    Table,
    /// The mode: `sync`, `mirror`, `detached`.
    Mode,
    /// The contract of a model.
    Contract,
    /// Which records are the model's.
    Only,
    /// Which attributes reads keep.
    Capture,
    /// A value that is sent with every write.
    Constant,
    /// The column.
    Column,
    /// The kind of the column or of the attribute.
    Kind,
    /// The Rust type of the field, but for its `Option`.
    Type,
    /// The variants of the field's choice.
    Variants,
    /// Whether the column may be null.
    Nullable,
    /// The attributes behind the field.
    Attributes,
    /// The value that stands for a null.
    Default,
    /// The module that converts the field.
    Conversion,
    /// What a lookup refers to.
    Target,
    /// When the field is sent.
    Written,
    /// The digits after the decimal point.
    Scale,
    /// The longest text.
    MaxLength,
    /// The time zone of a date.
    Zone,
    /// Whether CDMS must have a value.
    Required,
    /// Whether the attribute is never sent.
    ReadOnly,
    /// The options.
    Options,
    /// How sensitive it is.
    Class,
    /// The group that an attribute belongs to.
    Group,
    /// Why an attribute is left out.
    Unmapped,
    /// A name that the contract states at its top, such as `set`.
    Entity,
    /// Comments: doc comments and notes.
    Comment,
}

impl Changes {
    /// What has to be done to `before` to become `after`.
    pub fn between(before: &Tree, after: &Tree) -> Self {
        let mut changes = model::changes(before, after);
        changes.extend(contract::changes(before, after));
        changes.sort_by(|one, other| (one.subject, &one.name).cmp(&(other.subject, &other.name)));
        Changes(changes)
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Change {
    /// Whether its subject is new, gone, or different, in a word.
    pub fn turn_word(&self) -> &'static str {
        self.turn.word()
    }

    /// What it is, in a word.
    pub fn subject_word(&self) -> &'static str {
        match self.subject {
            Subject::Model => "model",
            Subject::Contract => "contract",
        }
    }
}

impl Turn {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Turn::Added => "added",
            Turn::Removed => "removed",
            Turn::Changed => "changed",
        }
    }
}

impl Aspect {
    /// The words for it.
    pub const fn words(self) -> &'static str {
        match self {
            Aspect::Existence => "existence",
            Aspect::Name => "name",
            Aspect::Table => "table",
            Aspect::Mode => "mode",
            Aspect::Contract => "contract",
            Aspect::Only => "condition on records",
            Aspect::Capture => "attributes that reads keep",
            Aspect::Constant => "value sent with every write",
            Aspect::Column => "column",
            Aspect::Kind => "kind",
            Aspect::Type => "type in Rust",
            Aspect::Variants => "variants",
            Aspect::Nullable => "may be empty",
            Aspect::Attributes => "attributes",
            Aspect::Default => "value that stands for an empty attribute",
            Aspect::Conversion => "conversion",
            Aspect::Target => "what it refers to",
            Aspect::Written => "when it is sent",
            Aspect::Scale => "digits after the decimal point",
            Aspect::MaxLength => "longest text",
            Aspect::Zone => "time zone",
            Aspect::Required => "required",
            Aspect::ReadOnly => "read-only",
            Aspect::Options => "options",
            Aspect::Class => "data class",
            Aspect::Group => "group",
            Aspect::Unmapped => "reason for leaving it out",
            Aspect::Entity => "name in CDMS",
            Aspect::Comment => "comment",
        }
    }
}

/// A piece of a sentence, so that each form of output can mark code and escape text in its own way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Plain text, which may be anything that a project states.
    Text(String),
    /// A name in code.
    Code(String),
}

impl Piece {
    /// What it says, without marks.
    pub fn text(&self) -> &str {
        match self {
            Piece::Text(text) | Piece::Code(text) => text,
        }
    }
}

impl Detail {
    /// The difference in words.
    pub fn pieces(&self) -> Vec<Piece> {
        let said = match (self.aspect, &self.before, &self.after) {
            (Aspect::Existence, None, Some(after)) => format!("added ({after})"),
            (Aspect::Existence, Some(before), None) => format!("removed ({before})"),
            (Aspect::Comment, ..) => "another comment".to_owned(),
            (aspect, None, Some(after)) => format!("{}: now {after}", aspect.words()),
            (aspect, Some(before), None) => format!("{}: no longer {before}", aspect.words()),
            (aspect, before, after) => {
                let said = |side: &Option<String>| side.clone().unwrap_or_default();
                format!("{}: {} → {}", aspect.words(), said(before), said(after))
            }
        };
        if self.part.is_empty() {
            return vec![Piece::Text(said)];
        }
        vec![Piece::Code(self.part.clone()), Piece::Text(format!(": {said}"))]
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces().iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(text),
            Piece::Code(code) => write!(f, "`{code}`"),
        })
    }
}

/// How something of before and something of after are recognised as the same.
type Rule<T> = fn(&T, &T) -> bool;

/// What each of `after` was before, and what of `before` is gone. An earlier rule is stronger than a later one, and nothing
/// becomes two things.
fn paired<'t, T>(before: &'t [T], after: &[T], rules: &[Rule<T>]) -> (Vec<Option<&'t T>>, Vec<&'t T>) {
    let mut found = vec![None; after.len()];
    let mut left: Vec<&T> = before.iter().collect();
    for rule in rules {
        for (new, found) in after.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
            if let Some(at) = left.iter().position(|old| rule(old, new)) {
                *found = Some(left.remove(at));
            }
        }
    }
    (found, left)
}

/// Collects the differences of one model or contract.
#[derive(Default)]
struct Details(Vec<Detail>);

impl Details {
    /// Notes a difference, if there is one.
    fn compare(&mut self, part: &str, aspect: Aspect, before: Option<String>, after: Option<String>) {
        if before != after {
            self.0.push(Detail { part: part.to_owned(), aspect, before, after });
        }
    }

    /// Notes that something is new.
    fn added(&mut self, part: &str, what: String) {
        self.compare(part, Aspect::Existence, None, Some(what));
    }

    /// Notes that something is gone.
    fn removed(&mut self, part: &str, what: String) {
        self.compare(part, Aspect::Existence, Some(what), None);
    }

    /// The change of a subject that exists in both trees; `None` if nothing differs.
    fn changed(self, subject: Subject, name: &str) -> Option<Change> {
        let Details(details) = self;
        (!details.is_empty()).then(|| Change { subject, name: name.to_owned(), turn: Turn::Changed, details })
    }
}

fn yes(value: bool) -> Option<String> {
    Some(if value { "yes" } else { "no" }.to_owned())
}

fn listed(names: &[impl AsRef<str>]) -> Option<String> {
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn number(value: Option<u32>) -> Option<String> {
    value.map(|value| value.to_string())
}
