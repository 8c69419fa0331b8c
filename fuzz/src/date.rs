//! Dates in every time zone both ways: a date begins at its first instant, and that instant is of this date.

use std::sync::LazyLock;

use cdms_odata::{Attributes, Instant, Kind, Value};
use chrono::{Datelike as _, NaiveDate};
use chrono_tz::TZ_VARIANTS;
use datahub_model::conversion::{RecordFacts, decode, encode};
use datahub_model::{Attribute, Column, Entity, MappingId, Mode, ModelDescriptor, Source};
use uuid::Uuid;

const COLUMNS: &[Column] = &[Column::new("born", Kind::Date, Source::attribute("Born")).nullable()];

/// A model with a date in each zone.
static MODELS: LazyLock<Vec<ModelDescriptor>> =
    LazyLock::new(|| TZ_VARIANTS.iter().map(|zone| model(zone.name())).collect());

fn model(zone: &'static str) -> ModelDescriptor {
    let entity =
        Entity { name: "A", set: "ASet", key: "AId", logical: "a", modified: "M", created: "C", modified_by: "B" };
    ModelDescriptor {
        name: "Model",
        table: "models",
        mode: Mode::Sync,
        entity,
        // There are as many as zones, for as long as the program runs.
        attributes: vec![Attribute::new("Born", Kind::Date).zone(zone)].leak(),
        columns: COLUMNS,
        constants: &[],
        only: None,
        mapping_id: MappingId(0),
    }
}

/// Takes two bytes for the zone, and eight for an instant, or four for a date.
pub fn run(data: &[u8]) {
    let Some((zone, rest)) = data.split_first_chunk() else { return };
    let model = &MODELS[usize::from(u16::from_be_bytes(*zone)) % MODELS.len()];
    if let Some(ms) = rest.first_chunk() {
        if let Some(date) = date_of(model, Instant(i64::from_be_bytes(*ms))) {
            begins(model, date);
        }
    } else if let Some(days) = rest.first_chunk()
        && let Some(date) = NaiveDate::from_epoch_days(i32::from_be_bytes(*days))
    {
        begins(model, date);
    }
}

fn date_of(model: &ModelDescriptor, instant: Instant) -> Option<NaiveDate> {
    let facts = RecordFacts { id: Uuid::nil(), modified: None, created: None, modified_by: None };
    let row = decode(model, &facts, &Attributes::from([("Born", Value::Instant(instant))])).ok()?;
    match row.as_slice() {
        [Value::Date(date)] => Some(*date),
        other => panic!("{instant} was read as {other:?}"),
    }
}

/// A date that is sent comes back, and the millisecond before its beginning is an earlier date's.
fn begins(model: &ModelDescriptor, date: NaiveDate) {
    // A day that a zone left out has no beginning.
    let Ok(patch) = encode(model, &COLUMNS[0], &Value::Date(date), &Attributes::new()) else { return };
    let Some(Value::Instant(begin)) = patch.get("Born") else { panic!("{date} is sent as {patch:?}") };
    let zone = model.attributes[0].zone.unwrap_or_default();
    assert_eq!(date_of(model, *begin), Some(date), "{zone}: {date} is sent as {begin}");
    // Of the calendar's own first day the beginning may be beyond it, and CDMS has no date outside these years.
    if (1..=9999).contains(&date.year())
        && let Some(before) = date_of(model, begin.plus_ms(-1))
    {
        assert!(before < date, "{zone}: {date} is sent as {begin}, and {before} is just before that");
    }
}
