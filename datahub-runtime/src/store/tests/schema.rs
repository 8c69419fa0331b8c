//! Opening a database, creating its tables, and rejecting tables of another structure.

use datahub_model::schema::Table;

use super::*;
use crate::store::Pending;
use crate::store::connection::Connection;
use crate::store::dialect::Dialect;
use crate::store::statement::{ColumnType, Statement};
use crate::store::{Claim, StoreError, differences, engine_tables, settings, sqlite};

#[test]
fn a_models_table_is_made_with_the_statement_that_made_it_before() {
    let statement = |dialect: &Dialect| dialect.database.create_table(&Table::of(&ORGANISATION)) + "\n";
    assert_eq!(statement(&sqlite::DIALECT), include_str!("statements/model_sqlite.sql"));
    #[cfg(feature = "postgres")]
    assert_eq!(statement(&crate::store::postgres::DIALECT), include_str!("statements/model_postgres.sql"));
}

#[tokio::test]
async fn tables_can_be_made_again_and_checked() {
    let (_bench, store) = Bench::open().await;
    store.create_tables(&[&ORGANISATION]).await.unwrap();
    store.check_schema(&[&ORGANISATION], Pending::Unknown).await.unwrap();
}

#[tokio::test]
async fn checking_tables_that_are_as_they_should_be_only_reads() {
    let (bench, store) = Bench::open().await;
    let (checked, cost) = metered(store.check_schema(&[&ORGANISATION], Pending::Unknown)).await;
    checked.unwrap();
    assert_eq!(cost.transactions, 0);
    for (harm, expected) in [
        ("DROP INDEX datahub_intents_open", "lost rules that protect their contents: datahub_intents_open;"),
        ("UPDATE datahub_settings SET value = '5' WHERE name = 'schema_revision'", "have revision 5, but this program"),
    ] {
        bench.sql(harm);
        let (checked, cost) = metered(store.check_schema(&[&ORGANISATION], Pending::Unknown)).await;
        let error = checked.unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("`datahub migrate run`"), "{error}");
        assert_eq!(cost.transactions, 0, "a difference is reported and never removed");
    }
}

#[tokio::test]
async fn a_program_that_is_too_old_for_a_table_is_refused() {
    static NEWER: ModelDescriptor = ModelDescriptor { epoch: 2, ..ORGANISATION };
    let (bench, store) = Bench::open().await;
    done(&store, first_sight("Acme")).await;
    bench.sql("INSERT INTO datahub_settings (name, value) VALUES ('epoch:organisations', '2'), ('epoch:others', '9')");
    for refused in [
        store.check_schema(&[&ORGANISATION], Pending::Unknown).await,
        store.create_tables(&[&ORGANISATION]).await,
        store.load(&ORGANISATION, ID, Stage::Begins).await.map(drop),
        store.commit(first_sight("Acme Ltd")).await.map(drop),
        store.claim_pull(Claim::new(&ORGANISATION, "all"), Vec::new(), false).await.map(drop),
    ] {
        let error = refused.unwrap_err();
        assert!(matches!(error, StoreError::Outdated { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("too old for table organisations of model Organisation"), "{text}");
        assert!(text.contains("built for epoch 0") && text.contains("raised the table's epoch to 2"), "{text}");
    }
    assert!(store.load(&ORGANISATION, ID, Stage::Finishes).await.unwrap().row_present);
    assert!(store.load(&NEWER, ID, Stage::Begins).await.unwrap().row_present);
    store.check_schema(&[&NEWER], Pending::Unknown).await.unwrap();
    bench.sql("UPDATE datahub_settings SET value = 'two' WHERE name = 'epoch:organisations'");
    let error = store.load(&NEWER, ID, Stage::Begins).await.unwrap_err().to_string();
    assert!(error.contains("invalid setting epoch:organisations"), "{error}");
    bench.sql("UPDATE datahub_settings SET value = '2' WHERE name = 'epoch:organisations'");
    // Whatever the database says about a column that is gone, the epoch is the reason.
    bench.sql("ALTER TABLE organisations DROP COLUMN notes");
    let error = store.load(&ORGANISATION, ID, Stage::Begins).await.unwrap_err();
    assert!(matches!(error, StoreError::Outdated { .. }), "{error:?}");
}

#[tokio::test]
async fn tables_that_lack_nothing_are_not_made_again() {
    let (bench, store) = Bench::open().await;
    let (made, idle) = metered(store.create_tables(&[&ORGANISATION])).await;
    made.unwrap();
    bench.sql("DROP INDEX datahub_intents_open");
    let (made, busy) = metered(store.create_tables(&[&ORGANISATION])).await;
    made.unwrap();
    assert!(idle.statements < busy.statements, "{idle:?} {busy:?}");
    assert_eq!(metered(store.create_tables(&[&ORGANISATION])).await.1.statements, idle.statements);
}

#[tokio::test]
async fn the_error_for_an_empty_database_says_what_to_call() {
    let bench = Bench::empty();
    let error = bench.program().await.check_schema(&[&ORGANISATION], Pending::Unknown).await.unwrap_err();
    assert!(matches!(error, StoreError::Schema { .. }));
    assert!(error.to_string().contains("`datahub migrate run`"), "{error}");
}

#[tokio::test]
async fn a_table_of_another_shape_is_refused_by_name() {
    for (change, expected) in [
        ("DROP TABLE organisations", "no table organisations"),
        ("ALTER TABLE organisations RENAME COLUMN notes TO remarks", "has no column notes (field notes)"),
        (
            "ALTER TABLE organisations DROP COLUMN credit; ALTER TABLE organisations ADD COLUMN credit TEXT",
            "organisations.credit is declared TEXT, but kind money needs BIGINT",
        ),
        (
            "ALTER TABLE organisations DROP COLUMN big; ALTER TABLE organisations ADD COLUMN big BIGINT NOT NULL DEFAULT 0",
            "organisations.big is NOT NULL, but field big is nullable",
        ),
        ("DROP TABLE organisations; CREATE TABLE organisations (id BLOB NOT NULL)", "must consist of column id only"),
        ("ALTER TABLE datahub_history RENAME COLUMN actor TO person", "datahub_history has no column actor"),
        ("UPDATE datahub_settings SET value = '99' WHERE name = 'schema_version'", "version 99"),
    ] {
        let (bench, store) = Bench::open().await;
        bench.sql(change);
        let error = store.check_schema(&[&ORGANISATION], Pending::Unknown).await.unwrap_err().to_string();
        assert!(error.to_lowercase().contains(&expected.to_lowercase()), "{change}: {error}");
    }
}

#[tokio::test]
async fn all_differences_are_reported_at_once_with_the_cure_for_production_too() {
    static CONTACT: ModelDescriptor = ModelDescriptor {
        name: "Contact",
        table: "contacts",
        entity: Entity { name: "Contact", ..ACCOUNT },
        ..ORGANISATION
    };
    let (bench, store) = Bench::open().await;
    bench.sql(
        "ALTER TABLE organisations RENAME COLUMN notes TO remarks; ALTER TABLE organisations DROP COLUMN credit; \
         ALTER TABLE organisations ADD COLUMN credit TEXT",
    );
    let error = store.check_schema(&[&ORGANISATION, &CONTACT], Pending::Unknown).await.unwrap_err().to_string();
    for expected in [
        "no column notes",
        "credit is declared",
        "plan one for model Organisation",
        "no table contacts",
        "`datahub migrate run`",
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

/// The model with this column changed.
fn with_column(name: &str, change: impl Fn(Column) -> Column) -> &'static ModelDescriptor {
    let changed = |column: &Column| if column.name == name { change(*column) } else { *column };
    let columns: Vec<_> = ORGANISATION.columns.iter().map(changed).collect();
    Box::leak(Box::new(ModelDescriptor { columns: columns.leak(), ..ORGANISATION }))
}

#[tokio::test]
async fn what_a_columns_type_does_not_show_is_a_difference_too() {
    let (bench, store) = Bench::open().await;
    let scaled = with_column("ratio", |column| Column { scale: Some(4), ..column });
    let counted = with_column("big", |column| Column { kind: Kind::Money, ..column });
    let dated = with_column("big", |column| Column { kind: Kind::DateTime, ..column });
    let never_null = with_column("share", |column| Column { nullable: false, ..column });
    for (model, expected) in [
        (
            scaled,
            "organisations.ratio has values of kind decimal(3) or null, but field ratio expects decimal(4) or null",
        ),
        (counted, "organisations.big has values of kind bigint or null, but field big expects money or null"),
        (
            dated,
            bench.on_either("organisations.big has values of kind bigint", "declared bigint, but kind datetime needs"),
        ),
        (never_null, "organisations.share has values of kind double or null, but field share expects double:"),
    ] {
        let checked = store.check_schema(&[model], Pending::Unknown).await.unwrap_err().to_string();
        assert!(checked.contains(expected), "{checked}");
        assert_eq!(store.create_tables(&[model]).await.unwrap_err().to_string(), checked);
    }
    // As the message says to do once the values are converted.
    bench.sql("UPDATE datahub_settings SET value = 'decimal(4) or null' WHERE name = 'column:organisations.ratio'");
    store.check_schema(&[scaled], Pending::Unknown).await.unwrap();
    assert!(store.check_schema(&[&ORGANISATION], Pending::Unknown).await.is_err());
}

#[tokio::test]
async fn the_first_program_determines_the_meaning_of_an_older_table() {
    let (bench, store) = Bench::open().await;
    bench.sql("DELETE FROM datahub_settings WHERE name LIKE 'column:%'");
    let scaled = with_column("ratio", |column| Column { scale: Some(4), ..column });
    store.check_schema(&[scaled], Pending::Unknown).await.unwrap();
    let error = store.check_schema(&[&ORGANISATION], Pending::Unknown).await.unwrap_err().to_string();
    assert!(error.contains("kind decimal(4)"), "{error}");
    // A column with another type is a new column, whose meaning is recorded.
    bench.sql("ALTER TABLE organisations DROP COLUMN ratio");
    bench.sql("ALTER TABLE organisations ADD COLUMN ratio TEXT");
    let text = with_column("ratio", |column| Column { kind: Kind::String, scale: None, ..column });
    store.check_schema(&[text], Pending::Unknown).await.unwrap();
    assert_eq!(bench.count("datahub_settings WHERE value = 'string or null' AND name LIKE 'column:%.ratio'"), 1);
}

#[tokio::test]
async fn a_meaning_that_another_program_records_meanwhile_stays() {
    const RATIO: &str = "column:organisations.ratio";
    for (meanwhile, expected) in [(None, "decimal(3) or null"), (Some("decimal(9)"), "decimal(9)")] {
        let (_bench, store) = Bench::open().await;
        let noted = store.write(move |connection| {
            settings::put(connection, RATIO, "integer")?;
            let unnoted = differences::unnoted(connection, &[&ORGANISATION])?;
            if let Some(other) = meanwhile {
                settings::put(connection, RATIO, other)?;
            }
            differences::note(connection, &unnoted)?;
            settings::get(connection, RATIO)
        });
        assert_eq!(noted.await.unwrap().as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn renaming_a_table_does_not_silently_leave_the_old_one_behind() {
    static COMPANY: ModelDescriptor = ModelDescriptor { name: "Company", table: "companies", ..ORGANISATION };
    let (bench, store) = Bench::open().await;
    // Nothing is lost yet.
    let (empty, before) = Bench::open().await;
    before.create_tables(&[&COMPANY]).await.unwrap();
    assert_eq!(empty.count("companies"), 0);

    done(&store, first_sight("Acme")).await;
    for refused in [store.create_tables(&[&COMPANY]).await, store.check_schema(&[&COMPANY], Pending::Unknown).await] {
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("table organisations has the same columns"), "{error}");
        assert!(error.contains("restore `table = \"organisations\"`"), "{error}");
    }
    // Two models of the same records are not a renamed table, and neither is a table that a migration created.
    store.create_tables(&[&ORGANISATION, &COMPANY]).await.unwrap();
    bench.sql("DROP TABLE companies");
    bench.sql("CREATE TABLE companies AS SELECT * FROM organisations WHERE false");
    let error = store.create_tables(&[&COMPANY]).await.unwrap_err().to_string();
    assert!(!error.contains("same columns"), "{error}");
}

/// A program that knows no migrations tells from the epochs whether one is pending that older programs cannot live with.
#[tokio::test]
async fn the_epochs_tell_a_program_without_migrations_what_to_run() {
    static COMPANY: ModelDescriptor = ModelDescriptor { name: "Company", table: "companies", epoch: 1, ..ORGANISATION };
    static PLACE: ModelDescriptor = ModelDescriptor {
        name: "Place",
        table: "places",
        epoch: 1,
        entity: Entity { name: "Place", ..ORGANISATION.entity },
        ..ORGANISATION
    };
    static NEWER: ModelDescriptor = ModelDescriptor { epoch: 1, ..ORGANISATION };
    let (bench, store) = Bench::open().await;
    done(&store, first_sight("Acme")).await;
    let said = async |model| store.check_schema(&[model], Pending::Unknown).await.unwrap_err().to_string();
    let both = "run `datahub migrate run` and, when the older programs are gone, `datahub migrate run --contract`";
    // A table that a pending migration renames, or makes.
    for model in [&COMPANY, &PLACE] {
        let error = said(model).await;
        assert!(error.contains(both) && !error.contains("restore"), "{error}");
    }
    bench.sql("ALTER TABLE organisations RENAME COLUMN name TO title");
    let error = said(&NEWER).await;
    assert!(error.contains("no column name") && error.contains(both), "{error}");
    // A run has begun with it.
    bench.sql(
        "INSERT INTO datahub_settings (name, value) VALUES ('epoch:companies', '1'), ('epoch:organisations', '1')",
    );
    let error = said(&COMPANY).await;
    assert!(error.contains("is not finished: run `datahub migrate run --contract`"), "{error}");
    // What is missing is of a later migration, which needs no new epoch.
    let error = said(&NEWER).await;
    assert!(error.contains("`datahub migrate run`") && !error.contains("--contract"), "{error}");
}

#[tokio::test]
async fn create_tables_does_not_touch_a_table_that_does_not_fit() {
    let bench = Bench::empty();
    bench.sql("CREATE TABLE organisations (id BLOB NOT NULL PRIMARY KEY, name TEXT NOT NULL)");
    let store = bench.program().await;
    let error = store.create_tables(&[&ORGANISATION]).await.unwrap_err().to_string();
    assert!(error.contains("has no column alias"), "{error}");
    let tables = bench.on_either(
        "sqlite_master WHERE name LIKE 'datahub%'",
        "pg_tables WHERE schemaname = current_schema() AND tablename LIKE 'datahub%'",
    );
    assert_eq!(bench.count(tables), 0, "all or nothing");
}

#[tokio::test]
async fn programs_may_open_a_new_file_at_once() {
    let bench = Bench::empty();
    let options = StoreOptions { busy_timeout: Duration::from_secs(30), ..StoreOptions::default() };
    let opening = (0..8).map(|_| async {
        let store = Store::open(&bench.url(), Arc::new(bench.clock.clone()), options, Meters::default()).await.unwrap();
        store.create_tables(&[&ORGANISATION]).await.unwrap();
    });
    futures_util::future::join_all(opening).await;
}

#[tokio::test]
async fn addresses_that_cannot_work_say_why_and_keep_passwords() {
    for (url, expected) in [
        ("hub.db", "sqlite://path"),
        ("sqlite://", "missing file name"),
        ("sqlite::memory:", "in-memory"),
        ("postgres://ada:secret@no host/hub", "not a valid URL"),
        ("postgres://ada:secret@127.0.0.1:1/hub", "127.0.0.1/hub"),
        ("mysql://host/hub", "scheme"),
    ] {
        let clock = Arc::new(ManualClock::at(NOON));
        let error = Store::open(url, clock, StoreOptions::default(), Meters::default()).await.unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("secret"), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/missing/hub.db", folder.path().display());
    let clock = Arc::new(ManualClock::at(NOON));
    let error = Store::open(&url, clock, StoreOptions::default(), Meters::default()).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }));
    assert!(error.to_string().contains("missing/hub.db"), "{error}");
}

#[tokio::test]
async fn the_first_value_of_a_setting_stays() {
    let (_bench, store) = Bench::open().await;
    assert_eq!(store.put_setting_if_absent("organisation", "one").await.unwrap(), "one");
    assert_eq!(store.put_setting_if_absent("organisation", "two").await.unwrap(), "one");
}

#[test]
fn a_server_is_asked_for_durable_commits_and_bounded_statements_unless_the_address_says_otherwise() {
    let bench = Bench::empty();
    if !bench.is_on_postgres() {
        return;
    }
    let setting = |url: String, name: &str| {
        let sql = format!("SELECT current_setting('{name}')");
        with_connection(url, move |connection| connection.texts(&sql)).unwrap().remove(0)
    };
    for (name, usual, also, then) in [
        ("synchronous_commit", "on", "synchronous_commit%3Doff", "off"),
        ("statement_timeout", "30s", "statement_timeout%3D7s", "7s"),
        // A transaction that waited for its record must see what was stored in the meantime.
        ("transaction_isolation", "read committed", "default_transaction_isolation%3Dserializable", "read committed"),
        ("idle_in_transaction_session_timeout", "1min", "idle_in_transaction_session_timeout%3D2s", "2s"),
    ] {
        assert_eq!(setting(bench.url(), name), usual);
        // The address of the test's schema ends with options for the server.
        assert_eq!(setting(format!("{}%20-c%20{also}", bench.url()), name), then);
    }
}

#[tokio::test]
async fn an_upgrade_may_take_longer_than_other_statements_and_waits_no_longer_for_others() {
    let bench = Bench::empty();
    if !bench.is_on_postgres() {
        return;
    }
    // What an address requests, and what an upgrade gets.
    for (asked, statement, lock) in [
        ("statement_timeout%3D5s", ("5s", "1h"), ("0", "30s")),
        ("statement_timeout%3D3h", ("3h", "3h"), ("0", "30s")),
        ("lock_timeout%3D7s", ("30s", "1h"), ("7s", "7s")),
    ] {
        let url = format!("{}%20-c%20{asked}", bench.url());
        let options = StoreOptions { connections: Some(1), ..StoreOptions::default() };
        let store = Store::open(&url, Arc::new(bench.clock.clone()), options, Meters::default()).await.unwrap();
        let limits = |connection: &mut Connection| {
            let sql = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'), \
                       pg_backend_pid()::text";
            let rows = connection.query(&Statement::new(sql, []), &[ColumnType::Text; 3])?;
            let mut row = rows.into_iter().next().unwrap();
            Ok((row.text()?, row.text()?, row.text()?))
        };
        let upgrade = move |connection: &mut Connection| {
            let mut found = None;
            engine_tables::unhurried(connection, |connection| {
                found = Some(limits(connection)?);
                Ok(())
            })?;
            Ok(found.unwrap())
        };
        let before = store.read(limits).await.unwrap();
        let meanwhile = store.write(upgrade).await.unwrap();
        let after = store.read(limits).await.unwrap();
        assert_eq!(
            (before.0.as_str(), meanwhile.0.as_str(), after.0.as_str()),
            (statement.0, statement.1, statement.0)
        );
        assert_eq!((before.1.as_str(), meanwhile.1.as_str(), after.1.as_str()), (lock.0, lock.1, lock.0));
        // The task that drives the socket of this connection may sleep for long, so the connection is not used again.
        assert!(before.2 == meanwhile.2 && meanwhile.2 != after.2);
    }
}

/// Operations read records and intents before they write them, and an upgrade must not start in between.
#[tokio::test]
async fn an_upgrade_and_a_writer_do_not_wait_for_each_other() {
    for (read, as_left) in [
        (
            "SELECT (SELECT count(*) FROM datahub_intents) + (SELECT count(*) FROM datahub_history) FROM \
             (SELECT count(*) FROM datahub_records) AS found",
            "UPDATE datahub_settings SET value = '4' WHERE name = 'schema_revision'",
        ),
        (
            "SELECT count(*) FROM datahub_records",
            "DELETE FROM datahub_settings WHERE name = 'schema_revision'; \
         ALTER TABLE datahub_records DROP COLUMN complete_for; ALTER TABLE datahub_history DROP COLUMN erased",
        ),
    ] {
        upgraded_beside_a_writer(read, as_left).await;
    }
}

async fn upgraded_beside_a_writer(read: &'static str, as_left: &str) {
    let (bench, store) = Bench::open().await;
    if !bench.is_on_postgres() {
        return;
    }
    bench.sql(as_left);
    let (begins, begun) = std::sync::mpsc::channel();
    let (go_on, waits) = std::sync::mpsc::channel::<()>();
    let writer = store.write(move |connection| {
        connection.write(|connection| {
            connection.query(&Statement::new(read, []), &[ColumnType::BigInt])?;
            begins.send(()).unwrap();
            _ = waits.recv();
            // Takes the locks of an insert, even if there is nothing to change.
            connection.batch(
                "UPDATE datahub_records SET state = state; UPDATE datahub_intents SET verdict = verdict; \
                 UPDATE datahub_quarantine SET at = at",
            )
        })
    });
    let upgrade = async {
        begun.recv().unwrap();
        bench.program().await.create_tables(&[&ORGANISATION]).await
    };
    let locks = "pg_locks AS waiting JOIN pg_class ON pg_class.oid = waiting.relation \
                 WHERE NOT waiting.granted AND pg_class.relnamespace = current_schema()::regnamespace";
    let observer = async {
        while bench.count(locks) == 0 {
            tokio::task::yield_now().await;
        }
        drop(go_on);
    };
    let (written, upgraded, ()) = tokio::join!(writer, upgrade, observer);
    written.unwrap();
    upgraded.unwrap();
    assert_eq!(bench.count("datahub_settings WHERE name = 'schema_revision' AND value = '8'"), 1);
}
