//! The settings in `datahub.toml`: where a project's files are, its databases, what its reads
//! keep, and how to log in to CDMS.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use datahub_model::diagnostic::{Code, Cure, Diagnostic};
use datahub_model::schema::Database;
use datahub_model::settings::{CdmsSettings, faulty_toml, secret_key};
pub use datahub_model::source::Capture;
use datahub_model::source::{ColumnLimit, Spot, meant_among};

/// The settings of a project. Paths are relative to the folder of its `datahub.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The folder of the contracts.
    pub contracts: String,
    /// The `$metadata` snapshot, if there is one.
    pub metadata: Option<String>,
    /// The folders with the Rust source of models, groups and choices.
    pub models: Vec<String>,
    /// The folder of migrations.
    pub migrations: String,
    /// The databases that migrations are written for.
    pub databases: Vec<Database>,
    /// The folder of the generated documentation's digests.
    pub docs: String,
    /// Which attributes reads keep.
    pub capture: Capture,
    /// The largest table of the project's Diesel.
    pub diesel_columns: ColumnLimit,
    /// CDMS, and how to log in there.
    pub cdms: Option<CdmsSettings>,
}

const KEYS: [&str; 9] =
    ["contracts", "metadata", "models", "migrations", "databases", "docs", "capture", "diesel-columns", "cdms"];
const CAPTURES: [(&str, Capture); 2] =
    [(Capture::Mapped.name(), Capture::Mapped), (Capture::Contract.name(), Capture::Contract)];
const DATABASES: [(&str, Database); 2] = [("sqlite", Database::Sqlite), ("postgres", Database::Postgres)];

impl Default for Settings {
    fn default() -> Self {
        Settings {
            contracts: "mappings".to_owned(),
            metadata: None,
            models: vec!["src".to_owned()],
            migrations: "migrations".to_owned(),
            databases: vec![Database::Sqlite],
            docs: "docs/mappings".to_owned(),
            capture: Capture::Mapped,
            diesel_columns: ColumnLimit::default(),
            cdms: None,
        }
    }
}

impl Settings {
    /// Reads a `datahub.toml`.
    ///
    /// # Errors
    ///
    /// The first fault, with its line.
    pub fn parse(text: &str) -> Result<Self, Diagnostic<Spot>> {
        let help = "write each key on a line of its own, such as `contracts = \"mappings\"`; the file may be empty";
        let root = DeTable::parse(text).map_err(|error| faulty_toml(text, &error, help))?;
        let mut settings = Settings::default();
        for (key, value) in root.get_ref() {
            let stated = Stated { text, key: key.get_ref(), value };
            match stated.key {
                "contracts" => settings.contracts = stated.path()?,
                "metadata" => settings.metadata = Some(stated.path()?),
                "models" => settings.models = stated.list(Stated::path)?,
                "migrations" => settings.migrations = stated.path()?,
                "databases" => settings.databases = stated.list(|stated| stated.one_of(&DATABASES))?,
                "docs" => settings.docs = stated.path()?,
                "capture" => settings.capture = stated.one_of(&CAPTURES)?,
                "diesel-columns" => settings.diesel_columns = stated.columns()?,
                "cdms" => settings.cdms = CdmsSettings::parse(text)?,
                name => {
                    if let Some(secret) = secret_key(text, name, key.span().start) {
                        return Err(secret);
                    }
                    let message = format!("unknown key `{name}` in datahub.toml");
                    let fault = Diagnostic::of(Code::UnknownKey, Spot::at(text, key.span().start), message);
                    return Err(fault.cure(meant_among(name, &KEYS)));
                }
            }
        }
        Ok(settings)
    }
}

/// A key of `datahub.toml` and its value.
#[derive(Clone, Copy)]
struct Stated<'t> {
    text: &'t str,
    key: &'t str,
    value: &'t Spanned<DeValue<'t>>,
}

impl Stated<'_> {
    fn wrong(&self, message: impl Into<String>, help: impl Into<Cure>) -> Diagnostic<Spot> {
        Diagnostic::of(Code::WrongValue, Spot::at(self.text, self.value.span().start), message).cure(help)
    }

    /// A path inside the project.
    fn path(&self) -> Result<String, Diagnostic<Spot>> {
        let help = "write a path that is relative to the folder of datahub.toml, without `..`";
        let Some(path) = self.value.get_ref().as_str() else {
            return Err(self.wrong(format!("`{}` must be a string", self.key), help));
        };
        // Also as Windows writes paths, so that a project is as safe there.
        let separators = ['/', '\\'];
        let has_drive = path.as_bytes().get(1) == Some(&b':');
        if path.starts_with(separators) || has_drive || path.split(separators).any(|part| part == "..") {
            let message = format!("`{}` must be inside the project, found {path:?}", self.key);
            return Err(self.wrong(message, help));
        }
        Ok(path.to_owned())
    }

    /// One of these words.
    fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, Diagnostic<Spot>> {
        let names: Vec<_> = words.iter().map(|(name, _)| *name).collect();
        let said = self.value.get_ref().as_str();
        let known = said.and_then(|said| words.iter().find(|(name, _)| *name == said));
        known.map(|(_, meant)| *meant).ok_or_else(|| {
            let quoted: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
            let help =
                said.map_or_else(|| format!("write {}", quoted.join(" or ")).into(), |said| meant_among(said, &names));
            self.wrong(format!("`{}` must be {}", self.key, quoted.join(" or ")), help)
        })
    }

    /// One value, or a list of them without repetition that is not empty.
    fn list<T: PartialEq>(
        &self,
        read: impl Fn(&Self) -> Result<T, Diagnostic<Spot>>,
    ) -> Result<Vec<T>, Diagnostic<Spot>> {
        let Some(array) = self.value.get_ref().as_array() else { return Ok(vec![read(self)?]) };
        let mut list = Vec::new();
        for value in array {
            let stated = Stated { value, ..*self };
            let read = read(&stated)?;
            if list.contains(&read) {
                return Err(stated.wrong(format!("`{}` names this twice", self.key), "remove one of them"));
            }
            list.push(read);
        }
        if list.is_empty() {
            return Err(self.wrong(format!("`{}` must not be empty", self.key), "remove it for the default"));
        }
        Ok(list)
    }

    fn columns(&self) -> Result<ColumnLimit, Diagnostic<Spot>> {
        let stated = self.value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok());
        stated.and_then(ColumnLimit::of).ok_or_else(|| {
            let help =
                "write 64 or 128 if your Cargo.toml enables that feature of diesel, and 32 if it enables neither";
            self.wrong("`diesel-columns` must be 32, 64 or 128", help)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Capture, ColumnLimit, Database, Settings};

    #[test]
    fn defaults_and_faults() {
        let project = Settings::parse("").unwrap();
        assert_eq!((project.contracts.as_str(), project.diesel_columns.columns()), ("mappings", 32));
        let project = Settings::parse("contracts = 'm'\nmetadata = 'm/metadata.xml'\ndiesel-columns = 128").unwrap();
        let expected = Settings {
            contracts: "m".into(),
            metadata: Some("m/metadata.xml".into()),
            diesel_columns: ColumnLimit::Columns128,
            ..Settings::default()
        };
        assert_eq!(project, expected);
        let text = "models = ['a/src', 'b/src']\nmigrations = 'db'\ndatabases = ['postgres', 'sqlite']\n\
                    docs = 'map'\ncapture = 'contract'";
        let expected = Settings {
            models: vec!["a/src".into(), "b/src".into()],
            migrations: "db".into(),
            databases: vec![Database::Postgres, Database::Sqlite],
            docs: "map".into(),
            capture: Capture::Contract,
            ..Settings::default()
        };
        assert_eq!(Settings::parse(text).unwrap(), expected);
        assert_eq!(Settings::parse("models = 'lib'").unwrap().models, ["lib"]);
        for (text, expected) in [
            ("contract = 'm'", "1:1\n  |\n1 | contract = 'm'\n  | ^\nhelp: did you mean `contracts`?"),
            ("contracts = '/etc'", "must be inside the project"),
            ("contracts = '../m'", "must be inside the project, found \"../m\" [wrong-value]"),
            ("contracts = 3", "must be a string"),
            ("contracts =", "[faulty-toml]"),
            ("\ndiesel-columns = 65", "2:18"),
            ("diesel-columns = '64'", "32, 64 or 128"),
            ("databases = ['sqlite', 'postgre']", "1:24"),
            ("databases = 'postgre'", "help: did you mean `postgres`?"),
            ("databases = ['sqlite', 'sqlite']", "names this twice"),
            ("databases = []", "must not be empty"),
            ("models = ['src', '../other']", "must be inside the project"),
            ("password = 'canary'", "`password` must not be in datahub.toml"),
            ("password: canary", "[faulty-toml]\n --> datahub.toml:1:11\nhelp: write each key"),
            ("[cdms]\nuser = \"EXAMPLE\\canary\"", "use single quotes: `user = 'EXAMPLE\\datahub'`"),
            ("[cdms]\nlogin = 'adfs'\nuzer = 'x'", "3:1"),
            ("[cmds]\nlogin = 'adfs'", "did you mean `cdms`?"),
            ("capture = 3", "must be \"mapped\" or \"contract\""),
        ] {
            let error = Settings::parse(text).unwrap_err().render("datahub.toml");
            assert!(error.contains(expected) && !error.contains("canary"), "{text}: {error}");
        }
        let project = Settings::parse("[cdms]\nurl = 'https://crm'\nlogin = 'none'").unwrap();
        assert_eq!(project.cdms.unwrap().url, "https://crm");
    }
}
