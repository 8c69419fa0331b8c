//! Facts: what is known of an entity and its attributes, each with its origin.

use std::collections::BTreeMap;
use std::fmt;

use cdms_odata::Kind;

/// Who stated a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The `$metadata` document, which decides which attributes exist, and their types.
    Metadata,
    /// An exported solution's `customizations.xml`.
    Solution,
    /// A reply of the SOAP organisation service.
    Soap,
    /// CRM 2011 itself: the fact is the same in every organisation.
    Product,
    /// The person who ran the import.
    Person,
}

impl Origin {
    /// Every origin.
    pub const ALL: [Origin; 5] = [Origin::Metadata, Origin::Solution, Origin::Soap, Origin::Product, Origin::Person];

    /// As a contract's comments name it.
    pub const fn name(self) -> &'static str {
        match self {
            Origin::Metadata => "$metadata",
            Origin::Solution => "solution",
            Origin::Soap => "SOAP",
            Origin::Product => "CRM 2011",
            Origin::Person => "command line",
        }
    }

    /// The origin of this name.
    pub fn named(name: &str) -> Option<Self> {
        Origin::ALL.into_iter().find(|origin| origin.name() == name)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a fact is about: a key of an attribute in a contract. The order is the one in which contracts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The attribute's kind.
    Kind,
    /// Whether it is never null, or how forms ask for it.
    Required,
    /// Whether it is never sent.
    ReadOnly,
    /// The longest text.
    MaxLength,
    /// The digits after the point.
    Scale,
    /// The time zone of a date.
    Zone,
    /// The entities that a lookup refers to.
    Target,
    /// What leads from a lookup to its records, by target.
    Navigation,
    /// The options.
    Choices,
    /// The labels of options.
    Labels,
    /// How sensitive its values are.
    Class,
    /// A comment for readers.
    Note,
}

impl Key {
    /// Every key, in order.
    pub const ALL: [Key; 12] = [
        Key::Kind,
        Key::Required,
        Key::ReadOnly,
        Key::MaxLength,
        Key::Scale,
        Key::Zone,
        Key::Target,
        Key::Navigation,
        Key::Choices,
        Key::Labels,
        Key::Class,
        Key::Note,
    ];

    /// As a contract spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Key::Kind => "kind",
            Key::Required => "required",
            Key::ReadOnly => "read-only",
            Key::MaxLength => "max-length",
            Key::Scale => "scale",
            Key::Zone => "zone",
            Key::Target => "target",
            Key::Navigation => "navigation",
            Key::Choices => "choices",
            Key::Labels => "labels",
            Key::Class => "class",
            Key::Note => "note",
        }
    }

    /// The key of this name.
    pub fn named(name: &str) -> Option<Self> {
        Key::ALL.into_iter().find(|key| key.name() == name)
    }
}

/// Options by name and number, in the order of the source.
pub(crate) type Options = Vec<(String, i32)>;

/// Texts by name.
pub(crate) type Texts = Vec<(String, String)>;

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
    /// A yes or no.
    Flag(bool),
    /// Several names.
    Names(Vec<String>),
    /// Options by name and number, in the order of the source.
    Options(Vec<(String, i32)>),
    /// Texts by name.
    Texts(Vec<(String, String)>),
}

/// A value and who stated it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The value.
    pub value: Value,
    /// Who stated it.
    pub origin: Origin,
}

/// What is known of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Facts {
    known: BTreeMap<Key, Fact>,
}

impl Facts {
    /// The fact under a key, if it is known.
    pub fn get(&self, key: Key) -> Option<&Fact> {
        self.known.get(&key)
    }

    /// States a fact.
    pub fn state(&mut self, key: Key, value: Value, origin: Origin) {
        self.known.insert(key, Fact { value, origin });
    }

    /// Forgets a fact.
    pub fn forget(&mut self, key: Key) {
        self.known.remove(&key);
    }

    /// The facts in the order of keys.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Fact)> {
        self.known.iter().map(|(key, fact)| (*key, fact))
    }

    /// The attribute's kind.
    pub fn kind(&self) -> Option<Kind> {
        match &self.get(Key::Kind)?.value {
            Value::Text(kind) => kind.parse().ok(),
            _ => None,
        }
    }

    /// The entities that a lookup refers to, as far as a source stated them.
    pub(crate) fn targets(&self) -> &[String] {
        match self.get(Key::Target).map(|fact| &fact.value) {
            Some(Value::Names(targets)) => targets,
            _ => &[],
        }
    }

    /// What leads from a lookup to its records, each after the target.
    pub(crate) fn navigation(&self) -> &[(String, String)] {
        match self.get(Key::Navigation).map(|fact| &fact.value) {
            Some(Value::Texts(by_target)) => by_target,
            _ => &[],
        }
    }

    /// The keys that no source stated and a person must look up, in order.
    pub fn open(&self) -> Vec<Key> {
        let asked = match self.kind() {
            Some(Kind::String) => Key::MaxLength,
            Some(Kind::Decimal) => Key::Scale,
            Some(Kind::Lookup) => Key::Target,
            Some(Kind::Choice | Kind::State | Kind::Status) => Key::Choices,
            Some(Kind::Date) => Key::Zone,
            // `$metadata` has one type for times and days.
            Some(Kind::DateTime) if self.get(Key::Kind).is_some_and(|fact| fact.origin == Origin::Metadata) => {
                Key::Zone
            }
            _ => return Vec::new(),
        };
        if self.get(asked).is_some() { Vec::new() } else { vec![asked] }
    }

    /// Whether the attribute can be mapped before its open questions are answered.
    pub fn is_usable(&self) -> bool {
        let needed = |key: &Key| match (self.kind(), key) {
            (Some(Kind::DateTime), _) => false,
            (_, key) => matches!(key, Key::Scale | Key::Target | Key::Zone),
        };
        !self.open().iter().any(needed)
    }
}

/// A navigation property that leads to one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Navigation {
    /// Its name.
    pub name: String,
    /// The association that it follows, which has the relationship's name.
    pub association: String,
    /// The logical name of the entity of the record.
    pub target: String,
}

/// What is known of an entity.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Entity {
    /// Its name, exactly as in `$metadata`.
    pub name: String,
    /// The set of its records, if it is not the name plus `Set`.
    pub set: Option<String>,
    /// The attribute with the record's id, if it is not the name plus `Id`.
    pub key: Option<String>,
    /// Its name as people see it, if that is known.
    pub label: Option<String>,
    /// The navigation properties that lead to one record; `None` if no source says which there are.
    pub navigation: Option<Vec<Navigation>>,
    /// Whether `$metadata` was among the sources, so that an attribute that is missing does not exist.
    pub is_whole: bool,
    /// The attributes that a contract can state, in the order of the source.
    pub attributes: Vec<(String, Facts)>,
    /// The attributes that it cannot state, each with the reason.
    pub unmapped: Vec<(String, String)>,
}

impl Entity {
    /// What is known of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&Facts> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, facts)| facts)
    }

    /// Its logical name.
    pub fn logical(&self) -> String {
        self.name.to_lowercase()
    }

    /// The name of its key.
    pub fn key(&self) -> String {
        self.key.clone().unwrap_or_else(|| format!("{}Id", self.name))
    }
}
