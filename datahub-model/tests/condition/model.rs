//! A model with a field of every sort that conditions tell apart, and the models that it points to.

use cdms_odata::{Attributes, Instant, Kind, Value};
use chrono::NaiveDate;
use datahub_model::{
    Attribute, Class, Column, EngineAttribute, Entity, Fault, MappingId, Mode, ModelDescriptor, Source, Write,
};
use rust_decimal::Decimal;

const fn entity(name: &'static str, set: &'static str, key: &'static str, logical: &'static str) -> Entity {
    Entity { name, set, key, logical, modified: "ModifiedOn", created: "CreatedOn", modified_by: "ModifiedBy" }
}

const fn model(
    name: &'static str,
    table: &'static str,
    entity: Entity,
    attributes: &'static [Attribute],
    columns: &'static [Column],
) -> ModelDescriptor {
    ModelDescriptor {
        name,
        table,
        mode: Mode::Sync,
        entity,
        attributes,
        captured: &[],
        columns,
        constants: &[],
        only: None,
        mapping_id: MappingId(1),
        epoch: 0,
    }
}

const fn nullable(name: &'static str, attribute: &'static str, kind: Kind) -> Column {
    Column::new(name, kind, Source::attribute(attribute)).nullable()
}

/// An organisation.
pub(crate) static FIRM: ModelDescriptor = model(
    "Firm",
    "firms",
    entity("Account", "AccountSet", "AccountId", "account"),
    &[
        Attribute::new("Alias", Kind::String),
        Attribute::new("Area", Kind::Double),
        Attribute::new("Boss", Kind::Lookup).targets(&["contact", "systemuser"]),
        Attribute::new("Budget", Kind::Decimal).scale(2),
        Attribute::new("Closed", Kind::Date).zone("America/New_York"),
        Attribute::new("Country", Kind::String),
        Attribute::new("Founded", Kind::Date).zone("Europe/London"),
        Attribute::new("Industry", Kind::Choice).choices(&[("accounting", 1), ("fine_arts", 3)]),
        Attribute::new("Limit", Kind::Money),
        Attribute::new("Met", Kind::DateTime),
        Attribute::new("Name", Kind::String).required(),
        Attribute::new("Owner", Kind::Lookup).targets(&["systemuser", "team"]),
        Attribute::new("Phone", Kind::String).class(Class::Personal),
        Attribute::new("Rank", Kind::Integer),
        Attribute::new("Sector", Kind::Lookup).targets(&["sector"]).navigations(&[("sector", "sector_account")]),
        Attribute::new("Seen", Kind::DateTime),
        Attribute::new("Size", Kind::Integer),
        Attribute::new("State", Kind::State).required().choices(&[("active", 0), ("inactive", 1)]),
        Attribute::new("Token", Kind::Guid),
        Attribute::new("Town", Kind::String),
        Attribute::new("Views", Kind::BigInt),
        Attribute::new("Vip", Kind::Boolean),
    ],
    &[
        Column::new("id", Kind::Guid, Source::Key),
        Column::new("name", Kind::String, Source::attribute("Name")),
        Column::new("alias", Kind::String, Source::attribute("Alias").or(|| Value::text(""))),
        Column::new("country", Kind::String, Source::attribute("Country").or(|| Value::text("none"))),
        nullable("address_town", "Town", Kind::String).field("address.town"),
        nullable("size", "Size", Kind::Integer),
        Column::new("rank", Kind::Integer, Source::attribute("Rank").or(|| Value::Integer(3))),
        nullable("vip", "Vip", Kind::Boolean),
        nullable("met", "Met", Kind::DateTime),
        Column::new(
            "seen",
            Kind::DateTime,
            Source::attribute("Seen").or(|| Value::Instant(Instant(1_000_000_000_000))),
        ),
        nullable("founded", "Founded", Kind::Date),
        Column::new("closed", Kind::Date, Source::attribute("Closed").or(last_day)),
        nullable("token", "Token", Kind::Guid),
        Column::new("state", Kind::State, Source::attribute("State")),
        nullable("industry", "Industry", Kind::Choice),
        nullable("sector", "Sector", Kind::Lookup),
        Column::new("owner", Kind::Lookup, Source::attribute("Owner").pointing_to(&["systemuser"])).nullable(),
        nullable("boss", "Boss", Kind::String),
        nullable("limit", "Limit", Kind::Money),
        nullable("budget", "Budget", Kind::Decimal),
        nullable("area", "Area", Kind::Double),
        nullable("views", "Views", Kind::BigInt),
        Column::new(
            "phone",
            Kind::String,
            Source::Joined { attributes: &["Phone"], decode: phone, encode: no_phone, write: Write::Never },
        )
        .nullable(),
        Column::new("note", Kind::String, Source::Local).nullable(),
        Column::new("modified", Kind::DateTime, Source::Engine(EngineAttribute::Modified)),
        Column::new("created", Kind::DateTime, Source::Engine(EngineAttribute::Created)).nullable(),
        Column::new("modified_by", Kind::Guid, Source::Engine(EngineAttribute::ModifiedBy)).nullable(),
    ],
);

/// What a firm's lookup points to.
pub(crate) static SECTOR: ModelDescriptor = model(
    "Sector",
    "sectors",
    entity("Sector", "SectorSet", "SectorId", "sector"),
    &[
        Attribute::new("Code", Kind::Integer),
        Attribute::new("Group", Kind::Lookup).targets(&["sector"]).navigations(&[("sector", "sector_group")]),
        Attribute::new("Opened", Kind::Date).zone("Europe/London"),
        Attribute::new("Region", Kind::String),
        Attribute::new("Title", Kind::String).required(),
    ],
    &[
        Column::new("id", Kind::Guid, Source::Key),
        Column::new("title", Kind::String, Source::attribute("Title")),
        nullable("code", "Code", Kind::Integer),
        nullable("opened", "Opened", Kind::Date),
        nullable("group", "Group", Kind::Lookup),
    ],
);

/// One of those that a firm's boss may be.
pub(crate) static CONTACT: ModelDescriptor = model(
    "Contact",
    "contacts",
    entity("Contact", "ContactSet", "ContactId", "contact"),
    &[Attribute::new("LastName", Kind::String)],
    &[Column::new("id", Kind::Guid, Source::Key), nullable("last_name", "LastName", Kind::String)],
);

fn last_day() -> Value {
    NaiveDate::from_ymd_opt(9999, 12, 31).map_or(Value::Null, Value::Date)
}

fn phone(attributes: &Attributes) -> Result<Value, Fault> {
    Ok(attributes.get("Phone").cloned().unwrap_or_default())
}

fn no_phone(_: &Value, _: &Attributes) -> Result<Attributes, Fault> {
    Ok(Attributes::new())
}

/// A decimal of a row.
pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}
