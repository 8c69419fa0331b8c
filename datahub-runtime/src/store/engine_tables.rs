//! The engine's own tables, all prefixed `datahub_`: made, and checked before they are used.

use std::time::Duration;

use datahub_model::ModelDescriptor;

use super::connection::Connection;
use super::dialect::Dialect;
use super::failure::Trouble;
use super::statement::ColumnType::{self, BigInt, Guid, Instant, Text};
use super::statement::Statement;
use super::{differences, settings};

/// The version of the tables below. A program refuses tables of another version.
const SCHEMA_VERSION: &str = "1";

const SCHEMA_SETTING: &str = "schema_version";

/// The revision of that version. Revisions only add: tables, columns that may be null, indexes. So programs of different
/// revisions work side by side, and the first program of a newer one adds what is missing.
///
/// 2: watermarks, erasures, `datahub_history.erased`, `datahub_records.complete_for`.
/// 3: nothing replaces a row of the history, and an erasure leaves no value in it.
/// 4: `datahub_intents.finished`, and an index over writes that are not finished.
/// 5: an index over what the history tells of a write.
/// 6: `datahub_intents.quiet_until`.
const SCHEMA_REVISION: i64 = 6;

const REVISION_SETTING: &str = "schema_revision";

struct Table {
    name: &'static str,
    columns: &'static [(&'static str, ColumnType, Null)],
    /// What stands after the columns.
    rest: &'static str,
}

#[derive(Clone, Copy)]
enum Null {
    Never,
    Allowed,
    /// The database numbers the rows by this column.
    Numbered,
}
use Null::{Allowed, Never, Numbered};

const TABLES: [Table; 7] = [
    Table {
        name: "datahub_records",
        columns: &[
            ("model", Text, Never),
            ("id", Guid, Never),
            ("modified", Instant, Never),
            ("created", Instant, Allowed),
            ("modified_by", Guid, Allowed),
            ("seen", Text, Never),
            ("mapping_id", BigInt, Never),
            ("version", BigInt, Never),
            ("state", Text, Never),
            ("reason", Text, Allowed),
            ("complete_for", Text, Allowed),
        ],
        rest: ", PRIMARY KEY (model, id), CHECK (state IN ('row', 'tombstone'))",
    },
    Table {
        name: "datahub_intents",
        columns: &[
            ("operation", Guid, Never),
            ("entity", Text, Never),
            ("id", Guid, Never),
            ("model", Text, Never),
            ("write", Text, Never),
            ("body", Text, Never),
            ("local", Text, Allowed),
            ("actor", Text, Never),
            ("program", Text, Never),
            ("lease_holder", Guid, Never),
            ("lease_until", Instant, Never),
            ("opened_at", Instant, Never),
            ("closed_at", Instant, Allowed),
            ("verdict", Text, Allowed),
            ("mapping_id", BigInt, Never),
            ("finished", BigInt, Allowed),
            ("quiet_until", Instant, Allowed),
        ],
        rest: ", PRIMARY KEY (operation)",
    },
    Table {
        name: "datahub_history",
        columns: &[
            ("sequence", BigInt, Numbered),
            ("entity", Text, Never),
            ("id", Guid, Never),
            ("model", Text, Never),
            ("version", BigInt, Never),
            ("at", Instant, Never),
            ("actor", Text, Never),
            ("program", Text, Never),
            ("origin", Text, Never),
            ("kind", Text, Never),
            ("operation", Guid, Allowed),
            ("changes", Text, Never),
            ("constants", Text, Never),
            ("local", Text, Never),
            ("mapping_id", BigInt, Never),
            ("modified", Instant, Allowed),
            ("modified_by", Guid, Allowed),
            ("skew_ms", BigInt, Allowed),
            ("erased", BigInt, Allowed),
        ],
        rest: "",
    },
    Table {
        name: "datahub_erasures",
        columns: &[
            ("sequence", BigInt, Numbered),
            ("entity", Text, Never),
            ("id", Guid, Never),
            ("at", Instant, Never),
            ("actor", Text, Never),
            ("program", Text, Never),
            ("reason", Text, Never),
        ],
        rest: "",
    },
    Table {
        name: "datahub_watermarks",
        columns: &[
            ("model", Text, Never),
            ("mapping_id", BigInt, Never),
            ("run", Guid, Never),
            ("next", Text, Allowed),
            ("pages", BigInt, Never),
            ("records", BigInt, Never),
            ("stored_at", Instant, Never),
        ],
        rest: ", PRIMARY KEY (model)",
    },
    Table {
        name: "datahub_quarantine",
        columns: &[
            ("entity", Text, Never),
            ("id", Guid, Never),
            ("model", Text, Never),
            ("reason", Text, Never),
            ("at", Instant, Never),
            ("operation", Guid, Allowed),
            ("orphan_of", Guid, Allowed),
        ],
        rest: ", PRIMARY KEY (model, id)",
    },
    Table {
        name: "datahub_settings",
        columns: &[("name", Text, Never), ("value", Text, Never)],
        rest: ", PRIMARY KEY (name)",
    },
];

/// Indexes. The first is the lock between programs: one open write per record.
const AFTERWARDS: [&str; 6] = [
    "CREATE UNIQUE INDEX IF NOT EXISTS datahub_intents_open ON datahub_intents (entity, id) WHERE verdict IS NULL",
    "CREATE INDEX IF NOT EXISTS datahub_intents_record ON datahub_intents (entity, id)",
    "CREATE INDEX IF NOT EXISTS datahub_intents_unfinished ON datahub_intents (entity, id) WHERE finished IS NULL",
    "CREATE INDEX IF NOT EXISTS datahub_intents_age ON datahub_intents (closed_at)",
    "CREATE INDEX IF NOT EXISTS datahub_history_record ON datahub_history (entity, id, sequence)",
    "CREATE INDEX IF NOT EXISTS datahub_history_operation ON datahub_history (operation) WHERE operation IS NOT NULL",
];

/// Makes the tables that are missing, the engine's and the models', and checks those that are there; all or nothing.
pub(crate) fn create(connection: &mut Connection, models: &[&'static ModelDescriptor]) -> Result<(), Trouble> {
    unhurried(connection, |connection| {
        bring_up_to_date(connection)?;
        differences::make_missing(connection, models)?;
        differences::check(connection, models)?;
        let unnoted = differences::unnoted(connection, models)?;
        differences::note(connection, &unnoted)
    })
}

/// Checks that all tables are there and of the shape that this program needs. Engine tables of an older revision get what
/// they lack.
pub(crate) fn check(connection: &mut Connection, models: &[&'static ModelDescriptor]) -> Result<(), Trouble> {
    if connection.columns_of("datahub_settings")?.is_empty() {
        return Err(Trouble::Schema(
            "there is no table datahub_settings; connect once with create_tables() on the hub's builder, as the database \
             user who is to own the tables: it makes what is missing, and changes nothing that is there"
                .to_owned(),
        ));
    }
    let version = settings::get(connection, SCHEMA_SETTING)?;
    check_version(version.as_deref().unwrap_or("unknown"))?;
    let revision = revision(connection)?;
    let lost = lost_guards(connection)?;
    if !lost.is_empty() && revision >= SCHEMA_REVISION {
        tracing::warn!(lost = lost.join(", "), "the engine's tables had lost rules, which are made again");
    }
    if revision < SCHEMA_REVISION || !lost.is_empty() {
        tracing::info!(revision, "the engine's tables get what they lack, which takes a while in a large database");
        unhurried(connection, bring_up_to_date).map_err(|trouble| match trouble {
            Trouble::Other(reason) | Trouble::Refused(reason) | Trouble::Rights(reason) => Trouble::Schema(format!(
                "the engine's tables have revision {revision} and lack {}, this program needs revision \
                 {SCHEMA_REVISION}, and adding what is missing failed: {reason}; connect once as the database user who \
                 owns the tables",
                if lost.is_empty() { "no rule".to_owned() } else { lost.join(", ") }
            )),
            Trouble::Unavailable(reason) => Trouble::Unavailable(format!(
                "{reason}; the engine's tables were to get what they lack, and another program may be at that: connect \
                 again in a while"
            )),
            trouble => trouble,
        })?;
    }
    let mut lacks = Vec::new();
    for table in &TABLES {
        let columns = missing(connection, table)?;
        if !columns.is_empty() {
            lacks.push(format!("the engine's table {} has no column {}", table.name, columns.join(", ")));
        }
    }
    if !lacks.is_empty() {
        let reason = format!("{}, so it is of another make; restore it, or use a new database", lacks.join(", and "));
        return Err(Trouble::Schema(reason));
    }
    differences::check(connection, models)?;
    let unnoted = differences::unnoted(connection, models)?;
    if unnoted.is_empty() {
        return Ok(());
    }
    connection.write(|connection| differences::note(connection, &unnoted))?;
    // Another program may have noted something else first.
    differences::check(connection, models)
}

/// How long the server may owe an answer to a statement of an upgrade: a little more than it lets one take.
const UPGRADE_TIME_MAX: Duration = Duration::from_secs(61 * 60);

/// Works on the tables, alone among all programs, in one transaction: an index over a long history is not made in the time
/// that other statements have.
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

/// Whether the engine's tables lack nothing, so that nobody has to wait for changes to them.
fn is_up_to_date(connection: &mut Connection) -> Result<bool, Trouble> {
    if connection.columns_of("datahub_settings")?.is_empty() {
        return Ok(false);
    }
    let is_of_ours = settings::get(connection, SCHEMA_SETTING)?.as_deref() == Some(SCHEMA_VERSION);
    if !is_of_ours || revision(connection)? != SCHEMA_REVISION || !lost_guards(connection)?.is_empty() {
        return Ok(false);
    }
    for table in &TABLES {
        if !missing(connection, table)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes what the engine's tables lack, within a transaction; nothing where another program has done so meanwhile.
fn bring_up_to_date(connection: &mut Connection) -> Result<(), Trouble> {
    if is_up_to_date(connection)? {
        return Ok(());
    }
    // A newer program has made what it needs, and its rules may allow what this one's would refuse.
    if !connection.columns_of("datahub_settings")?.is_empty() && revision(connection)? > SCHEMA_REVISION {
        let version = settings::get(connection, SCHEMA_SETTING)?;
        return check_version(version.as_deref().unwrap_or("unknown"));
    }
    for table in &TABLES {
        connection.batch(&create_table(connection.dialect(), table))?;
    }
    connection.dialect().alone.map_or(Ok(()), |sql| connection.batch(sql))?;
    for table in &TABLES {
        let missing = missing(connection, table)?;
        // What an older revision lacks may be null; anything else is a table of another make, which the check refuses.
        for (name, kind, _) in
            table.columns.iter().filter(|(name, _, null)| matches!(null, Allowed) && missing.contains(name))
        {
            connection.batch(&add_column(connection.dialect(), table, name, *kind))?;
        }
    }
    for index in AFTERWARDS {
        connection.batch(index)?;
    }
    connection.batch(connection.dialect().engine_extras)?;
    let version = settings::put_if_absent(connection, SCHEMA_SETTING, SCHEMA_VERSION)?;
    check_version(&version)?;
    if revision(connection)? < SCHEMA_REVISION {
        settings::put(connection, REVISION_SETTING, &SCHEMA_REVISION.to_string())?;
    }
    Ok(())
}

/// The rules on which promises rest and that are not in force, as after a copy by a tool that copies tables alone.
fn lost_guards(connection: &mut Connection) -> Result<Vec<&'static str>, Trouble> {
    let dialect = connection.dialect();
    let rows = connection.query(&Statement::new(dialect.guards_there, []), &[Text])?;
    let there = rows.into_iter().map(|mut row| row.text()).collect::<Result<Vec<_>, _>>()?;
    Ok(dialect.guards.iter().copied().filter(|guard| !there.iter().any(|name| name == guard)).collect())
}

/// The columns that a table lacks.
fn missing(connection: &mut Connection, table: &Table) -> Result<Vec<&'static str>, Trouble> {
    let found = connection.columns_of(table.name)?;
    let lacks = |name: &str| !found.iter().any(|found| found.name == name);
    Ok(table.columns.iter().map(|(name, ..)| *name).filter(|name| lacks(name)).collect())
}

/// The revision of the tables; the first one did not say so.
fn revision(connection: &mut Connection) -> Result<i64, Trouble> {
    let Some(found) = settings::get(connection, REVISION_SETTING)? else { return Ok(1) };
    found.parse().map_err(|_| Trouble::Corrupt(format!("the setting {REVISION_SETTING} is {found:?}")))
}

fn check_version(found: &str) -> Result<(), Trouble> {
    if found == SCHEMA_VERSION {
        return Ok(());
    }
    Err(Trouble::Schema(format!(
        "the engine's tables have version {found}, and this program knows version {SCHEMA_VERSION}; \
         run the version of the program that made them"
    )))
}

fn add_column(dialect: &Dialect, table: &Table, name: &str, kind: ColumnType) -> String {
    format!("ALTER TABLE {} ADD COLUMN {name} {}", table.name, (dialect.declared)(kind))
}

fn create_table(dialect: &Dialect, table: &Table) -> String {
    let columns = table.columns.iter().map(|(name, kind, null)| match null {
        Never => format!("{name} {} NOT NULL", (dialect.declared)(*kind)),
        Allowed => format!("{name} {}", (dialect.declared)(*kind)),
        Numbered => format!("{name} {}", dialect.numbered_key),
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    format!("CREATE TABLE IF NOT EXISTS {} ({columns}{})", table.name, table.rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every statement that makes the engine's tables or adds to them, each with a line's end behind it.
    fn statements(dialect: &Dialect) -> String {
        let mut statements: Vec<_> = TABLES.iter().map(|table| create_table(dialect, table)).collect();
        for table in &TABLES {
            let addable = table.columns.iter().filter(|(.., null)| matches!(null, Allowed));
            statements.extend(addable.map(|(name, kind, _)| add_column(dialect, table, name, *kind)));
        }
        statements.extend(AFTERWARDS.map(str::to_owned));
        statements.push(dialect.engine_extras.to_owned());
        statements.into_iter().map(|statement| statement + "\n").collect()
    }

    #[test]
    fn the_engines_tables_are_made_with_the_statements_that_made_them_before() {
        assert_eq!(statements(&crate::store::sqlite::DIALECT), include_str!("tests/statements/engine_sqlite.sql"));
        #[cfg(feature = "postgres")]
        assert_eq!(statements(&crate::store::postgres::DIALECT), include_str!("tests/statements/engine_postgres.sql"));
    }
}
