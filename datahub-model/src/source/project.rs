//! `datahub.toml`: marks a project's root and says where its files are.

use toml::de::DeTable;

use super::check::ColumnLimit;
use super::nearest::meant;

/// Where a project keeps its files, relative to the folder of its `datahub.toml`, and what its Diesel was built for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The folder of the contracts.
    pub contracts: String,
    /// The `$metadata` snapshot, where there is one.
    pub metadata: Option<String>,
    /// The widest table of the Diesel that the project builds with.
    pub diesel_columns: ColumnLimit,
}

const KEYS: [&str; 3] = ["contracts", "metadata", "diesel-columns"];

impl Project {
    /// Reads a `datahub.toml`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let root = DeTable::parse(text).map_err(|error| error.message().replace('\n', ", "))?;
        for key in root.get_ref().keys().map(|key| key.get_ref().as_ref()) {
            if !KEYS.contains(&key) {
                let help = meant(key, KEYS).map_or_else(String::new, |help| format!("; {help}"));
                return Err(format!("there is no key `{key}`{help}"));
            }
        }
        let path = |key: &str| match root.get_ref().get(key) {
            None => Ok(None),
            Some(value) => match value.get_ref().as_str() {
                Some(path) if !path.starts_with('/') && !path.split('/').any(|part| part == "..") => {
                    Ok(Some(path.to_owned()))
                }
                Some(path) => Err(format!("`{key}` is {path:?}, which is outside the project")),
                None => Err(format!("`{key}` is no string")),
            },
        };
        let diesel_columns = match root.get_ref().get("diesel-columns") {
            None => ColumnLimit::default(),
            Some(value) => {
                let stated = value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok());
                stated.and_then(ColumnLimit::of).ok_or("`diesel-columns` is 32, 64 or 128, as Diesel's features are")?
            }
        };
        Ok(Project {
            diesel_columns,
            contracts: path("contracts")?.unwrap_or_else(|| "mappings".to_owned()),
            metadata: path("metadata")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{ColumnLimit, Project};

    #[test]
    fn defaults_and_faults() {
        let project = Project::parse("").unwrap();
        assert_eq!((project.contracts.as_str(), project.diesel_columns.columns()), ("mappings", 32));
        let project = Project::parse("contracts = 'm'\nmetadata = 'm/metadata.xml'\ndiesel-columns = 128").unwrap();
        let expected = Project {
            contracts: "m".into(),
            metadata: Some("m/metadata.xml".into()),
            diesel_columns: ColumnLimit::Columns128,
        };
        assert_eq!(project, expected);
        for (text, expected) in [
            ("contract = 'm'", "did you mean `contracts`?"),
            ("contracts = '/etc'", "outside the project"),
            ("contracts = '../m'", "outside the project"),
            ("contracts = 3", "no string"),
            ("contracts =", "expected"),
            ("diesel-columns = 65", "32, 64 or 128"),
            ("diesel-columns = '64'", "32, 64 or 128"),
        ] {
            let error = Project::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
