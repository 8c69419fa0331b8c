//! The engine's work without threads and sockets, for the check that counts its instructions; never in a program that ships.
//!
//! What is called here is what operations call. Only the caller's thread, an answer that is there already, and a database
//! of its own take the place of the store's threads and of CDMS.

use std::sync::Arc;
use std::time::Duration;

use cdms_odata::crm2011::Crm2011;
use cdms_odata::dialect::{Dialect as _, HttpResponse, ReadAnswer, SetIs};
use cdms_odata::{Attributes, Instant};
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::{
    Action, Base, Commit, Committed, Decoded, Event, Fetched, Finding, Listed, Loaded, Machine, Merged, Read, Record,
    Sighting, Values, Version, listed, merge,
};
use diesel::backend::Backend;
use diesel::query_builder::{QueryBuilder as _, QueryFragment as _};
use diesel::sqlite::Sqlite;
use tempfile::TempDir;
use uuid::Uuid;

use super::commit::{self, Job};
use super::connection::Connection;
use super::epochs::Stage;
use super::failure::Trouble;
use super::location::Location;
use super::model_table::{Purpose, RefreshedRow, Stays, to_put, to_put_refreshed};
use super::sqlite::Synchronous;
use super::statement::{KEEPS_ALL, Statement};
use super::{StoredRecord, engine_tables, load};
use crate::Hub;
use crate::cdms::RecordShape;
use crate::crash_points::Step;
use crate::engine::clock::ManualClock;
use crate::engine::cost::Meters;
use crate::engine::known_row::KnownRow;
use crate::engine::local_fields::LocalFields;
use crate::engine::mapping::ModelMapping;

const QUIET_MS: u64 = 330_000;

/// One record of a model, one connection to a SQLite file, and the record's answers by CDMS.
pub struct Desk {
    model: &'static ModelDescriptor,
    id: Uuid,
    actor: Arc<str>,
    dialect: Crm2011,
    shape: RecordShape,
    connection: Connection,
    /// Holds the file.
    _folder: TempDir,
}

impl Desk {
    /// A new database with the tables of the model, which must refer to no other.
    ///
    /// # Errors
    ///
    /// The database cannot be made.
    pub fn new(model: &'static ModelDescriptor, id: Uuid) -> Result<Self, String> {
        let shown = |error: &dyn std::fmt::Debug| format!("{error:?}");
        let folder = TempDir::new().map_err(|error| shown(&error))?;
        let path = folder.path().join("counted.db").to_string_lossy().into_owned();
        let busy_timeout = Duration::from_secs(5);
        let location = Location::Sqlite { path, busy_timeout, synchronous: Synchronous::Normal };
        let clock = Arc::new(ManualClock::at(Instant(1_700_000_000_000)));
        let mut connection =
            Connection::open(&location, false, Meters::default(), clock).map_err(|trouble| shown(&trouble))?;
        engine_tables::create(&mut connection, &[model]).map_err(|trouble| shown(&trouble))?;
        let dialect = Crm2011::at("https://crm.example.gov.uk/ORG").map_err(|error| shown(&error))?;
        let shape = RecordShape::of(model);
        Ok(Desk { model, id, actor: "counts".into(), dialect, shape, connection, _folder: folder })
    }

    /// Reads the record: loads the row, reads the answer, compares, stores what is newer, and makes the model's values.
    ///
    /// # Errors
    ///
    /// The read does not end with a row.
    pub fn read(&mut self, answer: &HttpResponse) -> Result<(Finding, Values), String> {
        let mapping = ModelMapping::new(self.model, self.id, Arc::clone(&self.actor));
        let (sighting, locals) = self.drive(&mut Read::new(mapping, 0), answer)?;
        match sighting.map_err(|failure| format!("{failure:?}"))? {
            Sighting::Current { values, finding, .. } => Ok((finding, KnownRow::of(self.model, values, locals).values)),
            Sighting::Pending { .. } => Err("a write is under way".to_owned()),
        }
    }

    /// What the hub has of the record.
    ///
    /// # Errors
    ///
    /// It cannot be loaded.
    pub fn loaded(&mut self) -> Result<Loaded, String> {
        self.load().map(|stored| stored.loaded)
    }

    /// The record of an answer.
    ///
    /// # Errors
    ///
    /// There is none in it that can be read.
    pub fn record(&self, answer: &HttpResponse) -> Result<Record, String> {
        match self.fetched(answer) {
            Fetched::Record(record) => Ok(record),
            other => Err(format!("{other:?}")),
        }
    }

    fn drive<M: Machine<Fault = Fault>>(
        &mut self,
        machine: &mut M,
        answer: &HttpResponse,
    ) -> Result<(M::Output, LocalFields), String> {
        let (mut event, mut locals) = (Event::Start, LocalFields::default());
        loop {
            let action = machine.step(event);
            let step = Step::of(M::NAME, &action, false);
            event = match action {
                Action::Done(output) => return Ok((output, locals)),
                Action::Lock => Event::Locked,
                Action::Load => {
                    let stored = self.load()?;
                    locals = stored.locals;
                    Event::Loaded(Box::new(stored.loaded))
                }
                Action::Fetch => Event::Fetched(self.fetched(answer)),
                Action::Commit(commit) => Event::Committed(self.commit(*commit, step)?),
                Action::Send { .. } | Action::Login | Action::Pause { .. } => {
                    return Err(format!("{} wants to send", M::NAME));
                }
            };
        }
    }

    fn load(&mut self) -> Result<StoredRecord, String> {
        let loaded = load::load(&mut self.connection, self.model, &[self.id], QUIET_MS, Stage::Begins);
        Ok(loaded.map_err(|trouble| format!("{trouble:?}"))?.remove(0))
    }

    fn fetched(&self, answer: &HttpResponse) -> Fetched<Fault> {
        match self.dialect.read_answer(self.shape.entity(), self.id, SetIs::Known, answer) {
            ReadAnswer::Record(carried) => match self.shape.record(carried) {
                Ok((_, Ok(record))) => Fetched::Record(record),
                Ok((_, Err(fault))) | Err(fault) => Fetched::Unreadable(fault),
            },
            other => Fetched::Misconfigured(format!("{other:?}")),
        }
    }

    fn commit(&mut self, commit: Commit<Fault>, step: Step) -> Result<Committed, String> {
        let job = Job {
            model: self.model,
            id: self.id,
            commit,
            locals: None,
            actor: self.actor.to_string(),
            program: self.actor.to_string(),
            holder: self.id,
            lease_ms: 60_000,
            quiet_ms: QUIET_MS,
            again: false,
            step,
        };
        commit::run(&mut self.connection, &job).map_err(|trouble| format!("{trouble:?}"))
    }
}

/// SQLite's account of the statements that one of a hub's connections keeps prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// How many there are.
    pub prepared: usize,
    /// How often they ran.
    pub runs: i64,
    /// Those that SQLite has prepared again, as it does when a bound value may change the plan.
    pub prepared_again: Vec<String>,
}

/// Lets a hub on SQLite keep every statement prepared from now on, so that its account has all of them.
///
/// # Errors
///
/// The hub's database cannot be used.
pub async fn keep_all_prepared(hub: &Hub) -> Result<(), String> {
    let keep = |_: &mut Connection| {
        KEEPS_ALL.set(true);
        Ok(())
    };
    let store = &hub.engine.store;
    store.read(keep).await.map_err(|error| error.to_string())?;
    store.write(keep).await.map_err(|error| error.to_string())
}

/// The accounts of the connection that reads, of which the hub must have one only, and of the one that writes.
///
/// # Errors
///
/// The hub's database cannot be used, or SQLite was built without accounts; see `.cargo/config.toml`.
pub async fn accounts(hub: &Hub) -> Result<[Account; 2], String> {
    let store = &hub.engine.store;
    let read = store.read(account).await.map_err(|error| error.to_string())?;
    Ok([read, store.write(account).await.map_err(|error| error.to_string())?])
}

fn account(connection: &mut Connection) -> Result<Account, Trouble> {
    let kept =
        connection.read::<(String, i64, i64)>(&Statement::new("SELECT sql, run, reprep FROM sqlite_stmt", []))?;
    let runs = kept.iter().map(|(_, runs, _)| runs).sum();
    let prepared = kept.len();
    let again = kept.into_iter().filter(|(_, _, again)| *again > 0);
    Ok(Account {
        prepared,
        runs,
        prepared_again: again.map(|(sql, _, again)| format!("{again} times: {sql}")).collect(),
    })
}

/// What is compared with a record, and merged.
pub struct Compared {
    mapping: ModelMapping,
}

impl Compared {
    /// Comparisons of this record.
    pub fn of(model: &'static ModelDescriptor, id: Uuid) -> Self {
        Compared { mapping: ModelMapping::new(model, id, "counts".into()) }
    }

    /// Whether a record of a list is as the hub has it.
    pub fn is_unchanged(&self, loaded: &Loaded, record: Record) -> bool {
        matches!(listed(&self.mapping, loaded, Ok(record), Version(i64::MAX), 0), Listed::AsIs)
    }

    /// Merges a caller's values, which were derived from `base`, with what CDMS has now.
    ///
    /// # Errors
    ///
    /// A value does not convert.
    pub fn merge(&self, base: &Base, mine: &Values, seen: &Attributes, values: &Values) -> Result<Merged, Fault> {
        merge(&self.mapping, base.decoded(), mine, Decoded { seen, values })
    }
}

/// What a caller has read: a record, and the model's values of it.
pub fn base(record: &Record, values: &Values) -> Base {
    Base { seen: record.attributes.clone(), values: Arc::clone(values) }
}

/// Rows to store, as a refresh stores them.
pub struct Rows {
    model: &'static ModelDescriptor,
    rows: Vec<RefreshedRow>,
}

impl Rows {
    /// This number of rows with the same values.
    pub fn of(model: &'static ModelDescriptor, values: &Values, count: u128) -> Self {
        let row = |id| RefreshedRow {
            id: Uuid::from_u128(id),
            values: Arc::clone(values),
            before: Some(LocalFields::nulls(model)),
            given: LocalFields::default(),
        };
        Rows { model, rows: (0..count).map(row).collect() }
    }

    /// Plans the statement that stores the first row: its text for SQLite and for PostgreSQL, and its bound values.
    ///
    /// # Errors
    ///
    /// A value does not fit its column.
    pub fn plan_one(&self) -> Result<Planned, String> {
        let row = &self.rows[0];
        let stays = Stays { before: row.before.as_ref(), given: &row.given };
        Planned::of(to_put(self.model, row.id, &row.values, stays, Purpose::Keep))
    }

    /// The same for the statement that stores all rows.
    ///
    /// # Errors
    ///
    /// A value does not fit its column.
    pub fn plan_all(&self) -> Result<Planned, String> {
        Planned::of(to_put_refreshed(self.model, &self.rows))
    }
}

/// A statement as it goes to a driver.
#[derive(Debug)]
pub struct Planned {
    /// The text for SQLite.
    pub sqlite: String,
    /// The text for PostgreSQL.
    pub postgres: String,
    /// How many values are bound.
    pub values: usize,
}

impl Planned {
    fn of(statement: Result<Statement, Trouble>) -> Result<Self, String> {
        let statement = statement.map_err(|trouble| format!("{trouble:?}"))?;
        let mut sqlite = <Sqlite as Backend>::QueryBuilder::default();
        statement.placed().to_sql(&mut sqlite, &Sqlite).map_err(|error| error.to_string())?;
        let (postgres, values) = statement.numbered();
        Ok(Planned { sqlite: sqlite.finish(), postgres, values: values.len() })
    }
}
