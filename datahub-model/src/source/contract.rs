//! Contracts: TOML files that state what a CDMS entity is, as far as it is used.

mod metadata;
mod question;
mod read;

use std::sync::Arc;

use cdms_odata::Kind;

use crate::Class;
use crate::diagnostic::Spot;

pub use question::Question;

/// A contract as parsed. Faulty parts are left out, so nothing is generated from them.
#[derive(Clone, Debug, PartialEq)]
pub struct Contract {
    /// The entity type.
    pub entity: String,
    /// The set.
    pub set: String,
    /// The key attribute.
    pub key: String,
    /// The logical name.
    pub logical: String,
    /// The attribute with the time of the last change.
    pub modified: String,
    /// The attribute with the time of creation.
    pub created: String,
    /// The attribute with the user of the last change.
    pub modified_by: String,
    /// Which of its attributes reads keep; `None`: as the project says.
    pub capture: Option<Capture>,
    /// The attributes in the order of the file.
    pub attributes: Vec<ContractAttribute>,
    /// All attributes, including those with faults, as far as they are known.
    pub stated: Vec<Stated>,
    /// The groups.
    pub groups: Vec<Group>,
    /// The constants.
    pub constants: Vec<ContractConstant>,
    /// What is left out on purpose, with its reason.
    pub unmapped: Vec<(String, String, Spot)>,
    /// The places of the names at the top, by their keys.
    pub spots: Vec<(&'static str, Spot)>,
    /// What the contract leaves to be looked up, in the order of the file.
    pub questions: Vec<Question>,
    /// The names of the attributes, groups and constants that are stated with a fault and left out.
    pub faulty: Vec<String>,
    /// Whether more than that could not be read, so that nothing follows from what is missing.
    pub is_partial: bool,
    /// The names of all attributes that `$metadata` has for the entity; `None` without a snapshot that has the entity.
    pub in_metadata: Option<Arc<[String]>>,
}

/// Which of a contract's attributes reads and pulls keep in `seen`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Capture {
    /// Those that the model maps.
    #[default]
    Mapped,
    /// Every attribute that the contract declares, so that a new field finds its values without a request.
    Contract,
}

/// An attribute of a contract.
#[derive(Clone, Debug, PartialEq)]
pub struct ContractAttribute {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Whether null is a fault.
    pub required: bool,
    /// How CDMS's forms ask for a value that may be null.
    pub asked: Option<Asked>,
    /// Whether it is never sent.
    pub read_only: bool,
    /// The longest text.
    pub max_length: Option<u32>,
    /// The number of digits after the point.
    pub scale: Option<u32>,
    /// The time zone of a date.
    pub zone: Option<String>,
    /// The options.
    pub choices: Vec<(String, i32)>,
    /// The labels of options whose names do not show them; see [`label`](ContractAttribute::label).
    pub labels: Vec<(String, String)>,
    /// The logical names of a lookup's targets.
    pub targets: Vec<String>,
    /// The navigation properties that lead to a lookup's records, each after the logical name of their entity.
    pub navigations: Vec<(String, String)>,
    /// How sensitive it is.
    pub class: Class,
    /// For the docs.
    pub note: Option<String>,
    /// Its place.
    pub spot: Spot,
}

/// How CDMS's forms ask for a value that a program may leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A person should enter it.
    Recommended,
    /// A person must enter it.
    OnForms,
}

impl Asked {
    /// Every way to ask.
    pub const ALL: [Asked; 2] = [Asked::Recommended, Asked::OnForms];

    /// As a contract states it: `required = "on-forms"`.
    pub const fn name(self) -> &'static str {
        match self {
            Asked::Recommended => "recommended",
            Asked::OnForms => "on-forms",
        }
    }
}

impl ContractAttribute {
    /// The label of an option, as CDMS's forms show it; if the contract states none, the option's name in words.
    pub fn label(&self, option: &str) -> String {
        let stated = self.labels.iter().find(|(name, _)| name == option);
        stated.map_or_else(|| in_words(option), |(_, label)| label.clone())
    }
}

/// A name in words: `sole_trader` is `Sole trader`.
fn in_words(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters.map(|letter| if letter == '_' { ' ' } else { letter })).collect()
}

/// What a contract says of an attribute, in spite of its faults: enough to look it up in `$metadata`.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated {
    /// Its name.
    pub name: String,
    /// Its kind; `None` if that is missing or unknown.
    pub kind: Option<Kind>,
    /// Its place.
    pub spot: Spot,
}

/// Attributes that form one value.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its members in order, including those of groups within it.
    pub members: Vec<GroupMember>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupMember {
    /// The member's key; in a group within the group, that group's key and a dot come first.
    pub key: String,
    /// Its attribute.
    pub attribute: String,
    /// Its place.
    pub spot: Spot,
}

/// A value that is sent with every write.
#[derive(Clone, Debug, PartialEq)]
pub struct ContractConstant {
    /// The attribute.
    pub attribute: String,
    /// The value as TOML text, without quotes for a string.
    pub value: ConstantValue,
    /// Its place.
    pub spot: Spot,
}

/// A constant's value as written.
#[derive(Clone, Debug, PartialEq)]
pub enum ConstantValue {
    /// A string.
    Text(String),
    /// An integer of 32 bits, as CDMS's integers and options are.
    Integer(i32),
    /// A boolean.
    Boolean(bool),
}

impl Capture {
    /// Both ways.
    pub const ALL: [Capture; 2] = [Capture::Mapped, Capture::Contract];

    /// Its name in `datahub.toml` and in contracts.
    pub const fn name(self) -> &'static str {
        match self {
            Capture::Mapped => "mapped",
            Capture::Contract => "contract",
        }
    }
}

impl Contract {
    /// The contract of a model that does not exist in CDMS: it states no attributes, and its entity is its table.
    pub fn without_cdms(table: &str) -> Self {
        Contract {
            entity: table.to_owned(),
            set: String::new(),
            key: String::new(),
            logical: table.to_owned(),
            modified: String::new(),
            created: String::new(),
            modified_by: String::new(),
            capture: None,
            attributes: Vec::new(),
            stated: Vec::new(),
            groups: Vec::new(),
            constants: Vec::new(),
            unmapped: Vec::new(),
            spots: Vec::new(),
            questions: Vec::new(),
            faulty: Vec::new(),
            is_partial: false,
            in_metadata: None,
        }
    }

    /// Replaces a contract that could not be read at all, so that a struct's other faults are reported.
    pub fn unread() -> Self {
        Contract { set: "?".to_owned(), is_partial: true, ..Contract::without_cdms("?") }
    }

    /// The place of a name at the top; if it is not stated, the entity's place.
    pub fn spot_of(&self, key: &str) -> Spot {
        let stated = |wanted: &str| self.spots.iter().find(|(key, _)| *key == wanted).map(|(_, spot)| spot.clone());
        stated(key).or_else(|| stated("entity")).unwrap_or_default()
    }

    /// Whether a name that is missing may exist once the contract's faults are fixed.
    pub fn may_have(&self, name: &str) -> bool {
        self.is_partial || self.faulty.iter().any(|faulty| faulty == name)
    }

    /// Whether CDMS itself keeps the attribute of every record: its key, its times and its last user.
    pub fn is_engines(&self, attribute: &str) -> bool {
        [&self.key, &self.modified, &self.created, &self.modified_by].into_iter().any(|name| name == attribute)
    }

    /// Whether CDMS has an entity for it.
    pub fn is_of_cdms(&self) -> bool {
        !self.set.is_empty()
    }

    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&ContractAttribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}
