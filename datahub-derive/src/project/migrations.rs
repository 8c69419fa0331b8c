//! The files of a project's migrations, as they are.

use std::path::{Path, PathBuf};
use std::{fs, io};

use datahub_model::schema::Database;

use super::{Project, Unread};

/// A folder of a migration, with the texts of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationFolder {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// `up.sql`, if it exists.
    pub up: Option<String>,
    /// `metadata.toml`, if it exists.
    pub metadata: Option<String>,
}

impl Project {
    /// The folder with the migrations of a database.
    pub fn migrations_of(&self, database: Database) -> PathBuf {
        self.migrations().join(match database {
            Database::Sqlite => "sqlite",
            Database::Postgres => "postgres",
        })
    }

    /// The folders of a database's migrations, ordered by name; none if there is no migration yet. Folders whose names
    /// begin with a dot are left out.
    ///
    /// # Errors
    ///
    /// A folder or a file cannot be read.
    pub fn migration_folders(&self, database: Database) -> Result<Vec<MigrationFolder>, Unread> {
        let folder = self.migrations_of(database);
        let unread = |path: &Path, error| Unread { path: path.to_path_buf(), error };
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unread(&folder, error)),
        };
        let mut folders = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| unread(&folder, error))?;
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if !path.is_dir() || name.starts_with('.') {
                continue;
            }
            let up = text(&path.join("up.sql"))?;
            let metadata = text(&path.join("metadata.toml"))?;
            folders.push(MigrationFolder { name, path, up, metadata });
        }
        folders.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(folders)
    }
}

/// A file's text, if the file exists.
fn text(path: &Path) -> Result<Option<String>, Unread> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Unread { path: path.to_path_buf(), error }),
    }
}
