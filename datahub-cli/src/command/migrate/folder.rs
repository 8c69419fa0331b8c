//! The migrations of a project's folder.

use datahub_derive::project::Project;
use datahub_migrate::{Check, FoundFolder, Migration, order, statements};
use datahub_model::schema::Database;
use datahub_runtime::migration::{self, MigrationCheck, Migrations, Phase};

/// The migrations of a database, of which there must be some, in order.
pub(super) fn read(project: &Project, database: Database) -> Result<Vec<Migration>, String> {
    let folders = project.migration_folders(database).map_err(|error| error.to_string())?;
    let found =
        folders.into_iter().map(|folder| FoundFolder { name: folder.name, up: folder.up, metadata: folder.metadata });
    let migrations = order(found).map_err(|unreadable| {
        let faults: Vec<_> = unreadable.iter().map(|fault| fault.to_string().trim_end().to_owned()).collect();
        faults.join("\n")
    })?;
    if migrations.is_empty() { Err(none(project, database)) } else { Ok(migrations) }
}

/// The error of a project without a migration for a database.
pub(super) fn none(project: &Project, database: Database) -> String {
    let folder = project.migrations_of(database);
    let folder = folder.strip_prefix(project.root()).unwrap_or(&folder);
    format!(
        "there is no migration in {}; name the database in `databases` of datahub.toml, and write the first migration with \
         `datahub migrate new`",
        folder.display()
    )
}

/// Migrations as they are run.
pub(super) fn to_run(database: Database, migrations: &[Migration]) -> Migrations {
    Migrations::of(database, migrations.iter().map(one).collect())
}

fn one(migration: &Migration) -> migration::Migration {
    let metadata = &migration.metadata;
    let statements = statements(&migration.up).into_iter().map(|sql| sql.to_owned().into());
    migration::Migration {
        name: migration.name.clone().into(),
        plan: migration.plan().to_owned().into(),
        phase: match migration.phase() {
            datahub_migrate::Phase::Expand => Phase::Expand,
            datahub_migrate::Phase::Contract => Phase::Contract,
        },
        in_transaction: metadata.run_in_transaction,
        statements: statements.collect::<Vec<_>>().into(),
        epochs: metadata.epochs.iter().map(|(table, epoch)| (table.clone().into(), *epoch)).collect::<Vec<_>>().into(),
        checks: checks(&metadata.checks),
        replaces: migration.replaces().iter().map(|name| name.clone().into()).collect::<Vec<_>>().into(),
    }
}

/// The questions of a migration as they are asked.
pub(super) fn checks(checks: &[Check]) -> std::borrow::Cow<'static, [MigrationCheck]> {
    let check = |check: &Check| MigrationCheck {
        description: check.description.clone().into(),
        query: check.query.clone().into(),
    };
    checks.iter().map(check).collect::<Vec<_>>().into()
}
