//! A sample record: invented values, the same on every run, as CDMS sends them and as the hub stores them.

use cdms_odata::crm2011::json::write_record;
use cdms_odata::{Instant, Kind, Reference, Value};
use chrono::{DateTime, NaiveDate, SecondsFormat};
use datahub_model::conversion::midnight_in;
use datahub_model::source::{ContractAttribute, Mapping, ResolvedColumn, ResolvedSource};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::declared::OF_TYPE;

/// A record on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The record as CDMS sends it, as JSON; empty if CDMS has no such record.
    pub record: String,
    /// The row: columns and values.
    pub row: Vec<(String, String)>,
    /// The value of each field, in the order of the columns.
    pub examples: Vec<Example>,
}

/// A field's value on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its attributes as CDMS sends them: names and JSON.
    pub remote: Vec<(String, String)>,
    /// Its value in the hub.
    pub local: String,
}

impl Sample {
    pub(super) fn of(mapping: &Mapping) -> Self {
        let id = id_of(&mapping.contract.entity);
        let examples: Vec<_> = mapping.columns.iter().map(|column| example(mapping, column, id)).collect();
        let mut lines: Vec<(String, String)> = Vec::new();
        for (name, json) in examples.iter().flat_map(|example| &example.remote) {
            if !lines.iter().any(|(known, _)| known == name) {
                lines.push((name.clone(), json.clone()));
            }
        }
        let lines: Vec<_> =
            lines.iter().map(|(name, json)| format!("  {}: {json}", serde_json::Value::from(name.as_str()))).collect();
        let record = if lines.is_empty() { String::new() } else { format!("{{\n{}\n}}", lines.join(",\n")) };
        let names = mapping.columns.iter().map(|column| column.name.clone());
        let row = names.zip(&examples).map(|(name, example)| (name, example.local.clone())).collect();
        Sample { record, row, examples }
    }
}

fn example(mapping: &Mapping, column: &ResolvedColumn, id: Uuid) -> Example {
    let contract = &mapping.contract;
    match &column.source {
        ResolvedSource::Key => {
            let key = contract
                .is_of_cdms()
                .then(|| (contract.key.clone(), wire(&contract.key, Kind::Guid, &Value::Guid(id))));
            Example { remote: key.into_iter().collect(), local: shown(&Value::Guid(id)) }
        }
        ResolvedSource::Engine(engine) => {
            let (name, kind, value) = match engine {
                datahub_model::EngineAttribute::Modified => (&contract.modified, Kind::DateTime, Value::Instant(NOON)),
                datahub_model::EngineAttribute::Created => (&contract.created, Kind::DateTime, Value::Instant(NOON)),
                datahub_model::EngineAttribute::ModifiedBy => {
                    let user = Reference { logical_name: "systemuser".into(), id: id_of("systemuser") };
                    (&contract.modified_by, Kind::Lookup, Value::Lookup(user))
                }
            };
            let local = match &value {
                Value::Lookup(user) => shown(&Value::Guid(user.id)),
                value => shown(value),
            };
            let remote = contract.is_of_cdms().then(|| (name.clone(), wire(name, kind, &value)));
            Example { remote: remote.into_iter().collect(), local }
        }
        ResolvedSource::Attribute { attribute, default, .. } => {
            let Some(stated) = contract.attribute(attribute) else {
                return Example { remote: Vec::new(), local: String::new() };
            };
            // What a default is for is seen best where CDMS has no value.
            let value = if *default { Value::Null } else { invented(stated) };
            let local = match (&value, &column.default) {
                (Value::Null, Some(default)) if default == OF_TYPE => empty_of(stated.kind).to_owned(),
                (Value::Null, Some(default)) => default.clone(),
                (Value::Choice(number), _) => {
                    let label = stated.choices.iter().find(|(_, option)| option == number);
                    label.map_or(number.to_string(), |(name, _)| format!("{number} ({})", stated.label(name)))
                }
                (Value::Lookup(target), _) if column.kind == Kind::String => shown(&Value::text(target.to_string())),
                (value, _) => shown(value),
            };
            Example { remote: vec![(attribute.clone(), on_wire(stated, &value))], local }
        }
        ResolvedSource::Joined { attributes, .. } => {
            let stated = attributes.iter().filter_map(|name| contract.attribute(name));
            let remote = stated.map(|stated| (stated.name.clone(), on_wire(stated, &invented(stated)))).collect();
            let with = column.with.as_deref().unwrap_or("its module");
            Example { remote, local: format!("what {with}::decode makes of them") }
        }
        ResolvedSource::Local => {
            let local = match &column.default {
                Some(default) if default == OF_TYPE => empty_of(column.kind).to_owned(),
                Some(default) => default.clone(),
                None if column.nullable => "(empty)".to_owned(),
                None => empty_of(column.kind).to_owned(),
            };
            Example { remote: Vec::new(), local }
        }
    }
}

/// Noon of a day in June, when clocks differ from UTC in most zones that change them.
const NOON: Instant = Instant(1_465_992_000_000);

/// An invented value of an attribute.
fn invented(stated: &ContractAttribute) -> Value {
    match stated.kind {
        Kind::String => text(&stated.name, stated.max_length),
        Kind::Integer => Value::Integer(42),
        Kind::BigInt => Value::BigInt(4_200_000_000),
        Kind::Decimal => Value::Decimal(Decimal::new(125, 2).round_dp(stated.scale.unwrap_or(2))),
        Kind::Money => Value::Money(Decimal::new(1_250, 0)),
        Kind::Double => Value::Double(51.5),
        Kind::Boolean => Value::Boolean(true),
        Kind::DateTime => Value::Instant(NOON),
        Kind::Date => NaiveDate::from_ymd_opt(2016, 6, 15).map_or(Value::Null, Value::Date),
        Kind::Guid => Value::Guid(id_of(&stated.name)),
        Kind::Choice | Kind::State | Kind::Status => {
            Value::Choice(stated.choices.first().map_or(1, |(_, number)| *number))
        }
        Kind::Lookup => {
            let target = stated.targets.first().cloned().unwrap_or_default();
            Value::Lookup(Reference { id: id_of(&target), logical_name: target.into() })
        }
    }
}

/// An invented text: what the attribute's name says.
fn text(name: &str, most: Option<u32>) -> Value {
    let plain = name.rsplit('_').next().filter(|part| part.len() > 2).unwrap_or(name);
    let lower = name.to_lowercase();
    let text = if lower.contains("mail") {
        "ada@example.org".to_owned()
    } else if lower.contains("url") || lower.contains("website") {
        "https://example.org".to_owned()
    } else if lower.contains("phone") || lower.contains("fax") {
        "020 7946 0123".to_owned()
    } else {
        let mut words = String::new();
        for letter in plain.chars() {
            if letter.is_uppercase() && words.ends_with(|before: char| before.is_lowercase()) {
                words.push(' ');
                words.extend(letter.to_lowercase());
            } else {
                words.push(letter);
            }
        }
        format!("Sample {}", words.to_lowercase())
    };
    let most = most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    Value::text(text.chars().take(most).collect::<String>())
}

/// An invented id, the same whenever the same thing is meant.
fn id_of(what: &str) -> Uuid {
    let hash = Sha256::digest(what.to_lowercase().as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// An attribute's value as CDMS sends it.
fn on_wire(stated: &ContractAttribute, value: &Value) -> String {
    match (stated.kind, value) {
        (Kind::Date, Value::Date(date)) => {
            let midnight = stated.zone.as_deref().and_then(|zone| midnight_in(zone, *date));
            wire(&stated.name, Kind::DateTime, &midnight.map_or(Value::Null, Value::Instant))
        }
        (kind, value) => wire(&stated.name, kind, value),
    }
}

/// A value as the dialect writes it.
fn wire(name: &str, kind: Kind, value: &Value) -> String {
    // Each value here is invented in the form of its kind, which is all that the writer asks for, and it writes JSON.
    let body = write_record([(name, kind, value)]).expect("an invented value has the form of its kind");
    let body: serde_json::Value = serde_json::from_slice(&body).expect("the dialect writes JSON");
    body.get(name).map_or("null".to_owned(), ToString::to_string)
}

/// A value of the hub, for readers.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "(empty)".to_owned(),
        Value::Text(text) => format!("{text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::BigInt(number) => number.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Money(number) => format!("{number:.2}"),
        Value::Double(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        Value::Instant(instant) => {
            let time = DateTime::from_timestamp_millis(instant.0);
            time.map_or(instant.0.to_string(), |time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
        }
        Value::Date(date) => date.to_string(),
        Value::Guid(id) => id.to_string(),
        Value::Choice(number) => number.to_string(),
        Value::Lookup(target) => target.id.to_string(),
    }
}

/// What a kind has if it has nothing.
fn empty_of(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "\"\"",
        Kind::Boolean => "false",
        Kind::Integer | Kind::BigInt | Kind::Decimal | Kind::Money | Kind::Double => "0",
        _ => "(empty)",
    }
}
