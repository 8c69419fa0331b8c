//! `datahub.toml`: marks a project's root and says where its files are. And what a package's own manifest says of it.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::check::ColumnLimit;
use super::nearest::meant_among;
use super::spot::Spot;
use crate::diagnostic::{Code, Diagnostic};

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
    /// The first thing that is wrong with it, on its line.
    pub fn parse(text: &str) -> Result<Self, Diagnostic<Spot>> {
        let fault = |code, offset, message: String| Diagnostic::<Spot>::of(code, Spot::at(text, offset), message);
        let root = DeTable::parse(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let help = "it takes `contracts`, `metadata` and `diesel-columns`, and may be empty";
            fault(Code::FaultyToml, offset, error.message().replace('\n', ", ")).cure(help)
        })?;
        for key in root.get_ref().keys() {
            let (name, offset) = (key.get_ref().as_ref(), key.span().start);
            if !KEYS.contains(&name) {
                let message = format!("datahub.toml has no key `{name}`");
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
                    let message = format!("`{key}` is {path:?}, which is outside the project");
                    Err(wrong(value, message, "name something in the folder of datahub.toml"))
                }
                None => {
                    Err(wrong(value, format!("`{key}` is no string"), "name something in the folder of datahub.toml"))
                }
            },
        };
        let diesel_columns = match root.get_ref().get("diesel-columns") {
            None => ColumnLimit::default(),
            Some(value) => {
                let stated = value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok());
                stated.and_then(ColumnLimit::of).ok_or_else(|| {
                    let message = "`diesel-columns` is not the size of a table that Diesel can be built for".to_owned();
                    wrong(value, message, "write 32, 64 or 128, by the features of diesel in your Cargo.toml")
                })?
            }
        };
        Ok(Project {
            diesel_columns,
            contracts: path("contracts")?.unwrap_or_else(|| "mappings".to_owned()),
            metadata: path("metadata")?,
        })
    }
}

/// Whether a package's manifest names a dependency, for every target or for some; `None` for a manifest that is no TOML.
pub fn depends_on(manifest: &str, dependency: &str) -> Option<bool> {
    let manifest = DeTable::parse(manifest).ok()?;
    let among = |table: &DeTable<'_>| {
        let sections = ["dependencies", "dev-dependencies"].into_iter().filter_map(|section| table.get(section));
        let mut sections = sections.filter_map(|section| section.get_ref().as_table());
        // One that has another name here may be given its own back by `extern crate`.
        let is_renamed = |stated: &Spanned<DeValue<'_>>| {
            let package = stated.get_ref().as_table().and_then(|stated| stated.get("package"));
            package.is_some_and(|package| package.get_ref().as_str() == Some(dependency))
        };
        sections.any(|section| section.contains_key(dependency) || section.values().any(is_renamed))
    };
    let targets = manifest.get_ref().get("target").and_then(|targets| targets.get_ref().as_table());
    let mut targets = targets.into_iter().flat_map(|targets| targets.values());
    let of_a_target = targets.any(|target| target.get_ref().as_table().is_some_and(&among));
    Some(of_a_target || among(manifest.get_ref()))
}

#[cfg(test)]
mod tests {
    use super::{ColumnLimit, Project, depends_on};

    #[test]
    fn a_dependency_is_found_wherever_it_is_named() {
        for (manifest, found) in [
            ("[dependencies]\ndiesel = '2'", Some(true)),
            ("[dependencies.diesel]\nworkspace = true", Some(true)),
            ("[dev-dependencies]\ndiesel.workspace = true", Some(true)),
            ("[target.'cfg(unix)'.dependencies]\ndiesel = '2'", Some(true)),
            ("[dependencies]\nsql = { package = 'diesel', version = '2' }", Some(true)),
            ("[build-dependencies]\ndiesel = '2'", Some(false)),
            ("[dependencies]\ndiesel-async = '2'", Some(false)),
            ("[dependencies", None),
        ] {
            assert_eq!(depends_on(manifest, "diesel"), found, "{manifest}");
        }
    }

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
            ("contract = 'm'", "1:1\n  |\n1 | contract = 'm'\n  | ^\nhelp: did you mean `contracts`?"),
            ("contracts = '/etc'", "outside the project"),
            ("contracts = '../m'", "outside the project [wrong-value]"),
            ("contracts = 3", "no string"),
            ("contracts =", "[faulty-toml]"),
            ("\ndiesel-columns = 65", "2:18"),
            ("diesel-columns = '64'", "32, 64 or 128"),
        ] {
            let error = Project::parse(text).unwrap_err().render("datahub.toml");
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
