//! What would be right: every diagnostic states it.

/// What comes before the cure in every message.
pub const HELP: &str = "\nhelp: ";

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cure {
    /// In words.
    Said(String),
    /// Not in words yet.
    Unwritten(Unwritten),
}

impl Cure {
    /// The words, if they are written.
    pub fn text(&self) -> Option<&str> {
        match self {
            Cure::Said(text) => Some(text),
            Cure::Unwritten(_) => None,
        }
    }
}

impl From<&str> for Cure {
    fn from(text: &str) -> Self {
        Cure::Said(text.to_owned())
    }
}

impl From<String> for Cure {
    fn from(text: String) -> Self {
        Cure::Said(text)
    }
}

impl From<Unwritten> for Cure {
    fn from(unwritten: Unwritten) -> Self {
        Cure::Unwritten(unwritten)
    }
}

/// All cures that are still to be written, by the message that lacks one. When the last of them is written, this type is
/// removed, and a cure is a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unwritten {
    /// What the reader of TOML says.
    NoToml,
    /// "`kind` is a string, not an integer".
    OtherSort,
    /// "two options have the number 1".
    TwoOptions,
    /// "no time zone is called `Mars`", if none has a similar name.
    NoSuchZone,
    /// "`Name` is twice in the group `names`".
    TwiceInGroup,
    /// "the constant for `Name` is no string".
    ConstantOfOtherKind,
    /// "the constant for `Name` has the character …".
    ConstantOutOfDomain,
    /// "$metadata has no …", if nothing there has a similar name.
    NothingLikeItInMetadata,
    /// "the default has the character …".
    DefaultOutOfDomain,
    /// "the contract of A has no group `address`", if none has a similar name.
    NoSuchGroup,
    /// "the contract of A has no attribute `Trade`", of a choice, if none has a similar name.
    NoSuchChoice,
    /// "`Name` is of kind string, which has no options".
    NoOptions,
    /// "`Trade` has no option `food`", if there are many and none has a similar name.
    NoSuchOption,
    /// "`new` is taken by two variants".
    TwoVariants,
    /// "the condition cannot be read: …", for some of the reasons.
    Condition,
}

impl Unwritten {
    /// The cure that is stated, if there is one.
    pub fn unless(self, said: Option<String>) -> Cure {
        said.map_or(Cure::Unwritten(self), Cure::Said)
    }
}
