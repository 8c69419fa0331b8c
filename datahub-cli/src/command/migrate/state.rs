//! What the folder of migrations contains, and whether its files agree with each other.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use datahub_derive::project::Project;
use datahub_migrate::{FoundFolder, Migration, SchemaHash, Snapshot, folder_of, order};
use datahub_model::schema::Database;

use super::fault::Fault;
use super::graph::Graph;
use super::journal::{self, Leftover};

/// The file with the hash of the schema.
pub(super) const HEAD: &str = "HEAD";

/// The file of the schema.
pub(super) const SCHEMA: &str = "schema.toml";

const RESTORE: &str = "restore migrations/ from version control, or run `datahub migrate rebase` after a merge";

const REBASE: &str = "run `datahub migrate rebase`";

/// What the folder of migrations contains, as far as it can be read.
pub(super) struct State {
    /// The folder.
    pub(super) folder: PathBuf,
    /// Its path from the project's root, for messages.
    pub(super) shown: String,
    /// The migrations of each database of the project.
    pub(super) migrations: Vec<(Database, Vec<Migration>)>,
    /// The text of `HEAD`, if it exists.
    pub(super) head: Option<String>,
    /// The text of the schema, if it exists.
    pub(super) schema: Option<String>,
    /// Folders that are no migrations.
    pub(super) faults: Vec<Fault>,
}

/// The schema that a plan begins with, and its hash; no hash before the first plan.
pub(super) struct Base {
    pub(super) snapshot: Snapshot,
    pub(super) hash: Option<SchemaHash>,
}

impl State {
    /// Reads the folder.
    ///
    /// # Errors
    ///
    /// A file that exists and cannot be read.
    pub(super) fn read(project: &Project) -> Result<Self, String> {
        let (folder, shown) = (project.migrations(), project.settings().migrations.clone());
        let (mut migrations, mut faults) = (Vec::new(), Vec::new());
        for database in &project.settings().databases {
            match order(folders(&folder.join(folder_of(*database)))?) {
                Ok(ordered) => migrations.push((*database, ordered)),
                Err(unreadable) => {
                    let at = format!("{shown}/{}", folder_of(*database));
                    faults.extend(unreadable.into_iter().map(|unreadable| {
                        Fault::new(format!("{at}/{}", unreadable.folder), unreadable.reason, RESTORE)
                    }));
                    migrations.push((*database, Vec::new()));
                }
            }
        }
        let (head, schema) = (text(&folder.join(HEAD))?, text(&folder.join(SCHEMA))?);
        Ok(State { folder, shown, migrations, head, schema, faults })
    }

    /// Whether there is nothing of any migration.
    pub(super) fn is_empty(&self) -> bool {
        self.head.is_none() && self.schema.is_none() && self.faults.is_empty() && self.all().next().is_none()
    }

    /// How many migrations the first database has.
    pub(super) fn count(&self) -> usize {
        self.migrations.first().map_or(0, |(_, migrations)| migrations.len())
    }

    /// The plans of all databases.
    pub(super) fn graph(&self) -> Graph {
        Graph::of(self.all())
    }

    /// The migrations of all databases.
    pub(super) fn all(&self) -> impl Iterator<Item = &Migration> {
        self.migrations.iter().flat_map(|(_, migrations)| migrations)
    }

    /// The databases without any migration, if another one has some.
    pub(super) fn joining(&self) -> Vec<Database> {
        let is_begun = self.all().next().is_some();
        let empty = self.migrations.iter().filter(|(_, migrations)| is_begun && migrations.is_empty());
        empty.map(|(database, _)| *database).collect()
    }

    /// A path in the folder, for messages.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.shown)
    }

    /// What a plan can begin with, or everything that keeps one from it.
    pub(super) fn base(&self) -> Result<Base, Vec<Fault>> {
        let mut faults = self.faults.clone();
        match journal::leftover(&self.folder) {
            Leftover::None => {}
            Leftover::Incomplete => faults.push(Fault::new(
                self.at(".plan"),
                "an earlier run was interrupted before it had changed anything",
                "run `datahub migrate new`, which removes its leftovers",
            )),
            Leftover::Complete => faults.push(Fault::new(
                self.at(".plan"),
                "an earlier run was interrupted while it moved its files into place",
                "run `datahub migrate new`, which finishes it first",
            )),
        }
        faults.extend(self.unequal_folders());
        let graph = self.graph();
        if let Some(fault) = self.two_heads(&graph) {
            faults.push(fault);
            return Err(faults);
        }
        let heads = graph.heads();
        for orphan in graph.orphans() {
            let message = "it was planned after a migration that is missing";
            faults.push(Fault::new(self.at(&orphan.name), message, RESTORE));
        }
        let base = match (&self.head, &self.schema) {
            (None, None) => match heads.first() {
                None => Ok(Base { snapshot: Snapshot::default(), hash: None }),
                Some(_) => Err(Fault::new(self.at(SCHEMA), "it is missing, and so is HEAD", RESTORE)),
            },
            (None, Some(_)) => Err(Fault::new(self.at(HEAD), "it is missing", RESTORE)),
            (Some(_), None) => Err(Fault::new(self.at(SCHEMA), "it is missing", RESTORE)),
            (Some(head), Some(schema)) => self.agreed(head, schema, &graph),
        };
        match base {
            Ok(base) if faults.is_empty() => Ok(base),
            Ok(_) => Err(faults),
            Err(fault) => {
                faults.push(fault);
                Err(faults)
            }
        }
    }

    /// What a merge has left of two branches that both planned migrations: nothing may be run before they are in order.
    pub(super) fn unfinished_merge(&self) -> Vec<Fault> {
        let files = [(HEAD, &self.head), (SCHEMA, &self.schema)];
        let marked = files.into_iter().filter(|(_, text)| text.as_deref().is_some_and(has_marks));
        let marked = marked.map(|(name, _)| {
            let message = "it has marks of an unfinished merge: two branches planned migrations";
            Fault::new(self.at(name), message, REBASE)
        });
        marked.chain(self.two_heads(&self.graph())).collect()
    }

    /// Two plans that do not know each other.
    fn two_heads(&self, graph: &Graph) -> Option<Fault> {
        let heads = graph.heads();
        let [one, other, ..] = heads.as_slice() else { return None };
        let message =
            format!("two branches planned migrations: {} and {} do not know each other", one.name, other.name);
        Some(Fault::new(self.shown.clone(), message, REBASE))
    }

    /// The schema, if `HEAD` and the last migration agree with it.
    fn agreed(&self, head: &str, schema: &str, graph: &Graph) -> Result<Base, Fault> {
        let Ok(hash) = head.trim_end().parse::<SchemaHash>() else {
            let message = if has_marks(head) || head.lines().count() > 1 {
                "it has two hashes: two branches planned migrations"
            } else {
                "it must be one line with 16 hexadecimal digits"
            };
            return Err(Fault::new(self.at(HEAD), message, RESTORE));
        };
        let snapshot =
            Snapshot::parse(schema).map_err(|error| Fault::new(self.at(SCHEMA), error.to_string(), RESTORE))?;
        let found = SchemaHash::of(schema);
        if found != hash {
            let message = format!(
                "its hash is {found}, but HEAD is {hash}: it was edited by hand, or only one of them was restored"
            );
            return Err(Fault::new(self.at(SCHEMA), message, RESTORE));
        }
        if let Some(last) = graph.heads().first().filter(|last| last.to != hash) {
            let message = format!("it is not the schema after the last migration, {}", last.name);
            return Err(Fault::new(self.at(SCHEMA), message, RESTORE));
        }
        let names: BTreeSet<_> = self.all().map(|migration| migration.name.as_str()).collect();
        if let Some(last) = snapshot.migration.as_deref().filter(|last| self.faults.is_empty() && !names.contains(last))
        {
            let message = format!("it is the schema after migration {last}, whose folder is missing");
            return Err(Fault::new(self.at(SCHEMA), message, RESTORE));
        }
        Ok(Base { snapshot, hash: Some(hash) })
    }

    /// The folders that one database has and another does not.
    fn unequal_folders(&self) -> Vec<Fault> {
        let names = |migrations: &[Migration]| -> BTreeSet<String> {
            migrations.iter().map(|migration| migration.name.clone()).collect()
        };
        let all: BTreeSet<_> = self.all().map(|migration| migration.name.clone()).collect();
        if !self.faults.is_empty() {
            return Vec::new();
        }
        let of_each = self.migrations.iter().flat_map(|(database, migrations)| {
            if migrations.is_empty() && !all.is_empty() {
                let place = self.at(folder_of(*database));
                let help = "run `datahub migrate new`, which writes one that creates the schema as it is now";
                return vec![Fault::new(place, "the database has no migrations yet", help)];
            }
            let has = names(migrations);
            // A database that joined later begins with one that creates everything at once.
            let first = has.first().cloned().unwrap_or_default();
            let missing = all.iter().filter(|name| **name > first && !has.contains(*name)).cloned();
            let missing = missing.map(|name| {
                let place = self.at(&format!("{}/{name}", folder_of(*database)));
                let help =
                    "restore it from version control, or write it: the other database has a migration of this name";
                Fault::new(place, "it is missing", help)
            });
            missing.collect()
        });
        of_each.collect()
    }
}

/// Whether a file has git's marks of a conflict.
fn has_marks(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> "))
}

/// The folders of a database's migrations, with the texts of their files; none if there is no folder.
fn folders(path: &Path) -> Result<Vec<FoundFolder>, String> {
    let fault = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fault(error)),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.map_err(fault)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // Files such as a README, and what editors and version control hide, are no migrations.
        if !entry.path().is_dir() || name.starts_with('.') {
            continue;
        }
        let (up, metadata) = (text(&entry.path().join("up.sql"))?, text(&entry.path().join("metadata.toml"))?);
        folders.push(FoundFolder { name, up, metadata });
    }
    Ok(folders)
}

/// The text of a file; `None` if it does not exist.
fn text(path: &Path) -> Result<Option<String>, String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}
