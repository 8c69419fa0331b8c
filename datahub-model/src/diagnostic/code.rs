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
    /// The contract is not valid TOML.
    FaultyToml = "faulty-toml",
    /// A Rust file is not valid Rust.
    FaultyRust = "faulty-rust",
    /// A key is unknown here.
    UnknownKey = "unknown-key",
    /// A contract has `"?"` for a fact that a person must look up.
    OpenQuestion = "open-question",
    /// A required key is missing.
    MissingKey = "missing-key",
    /// A key's value is invalid.
    WrongValue = "wrong-value",
    /// Two keys are mutually exclusive.
    KeysExclude = "keys-exclude",
    /// An attribute is not in the contract.
    UnknownAttribute = "unknown-attribute",
    /// An attribute or key is given twice.
    MappedTwice = "mapped-twice",
    /// A group is not in the contract.
    UnknownGroup = "unknown-group",
    /// A model has no key.
    NoKey = "no-key",
    /// A model has two keys.
    TwoKeys = "two-keys",
    /// An attribute can be null, but its field cannot.
    Nullability = "nullability",
    /// A field would be written that CDMS does not accept.
    ReadOnly = "read-only",
    /// An option is not in the contract.
    UnknownChoice = "unknown-choice",
    /// A default is longer than its attribute.
    DefaultTooLong = "default-too-long",
    /// A required attribute, which is never null, has a default.
    DefaultOfRequired = "default-of-required",
    /// A create would not send a required attribute.
    RequiredAtCreate = "required-at-create",
    /// Two columns have the same name.
    ColumnClash = "column-clash",
    /// A name cannot be the name of a column or table.
    ColumnName = "column-name",
    /// A `was` names what no migration knows.
    UnknownFormerName = "unknown-former-name",
    /// A table has more columns than Diesel was built for.
    TooManyColumns = "too-many-columns",
    /// A condition is invalid.
    OnlyDoesNotParse = "only-does-not-parse",
    /// `$metadata` does not have what the contract states.
    NotInMetadata = "not-in-metadata",
    /// A running CDMS differs from the `$metadata` snapshot.
    CdmsChanged = "cdms-changed",
    /// A kind does not exist, or does not match `$metadata`.
    WrongKind = "wrong-kind",
    /// A Rust type cannot hold the kind of its attribute.
    WrongType = "wrong-type",
    /// A field refers to another model than its lookup points to.
    LookupTarget = "lookup-target",
    /// A flattened struct does not have the members of the contract's group.
    GroupShape = "group-shape",
    /// Two models of a program contradict each other.
    ModelsClash = "models-clash",
    /// A model is in no program's list.
    UnlistedModel = "unlisted-model",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
