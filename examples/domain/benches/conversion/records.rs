//! Records as CDMS returns them, and the same values as flat JSON.

use cdms_odata::{Attributes, Instant, Kind, Reference, Value};
use datahub_model::{Attribute, ModelDescriptor};
use fastrand::Rng;
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

pub(crate) struct Record {
    pub(crate) attributes: Attributes,
    /// The answer to a GET, as CDMS writes it.
    pub(crate) cdms: Vec<u8>,
    /// One member for each attribute, as a person would lay out the same values for `serde_json`.
    pub(crate) flat: Vec<u8>,
}

/// The attributes that are read from a model's records: the mapped ones, the key and the engine's.
pub(crate) fn shape(model: &ModelDescriptor) -> Vec<(&'static str, Kind)> {
    let entity = &model.entity;
    let mut shape: Vec<_> = model.attributes.iter().map(|stated| (stated.name, stated.kind)).collect();
    shape.extend([
        (entity.key, Kind::Guid),
        (entity.modified, Kind::DateTime),
        (entity.created, Kind::DateTime),
        (entity.modified_by, Kind::Lookup),
    ]);
    shape.sort_unstable();
    shape
}

/// Records of a model, the same in every run.
pub(crate) fn drawn(model: &'static ModelDescriptor, count: usize) -> Vec<Record> {
    let mut dice = Rng::with_seed(7);
    (0..count).map(|_| record(model, &mut dice)).collect()
}

fn record(model: &'static ModelDescriptor, dice: &mut Rng) -> Record {
    let entity = &model.entity;
    let attributes: Attributes = model.attributes.iter().map(|stated| (stated.name, value(stated, dice))).collect();
    let user = Reference { logical_name: "systemuser".into(), id: Uuid::from_u128(dice.u128(..)) };
    let mut all = attributes.clone();
    all.insert(entity.key, Value::Guid(Uuid::from_u128(dice.u128(..))));
    all.insert(entity.modified, Value::Instant(Instant(1_472_338_800_000)));
    all.insert(entity.created, Value::Instant(Instant(1_372_338_800_000)));
    all.insert(entity.modified_by, Value::Lookup(user));
    let kinds = shape(model);
    let mut answered = Map::new();
    let uri = format!("https://crm.example/XRMServices/2011/OrganizationData.svc/{}(guid'…')", entity.set);
    answered.insert(
        "__metadata".to_owned(),
        json!({ "uri": uri, "type": format!("Microsoft.Crm.Sdk.Data.{}", entity.name) }),
    );
    let mut flat = Map::new();
    for (name, kind) in kinds {
        let value = all.get(name).unwrap();
        answered.insert(name.to_owned(), as_answered(kind, value));
        let mapped = || model.columns.iter().any(|column| column.attributes().contains(&name));
        if name == entity.key || mapped() {
            flat.insert(name.to_owned(), as_flat(value));
        }
    }
    let cdms = json!({ "d": answered }).to_string().replace("/Date(", "\\/Date(").replace(")/", ")\\/");
    Record { attributes, cdms: cdms.into_bytes(), flat: Json::Object(flat).to_string().into_bytes() }
}

fn value(stated: &'static Attribute, dice: &mut Rng) -> Value {
    if !stated.required && dice.u8(..4) == 0 {
        return Value::Null;
    }
    match stated.kind {
        Kind::String => Value::text(text(stated, dice)),
        Kind::Boolean => Value::Boolean(dice.bool()),
        Kind::Money => Value::Money(Decimal::new(dice.i64(0..1_000_000_000), 4)),
        Kind::DateTime => Value::Instant(Instant(dice.i64(1_200_000_000..1_500_000_000) * 1_000)),
        Kind::Choice | Kind::State | Kind::Status => Value::Choice(dice.choice(stated.choices).unwrap().1),
        Kind::Lookup => {
            let logical_name = (*dice.choice(stated.targets).unwrap()).into();
            Value::Lookup(Reference { logical_name, id: Uuid::from_u128(dice.u128(..)) })
        }
        kind => panic!("no model here has an attribute of kind {kind}"),
    }
}

/// Words; long texts have the line breaks of a form, and parts of a telephone number are one word.
fn text(stated: &Attribute, dice: &mut Rng) -> String {
    const WORDS: [&str; 8] = ["Acme", "Street", "Café", "north", "of", "the", "41", "engineering"];
    let most = match stated.max_length.unwrap_or(40) {
        ..=40 => 1,
        41..=500 => 4,
        _ => 30,
    };
    let words: Vec<_> = (0..=dice.usize(..most)).map(|_| *dice.choice(WORDS.iter()).unwrap()).collect();
    words.join(if words.len() > 8 { "\r\n" } else { " " })
}

fn as_answered(kind: Kind, value: &Value) -> Json {
    let complex = |sort: &str| json!({ "type": format!("Microsoft.Crm.Sdk.Data.Services.{sort}") });
    match (kind, value) {
        (Kind::Lookup, Value::Null) => {
            json!({ "__metadata": complex("EntityReference"), "Id": null, "LogicalName": null, "Name": null })
        }
        (Kind::Lookup, Value::Lookup(to)) => {
            json!({ "__metadata": complex("EntityReference"), "Id": to.id, "LogicalName": to.logical_name, "Name": "Acme Street" })
        }
        (Kind::Money, Value::Money(amount)) => json!({ "__metadata": complex("Money"), "Value": amount.to_string() }),
        (Kind::Money, _) => json!({ "__metadata": complex("Money"), "Value": null }),
        (Kind::Choice | Kind::State | Kind::Status, Value::Choice(option)) => {
            json!({ "__metadata": complex("OptionSetValue"), "Value": option })
        }
        (_, Value::Instant(instant)) => json!(format!("/Date({})/", instant.0)),
        (_, plain) => as_flat(plain),
    }
}

fn as_flat(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Boolean(value) => json!(value),
        Value::Money(amount) => json!(amount.to_string()),
        Value::Instant(instant) => json!(instant.to_utc()),
        Value::Choice(option) => json!(option),
        Value::Lookup(to) => json!(to.id),
        Value::Guid(id) => json!(id),
        _ => Json::Null,
    }
}
