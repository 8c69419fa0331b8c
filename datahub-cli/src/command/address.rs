//! Which database a command works on. Its address may contain a password, so it is never printed.

use clap::Args;
use datahub_derive::project::Project;
use datahub_model::schema::Database;
use datahub_runtime::migration;

use crate::environment;

/// The variable with the address, in the environment or in `.env`, as Diesel's command has it.
const VARIABLE: &str = "DATABASE_URL";

/// Where the database is.
#[derive(Debug, Args)]
pub(crate) struct Address {
    /// The database's address: `sqlite://hub.db` or `postgres://user@host/database`.
    ///
    /// Without it, DATABASE_URL counts, from the environment or from `.env` in the project's root.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

/// A database's address, and which kind it is.
pub(crate) struct Located {
    pub(crate) url: String,
    pub(crate) database: Database,
}

impl Address {
    /// The database, as the option, the environment or `.env` says.
    pub(crate) fn locate(&self, project: &Project) -> Result<Located, String> {
        let url = match (&self.database, std::env::var(VARIABLE)) {
            (Some(url), _) => url.clone(),
            (None, Ok(url)) => url,
            (None, Err(_)) => environment::in_file(project, VARIABLE)?.ok_or_else(|| {
                format!(
                    "no database is named; pass `--database sqlite://hub.db`, or set {VARIABLE}, for example in .env"
                )
            })?,
        };
        let database = migration::database_of(&url).map_err(|error| error.to_string())?;
        Ok(Located { url, database })
    }
}
