//! How far the pulls of models have come, so that each goes on where it stopped.

use datahub_model::ModelDescriptor;
use uuid::Uuid;

use super::connection::Connection;
use super::failure::Trouble;
use super::intents::{mapping_datum, mapping_tag};
use super::statement::{Datum, Statement};

/// How far a pull has come.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Watermark {
    /// The address of the next page; none at the beginning and at the end.
    pub(crate) next: Option<String>,
    /// Pages stored since the beginning.
    pub(crate) pages: i64,
    /// Records on them.
    pub(crate) records: i64,
}

/// A pull's claim on its watermark: the newest one holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) model: &'static ModelDescriptor,
    pub(crate) run: Uuid,
}

/// Takes over the model's pull, and says how far it has come: to the beginning if the last one was complete, or had
/// another mapping, or is not to be gone on with.
pub(crate) fn claim(
    connection: &mut Connection,
    Claim { model, run }: Claim,
    restart: bool,
) -> Result<Watermark, Trouble> {
    let now = connection.now()?;
    let sql = "SELECT next, pages, records, mapping_id FROM datahub_watermarks WHERE model = ?";
    let known = connection.read(&Statement::new(sql, [model.table.into()]))?.into_iter().next();
    let known = known
        .map(|(next, pages, records, mapping_id)| (Watermark { next, pages, records }, mapping_tag(mapping_id)))
        .filter(|(known, mapping)| !restart && known.next.is_some() && *mapping == model.mapping_id.0);
    let watermark = known.map(|(watermark, _)| watermark).unwrap_or_default();
    let sql = "INSERT INTO datahub_watermarks (model, mapping_id, run, next, pages, records, stored_at) \
               VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (model) DO UPDATE SET mapping_id = excluded.mapping_id, \
               run = excluded.run, next = excluded.next, pages = excluded.pages, records = excluded.records, \
               stored_at = excluded.stored_at";
    let values = [
        model.table.into(),
        mapping_datum(model.mapping_id.0),
        run.into(),
        Datum::Text(watermark.next.clone()),
        watermark.pages.into(),
        watermark.records.into(),
        now.into(),
    ];
    connection.execute(&Statement::new(sql, values))?;
    Ok(watermark)
}

/// Moves the watermark, unless another pull has taken over; says whether it holds.
pub(crate) fn advance(
    connection: &mut Connection,
    Claim { model, run }: Claim,
    to: &Watermark,
) -> Result<bool, Trouble> {
    let now = connection.now()?;
    let sql = "UPDATE datahub_watermarks SET next = ?, pages = ?, records = ?, stored_at = ? \
               WHERE model = ? AND run = ?";
    let values =
        [Datum::Text(to.next.clone()), to.pages.into(), to.records.into(), now.into(), model.table.into(), run.into()];
    connection.execute(&Statement::new(sql, values)).map(|rows| rows == 1)
}
