//! The migrations of one database, from the texts of their files.

use crate::{Metadata, Phase};

/// A folder below `migrations/sqlite` or `migrations/postgres`, with the texts of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFolder {
    /// The folder's name.
    pub name: String,
    /// `up.sql`, if it exists.
    pub up: Option<String>,
    /// `metadata.toml`, if it exists.
    pub metadata: Option<String>,
}

/// A migration of one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its folder's name.
    pub name: String,
    /// What is executed.
    pub up: String,
    /// How and when.
    pub metadata: Metadata,
}

/// Why a folder is not a migration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{folder}: {reason}")]
pub struct UnreadableMigration {
    /// The folder's name.
    pub folder: String,
    /// Why, and what to do.
    pub reason: String,
}

impl Migration {
    /// The version by which Diesel's table `__diesel_schema_migrations` records it: its name up to the first `_`, without
    /// hyphens.
    pub fn version(&self) -> String {
        version(&self.name)
    }

    /// When it is executed.
    pub fn phase(&self) -> Phase {
        self.metadata.phase
    }

    /// The first folder of the plan that it belongs to.
    pub fn plan(&self) -> &str {
        self.metadata.plan.as_deref().unwrap_or(&self.name)
    }

    /// The folders that it replaces; none if it was edited since, because then it does not execute the same.
    pub fn replaces(&self) -> &[String] {
        if self.is_edited() { &[] } else { &self.metadata.replaces }
    }

    /// Whether what is executed or asked is no longer what was planned; `false` if it was written by hand.
    pub fn is_edited(&self) -> bool {
        self.metadata.planned.is_some_and(|planned| planned != self.metadata.hash_with(&self.up))
    }
}

pub(crate) fn version(name: &str) -> String {
    name.split('_').next().unwrap_or_default().replace('-', "")
}

impl TryFrom<FoundFolder> for Migration {
    type Error = UnreadableMigration;

    fn try_from(found: FoundFolder) -> Result<Self, Self::Error> {
        let FoundFolder { name, up, metadata } = found;
        let unreadable = |reason: String| UnreadableMigration { folder: name.clone(), reason };
        let number = version(&name);
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(unreadable(
                "the name of a migration must begin with a version, such as 20261130094500_add_fax".to_owned(),
            ));
        }
        let up = up.ok_or_else(|| unreadable("up.sql is missing; restore it, or delete the folder".to_owned()))?;
        let metadata = match &metadata {
            None => Metadata::default(),
            Some(text) => Metadata::parse(text).map_err(|error| unreadable(format!("metadata.toml: {error}")))?,
        };
        Ok(Migration { name, up, metadata })
    }
}

/// The migrations of one database in the order in which they are executed.
///
/// # Errors
///
/// Every folder that cannot be read, and every second folder of a version.
pub fn order(found: impl IntoIterator<Item = FoundFolder>) -> Result<Vec<Migration>, Vec<UnreadableMigration>> {
    let (mut migrations, mut unreadable) = (Vec::<Migration>::new(), Vec::new());
    for folder in found {
        match Migration::try_from(folder) {
            Ok(migration) => migrations.push(migration),
            Err(error) => unreadable.push(error),
        }
    }
    migrations.sort_by_key(|migration| (migration.version(), migration.name.clone()));
    for pair in migrations.windows(2) {
        let [one, other] = pair else { continue };
        if one.version() == other.version() {
            let reason = format!("it has the same version as {}; rename one of them", one.name);
            unreadable.push(UnreadableMigration { folder: other.name.clone(), reason });
        }
    }
    if unreadable.is_empty() { Ok(migrations) } else { Err(unreadable) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Check;

    fn found(name: &str) -> FoundFolder {
        FoundFolder { name: name.to_owned(), up: Some("SELECT 1;".to_owned()), metadata: None }
    }

    #[test]
    fn migrations_are_ordered_by_their_versions() {
        let migrations = order([found("20261130094500_b"), found("2026-11-29-094500_a")]).unwrap();
        let versions: Vec<_> = migrations.iter().map(Migration::version).collect();
        assert_eq!(versions, ["20261129094500", "20261130094500"]);
        assert_eq!(migrations[0].plan(), "2026-11-29-094500_a");
        assert!(!migrations[0].is_edited());
    }

    #[test]
    fn every_folder_that_is_no_migration_is_reported() {
        let without = FoundFolder { up: None, ..found("20261130094501_c") };
        let faulty = FoundFolder { metadata: Some("phase = 3".to_owned()), ..found("20261130094502_d") };
        let folders = [found("notes"), found("20261130094500_a"), found("20261130094500_b"), without, faulty];
        let reasons: Vec<_> = order(folders).unwrap_err().iter().map(ToString::to_string).collect();
        assert!(reasons[0].starts_with("notes: the name of a migration must begin with a version"), "{reasons:?}");
        assert!(reasons[1].starts_with("20261130094501_c: up.sql is missing"), "{reasons:?}");
        assert!(reasons[2].starts_with("20261130094502_d: metadata.toml: TOML parse error at line 1"), "{reasons:?}");
        assert_eq!(reasons[3], "20261130094500_b: it has the same version as 20261130094500_a; rename one of them");
    }

    #[test]
    fn an_edit_after_the_plan_shows() {
        let planned = Metadata { planned: Some(Metadata::default().hash_with("SELECT 1;")), ..Metadata::default() };
        let migration = Migration { metadata: planned, ..Migration::try_from(found("1_a")).unwrap() };
        assert!(!migration.is_edited());
        let told = Metadata { summary: "- nothing happens\n".to_owned(), ..migration.metadata.clone() };
        assert!(!Migration { metadata: told, ..migration.clone() }.is_edited());
        assert!(Migration { up: "SELECT 1;\nSELECT 2;".to_owned(), ..migration.clone() }.is_edited());
        let check = Check { description: "it is so".to_owned(), query: "SELECT 1".to_owned() };
        let edits = [
            Metadata { checks: vec![check], ..migration.metadata.clone() },
            Metadata { epochs: [("a".to_owned(), 1)].into(), ..migration.metadata.clone() },
            Metadata { run_in_transaction: false, ..migration.metadata.clone() },
            Metadata { phase: Phase::Contract, ..migration.metadata.clone() },
        ];
        for metadata in edits {
            assert!(Migration { metadata, ..migration.clone() }.is_edited());
        }
    }
}
