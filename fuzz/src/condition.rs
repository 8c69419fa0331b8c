//! Any text as a condition on a model's fields, as a search form passes it on: it is read or refused, what is read says
//! the same once it is written out again, and CDMS is asked for it or not, with a reason.

use cdms_odata::{Kind, Value};
use datahub_model::condition::Condition;
use datahub_model::filter::ODataV2;
use datahub_model::{
    Attribute, Column, Comparison, EngineAttribute, Entity, Filter, Literal, MappingId, MaybeStatic, Mode,
    ModelDescriptor, Source,
};

const fn nullable(name: &'static str, attribute: &'static str, kind: Kind) -> Column {
    Column::new(name, kind, Source::attribute(attribute)).nullable()
}

/// Which records belong to the model, also those that a lookup points to.
static ONLY: Filter =
    Filter::Not(MaybeStatic::Static(&Filter::compare("Alias", Comparison::Equal, Literal::text("x"))));

/// A field of every kind and sort.
static MODEL: ModelDescriptor = ModelDescriptor {
    name: "Firm",
    table: "firms",
    mode: Mode::Mirror,
    entity: Entity {
        name: "Account",
        set: "AccountSet",
        key: "AccountId",
        logical: "account",
        modified: "ModifiedOn",
        created: "CreatedOn",
        modified_by: "ModifiedBy",
    },
    attributes: &[
        Attribute::new("Alias", Kind::String),
        Attribute::new("Born", Kind::Date).zone("Europe/London"),
        Attribute::new("Budget", Kind::Decimal).scale(2),
        Attribute::new("Count", Kind::Integer),
        Attribute::new("Industry", Kind::Choice).choices(&[("accounting", 1), ("fine_arts", 3)]),
        Attribute::new("Limit", Kind::Money),
        Attribute::new("Name", Kind::String).required(),
        Attribute::new("Owner", Kind::Lookup).targets(&["systemuser", "account"]),
        Attribute::new("Parent", Kind::Lookup).targets(&["account"]).navigations(&[("account", "parent_account")]),
        Attribute::new("Ratio", Kind::Double),
        Attribute::new("Since", Kind::DateTime),
        Attribute::new("Token", Kind::Guid),
        Attribute::new("Verified", Kind::Boolean),
        Attribute::new("Views", Kind::BigInt),
    ],
    captured: &[],
    columns: &[
        Column::new("id", Kind::Guid, Source::Key),
        Column::new("name", Kind::String, Source::attribute("Name")),
        Column::new("alias", Kind::String, Source::attribute("Alias").or(|| Value::text(""))),
        Column::new("count", Kind::Integer, Source::attribute("Count").or(|| Value::Integer(3))),
        nullable("born", "Born", Kind::Date),
        nullable("budget", "Budget", Kind::Decimal),
        nullable("group_industry", "Industry", Kind::Choice).field("group.industry"),
        nullable("limit", "Limit", Kind::Money),
        nullable("owner", "Owner", Kind::String),
        nullable("parent", "Parent", Kind::Lookup),
        nullable("ratio", "Ratio", Kind::Double),
        nullable("since", "Since", Kind::DateTime),
        nullable("token", "Token", Kind::Guid),
        nullable("verified", "Verified", Kind::Boolean),
        nullable("views", "Views", Kind::BigInt),
        Column::new("note", Kind::String, Source::Local).nullable(),
        Column::new("modified", Kind::DateTime, Source::Engine(EngineAttribute::Modified)),
    ],
    constants: &[],
    only: Some(&ONLY),
    mapping_id: MappingId(0),
    epoch: 0,
};

/// Reads a condition, writes it out again, and asks CDMS for it.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let condition = match Condition::parse(text, &MODEL, &[&MODEL]) {
        Ok(condition) => condition,
        Err(refused) => {
            assert!(refused.position() <= text.chars().count(), "{refused} is outside {text:?}");
            assert!(!refused.message().is_empty() && !refused.help().is_empty(), "refused without a reason");
            return;
        }
    };
    let written = condition.to_string();
    let again = Condition::parse(&written, &MODEL, &[&MODEL]);
    assert_eq!(again.as_ref(), Ok(&condition), "{text:?} was written as {written:?}");
    if let Err(refused) = condition.wanted(&MODEL, &ODataV2) {
        assert!(!refused.to_string().is_empty(), "refused without a reason");
    }
}
