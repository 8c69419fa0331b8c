//! The progress of the models' pulls, so that each continues where it stopped.

use datahub_model::ModelDescriptor;
use uuid::Uuid;

use super::connection::Connection;
use super::failure::Trouble;
use super::intents::{mapping_datum, mapping_tag};
use super::statement::{Datum, Statement};

/// The progress of a pull.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Watermark {
    /// The address of the next page; `None` at the beginning and at the end.
    pub(crate) next: Option<String>,
    /// The number of pages stored since the beginning.
    pub(crate) pages: i64,
    /// The number of records on these pages.
    pub(crate) records: i64,
}

/// A pull's claim on its watermark. The newest claim is valid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) model: &'static ModelDescriptor,
    pub(crate) run: Uuid,
}

/// Takes over the model's pull and returns its progress. It starts from the beginning if the last pull was complete,
/// had another mapping, or is to be restarted.
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

/// Moves the watermark unless another pull has taken over, and returns whether the claim is still valid.
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
