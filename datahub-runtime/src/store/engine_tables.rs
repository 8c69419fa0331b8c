//! Creates the engine's own tables, and checks them before they are used.

use std::time::Duration;

use datahub_model::ModelDescriptor;
use datahub_model::schema::engine::{
    REVISION, REVISION_SETTING, TABLES, VERSION, VERSION_BY_NAME, VERSION_IN_SHORT, VERSION_SETTING, rules,
};
use datahub_model::schema::{Table, TableColumn};

use super::connection::Connection;
use super::cure::Pending;
use super::failure::Trouble;
use super::statement::{ColumnType, Statement};
use super::{differences, epochs, settings};

/// Creates missing tables, the engine's and the models', and checks existing ones; all or nothing.
pub(crate) fn create(connection: &mut Connection, models: &[&'static ModelDescriptor]) -> Result<(), Trouble> {
    unhurried(connection, |connection| {
        bring_up_to_date(connection)?;
        epochs::check_all(connection, models)?;
        differences::make_missing(connection, models)?;
        differences::check(connection, models, &Pending::Unknown)?;
        let unnoted = differences::unnoted(connection, models)?;
        differences::note(connection, &unnoted)
    })
}

/// Checks that all tables exist and have the structure that this program needs. Changes no table, so the program's
/// database user needs no right to do so.
pub(crate) fn check(
    connection: &mut Connection,
    models: &[&'static ModelDescriptor],
    pending: &Pending,
) -> Result<(), Trouble> {
    if connection.columns_of("datahub_settings")?.is_empty() {
        return Err(Trouble::Schema(format!("there is no table datahub_settings; {CREATE}")));
    }
    let version = settings::get(connection, VERSION_SETTING)?;
    check_version(version.as_deref().unwrap_or("unknown"))?;
    let revision = revision(connection)?;
    if revision < REVISION {
        return Err(Trouble::Schema(format!(
            "the engine's tables have revision {revision}, but this program needs revision {REVISION}: plan the \
             upgrade with `datahub migrate new`, then run `datahub migrate run` as the database user that owns the tables"
        )));
    }
    let lost = lost_guards(connection)?;
    if !lost.is_empty() {
        return Err(Trouble::Schema(format!(
            "the engine's tables have lost rules that protect their contents: {}; `datahub migrate run` restores them, \
             as the database user that owns the tables",
            lost.join(", ")
        )));
    }
    let (mut lacks, mut can_be_added) = (Vec::new(), true);
    for table in &TABLES {
        let columns = missing(connection, table)?;
        can_be_added &= columns.iter().all(|column| column.nullable);
        let columns: Vec<_> = columns.iter().map(|column| column.name).collect();
        if !columns.is_empty() {
            lacks.push(format!("the engine's table {} has no column {}", table.name, columns.join(", ")));
        }
    }
    if !lacks.is_empty() {
        let cure = if can_be_added {
            "; run `datahub migrate run` as the database user that owns the tables, which adds what is missing"
        } else {
            ", so it was not created by this engine; restore it, or use a new database"
        };
        return Err(Trouble::Schema(format!("{}{cure}", lacks.join(", and "))));
    }
    epochs::check_all(connection, models)?;
    differences::check(connection, models, pending)?;
    let unnoted = differences::unnoted(connection, models)?;
    if unnoted.is_empty() {
        return Ok(());
    }
    connection.write(|connection| differences::note(connection, &unnoted))?;
    // Another program may have recorded another meaning first.
    differences::check(connection, models, pending)
}

/// What to do if the tables do not exist.
const CREATE: &str = "create the tables with `datahub migrate run`, as the database user that will own them; if no \
                      migration exists yet, `datahub migrate new` writes the first one; to try things out, call \
                      create_tables() on the hub's builder";

/// What the engine's tables lack of this program's revision.
#[derive(Debug, Default)]
pub(crate) struct Lacks {
    /// Rules that were lost, for example in a copy by a tool that copies only tables.
    pub(crate) rules: Vec<&'static str>,
    /// Tables and columns.
    pub(crate) parts: Vec<String>,
}

/// What the engine's tables lack; `None` if they are complete, if they do not exist, and if a newer program made them.
pub(crate) fn lacks(connection: &mut Connection) -> Result<Option<Lacks>, Trouble> {
    if connection.columns_of("datahub_records")?.is_empty()
        || revision(connection)? > REVISION
        || is_up_to_date(connection)?
    {
        return Ok(None);
    }
    let mut lacks = Lacks::default();
    // Tables of an older revision have not lost what they never had.
    if revision(connection)? == REVISION {
        lacks.rules = lost_guards(connection)?;
    }
    for table in &TABLES {
        if connection.columns_of(table.name)?.is_empty() {
            lacks.parts.push(table.name.to_owned());
        } else {
            let columns = missing(connection, table)?;
            lacks.parts.extend(columns.iter().map(|column| format!("{}.{}", table.name, column.name)));
        }
    }
    Ok(Some(lacks))
}

/// Adds what the engine's tables lack. The connection must not be used afterwards.
pub(crate) fn complete(connection: &mut Connection) -> Result<(), Trouble> {
    unhurried(connection, bring_up_to_date)
}

/// How long the server may take to answer a statement of an upgrade: a little more than it allows the statement to run.
const UPGRADE_TIME_MAX: Duration = Duration::from_secs(61 * 60);

/// Changes the tables in one transaction, exclusively among all programs, and without the usual time limit for
/// statements: creating an index of a long history takes longer.
pub(super) fn unhurried(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    connection.be_patient(UPGRADE_TIME_MAX);
    connection.write(|connection| {
        connection.dialect().unhurried.map_or(Ok(()), |sql| connection.batch(sql))?;
        connection.lock("datahub", ["tables".to_owned()])?;
        work(connection)
    })
}

/// Whether the engine's tables are complete, so that no program has to wait for changes to them.
fn is_up_to_date(connection: &mut Connection) -> Result<bool, Trouble> {
    if connection.columns_of("datahub_settings")?.is_empty() {
        return Ok(false);
    }
    let is_of_ours = settings::get(connection, VERSION_SETTING)?.is_some_and(|found| check_version(&found).is_ok());
    if !is_of_ours || revision(connection)? != REVISION || !lost_guards(connection)?.is_empty() {
        return Ok(false);
    }
    for table in &TABLES {
        if !missing(connection, table)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Upgrades the engine's tables, within a transaction. Does nothing if another program has done so in the meantime.
fn bring_up_to_date(connection: &mut Connection) -> Result<(), Trouble> {
    if is_up_to_date(connection)? {
        return Ok(());
    }
    // A newer program has created what it needs, and its rules may allow what the rules of this program would reject.
    if !connection.columns_of("datahub_settings")?.is_empty() && revision(connection)? > REVISION {
        let version = settings::get(connection, VERSION_SETTING)?;
        return check_version(version.as_deref().unwrap_or("unknown"));
    }
    let database = connection.dialect().database;
    for table in &TABLES {
        connection.batch(&database.create_table(table))?;
    }
    connection.dialect().alone.map_or(Ok(()), |sql| connection.batch(sql))?;
    for table in &TABLES {
        // Columns that an older revision lacks are nullable. Any other missing column means that the table is not the
        // engine's, which the check rejects.
        for column in missing(connection, table)?.into_iter().filter(|column| column.nullable) {
            connection.batch(&database.add_column(table, column))?;
        }
    }
    for table in &TABLES {
        for index in table.indexes {
            connection.batch(&database.create_index(table, index))?;
        }
    }
    connection.batch(rules(database))?;
    let version = settings::put_if_absent(connection, VERSION_SETTING, VERSION)?;
    check_version(&version)?;
    if revision(connection)? < REVISION {
        settings::put(connection, REVISION_SETTING, &REVISION.to_string())?;
    }
    Ok(())
}

/// The rules that promises depend on and that are missing, for example after a copy with a tool that copies only
/// tables.
fn lost_guards(connection: &mut Connection) -> Result<Vec<&'static str>, Trouble> {
    let dialect = connection.dialect();
    let rows = connection.query(&Statement::new(dialect.guards_there, []), &[ColumnType::Text])?;
    let there = rows.into_iter().map(|mut row| row.text()).collect::<Result<Vec<_>, _>>()?;
    let unique = TABLES.iter().flat_map(|table| table.indexes).filter(|index| index.unique).map(|index| index.name);
    let guards = unique.chain(dialect.guards.iter().copied());
    Ok(guards.filter(|guard| !there.iter().any(|name| name == guard)).collect())
}

/// The missing columns of a table.
fn missing(
    connection: &mut Connection,
    table: &'static Table<'static>,
) -> Result<Vec<&'static TableColumn<'static>>, Trouble> {
    let found = connection.columns_of(table.name)?;
    Ok(table.missing(&found).collect())
}

/// The revision of the tables. The first revision did not record it.
fn revision(connection: &mut Connection) -> Result<i64, Trouble> {
    let Some(found) = settings::get(connection, REVISION_SETTING)? else { return Ok(1) };
    found.parse().map_err(|_| Trouble::Corrupt(format!("invalid setting {REVISION_SETTING}: {found:?}")))
}

fn check_version(found: &str) -> Result<(), Trouble> {
    if [VERSION_BY_NAME, VERSION_IN_SHORT].contains(&found) {
        return Ok(());
    }
    Err(Trouble::Schema(format!(
        "the engine's tables have version {found}, but this program supports versions {VERSION_BY_NAME} and \
         {VERSION_IN_SHORT}; run the version of the program that created them"
    )))
}
