//! The answer to a query from the hub's rows, without CDMS.

use std::sync::Arc;

use cdms_odata::Value;
use datahub_model::condition::{Why, column_of_field};
use datahub_model::{Mode, ModelDescriptor};
use datahub_protocol::{Failure, Stored};
use uuid::Uuid;

use super::cursor::Cursor;
use super::listing::Wish;
use super::reader::{Met, MetRow};
use super::request::Query;
use crate::engine::Engine;
use crate::engine::known_row::KnownRow;
use crate::freshness::Checked;
use crate::store::{RowFilter, RowQuery, Stage, StoredRecord};
use crate::{Error, ErrorKind};

/// Rows that satisfy a query.
pub(super) struct LocalPage {
    pub(super) met: Vec<(Uuid, Met)>,
    pub(super) next: Option<Cursor>,
}

/// The rows of a model that a query asks for.
pub(super) fn rows_of(engine: &Engine, query: &Query) -> Result<RowQuery, Error> {
    let Query { model, condition, order } = query;
    for model in condition.related_models() {
        engine.admit(model)?;
    }
    let invalid = |why: Why| Error::new(ErrorKind::Invalid, why.to_string());
    let filter = RowFilter::of(model, condition).map_err(invalid)?;
    let order = order.iter().map(|by| Ok((column_of_field(model, by.field)?, by.is_descending)));
    let order = order.collect::<Result<_, Why>>().map_err(invalid)?;
    Ok(RowQuery { model, filter, order, after: None, limit: None })
}

/// Loads the rows: two statements for 50.
pub(super) async fn load(wish: &Wish) -> Result<LocalPage, Error> {
    let (engine, query) = (&wish.engine, &wish.query);
    engine.admit(query.model)?;
    let mut rows = rows_of(engine, query)?;
    rows.after = wish.after.clone().map(|cursor| cursor.row_in(query)).transpose()?;
    rows.limit = wish.limit.map(|limit| i64::from(limit) + i64::from(wish.looks_further));
    let positions: Vec<_> = rows.order.iter().map(|(column, _)| position(query.model, column.field)).collect();
    let mut ids = engine.store.row_ids_of(rows).await?;
    let limit = wish.limit.map_or(usize::MAX, |limit| limit as usize);
    let has_more = ids.len() > limit;
    ids.truncate(limit);
    let met = known(engine, query.model, &ids).await?;
    let next = match met.last() {
        Some((id, Met::Row(last))) if has_more => {
            let values: Vec<_> = positions.iter().map(|at| last.row.values[*at].clone()).collect::<Vec<Value>>();
            Some(Cursor::in_hub(query, &values, *id))
        }
        // Without its values there is no place to continue from. This is about the list, and no longer about the row.
        Some((id, Met::Failed(error))) if has_more => {
            let model = query.model.name;
            let message =
                format!("the list cannot go on behind {model} {id}, which cannot be read: {}", error.reason());
            return Err(Error::new(error.kind(), message));
        }
        _ => None,
    };
    Ok(LocalPage { met, next })
}

/// Counts the rows: one statement.
pub(super) async fn count(wish: &Wish) -> Result<u64, Error> {
    let (engine, query) = (&wish.engine, &wish.query);
    engine.admit(query.model)?;
    if let Some(after) = wish.after.clone() {
        // What is behind a place is counted by its ids.
        let rows = RowQuery { after: Some(after.row_in(query)?), ..rows_of(engine, query)? };
        let rows = RowQuery { limit: wish.limit.map(i64::from), ..rows };
        return Ok(u64::try_from(engine.store.row_ids_of(rows).await?.len()).unwrap_or(u64::MAX));
    }
    let count = u64::try_from(engine.store.count_rows(rows_of(engine, query)?).await?).unwrap_or_default();
    Ok(wish.limit.map_or(count, |limit| count.min(u64::from(limit))))
}

fn position(model: &ModelDescriptor, field: &str) -> usize {
    model.columns.iter().position(|column| column.field == field).unwrap_or_default()
}

/// The rows of records, as far as the hub has them.
pub(super) async fn known(
    engine: &Arc<Engine>,
    model: &'static ModelDescriptor,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, Met)>, Error> {
    let stored = engine.store.load_many(model, ids.to_vec(), Stage::Begins).await?;
    let known = ids.iter().zip(stored).filter_map(|(id, StoredRecord { loaded, locals, .. })| {
        let Stored::Row(snapshot) = loaded.stored else { return None };
        let checked = match loaded.intent {
            Some(open) => Checked::Pending { operation: open.intent.operation },
            None if model.mode == Mode::Detached => Checked::Detached,
            None => Checked::NotChecked { since: engine.checks.times.last_utc(model, *id) },
        };
        let met = match KnownRow::stored(model, *id, &snapshot, locals) {
            Ok(row) => Met::Row(Box::new(MetRow { row, snapshot, checked })),
            Err(fault) => Met::Failed(Error::from_failure(Failure::Quarantined(fault), model, *id)),
        };
        Some((*id, met))
    });
    Ok(known.collect())
}
