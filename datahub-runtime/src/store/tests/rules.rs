//! Rules of the database and changes of its tables: a record that violates a rule is quarantined and does not hold up
//! others, and problems that are no record's fault are reported as what they are.

use datahub_model::schema::Table;
use datahub_protocol::{Listed, Loaded, Record, Trial, listed};

use super::*;
use crate::engine::mapping::ModelMapping;
use crate::store::page::{Page, PageStored};
use crate::store::{Claim, StoreError, Watermark};

const PARENT: Uuid = Uuid::from_u128(0xFA);

/// A record in one of CDMS's lists.
pub(super) fn listing(id: u128, name: &str, parent: Option<Uuid>) -> (Uuid, Result<Record, Fault>) {
    let mut attributes = seen(name);
    let reference = |id| Value::Lookup(cdms_odata::Reference { logical_name: "account".into(), id });
    attributes.insert("Parent", parent.map_or(Value::Null, reference));
    let facts = Facts { modified: NOON, created: None, modified_by: None };
    (Uuid::from_u128(id), Ok(Record { facts, attributes }))
}

/// Stores a page of a pull, and returns the outcome of each record.
pub(super) async fn pull(
    store: &Store,
    records: Vec<(Uuid, Result<Record, Fault>)>,
) -> Result<Vec<Listed<Fault>>, StoreError> {
    let claim = Claim::new(&ORGANISATION, "all");
    store.claim_pull(claim.clone(), Vec::new(), true).await?;
    let asked_at = store.newest_version().await?;
    let judge = move |id, loaded: &Loaded, record| {
        let mapping = ModelMapping::new(&ORGANISATION, id, "tests".into());
        listed(&mapping, loaded, record, asked_at, 0)
    };
    let (actor, program) = ("tests".to_owned(), "tests".to_owned());
    let watermark = Watermark { pages: 1, records: 1, ..Watermark::default() };
    let step = Step { operation: "pull", action: "store" };
    let page = Page { claim, actor, program, records, watermark, vouched: None, judge: Box::new(judge), step };
    match store.store_page(page).await? {
        PageStored::Done(outcomes) => Ok(outcomes.into_iter().map(|(_, listed)| listed).collect()),
        PageStored::TakenOver => panic!("taken over"),
    }
}

fn is_stored(listed: &Listed<Fault>) -> bool {
    matches!(listed, Listed::Store(..))
}

/// A database in which the parents of organisations must exist at the end of a transaction.
async fn with_deferred_parents() -> (Bench, Store) {
    let bench = Bench::empty();
    let made = |connection: &mut crate::store::connection::Connection| {
        let table = connection.dialect().database.create_table(&Table::of(&ORGANISATION));
        let rule = " REFERENCES organisations DEFERRABLE INITIALLY DEFERRED";
        let kind = if table.contains("\"parent\" UUID") { "UUID" } else { "BLOB" };
        connection.batch(&table.replace(&format!("\"parent\" {kind}"), &format!("\"parent\" {kind}{rule}")))
    };
    with_connection(bench.url(), made).unwrap();
    let store = bench.program().await;
    store.create_tables(&[&ORGANISATION]).await.unwrap();
    (bench, store)
}

#[tokio::test]
async fn a_record_that_violates_a_deferred_rule_is_quarantined_and_the_page_is_stored() {
    let (bench, store) = with_deferred_parents().await;
    // A child may come before its parent, and neither is held up by the record whose parent is missing.
    let page = vec![
        listing(1, "Child", Some(Uuid::from_u128(2))),
        listing(2, "Parent", None),
        listing(3, "Orphan", Some(PARENT)),
    ];
    let outcomes = pull(&store, page).await.unwrap();
    assert!(is_stored(&outcomes[0]) && is_stored(&outcomes[1]), "{outcomes:?}");
    assert!(matches!(outcomes[2], Listed::Quarantined(_)), "{outcomes:?}");
    assert_eq!(bench.count("organisations"), 2);
    let waiting = store.quarantine(10).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].id), (1, Uuid::from_u128(3)));
    assert!(waiting[0].reason.contains("foreign key"), "{}", waiting[0].reason);
}

#[tokio::test]
async fn a_trial_reports_what_the_commit_would_report() {
    let (bench, store) = with_deferred_parents().await;
    let version = done(&store, first_sight("Acme")).await;
    let trying = |trial| {
        let mut job = opening(at(version), 1);
        job.commit.trial = Some(trial);
        job
    };
    let mut values = vec![Value::Null; ORGANISATION.columns.len()];
    values[1] = Value::text("Acme");
    let parent = ORGANISATION.columns.iter().position(|column| column.name == "parent").unwrap();
    values[parent] = Value::Guid(PARENT);
    let refused = store.commit(trying(Trial::Put(values.clone()))).await.unwrap();
    assert!(matches!(&refused, Committed::Refused(reason) if reason.contains("foreign key")), "{refused:?}");
    // A row may reference itself.
    values[parent] = Value::Guid(ID);
    done(&store, trying(Trial::Put(values))).await;
    done(&store, closing(1, Verdict::Applied)).await;

    pull(&store, vec![listing(1, "Child", Some(ID))]).await.unwrap();
    let refused = store.commit(trying(Trial::Remove)).await.unwrap();
    assert!(matches!(&refused, Committed::Refused(reason) if reason.contains("foreign key")), "{refused:?}");
    // Without a trial the rule applies too, and the transaction is not left open.
    let refused = store.commit(tombstone(version)).await.unwrap();
    assert!(matches!(&refused, Committed::Refused(reason) if reason.contains("foreign key")), "{refused:?}");
    assert_eq!(bench.count("organisations"), 2);
    done(&store, refresh(version, "Beta")).await;
}

#[tokio::test]
async fn a_trial_reports_rules_about_other_columns_than_the_key() {
    let (bench, store) = Bench::open().await;
    let version = done(&store, first_sight("Acme")).await;
    bench.sql("CREATE UNIQUE INDEX names ON organisations (name)");
    bench.sql(
        "CREATE TABLE fans (of_name TEXT REFERENCES organisations (name) DEFERRABLE INITIALLY DEFERRED); \
         INSERT INTO fans VALUES ('Acme')",
    );
    let renaming = |name: &str| {
        let mut job = opening(at(version), 1);
        let mut values = vec![Value::Null; ORGANISATION.columns.len()];
        values[1] = Value::text(name);
        job.commit.trial = Some(Trial::Put(values));
        job
    };
    let refused = store.commit(renaming("Beta")).await.unwrap();
    assert!(matches!(&refused, Committed::Refused(reason) if reason.contains("foreign key")), "{refused:?}");
    done(&store, renaming("Acme")).await;
    done(&store, closing(1, Verdict::Applied)).await;
    let refused = store.commit(refresh(version, "Beta")).await.unwrap();
    assert!(matches!(&refused, Committed::Refused(reason) if reason.contains("foreign key")), "{refused:?}");
}

#[tokio::test]
async fn a_trigger_of_the_team_rejects_one_record_whatever_its_message() {
    let (bench, store) = Bench::open().await;
    // With messages like those of an outage and of changed tables.
    for words in ["could not open the ledger", "database is locked by accounting", "no such column: ledger"] {
        let (sqlite, postgres) = (
            format!(
                "DROP TRIGGER IF EXISTS ledger; CREATE TRIGGER ledger BEFORE INSERT ON organisations \
                 WHEN NEW.name = 'Bad' BEGIN SELECT RAISE(ABORT, '{words}'); END"
            ),
            format!(
                "CREATE OR REPLACE FUNCTION ledger() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION '{words}'; END $$; DROP TRIGGER IF EXISTS ledger ON organisations; \
                 CREATE TRIGGER ledger BEFORE INSERT ON organisations FOR EACH ROW WHEN (NEW.name = 'Bad') \
                 EXECUTE FUNCTION ledger()"
            ),
        );
        bench.sql(bench.on_either(&sqlite, &postgres));
        let outcomes = pull(&store, vec![listing(1, "Good", None), listing(2, "Bad", None)]).await.unwrap();
        assert!(matches!(outcomes[1], Listed::Quarantined(_)), "{words}: {outcomes:?}");
        let waiting = store.quarantine(10).await.unwrap();
        assert!(waiting.len() == 1 && waiting[0].reason.contains(words), "{words}: {waiting:?}");
    }
}

#[tokio::test]
async fn a_table_that_changes_while_the_program_runs_is_no_fault_of_its_records() {
    let renamed = |from, to| format!("ALTER TABLE organisations RENAME COLUMN {from} TO {to}");
    let of_file = "CREATE TRIGGER ledger BEFORE INSERT ON organisations BEGIN SELECT * FROM ledger; END".to_owned();
    let of_server = "ALTER TABLE organisations ADD COLUMN region TEXT NOT NULL DEFAULT 'x'; \
                     ALTER TABLE organisations ALTER COLUMN region DROP DEFAULT"
        .to_owned();
    for (on_file, on_server, expected) in [
        (renamed("name", "title"), renamed("name", "title"), ("name", "name")),
        (renamed("notes", "remarks"), renamed("notes", "remarks"), ("notes", "notes")),
        // A trigger that queries a missing table, and a column that the program does not set.
        (of_file, of_server, ("ledger", "region")),
        (
            "ALTER TABLE organisations RENAME TO companies".to_owned(),
            "ALTER TABLE organisations RENAME TO companies".to_owned(),
            ("organisations", "organisations"),
        ),
    ] {
        let (bench, store) = Bench::open().await;
        let version = done(&store, first_sight("Acme")).await;
        load(&store).await;
        let (change, expected) = (bench.on_either(on_file, on_server), bench.on_either(expected.0, expected.1));
        bench.sql(&change);
        let error = pull(&store, vec![listing(1, "New", None)]).await.unwrap_err();
        assert!(matches!(error, StoreError::Schema { .. }), "{change}: {error:?}");
        assert!(error.to_string().contains(expected), "{change}: {error}");
        assert_eq!(bench.count("datahub_quarantine"), 0, "{change}");
        let committed = store.commit(refresh(version, "Beta")).await.unwrap();
        assert!(matches!(committed, Committed::Unavailable(_)), "{change}: {committed:?}");
    }
}

#[tokio::test]
async fn a_full_disk_is_an_outage_and_no_fault_of_a_record() {
    let (bench, store) = Bench::open().await;
    let version = done(&store, first_sight("Acme")).await;
    if bench.is_on_postgres() {
        // The code of a server whose disk is full.
        bench.sql(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$; \
             CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON organisations FOR EACH ROW EXECUTE FUNCTION full_disk()",
        );
    } else {
        let fill =
            |connection: &mut crate::store::connection::Connection| connection.batch("PRAGMA max_page_count = 1");
        store.write(fill).await.unwrap();
    }
    let long = "x".repeat(20_000);
    let committed = store.commit(refresh(version, &long)).await.unwrap();
    assert!(matches!(committed, Committed::Unavailable(_)), "{committed:?}");
    let error = pull(&store, vec![listing(1, &long, None)]).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert_eq!(bench.count("datahub_quarantine"), 0);
    assert!(load(&store).await.row_present);
}
