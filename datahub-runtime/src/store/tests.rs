//! Tests of the store on real databases, SQLite files and PostgreSQL, with a handwritten model.

mod diesel_glue;
mod erasures;
mod guards;
mod history;
mod intents;
mod many_rows;
#[path = "../../../tests/on_postgres.rs"]
mod on_postgres;
mod preparing;
mod rows;
mod rules;
mod schema;
mod seen;
#[cfg(feature = "postgres")]
mod server;
#[cfg(feature = "postgres")]
mod statistics;
mod threads;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cdms_odata::{Attributes, Facts, Instant, Kind, Value};
use datahub_model::conversion::decode;
use datahub_model::{Attribute, Column, EngineAttribute, Entity, Fault, MappingId, Mode, ModelDescriptor, Source};
use datahub_protocol::{
    Commit, Committed, Entry, EntryKind, Guard, Intent, IntentChange, NewRow, OperationId, Origin, QuarantineChange,
    RecordChange, TombstoneReason, Verdict, Version, WriteKind,
};
use diesel::sqlite::SqliteConnection;
use uuid::Uuid;

use super::{Job, Stage, Store, StoreOptions, StoredRecord};
use crate::crash_points::Step;
use crate::engine::clock::ManualClock;
use crate::engine::cost::{Meters, metered};
use crate::engine::local_fields::LocalFields;
use crate::testing::{TestDatabase, with_connection};

/// The guard that the hub has nothing of the record, and that no write of it was found not applied.
const NEVER_SEEN: Guard = Guard::Unchanged { version: None, late: None };

/// The guard that the record is at this version, and that no write of it was found not applied.
const fn at(version: Version) -> Guard {
    Guard::Unchanged { version: Some(version), late: None }
}

#[test]
fn all_of_it_holds_on_postgresql() {
    on_postgres::run_again().unwrap_or_else(|error| panic!("{error}"));
}

const fn attribute(name: &'static str, kind: Kind) -> Attribute {
    Attribute::new(name, kind)
}

const fn column(name: &'static str, kind: Kind, source: Source) -> Column {
    Column {
        name,
        field: name,
        kind,
        nullable: true,
        scale: None,
        was: None,
        default: None,
        class: None,
        through: None,
        source,
    }
}

const fn from(attribute: &'static str) -> Source {
    Source::attribute(attribute)
}

fn no_text() -> Value {
    Value::Null
}

const ACCOUNT: Entity = Entity {
    name: "Account",
    set: "AccountSet",
    key: "AccountId",
    logical: "account",
    modified: "ModifiedOn",
    created: "CreatedOn",
    modified_by: "ModifiedBy",
};

/// A model with columns of all kinds, and three local ones.
static ORGANISATION: ModelDescriptor = ModelDescriptor {
    name: "Organisation",
    table: "organisations",
    mode: Mode::Sync,
    entity: ACCOUNT,
    captured: &[],
    attributes: &[
        attribute("Active", Kind::Boolean),
        attribute("Alias", Kind::String),
        attribute("Big", Kind::BigInt),
        attribute("Code", Kind::Guid),
        attribute("Credit", Kind::Money),
        attribute("Employees", Kind::Integer),
        Attribute { zone: Some("Europe/London"), ..attribute("Founded", Kind::Date) },
        attribute("Name", Kind::String),
        attribute("Opened", Kind::DateTime),
        Attribute { targets: &["account"], ..attribute("Parent", Kind::Lookup) },
        Attribute { scale: Some(3), ..attribute("Ratio", Kind::Decimal) },
        attribute("Sector", Kind::Choice),
        attribute("Share", Kind::Double),
    ],
    columns: &[
        Column { nullable: false, ..column("id", Kind::Guid, Source::Key) },
        Column { nullable: false, ..column("name", Kind::String, from("Name")) },
        Column { nullable: false, ..column("alias", Kind::String, Source::attribute("Alias").or(no_text)) },
        column("employees", Kind::Integer, from("Employees")),
        column("big", Kind::BigInt, from("Big")),
        Column { scale: Some(3), ..column("ratio", Kind::Decimal, from("Ratio")) },
        column("share", Kind::Double, from("Share")),
        column("credit", Kind::Money, from("Credit")),
        column("active", Kind::Boolean, from("Active")),
        column("opened", Kind::DateTime, from("Opened")),
        column("founded", Kind::Date, from("Founded")),
        column("code", Kind::Guid, from("Code")),
        column("sector", Kind::Choice, from("Sector")),
        column("parent", Kind::Lookup, from("Parent")),
        Column { nullable: false, ..column("modified", Kind::DateTime, Source::Engine(EngineAttribute::Modified)) },
        column("notes", Kind::String, Source::Local),
        Column { nullable: false, ..column("rank", Kind::Integer, Source::Local) },
        column("budget", Kind::Money, Source::Local),
    ],
    constants: &[],
    only: None,
    mapping_id: MappingId(0xF000_0000_0000_0001),
    epoch: 0,
};

const NOTES: usize = 15;
const RANK: usize = 16;
const BUDGET: usize = 17;

const NOON: Instant = Instant(1_700_000_000_000);
const ID: Uuid = Uuid::from_u128(0xA);

/// A database, which is deleted when this is dropped.
struct Bench {
    database: TestDatabase,
    clock: ManualClock,
}

impl Bench {
    /// Creates a database with the tables, and a store on it.
    async fn open() -> (Bench, Store) {
        Bench::on(TestDatabase::make()).await
    }

    /// The same in a file, for what only SQLite has.
    async fn on_file() -> (Bench, Store) {
        Bench::on(TestDatabase::file()).await
    }

    /// A database without tables.
    fn empty() -> Bench {
        Bench { database: TestDatabase::make(), clock: ManualClock::at(NOON) }
    }

    async fn on(database: TestDatabase) -> (Bench, Store) {
        let bench = Bench { database, clock: ManualClock::at(NOON) };
        let store = bench.program().await;
        store.create_tables(&[&ORGANISATION]).await.unwrap();
        (bench, store)
    }

    /// Another program's store on the same database.
    async fn program(&self) -> Store {
        self.program_with(2).await
    }

    /// The same, with this number of connections.
    async fn program_with(&self, connections: usize) -> Store {
        let (busy_timeout, grace) = (Duration::from_millis(20), Duration::from_secs(30));
        let options = StoreOptions { quiet_ms: 330_000, busy_timeout, connections: Some(connections), grace };
        Store::open(&self.url(), Arc::new(self.clock.clone()), options, Meters::default()).await.unwrap()
    }

    fn url(&self) -> String {
        self.database.url()
    }

    /// Chooses the value for the database that the test runs on.
    fn on_either<T>(&self, sqlite: T, postgres: T) -> T {
        if self.database.is_on_postgres() { postgres } else { sqlite }
    }

    fn is_on_postgres(&self) -> bool {
        self.database.is_on_postgres()
    }

    /// A plain connection to the file, as the team's own code or a database tool would open.
    fn plain(&self) -> SqliteConnection {
        let url = self.url();
        diesel::Connection::establish(url.strip_prefix("sqlite://").expect("a file")).unwrap()
    }

    /// The number of rows of what follows `FROM`.
    fn count(&self, what: &str) -> i64 {
        let sql = format!("SELECT CAST(count(*) AS TEXT) FROM {what}");
        let count = with_connection(self.url(), move |connection| connection.texts(&sql)).unwrap();
        count[0].parse().unwrap()
    }

    fn sql(&self, sql: &str) {
        self.try_sql(sql).unwrap();
    }

    /// Runs SQL, with SQLite's type for columns of GUIDs.
    fn try_sql(&self, sql: &str) -> Result<(), String> {
        let sql = sql.replace(" BLOB ", self.on_either(" BLOB ", " UUID "));
        with_connection(self.url(), move |connection| connection.batch(&sql))
    }
}

fn commit(guard: Guard) -> Commit<Fault> {
    Commit {
        guard,
        trial: None,
        record: RecordChange::Keep,
        history: Vec::new(),
        intent: IntentChange::Keep,
        quarantine: QuarantineChange::Keep,
        insist: false,
    }
}

fn job(commit: Commit<Fault>) -> Job {
    Job {
        model: &ORGANISATION,
        id: ID,
        commit,
        locals: None,
        actor: "ada".to_owned(),
        program: "tests".to_owned(),
        holder: Uuid::from_u128(0xB),
        lease_ms: 60_000,
        quiet_ms: 330_000,
        again: false,
        step: Step { operation: "test", action: "commit" },
    }
}

/// What was seen of a record with a name and nothing else.
fn seen(name: &str) -> Attributes {
    let mut seen: Attributes = ORGANISATION.attributes.iter().map(|attribute| (attribute.name, Value::Null)).collect();
    seen.insert("Name", Value::text(name));
    seen
}

fn row(name: &str) -> NewRow {
    let facts = Facts { modified: NOON, created: Some(Instant(-1)), modified_by: Some(Uuid::from_u128(0xC)) };
    NewRow { facts, seen: seen(name), complete_for: Vec::new(), outdated: BTreeSet::new() }
}

/// The change that stores a row, decoded as the protocol would do it.
fn put(row: NewRow) -> RecordChange {
    let values = decode(&ORGANISATION, ID, &row.facts, &row.seen).unwrap().into();
    RecordChange::Put { row, values }
}

fn entry(kind: EntryKind) -> Entry {
    Entry {
        kind,
        origin: Origin::Cdms,
        operation: None,
        changes: Vec::new(),
        constants: Attributes::new(),
        modified: Some(NOON),
        modified_by: None,
        skew_ms: None,
    }
}

/// The transaction that first stores a record with these attributes.
fn first_sight_of(seen: Attributes) -> Job {
    let mut job = first_sight("Acme");
    job.commit.record = put(NewRow { seen, ..row("Acme") });
    job
}

/// The transaction that first stores a record.
fn first_sight(name: &str) -> Job {
    let mut commit = commit(NEVER_SEEN);
    commit.record = put(row(name));
    commit.history = vec![entry(EntryKind::FirstSeen)];
    job(commit)
}

/// The transaction of a refresh.
fn refresh(version: Version, name: &str) -> Job {
    let mut commit = commit(at(version));
    commit.record = put(row(name));
    commit.history = vec![entry(EntryKind::Refreshed)];
    job(commit)
}

fn intent(operation: u128, write: WriteKind) -> Intent {
    Intent {
        operation: OperationId(Uuid::from_u128(operation)),
        write,
        patch: Attributes::from([("Alias", Value::Null), ("Name", Value::text("New"))]),
        constants: Attributes::new(),
        pre_image: Attributes::from([("Alias", Value::Null), ("Name", Value::text("Old"))]),
        modified_before: Some(NOON),
        conflicts: Attributes::new(),
    }
}

/// The transaction that opens an update's intent.
fn opening(guard: Guard, operation: u128) -> Job {
    let mut commit = commit(guard);
    commit.intent = IntentChange::Open(Box::new(intent(operation, WriteKind::Update)));
    job(commit)
}

/// The transaction that closes an intent and changes nothing else.
fn closing(operation: u128, verdict: Verdict) -> Job {
    let operation = OperationId(Uuid::from_u128(operation));
    let mut commit = commit(Guard::Intent(operation));
    commit.intent = IntentChange::Close { operation, verdict };
    job(commit)
}

fn tombstone(version: Version) -> Job {
    let mut commit = commit(at(version));
    commit.record = RecordChange::Tombstone { reason: TombstoneReason::Gone, last: row("Last") };
    commit.history = vec![entry(EntryKind::Gone)];
    job(commit)
}

/// Commits a transaction that must succeed.
async fn done(store: &Store, job: Job) -> Version {
    match store.commit(job).await.unwrap() {
        Committed::Done(version) => version,
        other => panic!("not committed: {other:?}"),
    }
}

/// The record's history, oldest first.
async fn history(store: &Store) -> Vec<super::HistoryRow> {
    let mut history = store.history(&ORGANISATION, ID, i64::MAX, 1_000).await.unwrap();
    history.reverse();
    history
}

/// The local fields' values, in the order of their columns.
fn locals(found: &StoredRecord) -> Vec<Value> {
    found.locals.iter().map(|(_, value)| value.clone()).collect()
}

async fn load(store: &Store) -> StoredRecord {
    store.load(&ORGANISATION, ID, Stage::Begins).await.unwrap()
}
