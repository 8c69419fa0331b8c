//! The kinds of diagnostic, each with a stable name.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// The kinds of diagnostic, each with a stable name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $variant),* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The code's name.
            pub const fn name(self) -> &'static str {
                match self { $(Code::$variant => $name),* }
            }

            /// The code as it follows the text of a message: ` [wrong-kind]`.
            pub const fn bracketed(self) -> &'static str {
                match self { $(Code::$variant => concat!(" [", $name, "]")),* }
            }
        }
    };
}

codes! {
    /// The contract is no TOML.
    FaultyToml = "faulty-toml",
    /// A key is not known here.
    UnknownKey = "unknown-key",
    /// A key that is needed is not there.
    MissingKey = "missing-key",
    /// A key's value is not of the right sort.
    WrongValue = "wrong-value",
    /// Two keys exclude each other.
    KeysExclude = "keys-exclude",
    /// An attribute is not in the contract.
    UnknownAttribute = "unknown-attribute",
    /// An attribute or key is there twice.
    MappedTwice = "mapped-twice",
    /// A group is not in the contract.
    UnknownGroup = "unknown-group",
    /// No field is the key.
    NoKey = "no-key",
    /// Two fields are the key.
    TwoKeys = "two-keys",
    /// A field cannot take the null that its attribute can have.
    Nullability = "nullability",
    /// A field that CDMS does not let be written is not marked so.
    ReadOnly = "read-only",
    /// An option is not in the contract.
    UnknownChoice = "unknown-choice",
    /// A default is longer than its attribute.
    DefaultTooLong = "default-too-long",
    /// A default stands for the null of an attribute that has none.
    DefaultOfRequired = "default-of-required",
    /// A create would lack a required attribute.
    RequiredAtCreate = "required-at-create",
    /// Two columns have one name.
    ColumnClash = "column-clash",
    /// A name cannot be a column's or table's.
    ColumnName = "column-name",
    /// A table has more columns than Diesel was built for.
    TooManyColumns = "too-many-columns",
    /// A condition cannot be read.
    OnlyDoesNotParse = "only-does-not-parse",
    /// `$metadata` does not have what the contract states.
    NotInMetadata = "not-in-metadata",
    /// A kind does not exist, or is not the one in `$metadata`.
    WrongKind = "wrong-kind",
    /// A Rust type cannot hold the kind of its attribute.
    WrongType = "wrong-type",
    /// A reference is to another model than its lookup points to.
    LookupTarget = "lookup-target",
    /// A flattened struct has other members than the contract's group.
    GroupShape = "group-shape",
    /// Two models of a program contradict each other.
    ModelsClash = "models-clash",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
