//! A database, short migrations of it, and what a run of them says.

use std::borrow::Cow;
use std::time::Duration;

use datahub_runtime::migration::{
    Migrate, Migration, MigrationCheck, MigrationError, MigrationEvent, MigrationReport, Migrations, Phase,
};
use datahub_runtime::testing::Kit;
use tokio::sync::watch;

/// A kit whose database has no tables yet.
pub(crate) fn kit() -> Kit {
    Kit::new(example_domain::METADATA)
}

/// A migration with these statements, in one transaction, while older programs run.
pub(crate) fn migration(name: &'static str, statements: &[&'static str]) -> Migration {
    Migration {
        name: name.into(),
        plan: name.into(),
        phase: Phase::Expand,
        in_transaction: true,
        statements: statements.iter().map(|sql| Cow::Borrowed(*sql)).collect::<Vec<_>>().into(),
        epochs: Vec::new().into(),
        checks: Vec::new().into(),
        replaces: Vec::new().into(),
    }
}

/// The same, for when the older programs of a table are gone.
pub(crate) fn contract(name: &'static str, table: &'static str, epoch: u32, statements: &[&'static str]) -> Migration {
    let epochs = vec![(Cow::Borrowed(table), epoch)].into();
    Migration { phase: Phase::Contract, epochs, ..migration(name, statements) }
}

pub(crate) fn check(description: &'static str, query: &'static str) -> MigrationCheck {
    MigrationCheck { description: description.into(), query: query.into() }
}

/// Three migrations of a table of firms: made, filled one by one, and without its notes.
pub(crate) fn firms() -> Vec<Migration> {
    vec![
        migration(
            "20260101000000_firms",
            &[
                "CREATE TABLE firms (id INTEGER NOT NULL PRIMARY KEY, name TEXT, notes TEXT)",
                "INSERT INTO firms (id, name) VALUES (1, 'Acme'), (2, 'Beta')",
            ],
        ),
        Migration {
            in_transaction: false,
            ..migration(
                "20260101000001_firms_fill",
                &[
                    "UPDATE firms SET notes = 'one' WHERE id = 1",
                    "UPDATE firms SET notes = 'two' WHERE id = 2",
                    "CREATE INDEX IF NOT EXISTS firms_name ON firms (name)",
                ],
            )
        },
        contract("20260101000002_firms_contract", "firms", 1, &["ALTER TABLE firms DROP COLUMN notes"]),
    ]
}

/// The part of a renamed table's migration that gives what the engine keeps of its rows the new name, in batches.
pub(crate) fn carried() -> Vec<Migration> {
    let statements = [
        "-- in batches by id\nUPDATE datahub_records SET model = 'firms' WHERE model = 'organisations'",
        "-- in batches by sequence\nUPDATE datahub_history SET model = 'firms' WHERE model = 'organisations'",
    ];
    vec![Migration { in_transaction: false, ..contract("20260101000000_carry", "organisations", 1, &statements) }]
}

/// Adds this many entries of a table to the history.
pub(crate) fn add_history(kit: &Kit, table: &str, entries: usize) {
    let [numbers, id, at] = if kit.is_on_postgres() {
        ["SELECT generate_series(1, {}) AS i", "gen_random_uuid()", "now()"]
    } else {
        [
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i FROM n",
            "randomblob(16)",
            "0",
        ]
    };
    let numbers = numbers.replace("{}", &entries.to_string());
    kit.run_sql(&format!(
        "INSERT INTO datahub_history (entity, id, model, version, at, actor, program, origin, kind, changes, constants, \
         local, mapping_id) SELECT 'Account', {id}, '{table}', number.i, {at}, 'ada', 'web', 'hub', 'create', '[]', '{{}}', \
         '[]', 1 FROM ({numbers}) AS number"
    ))
    .unwrap();
}

/// A run of these migrations on a kit's database.
pub(crate) fn run(kit: &Kit, migrations: &[Migration]) -> Migrate {
    run_on(kit.database(), migrations)
}

pub(crate) fn run_on(address: String, migrations: &[Migration]) -> Migrate {
    let database = datahub_runtime::migration::database_of(&address).unwrap();
    Migrate::new(address, Migrations::of(database, migrations.to_vec()))
        .program("tests")
        .lease(Duration::from_secs(2))
        .patience(Duration::from_secs(20))
}

/// The names of the migrations that a run applied.
pub(crate) fn names(report: &MigrationReport) -> Vec<&str> {
    report.applied.iter().map(|applied| applied.name.as_str()).collect()
}

/// What a run says, in order.
#[derive(Clone, Default)]
pub(crate) struct Heard(watch::Sender<Vec<MigrationEvent>>);

impl Heard {
    pub(crate) fn by(&self, run: Migrate) -> Migrate {
        let heard = self.clone();
        run.on_event(move |event| heard.hear(event))
    }

    pub(crate) fn hear(&self, event: &MigrationEvent) {
        self.0.send_modify(|events| events.push(event.clone()));
    }

    pub(crate) fn all(&self) -> Vec<MigrationEvent> {
        self.0.borrow().clone()
    }

    /// Waits until a run has said something.
    pub(crate) async fn until(&self, is: impl Fn(&MigrationEvent) -> bool) {
        let mut events = self.0.subscribe();
        let said = events.wait_for(|events| events.iter().any(&is));
        let said = tokio::time::timeout(Duration::from_secs(20), said).await.map(|said| said.is_ok());
        assert_eq!(said, Ok(true), "only heard {:?}", self.all());
    }
}

/// The versions that the database has recorded.
pub(crate) fn versions(kit: &Kit) -> Vec<String> {
    let version = |row: &String| row.split('\'').nth(1).unwrap_or_default().to_owned();
    kit.rows_of("__diesel_schema_migrations").iter().map(version).collect()
}

/// The rows of the settings with this in their name.
pub(crate) fn settings(kit: &Kit, name: &str) -> Vec<String> {
    kit.rows_of("datahub_settings").into_iter().filter(|row| row.contains(name)).collect()
}

/// Asserts that a run failed, and that it says all of this.
#[track_caller]
pub(crate) fn says(result: Result<MigrationReport, MigrationError>, parts: &[&str]) -> MigrationError {
    let error = result.expect_err("the run must fail");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{text:?} does not say {part:?}");
    }
    error
}
