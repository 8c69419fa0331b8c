//! `datahub.toml`: marks a project's root and says where its files are.

use toml::de::DeTable;

use super::nearest::meant;

/// Where a project keeps its files, relative to the folder of its `datahub.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The folder of the contracts.
    pub contracts: String,
    /// The `$metadata` snapshot, where there is one.
    pub metadata: Option<String>,
}

const KEYS: [&str; 2] = ["contracts", "metadata"];

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
        Ok(Project {
            contracts: path("contracts")?.unwrap_or_else(|| "mappings".to_owned()),
            metadata: path("metadata")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Project;

    #[test]
    fn defaults_and_faults() {
        assert_eq!(Project::parse("").unwrap().contracts, "mappings");
        let project = Project::parse("contracts = 'm'\nmetadata = 'm/metadata.xml'").unwrap();
        assert_eq!(project, Project { contracts: "m".into(), metadata: Some("m/metadata.xml".into()) });
        for (text, expected) in [
            ("contract = 'm'", "did you mean `contracts`?"),
            ("contracts = '/etc'", "outside the project"),
            ("contracts = '../m'", "outside the project"),
            ("contracts = 3", "no string"),
            ("contracts =", "expected"),
        ] {
            let error = Project::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
