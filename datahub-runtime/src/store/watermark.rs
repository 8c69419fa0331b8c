//! The progress of pulls, so that each continues where it stopped.
//!
//! Progress belongs to a scope: to the attributes that a pull reads and the condition of the model. Programs that read the
//! same continue each other's pulls, whatever else their mappings differ in; programs that read something else do not touch
//! them.

use std::sync::Arc;

use datahub_model::ModelDescriptor;
use datahub_protocol::planted::{Planted, planted};
use uuid::Uuid;

use super::columns::Json;
use super::connection::Connection;
use super::epochs::{self, oldest_epoch};
use super::failure::Trouble;
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
}

/// A pull's claim on its watermark. The newest claim is valid.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) model: &'static ModelDescriptor,
    pub(crate) scope: Arc<str>,
    pub(crate) run: Uuid,
}

impl Claim {
    /// The claim of a new run.
    pub(crate) fn new(model: &'static ModelDescriptor, scope: impl Into<Arc<str>>) -> Self {
        let scope = if planted(Planted::PullsShareProgress) { Arc::from("any") } else { scope.into() };
        Claim { model, scope, run: Uuid::now_v7() }
    }
}

/// The table's epoch, and the progress of the scope's last pull, if any: its attributes, `next`, `pages` and `records`.
type KnownColumns = (Option<String>, Option<Json<Vec<String>>>, Option<String>, Option<i64>, Option<i64>);

/// Takes over the pull of a scope and returns its progress. It starts from the beginning, with these attributes, if the
/// last one was complete, is to be restarted, or read fewer attributes than these. A program that is too old gets none.
pub(crate) fn claim(
    connection: &mut Connection,
    Claim { model, scope, run }: &Claim,
    attributes: Vec<String>,
    restart: bool,
) -> Result<Watermark, Trouble> {
    let now = connection.now()?;
    let mut statement = Statement::default();
    statement.push(
        concat!("SELECT ", oldest_epoch!(), ", known.attributes, known.next, known.pages, known.records FROM "),
        [epochs::setting_of(model)],
    );
    statement.wanted([model.table]);
    statement.push(
        " LEFT JOIN datahub_pulls AS known ON known.model = wanted.column1 AND known.scope = ?",
        [(&**scope).into()],
    );
    let row = connection.read::<KnownColumns>(&statement)?.into_iter().next();
    let (oldest_epoch, kept, next, pages, records) =
        row.ok_or_else(|| Trouble::Corrupt("the query for a pull's progress returned no row".to_owned()))?;
    epochs::check(model, oldest_epoch.as_deref())?;
    let known = kept
        .map(|Json(attributes)| {
            let (pages, records) = (pages.unwrap_or_default(), records.unwrap_or_default());
            Watermark { attributes, next, pages, records }
        })
        .filter(|known| !restart && known.next.is_some())
        .filter(|known| attributes.iter().all(|name| known.attributes.contains(name)));
    let watermark = known.unwrap_or_else(|| Watermark { attributes, ..Watermark::default() });
    let sql = "INSERT INTO datahub_pulls (model, scope, run, attributes, next, pages, records, stored_at) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (model, scope) DO UPDATE SET run = excluded.run, \
               attributes = excluded.attributes, next = excluded.next, pages = excluded.pages, \
               records = excluded.records, stored_at = excluded.stored_at";
    let values = [
        model.table.into(),
        (&**scope).into(),
        (*run).into(),
        to_json(&watermark.attributes)?,
        Datum::Text(watermark.next.clone()),
        watermark.pages.into(),
        watermark.records.into(),
        now.into(),
    ];
    connection.execute(&Statement::new(sql, values))?;
    Ok(watermark)
}

/// Moves the watermark unless another pull has taken over, and returns whether the claim is still valid.
pub(crate) fn advance(
    connection: &mut Connection,
    Claim { model, scope, run }: &Claim,
    to: &Watermark,
) -> Result<bool, Trouble> {
    let now = connection.now()?;
    let sql = "UPDATE datahub_pulls SET next = ?, pages = ?, records = ?, stored_at = ? \
               WHERE model = ? AND scope = ? AND run = ?";
    let values = [
        Datum::Text(to.next.clone()),
        to.pages.into(),
        to.records.into(),
        now.into(),
        model.table.into(),
        (&**scope).into(),
        (*run).into(),
    ];
    connection.execute(&Statement::new(sql, values)).map(|rows| rows == 1)
}
