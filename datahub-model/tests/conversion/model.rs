//! A model with a column of every kind and source.

use cdms_odata::{Attributes, Instant, Kind, Reference, Value};
use datahub_model::conversion::Row;
use datahub_model::{
    Attribute, Class, Column, Comparison, Constant, EngineAttribute, Entity, Fault, Filter, Literal, MappingId, Mode,
    ModelDescriptor, Source, Write,
};
use rust_decimal::Decimal;

use crate::{ID, USER};

const ATTRIBUTES: &[Attribute] = &[
    Attribute::new("Amount", Kind::Money),
    Attribute::new("Born", Kind::Date).zone("Europe/Oslo"),
    Attribute::new("Budget", Kind::Decimal).scale(2),
    Attribute::new("Channel", Kind::Choice).required().choices(&[("web", 4)]),
    Attribute::new("Count", Kind::Integer),
    Attribute::new("Editor", Kind::String),
    Attribute::new("Flag", Kind::Boolean),
    Attribute::new("Given", Kind::String),
    Attribute::new("Name", Kind::String).required().max_length(5),
    Attribute::new("Number", Kind::String).required().read_only(),
    Attribute::new("Opened", Kind::DateTime),
    Attribute::new("Owner", Kind::Lookup).targets(&["account", "team"]),
    Attribute::new("Rank", Kind::Integer),
    Attribute::new("Ratio", Kind::Double),
    Attribute::new("State", Kind::State).choices(&[("open", 0), ("closed", 1)]),
    Attribute::new("Surname", Kind::String).class(Class::Personal),
    Attribute::new("Token", Kind::Guid).class(Class::Secret),
    Attribute::new("Views", Kind::BigInt),
];

const NOT_NONE: Filter = Filter::compare("Name", Comparison::NotEqual, Literal::text("none"));

const fn plain(name: &'static str, attribute: &'static str, kind: Kind) -> Column {
    Column::new(name, kind, Source::attribute(attribute)).nullable()
}

const COLUMNS: &[Column] = &[
    Column::new("id", Kind::Guid, Source::Key),
    Column::new("name", Kind::String, Source::attribute("Name")),
    Column::new("amount", Kind::Money, Source::attribute("Amount").or(|| Value::Decimal(Decimal::ONE))),
    plain("born", "Born", Kind::Date),
    plain("budget", "Budget", Kind::Decimal),
    plain("count", "Count", Kind::Integer).through(Some(no_thirteen)),
    plain("flag", "Flag", Kind::Boolean),
    plain("opened", "Opened", Kind::DateTime),
    plain("ratio", "Ratio", Kind::Double),
    plain("state", "State", Kind::State),
    plain("token", "Token", Kind::Guid),
    plain("views", "Views", Kind::BigInt),
    Column::new("owner", Kind::Lookup, Source::attribute("Owner").pointing_to(&["account"])).nullable(),
    Column::new("rank", Kind::Integer, Source::attribute("Rank").or(|| Value::Integer(3))),
    Column::new(
        "full",
        Kind::String,
        Source::Joined { attributes: &["Given", "Surname"], decode: join, encode: split, write: Write::Always },
    )
    .through(Some(no_one_unlucky)),
    Column::new("number", Kind::String, Source::attribute("Number").written(Write::Never)).nullable(),
    Column::new("note", Kind::String, Source::Local).nullable(),
    Column::new("modified", Kind::DateTime, Source::Engine(EngineAttribute::Modified)).nullable(),
    Column::new("created", Kind::DateTime, Source::Engine(EngineAttribute::Created)).nullable(),
    Column::new("modified_by", Kind::Guid, Source::Engine(EngineAttribute::ModifiedBy)).nullable(),
];

/// A type that rejects 13, and keeps 16 as 17.
fn no_thirteen(value: &Value) -> Result<Value, Fault> {
    match value {
        Value::Integer(13) => Err(Fault::new("is unlucky").value(value)),
        Value::Integer(16) => Ok(Value::Integer(17)),
        _ => Ok(value.clone()),
    }
}

/// A type that rejects one name.
fn no_one_unlucky(value: &Value) -> Result<Value, Fault> {
    match value {
        Value::Text(text) if text == "Un Lucky" => Err(Fault::new("is unlucky").value(value)),
        _ => Ok(value.clone()),
    }
}

/// The values of both attributes with a space between; "?" for a null.
fn join(attributes: &Attributes) -> Result<Value, Fault> {
    let part = |name| match attributes.get(name) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "?",
    };
    match (part("Given"), part("Surname")) {
        ("bad", _) => Err(Fault::new("is no name").value(&Value::text("bad"))),
        ("none", _) => Ok(Value::Null),
        ("number", _) => Ok(Value::Integer(1)),
        (given, surname) => Ok(Value::text(format!("{given} {surname}"))),
    }
}

fn split(value: &Value, _: &Attributes) -> Result<Attributes, Fault> {
    match value {
        Value::Text(text) => match text.split_once(' ') {
            Some(("other", other)) => Ok(Attributes::from([("Count", Value::text(other))])),
            Some((given, surname)) => {
                Ok(Attributes::from([("Given", Value::text(given)), ("Surname", Value::text(surname))]))
            }
            None => Err(Fault::new("needs a blank").value(value)),
        },
        _ => Ok(Attributes::from([("Given", Value::Null), ("Surname", Value::Null)])),
    }
}

pub(crate) const FULL: ModelDescriptor = ModelDescriptor {
    name: "Full",
    table: "full",
    mode: Mode::Sync,
    entity: Entity {
        name: "Full",
        set: "FullSet",
        key: "FullId",
        logical: "full",
        modified: "ModifiedOn",
        created: "CreatedOn",
        modified_by: "ModifiedBy",
    },
    attributes: ATTRIBUTES,
    captured: &[],
    columns: COLUMNS,
    constants: &[("Channel", Constant::Fixed(Literal::Choice(4))), ("Editor", Constant::Text("hub: {actor}"))],
    only: Some(&NOT_NONE),
    mapping_id: MappingId(255),
    epoch: 0,
};

/// The same model with its date in another zone.
pub(crate) fn with_zone(zone: &'static str) -> ModelDescriptor {
    let mut attributes = ATTRIBUTES.to_vec();
    attributes[1].zone = Some(zone);
    ModelDescriptor { attributes: attributes.leak(), ..FULL }
}

/// The same model with another contract for the attribute.
pub(crate) fn stating(attribute: Attribute) -> ModelDescriptor {
    let mut attributes = ATTRIBUTES.to_vec();
    let at = attributes.iter().position(|known| known.name == attribute.name).unwrap();
    attributes[at] = attribute;
    ModelDescriptor { attributes: attributes.leak(), ..FULL }
}

pub(crate) fn column<'m>(model: &'m ModelDescriptor, field: &str) -> &'m Column {
    model.columns.iter().find(|column| column.field == field).unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn owner() -> Value {
    Value::Lookup(Reference { logical_name: "account".into(), id: USER })
}

/// A record in which every attribute has a value.
pub(crate) fn full() -> Attributes {
    Attributes::from([
        ("Amount", Value::Money(decimal("12.3456"))),
        ("Born", Value::Date("2016-06-15".parse().unwrap())),
        ("Budget", Value::Decimal(decimal("0.25"))),
        ("Channel", Value::Choice(4)),
        ("Count", Value::Integer(-5)),
        ("Editor", Value::text("kari")),
        ("Flag", Value::Boolean(true)),
        ("Given", Value::text("Ola")),
        ("Name", Value::text("Acme")),
        ("Number", Value::text("N-1")),
        ("Opened", Value::Instant(Instant(-1000))),
        ("Owner", owner()),
        ("Rank", Value::Integer(3)),
        ("Ratio", Value::Double(0.5)),
        ("State", Value::Choice(1)),
        ("Surname", Value::text("Nordmann")),
        ("Token", Value::Guid(USER)),
        ("Views", Value::BigInt(i64::MIN)),
    ])
}

/// The row that the record converts to.
pub(crate) fn row() -> Row {
    vec![
        Value::Guid(ID),
        Value::text("Acme"),
        Value::Money(decimal("12.3456")),
        Value::Date("2016-06-15".parse().unwrap()),
        Value::Decimal(decimal("0.25")),
        Value::Integer(-5),
        Value::Boolean(true),
        Value::Instant(Instant(-1000)),
        Value::Double(0.5),
        Value::Choice(1),
        Value::Guid(USER),
        Value::BigInt(i64::MIN),
        owner(),
        Value::Integer(3),
        Value::text("Ola Nordmann"),
        Value::text("N-1"),
        Value::Null,
        Value::Instant(Instant(20)),
        Value::Instant(Instant(10)),
        Value::Guid(USER),
    ]
}
