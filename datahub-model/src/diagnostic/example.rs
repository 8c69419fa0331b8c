//! Examples: for each code a small project in which it is reported, the message, and what corrects it. `datahub explain` shows
//! them, and tests hold them to what is really reported.

mod across_items;
mod contracts;
mod fields;
mod models;

use super::Code;

/// A project in which a code, and no other, is reported.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The contract, `mappings/account.toml`.
    pub contract: &'static str,
    /// The source, `src/lib.rs`.
    pub source: &'static str,
    /// The `$metadata` snapshot, `mappings/metadata.xml`, if the code is about it.
    pub metadata: Option<&'static str>,
    /// The schema after the last migration, `migrations/schema.toml`, if the code is about it.
    pub schema: Option<&'static str>,
    /// The `$metadata` of the running CDMS, if the code is about it.
    pub live: Option<&'static str>,
    /// The message.
    pub message: &'static str,
    /// What corrects it: each first text, which is in the contract, in the source or in the snapshot, becomes the second one.
    pub corrections: &'static [(&'static str, &'static str)],
}

impl Example {
    const fn of(contract: &'static str, source: &'static str) -> Self {
        Example { contract, source, metadata: None, schema: None, live: None, message: "", corrections: &[] }
    }

    const fn says(mut self, message: &'static str) -> Self {
        self.message = message;
        self
    }

    const fn corrected_by(mut self, corrections: &'static [(&'static str, &'static str)]) -> Self {
        self.corrections = corrections;
        self
    }

    /// A text of the example as it is once corrected.
    pub fn corrected(&self, text: &str) -> String {
        self.corrections.iter().fold(text.to_owned(), |text, (wrong, right)| text.replacen(wrong, right, 1))
    }

    /// The example's files, each with its path in the project.
    pub fn files(&self) -> Vec<(&'static str, &'static str)> {
        let files = [
            ("mappings/account.toml", Some(self.contract)),
            ("mappings/metadata.xml", self.metadata),
            ("migrations/schema.toml", self.schema),
            ("src/lib.rs", Some(self.source)),
        ];
        files.into_iter().filter_map(|(path, text)| Some((path, text?))).collect()
    }
}

impl Code {
    /// The example that triggers the code.
    pub const fn example(self) -> Example {
        match self {
            Code::FaultyToml => contracts::FAULTY_TOML,
            Code::FaultyRust => models::FAULTY_RUST,
            Code::UnknownKey => fields::UNKNOWN_KEY,
            Code::OpenQuestion => contracts::OPEN_QUESTION,
            Code::MissingKey => models::MISSING_KEY,
            Code::WrongValue => models::WRONG_VALUE,
            Code::KeysExclude => fields::KEYS_EXCLUDE,
            Code::UnknownAttribute => fields::UNKNOWN_ATTRIBUTE,
            Code::MappedTwice => fields::MAPPED_TWICE,
            Code::UnknownGroup => fields::UNKNOWN_GROUP,
            Code::NoKey => models::NO_KEY,
            Code::TwoKeys => models::TWO_KEYS,
            Code::Nullability => fields::NULLABILITY,
            Code::ReadOnly => fields::READ_ONLY,
            Code::UnknownChoice => across_items::UNKNOWN_CHOICE,
            Code::DefaultTooLong => fields::DEFAULT_TOO_LONG,
            Code::DefaultOfRequired => fields::DEFAULT_OF_REQUIRED,
            Code::RequiredAtCreate => models::REQUIRED_AT_CREATE,
            Code::ColumnClash => fields::COLUMN_CLASH,
            Code::ColumnName => models::COLUMN_NAME,
            Code::UnknownFormerName => fields::UNKNOWN_FORMER_NAME,
            Code::TooManyColumns => models::TOO_MANY_COLUMNS,
            Code::OnlyDoesNotParse => models::ONLY_DOES_NOT_PARSE,
            Code::NotInMetadata => contracts::NOT_IN_METADATA,
            Code::CdmsChanged => contracts::CDMS_CHANGED,
            Code::WrongKind => contracts::WRONG_KIND,
            Code::WrongType => across_items::WRONG_TYPE,
            Code::LookupTarget => across_items::LOOKUP_TARGET,
            Code::GroupShape => across_items::GROUP_SHAPE,
            Code::ModelsClash => across_items::MODELS_CLASH,
            Code::UnlistedModel => across_items::UNLISTED_MODEL,
        }
    }
}

/// A contract of these attributes.
macro_rules! contract {
    ($($line:literal)*) => {
        concat!("entity = \"Account\"\n\n[attributes]\n", $($line, "\n"),*)
    };
}
/// A model of these fields; `key` stands for the usual one.
macro_rules! model {
    (key $($line:literal)*) => {
        concat!(
            "#[derive(Clone, Debug, CdmsSynced)]\n#[cdms(mapping = \"account.toml\", table = \"organisations\")]\n",
            "pub struct Organisation {\n    #[cdms(key)]\n    pub id: Id<Organisation>,\n",
            $("    ", $line, "\n",)* "}\n"
        )
    };
    ($($line:literal)*) => { concat!($($line, "\n"),*) };
}
use {contract, model};
