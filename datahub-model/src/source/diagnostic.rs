//! Diagnostics: what is wrong, where, and what would be right.

use std::fmt;

use super::contract::Spot;

/// One fault of a mapping. `P` is a place in the struct: a token's span in the derive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic<P> {
    /// What sort of fault.
    pub code: Code,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    /// Where.
    pub place: Place<P>,
}

/// Where a fault is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place<P> {
    /// In the struct.
    Source(P),
    /// In the contract.
    Contract(Spot),
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// The sorts of fault, each with a stable name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $variant),* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The code's name, as messages show it.
            pub const fn name(self) -> &'static str {
                match self { $(Code::$variant => $name),* }
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

impl<P> Diagnostic<P> {
    /// A fault in the struct.
    pub fn source(code: Code, place: P, message: impl Into<String>) -> Self {
        Diagnostic { code, message: message.into(), help: None, place: Place::Source(place) }
    }

    /// A fault in the contract.
    pub fn contract(code: Code, spot: Spot, message: impl Into<String>) -> Self {
        Diagnostic { code, message: message.into(), help: None, place: Place::Contract(spot) }
    }

    /// Says what would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what would be right, where that is known.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// Where in the contract's file it is: its line and column; a fault in the struct comes before them all.
    pub(super) fn line(&self) -> (usize, usize) {
        match &self.place {
            Place::Contract(spot) => (spot.line, spot.column),
            Place::Source(_) => (0, 0),
        }
    }

    /// The whole text. A fault in the contract shows file, line, column and the line itself.
    pub fn render(&self, contract_path: &str) -> String {
        let mut text = format!("{} [{}]", self.message, self.code);
        if let Place::Contract(spot) = &self.place {
            let Spot { line, column, text: line_text } = spot;
            let gutter = " ".repeat(line.to_string().len());
            let before = line_text.chars().take(column.saturating_sub(1));
            let indent: String = before.map(|letter| if letter == '\t' { '\t' } else { ' ' }).collect();
            text.push_str(&format!(
                "\n{gutter}--> {contract_path}:{line}:{column}\n{gutter} |\n{line} | {line_text}\n{gutter} | {indent}^"
            ));
        }
        if let Some(help) = &self.help {
            text.push_str(&format!("\nhelp: {help}"));
        }
        text
    }
}
