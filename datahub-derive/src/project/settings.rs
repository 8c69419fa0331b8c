//! The settings in `datahub.toml`: the project's files, and the size of tables that its Diesel was built for.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use datahub_model::diagnostic::{Code, Diagnostic};
use datahub_model::source::{ColumnLimit, Spot, meant_among};

/// The paths of a project's files, relative to the folder of its `datahub.toml`, and the size of tables that its Diesel was
/// built for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The folder of the contracts.
    pub contracts: String,
    /// The `$metadata` snapshot, if there is one.
    pub metadata: Option<String>,
    /// The largest table of the project's Diesel.
    pub diesel_columns: ColumnLimit,
}

const KEYS: [&str; 3] = ["contracts", "metadata", "diesel-columns"];

impl Settings {
    /// Reads a `datahub.toml`.
    ///
    /// # Errors
    ///
    /// The first fault, with its line.
    pub fn parse(text: &str) -> Result<Self, Diagnostic<Spot>> {
        let fault = |code, offset, message: String| Diagnostic::<Spot>::of(code, Spot::at(text, offset), message);
        let root = DeTable::parse(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let help = "write each key on a line of its own, such as `contracts = \"mappings\"`; the file may be empty";
            fault(Code::FaultyToml, offset, error.message().replace('\n', ", ")).cure(help)
        })?;
        for key in root.get_ref().keys() {
            let (name, offset) = (key.get_ref().as_ref(), key.span().start);
            if !KEYS.contains(&name) {
                let message = format!("unknown key `{name}` in datahub.toml");
                return Err(fault(Code::UnknownKey, offset, message).cure(meant_among(name, &KEYS)));
            }
        }
        let wrong = |value: &Spanned<DeValue<'_>>, message: String, help: &str| {
            fault(Code::WrongValue, value.span().start, message).cure(help)
        };
        let path = |key: &str| match root.get_ref().get(key) {
            None => Ok(None),
            Some(value) => match value.get_ref().as_str() {
                Some(path) if !path.starts_with('/') && !path.split('/').any(|part| part == "..") => {
                    Ok(Some(path.to_owned()))
                }
                Some(path) => {
                    let message = format!("`{key}` must be inside the project, found {path:?}");
                    Err(wrong(
                        value,
                        message,
                        "write a path that is relative to the folder of datahub.toml, without `..`",
                    ))
                }
                None => Err(wrong(
                    value,
                    format!("`{key}` must be a string"),
                    "write a path that is relative to the folder of datahub.toml, without `..`",
                )),
            },
        };
        let diesel_columns = match root.get_ref().get("diesel-columns") {
            None => ColumnLimit::default(),
            Some(value) => {
                let stated = value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok());
                stated.and_then(ColumnLimit::of).ok_or_else(|| {
                    let message = "`diesel-columns` must be 32, 64 or 128".to_owned();
                    wrong(value, message, "write 64 or 128 if your Cargo.toml enables that feature of diesel, and 32 if it enables neither")
                })?
            }
        };
        Ok(Settings {
            diesel_columns,
            contracts: path("contracts")?.unwrap_or_else(|| "mappings".to_owned()),
            metadata: path("metadata")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{ColumnLimit, Settings};

    #[test]
    fn defaults_and_faults() {
        let project = Settings::parse("").unwrap();
        assert_eq!((project.contracts.as_str(), project.diesel_columns.columns()), ("mappings", 32));
        let project = Settings::parse("contracts = 'm'\nmetadata = 'm/metadata.xml'\ndiesel-columns = 128").unwrap();
        let expected = Settings {
            contracts: "m".into(),
            metadata: Some("m/metadata.xml".into()),
            diesel_columns: ColumnLimit::Columns128,
        };
        assert_eq!(project, expected);
        for (text, expected) in [
            ("contract = 'm'", "1:1\n  |\n1 | contract = 'm'\n  | ^\nhelp: did you mean `contracts`?"),
            ("contracts = '/etc'", "must be inside the project"),
            ("contracts = '../m'", "must be inside the project, found \"../m\" [wrong-value]"),
            ("contracts = 3", "must be a string"),
            ("contracts =", "[faulty-toml]"),
            ("\ndiesel-columns = 65", "2:18"),
            ("diesel-columns = '64'", "32, 64 or 128"),
        ] {
            let error = Settings::parse(text).unwrap_err().render("datahub.toml");
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
