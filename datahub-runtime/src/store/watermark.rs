//! The progress of pulls, so that each continues where it stopped, and the time up to which they vouch for the rows.
//!
//! Progress belongs to a scope: to the attributes that a pull reads and the condition of the model. Programs that read the
//! same continue each other's pulls, whatever else their mappings differ in; programs that read something else do not touch
//! them.

use std::sync::Arc;

use cdms_odata::Instant;
use datahub_model::ModelDescriptor;
use datahub_protocol::Version;
use datahub_protocol::planted::{Planted, planted};
use uuid::Uuid;

use super::columns::{Json, columns};
use super::connection::Connection;
use super::epochs::{self, oldest_epoch};
use super::failure::Trouble;
use super::intents::mapping_datum;
use super::row::to_json;
use super::statement::{Datum, Statement};

/// The progress of a pull.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Watermark {
    /// The attributes that it reads, if that is not part of its scope.
    pub(crate) attributes: Vec<String>,
    /// The address of the next page; `None` at the beginning and at the end.
    pub(crate) next: Option<String>,
    /// The number of pages stored since the beginning.
    pub(crate) pages: i64,
    /// The number of records on these pages.
    pub(crate) records: i64,
    pub(crate) times: Times,
}

/// The times that pulls go by, as the columns of their table describe them.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub(crate) struct Times {
    pub(crate) watermark: Option<Instant>,
    pub(crate) since: Option<Instant>,
    pub(crate) begun: Option<Instant>,
    pub(crate) newest: Option<Instant>,
    pub(crate) asked_at: Option<Instant>,
    pub(crate) checked_at: Option<Instant>,
    /// For a sweep: the newest version when it began.
    pub(crate) version: Option<Version>,
}

/// A pull's claim on its watermark. The newest claim is valid.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) model: &'static ModelDescriptor,
    pub(crate) scope: Arc<str>,
    pub(crate) run: Uuid,
    /// The run from which the first page takes over; the claim is valid from then on.
    pub(crate) takes_over: Option<Uuid>,
}

impl Claim {
    /// The claim of a new run.
    pub(crate) fn new(model: &'static ModelDescriptor, scope: impl Into<Arc<str>>) -> Self {
        Claim { model, scope: scope.into(), run: Uuid::now_v7(), takes_over: None }
    }

    /// The claim of a new run that follows another one. It needs no statement until its first page is stored.
    pub(crate) fn after(model: &'static ModelDescriptor, scope: Arc<str>, run: Uuid) -> Self {
        Claim { takes_over: Some(run), ..Claim::new(model, scope) }
    }
}

/// The scopes of a model's pulls.
#[derive(Clone, Debug)]
pub(crate) struct Scopes {
    pub(crate) load: Arc<str>,
    pub(crate) changes: Arc<str>,
    pub(crate) sweep: Arc<str>,
}

impl Scopes {
    /// The scopes of a model whose records are read with these attributes and conditions, in short.
    pub(crate) fn of(read: &str, condition: &str) -> Self {
        let read = if planted(Planted::PullsShareProgress) { "any" } else { read };
        Scopes {
            load: read.into(),
            changes: format!("changes {read}").into(),
            sweep: format!("sweep {condition}").into(),
        }
    }
}

/// Where the pulls of a model stand.
#[derive(Debug)]
pub(crate) struct Standing {
    /// The time by the database's clock.
    pub(crate) now: Instant,
    /// The newest version. Everything that is stored later has a larger one.
    pub(crate) version: Version,
    /// The number of rows that are not complete for the model's mapping.
    pub(crate) incomplete: i64,
    /// The first load.
    pub(crate) load: Option<Watermark>,
    /// The pull of changes, with its run.
    pub(crate) changes: Option<(Uuid, Watermark)>,
    /// When the last complete sweep began.
    pub(crate) swept_at: Option<Instant>,
}

impl Standing {
    /// The time as of which the last complete pull has read what had changed.
    pub(crate) fn checked_at(&self) -> Option<Instant> {
        self.changes.as_ref()?.1.times.checked_at
    }

    /// The time before which all changes were read, once a first load was complete.
    pub(crate) fn watermark(&self) -> Option<Instant> {
        self.changes.as_ref()?.1.times.watermark
    }
}

/// Counts the rows that a mapping with a smaller or larger id stored and that are not complete. Two ranges of an index.
macro_rules! incomplete_by {
    ($than:literal) => {
        concat!(
            "(SELECT count(*) FROM datahub_records WHERE model = ? AND mapping_id ",
            $than,
            " ? AND state = 'row' AND NOT ",
            $crate::store::completing::complete_for!(),
            ")"
        )
    };
}

columns! {
    /// The progress of a scope, if it has any, beside what is asked about the model.
    struct StandingColumns {
        oldest_epoch: Option<String> = oldest_epoch!(),
        incomplete: i64 = concat!(incomplete_by!("<"), " + ", incomplete_by!(">")),
        scope: Option<String> = "known.scope",
        run: Option<Uuid> = "known.run",
        attributes: Option<Json<Vec<String>>> = "known.attributes",
        next: Option<String> = "known.next",
        pages: Option<i64> = "known.pages",
        records: Option<i64> = "known.records",
        watermark: Option<Instant> = "known.watermark",
        since: Option<Instant> = "known.since",
        begun: Option<Instant> = "known.begun",
        newest: Option<Instant> = "known.newest",
        asked_at: Option<Instant> = "known.asked_at",
        checked_at: Option<Instant> = "known.checked_at",
        at_version: Option<Version> = "known.version",
        /// The database's own query for it follows the list.
        newest_version: Version = "",
    }
}

/// Where the pulls of a model stand. One statement.
pub(crate) fn standing(
    connection: &mut Connection,
    model: &'static ModelDescriptor,
    Scopes { load, changes, sweep }: &Scopes,
) -> Result<Standing, Trouble> {
    let now = connection.now()?;
    let tag = model.mapping_id.0;
    let of_mapping = || [model.table.into(), mapping_datum(tag), tag.to_string().into()];
    let mut statement = Statement::default();
    let values = [epochs::setting_of(model)].into_iter().chain(of_mapping()).chain(of_mapping());
    statement.sql("SELECT ");
    statement.push(StandingColumns::SELECT, values);
    statement.sql("(");
    statement.sql(connection.dialect().newest_version);
    statement.sql(") FROM ");
    statement.wanted([model.table]);
    statement.push(
        " LEFT JOIN datahub_pulls AS known ON known.model = wanted.column1 AND known.scope IN (?, ?, ?)",
        [(&**load).into(), (&**changes).into(), (&**sweep).into()],
    );
    let mut standing = Standing { now, version: Version(0), incomplete: 0, load: None, changes: None, swept_at: None };
    for row in connection.read::<StandingColumns>(&statement)? {
        epochs::check(model, row.oldest_epoch.as_deref())?;
        (standing.version, standing.incomplete) = (row.newest_version, row.incomplete);
        let (Some(scope), Some(run)) = (row.scope.as_deref(), row.run) else { continue };
        let progress = Watermark {
            attributes: row.attributes.map(|Json(attributes)| attributes).unwrap_or_default(),
            next: row.next,
            pages: row.pages.unwrap_or_default(),
            records: row.records.unwrap_or_default(),
            times: Times {
                watermark: row.watermark,
                since: row.since,
                begun: row.begun,
                newest: row.newest,
                asked_at: row.asked_at,
                checked_at: row.checked_at,
                version: row.at_version,
            },
        };
        match scope {
            scope if *scope == **load => standing.load = Some(progress),
            scope if *scope == **changes => standing.changes = Some((run, progress)),
            _ => standing.swept_at = progress.times.checked_at,
        }
    }
    Ok(standing)
}

columns! {
    /// What is known of a scope whose progress is claimed.
    struct KnownColumns {
        oldest_epoch: Option<String> = oldest_epoch!(),
        attributes: Option<Json<Vec<String>>> = "known.attributes",
        next: Option<String> = "known.next",
        pages: Option<i64> = "known.pages",
        records: Option<i64> = "known.records",
        newest: Option<Instant> = "known.newest",
        asked_at: Option<Instant> = "known.asked_at",
        checked_at: Option<Instant> = "known.checked_at",
        version: Option<Version> = "known.version",
    }
}

/// Takes over the pull of a scope and returns its progress. It starts from the beginning, with these attributes, if the
/// last one was complete, is to be restarted, or read fewer attributes than these. A program that is too old gets none.
pub(crate) fn claim(
    connection: &mut Connection,
    Claim { model, scope, run, .. }: &Claim,
    attributes: Vec<String>,
    restart: bool,
) -> Result<Watermark, Trouble> {
    let now = connection.now()?;
    let mut statement = Statement::default();
    statement.sql("SELECT ");
    statement.push(KnownColumns::SELECT, [epochs::setting_of(model)]);
    statement.sql(" FROM ");
    statement.wanted([model.table]);
    statement.push(
        " LEFT JOIN datahub_pulls AS known ON known.model = wanted.column1 AND known.scope = ?",
        [(&**scope).into()],
    );
    let row = connection.read::<KnownColumns>(&statement)?.into_iter().next();
    let row = row.ok_or_else(|| Trouble::Corrupt("the query for a pull's progress returned no row".to_owned()))?;
    epochs::check(model, row.oldest_epoch.as_deref())?;
    let checked_at = row.checked_at;
    let known = row
        .attributes
        .map(|Json(attributes)| Watermark {
            attributes,
            next: row.next,
            pages: row.pages.unwrap_or_default(),
            records: row.records.unwrap_or_default(),
            times: Times {
                newest: row.newest,
                asked_at: row.asked_at,
                checked_at,
                version: row.version,
                ..Times::default()
            },
        })
        .filter(|known| !restart && known.next.is_some())
        .filter(|known| attributes.iter().all(|name| known.attributes.contains(name)));
    let watermark = known.unwrap_or_else(|| Watermark {
        attributes,
        times: Times { checked_at, ..Times::default() },
        ..Watermark::default()
    });
    let sql = "INSERT INTO datahub_pulls (model, scope, run, attributes, next, pages, records, newest, asked_at, \
               version, stored_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (model, scope) DO UPDATE \
               SET run = excluded.run, attributes = excluded.attributes, next = excluded.next, pages = excluded.pages, \
               records = excluded.records, newest = excluded.newest, asked_at = excluded.asked_at, \
               version = excluded.version, stored_at = excluded.stored_at";
    let values = [
        model.table.into(),
        (&**scope).into(),
        (*run).into(),
        to_json(&watermark.attributes)?,
        Datum::Text(watermark.next.clone()),
        watermark.pages.into(),
        watermark.records.into(),
        Datum::Instant(watermark.times.newest),
        Datum::Instant(watermark.times.asked_at),
        Datum::BigInt(watermark.times.version.map(|version| version.0)),
        now.into(),
    ];
    connection.execute(&Statement::new(sql, values))?;
    Ok(watermark)
}

/// Moves the watermark unless another pull has taken over, and returns whether the claim is still valid.
pub(crate) fn advance(
    connection: &mut Connection,
    Claim { model, scope, run, takes_over }: &Claim,
    to: &Watermark,
) -> Result<bool, Trouble> {
    let now = connection.now()?;
    let sql = "UPDATE datahub_pulls SET run = ?, next = ?, pages = ?, records = ?, watermark = ?, since = ?, begun = ?, \
               newest = ?, asked_at = ?, checked_at = ?, version = ?, stored_at = ? \
               WHERE model = ? AND scope = ? AND run IN (?, ?)";
    let times = &to.times;
    let values = [
        (*run).into(),
        Datum::Text(to.next.clone()),
        to.pages.into(),
        to.records.into(),
        Datum::Instant(times.watermark),
        Datum::Instant(times.since),
        Datum::Instant(times.begun),
        Datum::Instant(times.newest),
        Datum::Instant(times.asked_at),
        Datum::Instant(times.checked_at),
        Datum::BigInt(times.version.map(|version| version.0)),
        now.into(),
        model.table.into(),
        (&**scope).into(),
        (*run).into(),
        takes_over.unwrap_or(*run).into(),
    ];
    connection.execute(&Statement::new(sql, values)).map(|rows| rows == 1)
}

/// What a first load that is complete vouches for.
#[derive(Clone, Debug)]
pub(crate) struct Vouched {
    /// The scope of the pulls of changes that follow it.
    pub(crate) changes: Arc<str>,
    pub(crate) watermark: Instant,
    /// When it began, by the database's clock.
    pub(crate) asked_at: Instant,
}

/// Lets pulls of changes begin. If they have begun before, they go on from where they are: a load that is restarted does not
/// list what has left the model since, so it vouches for nothing.
pub(crate) fn vouch(
    connection: &mut Connection,
    claim: &Claim,
    Vouched { changes, watermark, asked_at }: &Vouched,
) -> Result<(), Trouble> {
    let now = connection.now()?;
    let sql = "INSERT INTO datahub_pulls (model, scope, run, attributes, pages, records, watermark, checked_at, stored_at) \
               VALUES (?, ?, ?, '[]', 0, 0, ?, ?, ?) ON CONFLICT (model, scope) DO NOTHING";
    let values = [
        claim.model.table.into(),
        (&**changes).into(),
        claim.run.into(),
        (*watermark).into(),
        (*asked_at).into(),
        now.into(),
    ];
    connection.send(Statement::new(sql, values))
}
